"""What an import would do, exactly: apply's own match and merge over the whole file, without writing people
(requirements section 10). Counts and the first rows are stored with the job, every row's outcome in its own table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from imports import bucket as buckets
from imports import mapping, overlay, staging
from imports.models import Bucket, ImportJob, RowError, Step
from imports.rows import Problem
from imports.staging import Staged
from profiles import schema, store
from profiles.people import Incoming, Outcome, Result
from profiles.schema import EXTERNAL_ID, OBJECT_ID

FIRST_ROWS = 15
COUNTED = ("imported", "updated", "unchanged", "ignored", "failed", "people", "repeated", "cleared")


def preview(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Work out one bucket and store the outcome of each of its rows; the counts of the bucket."""
    store.pin_plans()
    rows = staging.incoming(job, bucket)
    serial = bucket.lane == Bucket.Lane.SERIAL
    load = partial(overlay.load, job) if serial else store.load
    applied = buckets.apply_rows(rows, buckets.rules(job), store.microseconds(job.step_started or timezone.now()), load)
    if serial:
        overlay.save(job, applied.people)
    with connection.cursor() as cursor:
        lines = [_line(row, result) for row, result in zip(rows, applied.results, strict=True)]
        store.copy(cursor, Staged(job.pk).results, lines)
        write_failures(cursor, job, Step.PREVIEW, rows, applied.results)
    return applied.counts()


def summary(job: ImportJob) -> dict[str, Any]:
    """The preview that is stored with the job, when all buckets are done."""
    counts = Counter(dict.fromkeys(COUNTED, 0))
    for done in job.buckets.filter(step=Step.PREVIEW).values_list("counts", flat=True):
        counts.update(done)
    staged = Counter(dict.fromkeys(("rows", "failed", "warnings"), 0))
    for done in job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True):
        staged.update(done)
    with connection.cursor() as cursor:
        _index(cursor, job)
        _count_serial_people(cursor, job, counts)
    return {
        "total": staged["rows"],
        **{name: counts[name] for name in COUNTED},
        "failed": counts["failed"] + staged["failed"],
        "warnings": staged["warnings"],
        "new_attributes": [
            {"key": d.key, "type": d.type.value} for d in mapping.new_definitions(list(job.columns.all()), schema.load())
        ],
        "rows": first_rows(job),
    }


def outcome(job: ImportJob) -> dict[str, Any]:
    """What a job that is checked knows of itself."""
    found = summary(job)
    return {"preview": found, "total": found["total"], "warnings": found["warnings"]}


def first_rows(job: ImportJob) -> list[dict[str, Any]]:
    """The first rows of the file, with each cell before and after (PV-01)."""
    return rows_between(job, 1, FIRST_ROWS)


def rows_between(job: ImportJob, first: int, last: int) -> list[dict[str, Any]]:
    """Rows by number, good and bad, each with what it does or what is wrong with it."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(rows=Staged(job.pk).rows, results=Staged(job.pk).results), [first, last])
        found = {row[0]: _shown(*row) for row in cursor.fetchall()}
    for problem in job.problems.filter(row__range=(first, last)).order_by("id"):
        row = found.setdefault(problem.row, _bad(problem))
        row["problems"].append(
            {
                "severity": problem.severity,
                "code": problem.code,
                "reason": problem.reason,
                "column": problem.column,
                "value": problem.value,
            }
        )
    return [found[number] for number in sorted(found)]


def changed_since(job: ImportJob) -> int:
    """How many people were written by transactions that the preview could not see."""
    if not job.snapshot:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED_SINCE, [job.snapshot, job.snapshot])
        return int(cursor.fetchone()[0])


def current_snapshot() -> str:
    """What PostgreSQL has committed by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def write_failures(
    cursor: Any, job: ImportJob, step: Step, rows: Sequence[Incoming], results: Sequence[Result]
) -> None:
    """A problem for each row that is well-formed but cannot be applied; on apply also one for each ignored row."""
    flawed = [(row, result) for row, result in zip(rows, results, strict=True) if result.outcome in _FLAWED[step]]
    if not flawed:
        return
    lines = _line_numbers(cursor, job, [row.row for row, _ in flawed])
    headers = {column.target: column.header for column in reversed(job.columns.all())}
    failed = [_problem(row, result, lines, headers) for row, result in flawed if result.refusal]
    ignored = [_problem(row, result, lines, headers) for row, result in flawed if not result.refusal]
    staging.write_problems(cursor, job, step, failed)
    staging.write_problems(cursor, job, step, ignored, ignored=True)


