"""Collect the people to write in tables: temporary ones for a single write, a job's own for an import.

The preview of an import fills the tables of its job, and the work units of the import write from them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from profiles.database.copy_format import copy_lines, escape, escape_document
from profiles.merging.actions import as_list
from profiles.merging.person import Link, Person
from profiles.merging.rules import AddressFact
from profiles.merging.working_set import WorkingSet
from profiles.schema import ALIAS, EXTERNAL_ID

INSERTED = (
    "bucket int NOT NULL, first_row int, moment bigint NOT NULL, external_id text, alias json, attributes text,"
    " links text"
)
UPDATED = (
    "bucket int NOT NULL, person bigint NOT NULL, version bigint NOT NULL, first_row int, moment bigint,"
    " external_id text, alias json, delta jsonb, removed_keys jsonb, changes jsonb, removed_links jsonb,"
    " added_links jsonb"
)
"""``moment``: microseconds after the change set's time, from the last row that changes the person; null for a person
who stays unchanged. ``alias``: label and name, also if only the external ID changes, since a person who loses an
external ID to another may lose the alias with it, until the update restores it (``store``)."""

FACTS = "bucket int NOT NULL, row_no int NOT NULL, version bigint, kind text, value text, suppressed boolean"
"""What rows state about addresses, whoever has them; ``version`` as in ``rules.AddressFact``."""


@dataclass(frozen=True, slots=True)
class WriteSetTables:
    """The names of the tables of a write set.

    ``staged``: the table of staged rows (row_no, raw, links), from which values are read instead of being copied.
    """

    inserted: str
    updated: str
    facts: str
    staged: str | None = None

    def names(self) -> dict[str, str]:
        """Return the tables, and the expressions for a new person's values, for the statements of ``store``."""
        if self.staged is None:
            source, attributes, links = f"{self.inserted} b", "b.attributes", "b.links"
        else:
            source = f"{self.inserted} b JOIN {self.staged} s ON s.row_no = b.first_row"
            attributes, links = "coalesce(b.attributes, s.raw)", "coalesce(b.links, s.links)"
        return {
            "inserted": self.inserted,
            "updated": self.updated,
            "facts": self.facts,
            "inserted_rows": source,
            "attributes": attributes,
            "links": links,
        }


class WriteSet:
    """Collects the created and changed people of working sets, and copies them to the tables. Writes no people."""

    def __init__(self, tables: WriteSetTables, bucket: int = 0) -> None:
        self._tables, self._bucket = tables, bucket
        self._inserted: list[bytes] = []
        self._updated: list[bytes] = []
        self._facts: list[bytes] = []

    def add(self, people: WorkingSet) -> None:
        """Add all people that the rows created or matched, and the statements about addresses."""
        for person in people.affected.values():
            if person.version is None:
                self._inserted.append(_inserted(person, people, self._bucket, self._tables.staged is not None).encode())
            else:
                self._updated.append(_updated(person, people, self._bucket).encode())

        self._facts += [_fact(fact, self._bucket).encode() for fact in people.facts]

    def save(self, cursor: Any) -> None:
        """Copy everything that was added to the tables."""
        copy_lines(cursor, f"{self._tables.inserted} ({_names(INSERTED)})", b"".join(self._inserted))
        copy_lines(cursor, f"{self._tables.updated} ({_names(UPDATED)})", b"".join(self._updated))
        copy_lines(cursor, f"{self._tables.facts} ({_names(FACTS)})", b"".join(self._facts))


def _inserted(person: Person, people: WorkingSet, bucket: int, staged: bool) -> str:
    """Return the line of a new person. The values of a person with a single row are read from the staged row."""
    own = f"{_own(person.external_id)}\t{_own(person.alias)}"
    attributes = links = r"\N"
    if not (staged and isinstance(person.attributes, str)):
        attributes, links = escape_document(person.values()), escape_document(people.links(person))
    return f"{bucket}\t{person.first_row}\t{person.recency - people.base}\t{own}\t{attributes}\t{links}\n"


def _updated(person: Person, people: WorkingSet, bucket: int) -> str:
    """Return the line of a matched person, changed or not."""
    start = f"{bucket}\t{person.ref}\t{person.version}\t{person.first_row}\t"
    changes = person.changes
    if person.recency == person.version:
        return start + "\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n"
    renamed = EXTERNAL_ID in changes
    external_id = _own(person.external_id) if renamed else r"\N"
    form = _own(person.alias) if renamed or ALIAS in changes else r"\N"
    delta = {key: new for key, (_, new) in changes.items() if new is not None and key not in (EXTERNAL_ID, ALIAS)}
    removed_keys = [key for key, (_, new) in changes.items() if new is None]
    removed_links, added_links = _relinked(person, people)
    fields = (delta, removed_keys or None, changes, removed_links or None, added_links or None)
    rest = "\t".join(map(escape_document, fields)) + "\n"
    return f"{start}{person.last_row}\t{external_id}\t{form}\t{rest}"


def _own(text: str | None) -> str:
    """Return an own field, which may be missing, for COPY."""
    return r"\N" if text is None else escape(text)


def _fact(fact: AddressFact, bucket: int) -> str:
    kind, value = fact.address
    version = r"\N" if fact.version is None else fact.version
    return f"{bucket}\t{fact.row}\t{version}\t{kind}\t{escape(value)}\t{fact.suppressed}\n"


def _relinked(person: Person, people: WorkingSet) -> tuple[list[Link], list[Link]]:
    """Return the identifiers, in matching form, that a person lost and gained."""
    removed_links: list[Link] = []
    added_links: list[Link] = []
    forms = people.rules.identifiers
    for key in () if forms.keys().isdisjoint(person.changes) else forms.keys() & person.changes.keys():
        before, after = ({(key, forms[key](value)) for value in as_list(values)} for values in person.changes[key])
        removed_links += before - after
        added_links += after - before
    return removed_links, added_links


def _names(columns: str) -> str:
    return ", ".join(column.split()[0] for column in columns.split(","))
