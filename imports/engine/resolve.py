"""A bucket's rows against the people they touch: what becomes of each row, and what is to be written.

The preview works every bucket out and writes nobody; apply writes what was worked out, and works a bucket out again
where people have moved since. So there is one place where rows become changes (design rule 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from imports.engine import events, fast_path, simulation, staging
from imports.engine.fast_path import ResolvedCounts
from imports.job_tables import JobTables
from imports.jobs import stored_file
from imports.mapping import column_mapping
from imports.mapping.column_mapping import Target
from imports.models import Bucket, ImportJob
from imports.rows import clevertap_codes
from profiles.database import copy_format
from profiles.merging.actions import Action
from profiles.merging.consent import DND
from profiles.merging.person import Incoming, Link, Person
from profiles.merging.rules import MAX_CUSTOM_ATTRIBUTES, Outcome, Result, Rules
from profiles.merging.working_set import WorkingSet
from profiles.models import load_schema
from profiles.schema import ALIAS, ALIAS_NAME, EXTERNAL_ID
from profiles.writing import lookup, store, write_set

COUNT_NAMES = ("imported", "updated", "unchanged", "ignored", "failed", "people", "repeated", "cleared")


def resolve_bucket(job: ImportJob, bucket: Bucket, base: int) -> dict[int, int | None]:
    """Apply the rows of a bucket in memory and store what came of it; the counts go to ``bucket.counts``.

    ``base``: microseconds; changes are dated from it. Returns the versions of people who must not transition until the
    bucket is written (see ``store.stand_still``).
    """
    rules, outcome = _rules(job), _Outcome(bucket, JobTables(job.pk), events=job.holds_events)
    # Rows of different keys find different people only as long as nobody else writes; else they share a working set.
    if bucket.lane == Bucket.Lane.SERIAL or store.count_foreign_writes(job.snapshot, job.change_set_id):
        rows = staging.load_rows(job, bucket)
        outcome.add(rows, _people(rules, base, lookup.load_people(lookup_links(rows))))
    elif job.holds_events:
        met = events.resolve_plain_keys(job, bucket, rules)
        outcome.met(met)
        rows = staging.load_rows(job, bucket, met.remaining) if met.remaining else []
        outcome.add(rows, _people(rules, base, lookup.load_people(lookup_links(rows))))
    else:
        settled, chunks = fast_path.resolve_plain_rows(job, bucket, rules)
        outcome.settled(settled, rules.action)
        for left in chunks:
            found = [(row.key, person) for row, person in left.found]
            outcome.add(left.rows, _people(rules, base, [*found, *lookup.load_people(lookup_links(left.unresolved))]))
    outcome.save()
    return outcome.contested


def simulate_bucket(job: ImportJob, bucket: Bucket, base: int) -> None:
    """The same for a bucket whose rows must see what earlier buckets would have done; nothing of it is ever written."""
    outcome = _Outcome(bucket, JobTables(job.pk), events=job.holds_events)
    rows = staging.load_rows(job, bucket)
    people = _people(_rules(job), base, simulation.load(job, lookup_links(rows)))
    outcome.add(rows, people, written=False)
    outcome.save()
    simulation.save(job, people)


def _people(rules: Rules, base: int, holdings: Iterable[tuple[Link, Person]]) -> WorkingSet:
    people = WorkingSet(rules, base)
    people.add(holdings)
    return people


class _Outcome:
    """What becomes of the rows of a bucket, collected chunk by chunk.

    Of an event each row has its line among the results, for a person may have many.
    """

    def __init__(self, bucket: Bucket, tables: JobTables, *, events: bool = False) -> None:
        self._bucket = bucket
        self._tables = tables
        self._events = events
        self._counts = Counter(dict.fromkeys(COUNT_NAMES, 0))
        self._lines: list[str] = []
        self._write_set = write_set.WriteSet(tables.written, bucket.number)
        self.contested: dict[int, int | None] = {}

    def settled(self, settled: ResolvedCounts, action: Action) -> None:
        """Count what is in the tables already."""
        self._counts["imported"] += settled.imported
        self._counts["updated"] += settled.changed
        self._counts["people"] += settled.imported + settled.changed
        if action is Action.IGNORE:
            self._counts["ignored"] += settled.kept
        else:
            self._counts.update(dict.fromkeys(("updated", "unchanged", "people"), settled.kept))

    def met(self, settled: events.ResolvedEvents) -> None:
        """Count the events that are in the tables already."""
        self._counts["imported"] += settled.imported
        self._counts["updated"] += settled.updated
        self._counts["people"] += settled.people

    def add(self, rows: Sequence[Incoming], people: WorkingSet, written: bool = True) -> None:
        """Apply rows to a working set. ``written``: whether what they make of people is ever to be written."""
        results = [(people.find_or_create if self._events else people.apply)(row) for row in rows]
        told = _told_by_people(people, results) if written and not self._events else set()
        self._lines += _lines(self._bucket, rows, results, told)
        self._counts.update(_counts(rows, results, people))
        if self._events:
            self._counts["repeated"] = 0  # as it should be: somebody may do something twice
        if written:
            self._write_set.add(people)
            self.contested |= people.contested

    def save(self) -> None:
        """Copy everything into the job's tables."""
        with connection.cursor() as cursor:
            copy_format.copy_lines(cursor, self._tables.results, "".join(self._lines).encode())
            self._write_set.save(cursor)
        self._bucket.counts = dict(self._counts)