_FLAWED = {Step.PREVIEW: {Outcome.FAILED}, Step.APPLY: {Outcome.FAILED, Outcome.IGNORED}}


def _problem(row: Incoming, result: Result, lines: dict[int, int], headers: dict[str, str]) -> Problem:
    kind, key = row.key
    line = lines[row.row]
    if result.refusal is None:
        return Problem(row.row, line, "ignored", "Ignored - duplicate found", headers.get(kind, kind), key)
    about = result.refusal.column
    value = key if about == kind else row.own(about) or "" if about in (EXTERNAL_ID, OBJECT_ID) else ""
    return Problem(row.row, line, result.refusal.code, result.refusal.reason, headers.get(about, about), value)


def _line_numbers(cursor: Any, job: ImportJob, rows: list[int]) -> dict[int, int]:
    cursor.execute(f"SELECT row_no, line FROM {Staged(job.pk).rows} WHERE row_no = ANY(%s)", [rows])
    return dict(cursor.fetchall())


def _line(row: Incoming, result: Result) -> str:
    person, refusal = result.person, result.refusal
    ref, version = r"\N", r"\N"
    if person is not None:
        ref = str(person.ref)
        version = r"\N" if person.version is None else str(person.version)
    changes = store.escape(orjson.dumps(result.changes).decode()) if result.changes else r"\N"
    if refusal is None:
        return f"{row.row}\t{result.outcome}\t{ref}\t{version}\t{changes}\t\\N\t\\N\t\\N\n"
    about = f"{refusal.code}\t{store.escape(refusal.reason)}\t{store.escape(refusal.column)}"
    return f"{row.row}\t{result.outcome}\t{ref}\t{version}\t{changes}\t{about}\n"


def _index(cursor: Any, job: ImportJob) -> None:
    cursor.execute(f"CREATE INDEX IF NOT EXISTS {Staged(job.pk).results}_row ON {Staged(job.pk).results} (row_no)")


def _count_serial_people(cursor: Any, job: ImportJob, counts: Counter[str]) -> None:
    """Buckets of the serial lane may touch the same people and repeat each other's keys."""
    serial = job.buckets.filter(step=Step.PREVIEW, lane=Bucket.Lane.SERIAL).values_list("counts", flat=True)
    if len(serial) < 2:
        return
    cursor.execute(_SERIAL_PEOPLE.format(rows=Staged(job.pk).rows, results=Staged(job.pk).results))
    people, repeated = cursor.fetchone()
    counts["people"] += people - sum(done["people"] for done in serial)
    counts["repeated"] += repeated - sum(done["repeated"] for done in serial)


def _shown(number: int, line: int, key: str, outcome: str, person: int | None, changes: Any, raw: str) -> dict[str, Any]:
    after = orjson.loads(raw) if outcome == Outcome.IMPORTED else {}
    shown = orjson.loads(changes) if changes else {name: [None, value] for name, value in after.items()}
    return {
        "row": number,
        "line": line,
        "key": key,
        "outcome": outcome,
        "person": person if person and person > 0 else None,
        "changes": shown,
        "problems": [],
    }


def _bad(problem: RowError) -> dict[str, Any]:
    return {
        "row": problem.row,
        "line": problem.line,
        "key": "",
        "outcome": Outcome.FAILED.value,
        "person": None,
        "changes": {},
        "problems": [],
        "cells": problem.raw,
    }


_ROWS = 15
COUNTED = ("imported", "updated", "unchanged", "ignored", "failed", "people", "repeated", "cleared")


