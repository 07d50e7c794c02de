"""Buckets into profiles: each is one transaction with its own mark of being done (design section 5.7)."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils import timezone

from imports import bucket as buckets
from imports import lifecycle, mapping, plan, preview, staging
from imports.models import Bucket, ImportJob, Step
from profiles import schema, store
from profiles.models import Change, ChangeSet


class SchemaChanged(Exception):
    """What the job was checked under is no longer what the schema says."""


def prepare(job: ImportJob) -> dict[str, int]:
    """Make ready what is approved: its new attributes, its change set, its buckets; nobody is written yet.

    The plan of the preview serves again unless people were written since. Raises ``SchemaChanged``.
    """
    columns = list(job.columns.all())
    schema.add(mapping.new_definitions(columns, schema.load()))
    if mapping.schema_version(columns, schema.load()) != job.schema_version:
        raise SchemaChanged
    source = f"import {job.pk}: {job.name}"[:255]
    job.change_set = ChangeSet.objects.create(
        kind=ChangeSet.Kind.IMPORT, actor=job.created_by, source=source, when=timezone.now()
    )
    ImportJob.objects.filter(pk=job.pk).update(change_set=job.change_set)
    if preview.changed_since(job):
        plan.plan(job, Step.APPLY)
    else:
        plan.copy_plan(job, Step.PREVIEW, Step.APPLY)
    return {}


def apply(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Apply one bucket in the caller's transaction; its counts. Raises ``store.Moved`` if it must be tried again."""
    assert job.change_set is not None
    store.pin_plans()
    rows = staging.incoming(job, bucket)
    looked_up = {row.key for row in rows}
    store.lock_slots(looked_up, buckets.given(rows) - looked_up)
    applied = buckets.apply_rows(rows, buckets.rules(job), store.microseconds(job.change_set.when))
    store.write(applied.people, job.change_set)
    with connection.cursor() as cursor:
        preview.write_failures(cursor, job, Step.APPLY, rows, applied.results)
    return applied.counts()


def outcome(job: ImportJob) -> dict[str, Any]:
    """The job's final figures."""
    return lifecycle.final_counts(job) | {
        "people": Change.objects.filter(change_set=job.change_set_id).count(),
        "finished": timezone.now(),
        "seconds": lifecycle.timed(job),
    }
