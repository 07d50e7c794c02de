"""Buckets into profiles: each is one transaction with its own mark of being done (design section 5.7)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from imports.engine import events, plan, resolve, staging
from imports.job_tables import JobTables
from imports.jobs import lifecycle
from imports.mapping import column_mapping
from imports.models import Bucket, ImportColumn, ImportJob
from imports.states import Step
from profiles.attributes import lock
from profiles.merging import consent
from profiles.models import ChangeSet, Segment, add_attributes, load_schema
from profiles.schema import ALIAS, ALIAS_LABEL, EXTERNAL_ID, identifier_of
from profiles.writing import store, value_locks


class SchemaChanged(Exception):
    """What the job was checked under is no longer what the schema says."""


def prepare(job: ImportJob) -> None:
    """Make ready what is approved: its new attributes, its change set, its buckets; nobody is written yet.

    The plan of the preview serves again unless people were written since. Raises ``SchemaChanged``.
    """
    lock.share_schema()
    columns = list(job.columns.all())
    add_attributes(column_mapping.new_definitions(columns, load_schema()))
    if column_mapping.schema_version(columns, load_schema()) != job.schema_version:
        raise SchemaChanged
    source = f"import {job.pk}: {job.name}"[:255]
    change_set = ChangeSet.objects.create(
        kind=ChangeSet.Kind.IMPORT, actor=job.created_by, source=source, when=timezone.now()
    )
    _add_groups(job, columns)
    ImportJob.objects.filter(pk=job.pk).update(change_set=change_set)
    job.problems.filter(step=Step.PREVIEW).delete()
    if store.count_foreign_writes(job.snapshot):
        plan.create_buckets(job, Step.APPLY)
    else:
        plan.copy_buckets(job, Step.PREVIEW, Step.APPLY)


def apply(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Apply one bucket in the caller's transaction; its counts. Raises ``store.Conflict`` if it must be tried again."""
    assert job.change_set is not None
    store.pin_query_plans()
    _lock(job, bucket)
    as_planned = bucket.lane == Bucket.Lane.HASH and _stands(job, bucket)
    if as_planned:
        bucket.counts = job.buckets.get(step=Step.PREVIEW, number=bucket.number).counts
    else:
        _work_out_again(job, bucket)
    with connection.cursor() as cursor:
        # As long as nobody else writes, no two buckets touch the same person but in the serial lane.
        tables, again = JobTables(job.pk).written, not as_planned
        made = store.flush(cursor, tables, job.change_set, bucket.number, again=again, return_created=job.holds_events)
        if job.holds_events:
            events.write(cursor, job, bucket, job.change_set, made)
        resolve.write_problems(cursor, job, bucket)
    return dict(bucket.counts)


def completed_fields(job: ImportJob) -> dict[str, Any]:
    """The job's final figures."""
    return lifecycle.final_counts(job, _people(job)) | {
        "finished": timezone.now(),
        "seconds": lifecycle.step_seconds(job),
    }


def create_segment(job: ImportJob) -> None:
    """The segment that the job asked for: its name, and everybody whom it imported or updated (SG-04, D-30)."""
    if job.targeting == ImportJob.Targeting.SEGMENT and job.change_set_id is not None:
        Segment.objects.create(name=job.name, change_set_id=job.change_set_id, created_by=job.created_by)


def _add_groups(job: ImportJob, columns: Sequence[ImportColumn]) -> None:
    """Make the subscription groups that the rows name and nobody knew (SB-09); somebody may name them later."""
    if any(consent.is_reserved(column.target) for column in columns):
        with connection.cursor() as cursor:
            cursor.execute(_ADD_GROUPS.format(staged=JobTables(job.pk).staged))


def _people(job: ImportJob) -> int | None:
    """How many people the job touched, if its buckets tell: each person is in one of them while nobody else writes."""
    buckets = job.buckets.filter(step=Step.APPLY)
    if buckets.filter(lane=Bucket.Lane.SERIAL).exists() or store.count_foreign_writes(job.snapshot, job.change_set_id):
        return None
    people: int = sum(counts["people"] for counts in buckets.values_list("counts", flat=True))
    return people


def _lock(job: ImportJob, bucket: Bucket) -> None:
    """Keep others from what the bucket looks up.

    The slots of a hash bucket follow from its range of places; of the other values that its rows bring all slots of
    their kinds are shared.
    """
    if bucket.lane == Bucket.Lane.SERIAL:
        rows = staging.load_rows(job, bucket)
        value_locks.lock_slots(
            value_locks.slots_of_links(row.key for row in rows),
            value_locks.slots_of_links(link for row in rows for link in row.links),
        )
        return
    looked_up = column_mapping.lookup_kinds(job.identifier)
    columns = (column.target for column in job.columns.all() if column.target != ALIAS_LABEL)  # its name tells of both
    targets = Counter(map(identifier_of, columns))
    given = [kind for kind, times in targets.items() if times > 1 or len(looked_up) > 1 or kind not in looked_up]
    alone = {(kind, slot) for kind in looked_up for slot in staging.bucket_slots(bucket, job.salt)}
    identifiers = {*load_schema().identifiers, EXTERNAL_ID, ALIAS}
    value_locks.lock_slots(
        alone, {(kind, slot) for kind in given if kind in identifiers for slot in range(value_locks.SLOTS)}
    )


def _stands(job: ImportJob, bucket: Bucket) -> bool:
    """Whether what the preview worked out for the bucket is still what its rows would do, its slots being locked."""
    return JobTables(job.pk).has(bucket.number) and not store.count_foreign_writes(job.snapshot, job.change_set_id)


def _work_out_again(job: ImportJob, bucket: Bucket) -> None:
    assert job.change_set is not None
    JobTables(job.pk).forget(bucket.number)
    store.lock_versions(resolve.resolve_bucket(job, bucket, store.to_microseconds(job.change_set.when)))


_ADD_GROUPS = f"""
INSERT INTO profiles_subscriptiongroup (group_id, name, channel)
SELECT id, id, '' FROM (
    SELECT DISTINCT substr(brings.name, {len(consent.GROUP) + 1}) AS id
    FROM {{staged}}, json_object_keys(raw::json) AS brings(name) WHERE brings.name ^@ '{consent.GROUP}'
) AS groups ORDER BY id
ON CONFLICT (group_id) DO NOTHING
"""