def preview(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Work out one bucket and store the outcome of each of its rows; the counts of the bucket."""
    store.pin_plans()
    rows = staging.incoming(job, bucket)
    serial = bucket.lane == Bucket.Lane.SERIAL
    load = partial(overlay.load, job) if serial else store.load
    applied = buckets.apply_rows(rows, buckets.rules(job), store.microseconds(job.step_started or timezone.now()), load)
    if serial:
        overlay.save(job, applied.people)
    with connection.cursor() as cursor:
        lines = [_line(row, result) for row, result in zip(rows, applied.results, strict=True)]
        store.copy(cursor, Staged(job.pk).results, lines)
        write_failures(cursor, job, Step.PREVIEW, rows, applied.results)
    return applied.counts()


def summary(job: ImportJob) -> dict[str, Any]:
    """The preview that is stored with the job, when all buckets are done."""
    counts = Counter(dict.fromkeys(COUNTED, 0))
    for done in job.buckets.filter(step=Step.PREVIEW).values_list("counts", flat=True):
        counts.update(done)
    staged = Counter(dict.fromkeys(("rows", "failed", "warnings"), 0))
    for done in job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True):
        staged.update(done)
    with connection.cursor() as cursor:
        _index(cursor, job)
        _count_serial_people(cursor, job, counts)
    return {
        "total": staged["rows"],
        **{name: counts[name] for name in COUNTED},
        "failed": counts["failed"] + staged["failed"],
        "warnings": staged["warnings"],
        "new_attributes": [
            {"key": d.key, "type": d.type.value} for d in mapping.new_definitions(list(job.columns.all()), schema.load())
        ],
        "rows": first_rows(job),
    }


def outcome(job: ImportJob) -> dict[str, Any]:
    """What a job that is checked knows of itself."""
    found = summary(job)
    return {"preview": found, "total": found["total"], "warnings": found["warnings"]}


def first_rows(job: ImportJob) -> list[dict[str, Any]]:
    """The first rows of the file, with each cell before and after (PV-01)."""
    return rows_between(job, 1, FIRST_ROWS)


def rows_between(job: ImportJob, first: int, last: int) -> list[dict[str, Any]]:
    """Rows by number, good and bad, each with what it does or what is wrong with it."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS.format(rows=Staged(job.pk).rows, results=Staged(job.pk).results), [first, last])
        found = {row[0]: _shown(*row) for row in cursor.fetchall()}
    for problem in job.problems.filter(row__range=(first, last)).order_by("id"):
        row = found.setdefault(problem.row, _bad(problem))
        row["problems"].append(
            {
                "severity": problem.severity,
                "code": problem.code,
                "reason": problem.reason,
                "column": problem.column,
                "value": problem.value,
            }
        )
    return [found[number] for number in sorted(found)]


def changed_since(job: ImportJob) -> int:
    """How many people were written by transactions that the preview could not see."""
    if not job.snapshot:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED_SINCE, [job.snapshot, job.snapshot])
        return int(cursor.fetchone()[0])


