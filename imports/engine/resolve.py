"""Resolve the rows of a bucket against the people they match: the outcome of each row, and the write set.

The preview resolves every bucket and writes no person. Apply writes these results, and resolves a bucket again where
people have changed since. So only this module turns rows into changes (design rule 1).
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
from profiles.merging.person import IncomingRow, Link, Person
from profiles.merging.rules import MAX_CUSTOM_ATTRIBUTES, Outcome, Result, Rules
from profiles.merging.working_set import WorkingSet
from profiles.models import load_schema
from profiles.schema import ALIAS, ALIAS_NAME, EXTERNAL_ID
from profiles.writing import lookup, store, write_set

COUNT_NAMES = ("imported", "updated", "unchanged", "ignored", "failed", "people", "repeated", "cleared")


def resolve_bucket(job: ImportJob, bucket: Bucket, base: int) -> dict[int, int | None]:
    """Apply the rows of a bucket in memory; store outcomes and write set, and set the counts in ``bucket.counts``.

    ``base``: microseconds since 1970 from which changes are dated. Return the versions, by primary key, of the people
    who were chosen among several; ``store`` checks before it writes the bucket that they have not changed.
    """
    rules, outcome = _rules(job), _Outcome(bucket, JobTables(job.pk), events=job.holds_events)
    # Rows with different keys match different people only as long as nobody else writes; otherwise all rows of the
    # bucket share a working set.
    if bucket.lane == Bucket.Lane.SERIAL or store.count_foreign_writes(job.snapshot, job.change_set_id):
        rows = staging.load_rows(job, bucket)
        outcome.add(rows, _people(rules, base, lookup.load_people(lookup_links(rows))))
    elif job.holds_events:
        resolved = events.resolve_plain_keys(job, bucket, rules)
        outcome.count_resolved_events(resolved)
        rows = staging.load_rows(job, bucket, resolved.remaining) if resolved.remaining else []
        outcome.add(rows, _people(rules, base, lookup.load_people(lookup_links(rows))))
    else:
        resolved_counts, chunks = fast_path.resolve_plain_rows(job, bucket, rules)
        outcome.count_resolved_rows(resolved_counts, rules.action)
        for remaining in chunks:
            holdings = [(row.key, person) for row, person in remaining.found]
            links = lookup_links(remaining.unresolved)
            outcome.add(remaining.rows, _people(rules, base, [*holdings, *lookup.load_people(links)]))
    outcome.save()
    return outcome.candidate_versions


def simulate_bucket(job: ImportJob, bucket: Bucket, base: int) -> None:
    """Resolve a bucket of the serial lane for the preview. Its rows depend on earlier buckets; nothing is written."""
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
    """The outcomes and the write set of a bucket, collected chunk by chunk.

    Each row of an event has a line in the table of results, since a person may have several events.
    """

    def __init__(self, bucket: Bucket, tables: JobTables, *, events: bool = False) -> None:
        self._bucket = bucket
        self._tables = tables
        self._events = events
        self._counts = Counter(dict.fromkeys(COUNT_NAMES, 0))
        self._lines: list[str] = []
        self._write_set = write_set.WriteSet(tables.written, bucket.number)
        self.candidate_versions: dict[int, int | None] = {}

    def count_resolved_rows(self, resolved: ResolvedCounts, action: Action) -> None:
        """Count the rows whose outcome is in the tables already."""
        self._counts["imported"] += resolved.imported
        self._counts["updated"] += resolved.changed
        self._counts["people"] += resolved.imported + resolved.changed
        if action is Action.IGNORE:
            self._counts["ignored"] += resolved.kept
        else:
            self._counts.update(dict.fromkeys(("updated", "unchanged", "people"), resolved.kept))

    def count_resolved_events(self, resolved: events.ResolvedEvents) -> None:
        """Count the events whose outcome is in the tables already."""
        self._counts["imported"] += resolved.imported
        self._counts["updated"] += resolved.updated
        self._counts["people"] += resolved.people

    def add(self, rows: Sequence[IncomingRow], people: WorkingSet, written: bool = True) -> None:
        """Apply rows to a working set. ``written``: whether the resulting people will be written."""
        results = [(people.find_or_create if self._events else people.apply)(row) for row in rows]
        described = _described_by_write_set(people, results) if written and not self._events else set()
        self._lines += _lines(self._bucket, rows, results, described)
        self._counts.update(_counts(rows, results, people))
        if self._events:
            self._counts["repeated"] = 0  # of events, repeated keys are normal: a person may do something twice
        if written:
            self._write_set.add(people)
            self.candidate_versions |= people.candidate_versions

    def save(self) -> None:
        """Copy the results and the write set into the job's tables, and set the counts of the bucket."""
        with connection.cursor() as cursor:
            copy_format.copy_lines(cursor, self._tables.results, "".join(self._lines).encode())
            self._write_set.save(cursor)
        self._bucket.counts = dict(self._counts)


