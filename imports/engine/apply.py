"""Write the buckets of an import to profiles: each in one transaction that also marks it done (design section 5.7)."""

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
    """The schema is no longer the one that the job was checked under."""


def prepare(job: ImportJob) -> None:
    """Create the attributes, subscription groups, change set and buckets of an approved import; write no person yet.

    The plan of the preview is used again unless people were written since. Raise ``SchemaChanged``.
    """
    lock.lock_schema_shared()
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
    """Apply one bucket in the caller's transaction and return its counts.

    Raise ``store.Conflict`` if the transaction must be repeated.
    """
    assert job.change_set is not None
    store.pin_query_plans()
    _lock(job, bucket)
    as_planned = bucket.lane == Bucket.Lane.HASH and _is_preview_current(job, bucket)
    if as_planned:
        bucket.counts = job.buckets.get(step=Step.PREVIEW, number=bucket.number).counts
    else:
        _resolve_again(job, bucket)
    with connection.cursor() as cursor:
        # As long as nobody else writes, only buckets of the serial lane can change the same person.
        tables, again = JobTables(job.pk).written, not as_planned
        created = store.flush(
            cursor, tables, job.change_set, bucket.number, again=again, return_created=job.holds_events
        )
        if job.holds_events:
            events.write(cursor, job, bucket, job.change_set, created)
        resolve.write_problems(cursor, job, bucket)
    return dict(bucket.counts)


def completed_fields(job: ImportJob) -> dict[str, Any]:
    """Return the fields of a completed job: its final counts, end and seconds per step."""
    return lifecycle.final_counts(job, _count_people(job)) | {
        "finished": timezone.now(),
        "seconds": lifecycle.step_seconds(job),
    }


def create_segment(job: ImportJob) -> None:
    """Create the segment that the job asks for: its name, and all people it imported or updated (SG-04, D-30)."""
    if job.targeting == ImportJob.Targeting.SEGMENT and job.change_set_id is not None:
        Segment.objects.create(name=job.name, change_set_id=job.change_set_id, created_by=job.created_by)


def _add_groups(job: ImportJob, columns: Sequence[ImportColumn]) -> None:
    """Create the subscription groups that rows contain and that do not exist (SB-09); users may name them later."""
    if any(consent.is_reserved(column.target) for column in columns):
        with connection.cursor() as cursor:
            cursor.execute(_ADD_GROUPS.format(staged=JobTables(job.pk).staged))


def _count_people(job: ImportJob) -> int | None:
    """Return how many people the job imported or updated, or None if the counts of its buckets cannot tell.

    They can where no person is in two buckets: without a serial lane, and while nobody else writes.
    """
    buckets = job.buckets.filter(step=Step.APPLY)
    if buckets.filter(lane=Bucket.Lane.SERIAL).exists() or store.count_foreign_writes(job.snapshot, job.change_set_id):
        return None
    people: int = sum(counts["people"] for counts in buckets.values_list("counts", flat=True))
    return people


def _lock(job: ImportJob, bucket: Bucket) -> None:
    """Lock the values that the bucket looks up against other writers.

    The slots of a hash bucket follow from its range of places. For other identifiers in its rows, all slots of
    their kinds are locked as shared.
    """
    if bucket.lane == Bucket.Lane.SERIAL:
        rows = staging.load_rows(job, bucket)
        value_locks.lock_slots(
            value_locks.slots_of_links(row.key for row in rows),
            value_locks.slots_of_links(link for row in rows for link in row.links),
        )
        return
    looked_up = column_mapping.lookup_kinds(job.identifier)
    # Of the two columns of an alias, the one with its name is counted.
    columns = (column.target for column in job.columns.all() if column.target != ALIAS_LABEL)
    targets = Counter(map(identifier_of, columns))
    shared_kinds = [kind for kind, times in targets.items() if times > 1 or len(looked_up) > 1 or kind not in looked_up]
    exclusive = {(kind, slot) for kind in looked_up for slot in staging.bucket_slots(bucket, job.salt)}
    identifiers = {*load_schema().identifiers, EXTERNAL_ID, ALIAS}
    value_locks.lock_slots(
        exclusive,
        {(kind, slot) for kind in shared_kinds if kind in identifiers for slot in range(value_locks.SLOT_COUNT)},
    )


def _is_preview_current(job: ImportJob, bucket: Bucket) -> bool:
    """Whether the preview's result for the bucket is still exact. The caller has locked the bucket's slots."""
    return JobTables(job.pk).has(bucket.number) and not store.count_foreign_writes(job.snapshot, job.change_set_id)


def _resolve_again(job: ImportJob, bucket: Bucket) -> None:
    assert job.change_set is not None
    JobTables(job.pk).delete_results(bucket.number)
    store.lock_versions(resolve.resolve_bucket(job, bucket, store.to_microseconds(job.change_set.when)))


_ADD_GROUPS = f"""
INSERT INTO profiles_subscriptiongroup (group_id, name, channel)
SELECT id, id, '' FROM (
    SELECT DISTINCT substr(brings.name, {len(consent.GROUP_PREFIX) + 1}) AS id
    FROM {{staged}}, json_object_keys(raw::json) AS brings(name) WHERE brings.name ^@ '{consent.GROUP_PREFIX}'
) AS groups ORDER BY id
ON CONFLICT (group_id) DO NOTHING
"""
