"""What an import would do, exactly: the whole file matched and merged as apply does it, without writing people
(requirements section 10). Counts and the first rows are stored with the job, every row's outcome in its own table."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import connection
from django.utils import timezone

from imports.engine import data_points, resolve, row_lookup
from imports.job_tables import JobTables
from imports.mapping import column_mapping
from imports.models import Bucket, ImportJob
from imports.states import Step
from profiles.models import load_schema
from profiles.writing import store

FIRST_ROWS = 15


def preview(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Work out one bucket; its counts."""
    store.pin_query_plans()
    base = store.to_microseconds(job.step_started or timezone.now())
    if bucket.lane == Bucket.Lane.SERIAL:
        resolve.simulate_bucket(job, bucket, base)
    else:
        resolve.resolve_bucket(job, bucket, base)
    with connection.cursor() as cursor:
        resolve.write_problems(cursor, job, bucket)
    return dict(bucket.counts)


def summarize(job: ImportJob) -> dict[str, Any]:
    """The preview that is stored with the job, when all buckets are done."""
    counts = Counter(dict.fromkeys(resolve.COUNT_NAMES, 0))
    for done in job.buckets.filter(step=Step.PREVIEW).values_list("counts", flat=True):
        counts.update(done)
    staged = Counter(dict.fromkeys(("rows", "failed", "warnings"), 0))
    for done in job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True):
        staged.update(done)
    with connection.cursor() as cursor:
        _count_serial_people(cursor, job, counts)
    columns = list(job.columns.all())
    if job.holds_events:
        counts["repeated"] = 0
    return {
        "total": staged["rows"],
        **{name: counts[name] for name in resolve.COUNT_NAMES},
        "failed": counts["failed"] + staged["failed"],
        "warnings": staged["warnings"],
        "new_attributes": [
            {"key": d.key, "type": d.type.value} for d in column_mapping.new_definitions(columns, load_schema())
        ],
        "only_identifiers": column_mapping.holds_only_identifiers(job.identifier, columns),
        "rows": first_rows(job),
    }


def checked_fields(job: ImportJob) -> dict[str, Any]:
    """What a job that is checked knows of itself."""
    found = summarize(job)
    points = data_points.count(job)
    if points is not None:
        found["data_points"] = points
    return {"preview": found, "total": found["total"], "warnings": found["warnings"]}


def first_rows(job: ImportJob) -> list[dict[str, Any]]:
    """The first rows of the file, with each cell before and after (PV-01)."""
    return row_lookup.rows_between(job, 1, FIRST_ROWS)


def count_foreign_changes(job: ImportJob) -> int:
    """How many people were written by others since the preview."""
    return store.count_foreign_writes(job.snapshot, job.change_set_id) if job.snapshot else 0


def _count_serial_people(cursor: Any, job: ImportJob, counts: Counter[str]) -> None:
    """Buckets of the serial lane may touch the same people and repeat each other's keys."""
    serial = job.buckets.filter(step=Step.PREVIEW, lane=Bucket.Lane.SERIAL).values_list("counts", flat=True)
    if len(serial) < 2:
        return
    cursor.execute(_SERIAL_PEOPLE.format(staged=JobTables(job.pk).staged, results=JobTables(job.pk).results))
    people, repeated = cursor.fetchone()
    counts["people"] += people - sum(done["people"] for done in serial)
    counts["repeated"] += repeated - sum(done["repeated"] for done in serial)


_SERIAL_PEOPLE = """
SELECT count(DISTINCT person) FILTER (WHERE outcome IN ('imported', 'updated', 'unchanged')),
       count(*) - count(DISTINCT (s.kind, s.key))
FROM {staged} s JOIN {results} r USING (row_no) WHERE s.place < 0
"""
