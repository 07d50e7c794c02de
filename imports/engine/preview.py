"""Preview exactly what an import would do: match and merge the whole file as apply does, without writing people
(requirements section 10). Counts and the first rows are stored with the job, the outcome of every row in its tables."""

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
    """Resolve one bucket and return its counts."""
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
    """Return the preview to be stored with the job, after all buckets are done: counts, new attributes, first rows."""
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
    """Return the fields of a job whose check has completed: its preview, and the counts of rows and warnings."""
    summary = summarize(job)
    points = data_points.count(job)
    if points is not None:
        summary["data_points"] = points
    return {"preview": summary, "total": summary["total"], "warnings": summary["warnings"]}


def first_rows(job: ImportJob) -> list[dict[str, Any]]:
    """Return the first ``FIRST_ROWS`` rows of the file, with each value before and after (PV-01)."""
    return row_lookup.rows_between(job, 1, FIRST_ROWS)


def count_foreign_changes(job: ImportJob) -> int:
    """Return how many people were written by others since the preview."""
    return store.count_foreign_writes(job.snapshot, job.change_set_id) if job.snapshot else 0


def _count_serial_people(cursor: Any, job: ImportJob, counts: Counter[str]) -> None:
    """Correct ``people`` and ``repeated``: buckets of the serial lane may change the same people and share keys."""
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