def lookup_links(rows: Iterable[Incoming]) -> list[Link]:
    """Each value that rows look somebody up by, once, and the external ids and aliases they bring, which others may
    own."""
    links = dict.fromkeys(row.key for row in rows)
    links |= {(EXTERNAL_ID, row.external_id): None for row in rows if row.external_id is not None}
    links |= {(ALIAS, row.alias): None for row in rows if row.alias is not None}
    return list(links)


def _rules(job: ImportJob) -> Rules:
    """What the job asks for, under the schema with the attributes it would add."""
    columns = list(job.columns.all())
    known = column_mapping.resulting_schema(columns, load_schema())
    kinds = column_mapping.lookup_kinds(job.identifier)
    limit = settings.IMPORTS_MAX_IDENTIFIER_VALUES
    targets = Counter(column.target for column in columns if column.target and column.target_kind not in _OF_EVENTS)
    crowded = max(targets.values(), default=0) > limit or len(targets) > MAX_CUSTOM_ATTRIBUTES
    action = Action.IGNORE if job.holds_events else Action(job.action)
    return Rules.of(known, action, kinds, limit, crowded, dnd=DND.keys() & targets.keys())


_OF_EVENTS = (Target.EVENT, Target.PROPERTY)


def _counts(rows: Sequence[Incoming], results: Sequence[Result], people: WorkingSet) -> dict[str, int]:
    """Rows by outcome; *updated* includes *unchanged* (D-07). ``people``: who was imported or updated."""
    found = Counter(result.outcome for result in results)
    return {
        "imported": found[Outcome.IMPORTED],
        "updated": found[Outcome.UPDATED] + found[Outcome.UNCHANGED],
        "unchanged": found[Outcome.UNCHANGED],
        "ignored": found[Outcome.IGNORED],
        "failed": found[Outcome.FAILED],
        "people": len(people.affected),
        "repeated": len(rows) - len({row.key for row in rows}),
        "cleared": sum(new is None for result in results if result.changes for _, new in result.changes.values()),
    }


def _told_by_people(people: WorkingSet, results: Sequence[Result]) -> set[int]:
    """People whose only row says no more than what is to be written about them."""
    applied = [result.person.ref for result in results if result.person and result.outcome in _APPLIED]
    if len(applied) == len(people.affected):
        return set(people.affected)
    return {ref for ref, times in Counter(applied).items() if times == 1}


def _lines(bucket: Bucket, rows: Sequence[Incoming], results: Sequence[Result], told: set[int]) -> list[str]:
    """A line for the table of results for each row about which no person tells enough."""
    lines = []
    for row, result in zip(rows, results, strict=True):
        if result.outcome in _APPLIED and result.person and result.person.ref in told:
            continue
        ref = r"\N" if result.person is None else result.person.ref
        changes = copy_format.escape(orjson.dumps(result.changes).decode()) if result.changes else r"\N"
        lines.append(f"{bucket.number}\t{row.row}\t{result.outcome}\t{ref}\t{changes}\t{_refusal(result)}\n")
    return lines


_APPLIED = {Outcome.IMPORTED, Outcome.UPDATED, Outcome.UNCHANGED}


def _refusal(result: Result) -> str:
    refusal = result.refusal
    if refusal is None:
        return "\\N\t\\N\t\\N"
    return f"{refusal.code}\t{copy_format.escape(refusal.reason)}\t{copy_format.escape(refusal.column)}"


def write_problems(cursor: Any, job: ImportJob, bucket: Bucket) -> None:
    """A problem for each row of the bucket that is well-formed but was not applied, from what was worked out."""
    tables = JobTables(job.pk)
    headers = {column.target: column.header for column in reversed(job.columns.all())}
    headers[ALIAS] = headers.get(ALIAS_NAME, ALIAS)
    names = {"results": tables.results, "staged": tables.staged}
    codes = clevertap_codes.CODES if stored_file.options(job).published_codes else {}
    values = {"job": job.pk, "bucket": bucket.number, "step": bucket.step, "headers": orjson.dumps(headers).decode()}
    values["codes"] = orjson.dumps(codes).decode()
    cursor.execute(_PROBLEMS.format(**names), values)


# Of an alias, which is JSON, the name is told, under the header of its column.
_PROBLEMS = f"""
INSERT INTO imports_rowerror (job_id, step, "row", line, severity, "column", value, code, reason)
SELECT %(job)s, %(step)s, r.row_no, s.line, CASE r.outcome WHEN 'ignored' THEN 'ignored' ELSE 'error' END,
    coalesce(%(headers)s::json->>coalesce(r.about, s.kind), coalesce(r.about, s.kind)),
    CASE coalesce(r.about, s.kind) WHEN '{ALIAS}' THEN v.value::json->>1 ELSE v.value END,
    coalesce(%(codes)s::json->>r.code, r.code, 'ignored'), coalesce(r.reason, 'Ignored - duplicate found')
FROM {{results}} r JOIN {{staged}} s USING (row_no)
CROSS JOIN LATERAL (
    SELECT CASE WHEN coalesce(r.about, s.kind) = s.kind THEN s.key ELSE coalesce(
        (SELECT l->>1 FROM json_array_elements(s.links::json) l WHERE l->>0 = r.about LIMIT 1), '') END AS value
) AS v
WHERE r.bucket = %(bucket)s AND (r.outcome = 'failed' OR r.outcome = 'ignored' AND %(step)s = 'apply')
ORDER BY r.row_no
"""
