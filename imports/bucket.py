"""A bucket's rows against the people they touch: what preview and apply have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings

from imports import mapping
from imports.models import ImportJob
from profiles import schema, store
from profiles.merge import Action
from profiles.people import Incoming, Link, Outcome, People, Person, Result, Rules
from profiles.schema import EXTERNAL_ID


@dataclass(frozen=True, slots=True)
class Applied:
    """Rows, what each of them did, and the working set they did it to."""

    people: People
    rows: Sequence[Incoming]
    results: Sequence[Result]

    def counts(self) -> dict[str, int]:
        """Rows by outcome; *updated* includes *unchanged* (D-07). ``people``: who was imported or updated."""
        found = Counter(result.outcome for result in self.results)
        return {
            "imported": found[Outcome.IMPORTED],
            "updated": found[Outcome.UPDATED] + found[Outcome.UNCHANGED],
            "unchanged": found[Outcome.UNCHANGED],
            "ignored": found[Outcome.IGNORED],
            "failed": found[Outcome.FAILED],
            "people": len(self.people.touched),
            "repeated": len(self.rows) - len({row.key for row in self.rows}),
            "cleared": sum(_cleared(result) for result in self.results),
        }


def rules(job: ImportJob) -> Rules:
    """What the job asks for, under the schema with the attributes it would add."""
    known = mapping.resulting_schema(list(job.columns.all()), schema.load())
    kinds = mapping.looked_up_kinds(job.identifier)
    return Rules.of(known, Action(job.action), kinds, settings.IMPORTS_MAX_IDENTIFIER_VALUES)


def apply_rows(
    rows: Sequence[Incoming],
    rules: Rules,
    base: int,
    load: Callable[[Iterable[Link]], list[tuple[Link, Person]]] = store.load,
) -> Applied:
    """Apply rows one after another, in memory, to everybody they could find."""
    people = People(rules, base)
    people.add(load(sought(rows)))
    return Applied(people, rows, [people.apply(row) for row in rows])


def sought(rows: Iterable[Incoming]) -> list[Link]:
    """Each value that rows look somebody up by, once, and the external ids they bring, which others may own."""
    return list(dict.fromkeys(link for row in rows for link in (row.key, *_external_ids(row))))


def given(rows: Iterable[Incoming]) -> set[Link]:
    """Each value that somebody may come to hold."""
    return {link for row in rows for link in row.links}


def _external_ids(row: Incoming) -> list[Link]:
    return [link for link in row.links if link[0] == EXTERNAL_ID] if len(row.links) > 1 else []


def _cleared(result: Result) -> int:
    return sum(new is None for _, new in result.changes.values()) if result.changes else 0