def lookup_links(rows: Iterable[IncomingRow]) -> list[Link]:
    """Return the values that rows are looked up by, and their external ids and aliases, each once.

    Other people may have these external ids and aliases.
    """
    links = dict.fromkeys(row.key for row in rows)
    links |= {(EXTERNAL_ID, row.external_id): None for row in rows if row.external_id is not None}
    links |= {(ALIAS, row.alias): None for row in rows if row.alias is not None}
    return list(links)


def _rules(job: ImportJob) -> Rules:
    """Return the rules of the job, under the schema with the attributes that it would add."""
    columns = list(job.columns.all())
    schema = column_mapping.resulting_schema(columns, load_schema())
    kinds = column_mapping.lookup_kinds(job.identifier)
    limit = settings.IMPORTS_MAX_IDENTIFIER_VALUES
    targets = Counter(column.target for column in columns if column.target and column.target_kind not in _EVENT_TARGETS)
    crowded = max(targets.values(), default=0) > limit or len(targets) > MAX_CUSTOM_ATTRIBUTES
    action = Action.IGNORE if job.holds_events else Action(job.action)
    return Rules.of(schema, action, kinds, limit, crowded, dnd=DND.keys() & targets.keys())


_EVENT_TARGETS = (Target.EVENT, Target.PROPERTY)


def _counts(rows: Sequence[IncomingRow], results: Sequence[Result], people: WorkingSet) -> dict[str, int]:
    """Count rows by outcome, with *unchanged* included in *updated* (D-07), and the imported and updated people."""
    outcomes = Counter(result.outcome for result in results)
    return {
        "imported": outcomes[Outcome.IMPORTED],
        "updated": outcomes[Outcome.UPDATED] + outcomes[Outcome.UNCHANGED],
        "unchanged": outcomes[Outcome.UNCHANGED],
        "ignored": outcomes[Outcome.IGNORED],
        "failed": outcomes[Outcome.FAILED],
        "people": len(people.affected),
        "repeated": len(rows) - len({row.key for row in rows}),
        "cleared": sum(new is None for result in results if result.changes for _, new in result.changes.values()),
    }


def _described_by_write_set(people: WorkingSet, results: Sequence[Result]) -> set[int]:
    """Return the people with only one applied row, whose outcome therefore follows from the write set."""
    applied = [result.person.ref for result in results if result.person and result.outcome in _APPLIED]
    if len(applied) == len(people.affected):
        return set(people.affected)
    return {ref for ref, times in Counter(applied).items() if times == 1}


def _lines(bucket: Bucket, rows: Sequence[IncomingRow], results: Sequence[Result], described: set[int]) -> list[str]:
    """Return a line for the table of results for each row whose outcome does not follow from the write set."""
    lines = []
    for row, result in zip(rows, results, strict=True):
        if result.outcome in _APPLIED and result.person and result.person.ref in described:
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
    """Store a problem for each row of the bucket that failed, or that apply ignored, from the table of results."""
    tables = JobTables(job.pk)
    headers = {column.target: column.header for column in reversed(job.columns.all())}
    headers[ALIAS] = headers.get(ALIAS_NAME, ALIAS)
    names = {"results": tables.results, "staged": tables.staged}
    codes = clevertap_codes.CODES if stored_file.options(job).published_codes else {}
    values = {"job": job.pk, "bucket": bucket.number, "step": bucket.step, "headers": orjson.dumps(headers).decode()}
    values["codes"] = orjson.dumps(codes).decode()
    cursor.execute(_PROBLEMS.format(**names), values)


# Of an alias, which is JSON, the problem shows the name, under the header of the column of names.
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
