"""Lease work units to workers (design section 8).

A unit is leased, and the attempt counted, before the work; it is marked done in the transaction that does the work. If
its worker dies, another one takes it up once the lease has ended.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from imports.jobs import lifecycle, queue
from imports.models import Bucket, ImportJob
from imports.states import Status, Step

MAX_ATTEMPTS = 3
ACTIVE_STATUSES = (Status.DRAFT, Status.CHECKING, Status.PENDING, Status.IN_PROGRESS)


class LeaseLost(Exception):
    """The unit was done by another worker, or the job was stopped: roll back, nothing is left to do."""


def claim(job: ImportJob) -> Bucket | None:
    """Lease and return the next unit of the job's step, or None when none is available now. Commits at once."""
    values: dict[str, str | int] = {
        "job": job.pk,
        "step": job.step,
        "owner": str(uuid.uuid4()),
        "seconds": settings.IMPORTS_LEASE_SECONDS,
        "attempts": MAX_ATTEMPTS,
    }
    return next(iter(Bucket.objects.raw(_CLAIM, values)), None)


def finish(job: ImportJob, bucket: Bucket, counts: dict[str, Any]) -> None:
    """Mark the unit done, as the last act of the transaction that did it.

    Raises ``LeaseLost`` if that transaction must not be committed.
    """
    lock_step(job)
    if not Bucket.objects.filter(pk=bucket.pk, done=None).update(done=timezone.now(), counts=counts):
        raise LeaseLost


def lock_step(job: ImportJob) -> None:
    """Keep the job at its step until commit. Raises ``LeaseLost`` if it is no longer working on that step.

    ``step_started`` distinguishes the step from the same step of another check.
    """
    with connection.cursor() as cursor:
        # Shared, so that units of one job do not wait for each other but a transition of the job does.
        cursor.execute("SELECT status, step, step_started FROM imports_importjob WHERE id = %s FOR SHARE", [job.pk])
        row = cursor.fetchone()
    if row is None or row[0] not in ACTIVE_STATUSES or row[1:] != (job.step, job.step_started):
        raise LeaseLost


def is_done(bucket: Bucket) -> bool:
    """Return whether the unit is done by now, by any worker."""
    return not Bucket.objects.filter(pk=bucket.pk, done=None).exists()


def release(bucket: Bucket, error: str) -> None:
    """Return a unit that could not be done, so that it can be tried again at once; keep the error."""
    Bucket.objects.filter(pk=bucket.pk, done=None, owner=bucket.owner).update(lease_until=None, error=error)


def all_done(job: ImportJob) -> bool:
    return not job.buckets.filter(step=job.step, done=None).exists()


def find_exhausted(job: ImportJob) -> Bucket | None:
    """Return a unit of the job's step that was tried ``MAX_ATTEMPTS`` times and is not leased now, or None."""
    idle = Q(lease_until=None) | Q(lease_until__lt=Now())
    return job.buckets.filter(idle, step=job.step, done=None, attempts__gte=MAX_ATTEMPTS).first()


def fail_if_exhausted(job: ImportJob) -> bool:
    """Fail the job if one of its units was tried ``MAX_ATTEMPTS`` times. Return whether there is such a unit."""
    bucket = find_exhausted(job)
    if bucket is None:
        return False
    cause = bucket.error or "its worker died each time"
    reason = f"{job.get_step_display()} failed {bucket.attempts} times: {cause}. Resume the import to try again."
    lifecycle.fail(job, "attempts", reason)
    return True


def record_step_failure(job: ImportJob, error: str) -> None:
    """Count a failure to begin or end the job's step, and fail the job at the ``MAX_ATTEMPTS``-th."""
    at_step = ImportJob.objects.filter(pk=job.pk, status=job.status, step=job.step, step_started=job.step_started)
    if at_step.update(step_failures=F("step_failures") + 1):
        job.refresh_from_db()
        if job.step_failures >= MAX_ATTEMPTS:
            times = f"{job.step_failures} times"
            reason = f"{job.get_step_display()} failed {times}: {error}. Resume the import to try again."
            lifecycle.fail(job, "attempts", reason)


def sweep() -> int:
    """Queue the jobs whose task was lost, and fail those that have no attempts left. Return how many were queued.

    The supervisor calls this every few seconds. While no worker takes up the tasks that wait in the queue, their number
    does not grow.
    """
    lost_before = timezone.now() - timedelta(seconds=settings.IMPORTS_SWEEP_SECONDS)
    lost = _active_jobs().filter(Q(queued=None) | Q(queued__lt=lost_before))
    queued, capacity = 0, queue_capacity()
    for job in lost.order_by(F("queued").asc(nulls_first=True)):
        if fail_if_exhausted(job):
            continue
        if capacity > 0 and not job.buckets.filter(step=job.step, done=None, lease_until__gt=Now()).exists():
            queue.enqueue_job(job, min(capacity, settings.IMPORTS_WORKERS))
            capacity -= settings.IMPORTS_WORKERS
            queued += 1
    return queued


def queue_capacity() -> int:
    """Return how many more tasks the active jobs may have in the queue; below 0, other tasks wait there too."""
    return _active_jobs().count() * settings.IMPORTS_WORKERS - queue.queue_size()


def _active_jobs() -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(status__in=ACTIVE_STATUSES).exclude(step=Step.IDLE)


_CLAIM = """
UPDATE imports_bucket SET
    lease_until = clock_timestamp() + make_interval(secs => %(seconds)s), attempts = attempts + 1, owner = %(owner)s
WHERE id = (
    SELECT b.id FROM imports_bucket b
    WHERE b.job_id = %(job)s AND b.step = %(step)s AND b.done IS NULL AND b.attempts < %(attempts)s
        AND (b.lease_until IS NULL OR b.lease_until < clock_timestamp())
        AND (b.lane <> 'serial' OR NOT EXISTS (
            SELECT FROM imports_bucket e
            WHERE e.job_id = b.job_id AND e.step = b.step AND e.lane = 'serial' AND e.done IS NULL
                AND e.number < b.number
        ))
    ORDER BY b.lane = 'serial' DESC, b.number
    FOR UPDATE SKIP LOCKED LIMIT 1
) RETURNING *
"""
