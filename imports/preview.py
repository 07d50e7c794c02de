"""What an import would do, exactly: the whole file matched and merged as apply does it, without writing people
(requirements section 10). Counts and the first rows are stored with the job, every row's outcome in its own table."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from imports import mapping, workout
from imports.models import Bucket, ImportJob, RowError, Step
from imports.tables import JobTables
from profiles import store
from profiles.models import load_schema
from profiles.people import Outcome

FIRST_ROWS = 15


def preview(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Work out one bucket; its counts."""
    store.pin_plans()
    base = store.microseconds(job.step_started or timezone.now())
    if bucket.lane == Bucket.Lane.SERIAL:
        workout.work_out_serially(job, bucket, base)
    else:
        workout.work_out(job, bucket, base)
    with connection.cursor() as cursor:
        workout.write_problems(cursor, job, bucket)
    return dict(bucket.counts)


def summary(job: ImportJob) -> dict[str, Any]:
    """The preview that is stored with the job, when all buckets are done."""
    counts = Counter(dict.fromkeys(workout.COUNTED, 0))
    for done in job.buckets.filter(step=Step.PREVIEW).values_list("counts", flat=True):
        counts.update(done)
    staged = Counter(dict.fromkeys(("rows", "failed", "warnings"), 0))
    for done in job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True):
        staged.update(done)
    with connection.cursor() as cursor:
        _count_serial_people(cursor, job, counts)
    return {
        "total": staged["rows"],
        **{name: counts[name] for name in workout.COUNTED},
        "failed": counts["failed"] + staged["failed"],
        "warnings": staged["warnings"],
        "new_attributes": [
            {"key": d.key, "type": d.type.value}
            for d in mapping.new_definitions(list(job.columns.all()), load_schema())
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
        cursor.execute(_ROWS.format(**_names(job)), [job.pk, first, last])
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
    """How many people were written by others since the preview."""
    return store.foreign_writes(job.snapshot, job.change_set_id) if job.snapshot else 0


def _count_serial_people(cursor: Any, job: ImportJob, counts: Counter[str]) -> None:
    """Buckets of the serial lane may touch the same people and repeat each other's keys."""
    serial = job.buckets.filter(step=Step.PREVIEW, lane=Bucket.Lane.SERIAL).values_list("counts", flat=True)
    if len(serial) < 2:
        return
    cursor.execute(_SERIAL_PEOPLE.format(**_names(job)))
    people, repeated = cursor.fetchone()
    counts["people"] += people - sum(done["people"] for done in serial)
    counts["repeated"] += repeated - sum(done["repeated"] for done in serial)


def _names(job: ImportJob) -> dict[str, str]:
    tables = JobTables(job.pk)
    return {
        "staged": tables.staged,
        "results": tables.results,
        "born": tables.born,
        "touched": tables.touched,
    }


def _shown(
    number: int, line: int, key: str, outcome: str, person: int | None, changes: Any, raw: str
) -> dict[str, Any]:
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


# A row that is a person's only one has no line among the results: what is to be written about the person tells it.
_ROWS = """
SELECT s.row_no, s.line, s.key,
    coalesce(r.outcome, CASE WHEN b.first_row IS NOT NULL THEN 'imported' WHEN t.moment IS NULL THEN 'unchanged'
                             ELSE 'updated' END),
    coalesce(r.person, t.person), coalesce(r.changes, t.changes::text), s.raw
FROM {staged} s
JOIN imports_bucket k ON k.job_id = %s AND k.step = 'preview'
    AND CASE k.lane WHEN 'hash' THEN s.place BETWEEN k.first AND k.last ELSE s.row_no = ANY(k.rows) END
LEFT JOIN {results} r ON r.bucket = k.number AND r.row_no = s.row_no
LEFT JOIN {born} b ON b.bucket = k.number AND b.first_row = s.row_no AND r.row_no IS NULL
LEFT JOIN {touched} t ON t.bucket = k.number AND t.first_row = s.row_no AND r.row_no IS NULL
WHERE s.row_no BETWEEN %s AND %s
"""

_SERIAL_PEOPLE = """
SELECT count(DISTINCT person) FILTER (WHERE outcome IN ('imported', 'updated', 'unchanged')),
       count(*) - count(DISTINCT (s.kind, s.key))
FROM {staged} s JOIN {results} r USING (row_no) WHERE s.place < 0
"""