def current_snapshot() -> str:
    """What PostgreSQL has committed by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def write_failures(
    cursor: Any, job: ImportJob, step: Step, rows: Sequence[Incoming], results: Sequence[Result]
) -> None:
    """A problem for each row that is well-formed but cannot be applied; on apply also one for each ignored row."""
    flawed = [(row, result) for row, result in zip(rows, results, strict=True) if result.outcome in _FLAWED[step]]
    if not flawed:
        return
    lines = _line_numbers(cursor, job, [row.row for row, _ in flawed])
    headers = {column.target: column.header for column in reversed(job.columns.all())}
    failed = [_problem(row, result, lines, headers) for row, result in flawed if result.refusal]
    ignored = [_problem(row, result, lines, headers) for row, result in flawed if not result.refusal]
    staging.write_problems(cursor, job, step, failed)
    staging.write_problems(cursor, job, step, ignored, ignored=True)


_FLAWED = {Step.PREVIEW: {Outcome.FAILED}, Step.APPLY: {Outcome.FAILED, Outcome.IGNORED}}


def _problem(row: Incoming, result: Result, lines: dict[int, int], headers: dict[str, str]) -> Problem:
    kind, key = row.key
    line = lines[row.row]
    if result.refusal is None:
        return Problem(row.row, line, "ignored", "Ignored - duplicate found", headers.get(kind, kind), key)
    about = result.refusal.column
    value = key if about == kind else row.own(about) or "" if about in (EXTERNAL_ID, OBJECT_ID) else ""
    return Problem(row.row, line, result.refusal.code, result.refusal.reason, headers.get(about, about), value)


def _line_numbers(cursor: Any, job: ImportJob, rows: list[int]) -> dict[int, int]:
    cursor.execute(f"SELECT row_no, line FROM {Staged(job.pk).rows} WHERE row_no = ANY(%s)", [rows])
    return dict(cursor.fetchall())


def _line(row: Incoming, result: Result) -> str:
    person, refusal = result.person, result.refusal
    ref, version = r"\N", r"\N"
    if person is not None:
        ref = str(person.ref)
        version = r"\N" if person.version is None else str(person.version)
    changes = store.escape(orjson.dumps(result.changes).decode()) if result.changes else r"\N"
    if refusal is None:
        return f"{row.row}\t{result.outcome}\t{ref}\t{version}\t{changes}\t\\N\t\\N\t\\N\n"
    about = f"{refusal.code}\t{store.escape(refusal.reason)}\t{store.escape(refusal.column)}"
    return f"{row.row}\t{result.outcome}\t{ref}\t{version}\t{changes}\t{about}\n"


def _index(cursor: Any, job: ImportJob) -> None:
    cursor.execute(f"CREATE INDEX IF NOT EXISTS {Staged(job.pk).results}_row ON {Staged(job.pk).results} (row_no)")


def _count_serial_people(cursor: Any, job: ImportJob, counts: Counter[str]) -> None:
    """Buckets of the serial lane may touch the same people and repeat each other's keys."""
    serial = job.buckets.filter(step=Step.PREVIEW, lane=Bucket.Lane.SERIAL).values_list("counts", flat=True)
    if len(serial) < 2:
        return
    cursor.execute(_SERIAL_PEOPLE.format(rows=Staged(job.pk).rows, results=Staged(job.pk).results))
    people, repeated = cursor.fetchone()
    counts["people"] += people - sum(done["people"] for done in serial)
    counts["repeated"] += repeated - sum(done["repeated"] for done in serial)


def _shown(number: int, line: int, key: str, outcome: str, person: int | None, changes: Any, raw: str) -> dict[str, Any]:
    after = orjson.loads(raw) if outcome == Outcome.IMPORTED else {}
    shown = orjson.loads(changes) if changes else {name: [None, value] for name, value in after.items()}
    return {
        "row": number,
        "line": line,
        "key": key,
        "outcome": outcome,
        "person": person if person and person > 0 else None,
        "changes": shown,
        "problems": [],
    }


def _bad(problem: RowError) -> dict[str, Any]:
    return {
        "row": problem.row,
        "line": problem.line,
        "key": "",
        "outcome": Outcome.FAILED.value,
        "person": None,
        "changes": {},
        "problems": [],
        "cells": problem.raw,
    }


def distinct_outcomes(rows: Iterable[dict[str, Any]]) -> set[str]:
    return {row["outcome"] for row in rows}


_ROWS = """
SELECT s.row_no, s.line, s.key, r.outcome, r.person, r.changes, s.raw
FROM {rows} s JOIN {results} r USING (row_no) WHERE s.row_no BETWEEN %s AND %s
"""

_SERIAL_PEOPLE = """
SELECT count(DISTINCT person) FILTER (WHERE outcome IN ('imported', 'updated', 'unchanged')),
       count(*) - count(DISTINCT (s.kind, s.key))
FROM {rows} s JOIN {results} r USING (row_no) WHERE s.place < 0
"""

_CHANGED_SINCE = """
SELECT coalesce(sum(people), 0) FROM profiles_writemark
WHERE transaction >= pg_snapshot_xmin(%s::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(transaction::text::xid8, %s::pg_snapshot)
"""
