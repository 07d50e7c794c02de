"""Who works on which unit: leased and counted before the work, marked done in the transaction that does it (design
section 8). A unit whose worker died is taken up by another once its lease has ended."""

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
    """The unit was done by somebody else, or the job was stopped: roll back, nothing is to be done."""


def claim(job: ImportJob) -> Bucket | None:
    """Lease the next unit of the job's step, or None when there is none to be had now. Commits at once."""
    values: dict[str, str | int] = {
        "job": job.pk,
        "step": job.step,
        "owner": str(uuid.uuid4()),
        "seconds": settings.IMPORTS_LEASE_SECONDS,
        "attempts": MAX_ATTEMPTS,
    }
    return next(iter(Bucket.objects.raw(_CLAIM, values)), None)


def finish(job: ImportJob, bucket: Bucket, counts: dict[str, Any]) -> None:
    """Mark the unit done, last in the transaction that did it. Raises ``Lost`` if that must not be committed."""
    lock_step(job)
    if not Bucket.objects.filter(pk=bucket.pk, done=None).update(done=timezone.now(), counts=counts):
        raise LeaseLost


def lock_step(job: ImportJob) -> None:
    """Keep the job where it is until commit. Raises ``Lost`` if it is not at work on this step any more.

    When the step began tells it from the same step of another check.
    """
    with connection.cursor() as cursor:
        # Shared, so that units of one job do not wait for each other but a transition of the job does.
        cursor.execute("SELECT status, step, step_started FROM imports_importjob WHERE id = %s FOR SHARE", [job.pk])
        row = cursor.fetchone()
    if row is None or row[0] not in ACTIVE_STATUSES or row[1:] != (job.step, job.step_started):
        raise LeaseLost


def is_done(bucket: Bucket) -> bool:
    """Whether the unit is done by now, by whomever."""
    return not Bucket.objects.filter(pk=bucket.pk, done=None).exists()


def release(bucket: Bucket, error: str) -> None:
    """Give a unit back that could not be done, so that it can be tried again at once."""
    Bucket.objects.filter(pk=bucket.pk, done=None, owner=bucket.owner).update(lease_until=None, error=error)


def all_done(job: ImportJob) -> bool:
    return not job.buckets.filter(step=job.step, done=None).exists()


def exhausted(job: ImportJob) -> Bucket | None:
    """A unit of the job's step that was tried too often and that nobody works on."""
    idle = Q(lease_until=None) | Q(lease_until__lt=Now())
    return job.buckets.filter(idle, step=job.step, done=None, attempts__gte=MAX_ATTEMPTS).first()


def fail_if_exhausted(job: ImportJob) -> bool:
    """Fail a job one of whose units was tried too often."""
    bucket = exhausted(job)
    if bucket is None:
        return False
    cause = bucket.error or "its worker died each time"
    reason = f"{job.get_step_display()} was tried {bucket.attempts} times and did not succeed: {cause}. Resume it."
    lifecycle.fail(job, "attempts", reason)
    return True


def record_step_failure(job: ImportJob, error: str) -> None:
    """Count that the job's step could not be begun or ended, and fail the job when that was tried too often."""
    at_step = ImportJob.objects.filter(pk=job.pk, status=job.status, step=job.step, step_started=job.step_started)
    if at_step.update(step_failures=F("step_failures") + 1):
        job.refresh_from_db()
        if job.step_failures >= MAX_ATTEMPTS:
            reason = f"{job.get_step_display()} could not go on, tried {job.step_failures} times: {error}. Resume it."
            lifecycle.fail(job, "attempts", reason)


def sweep() -> int:
    """Take up again what nobody works on: queue the jobs whose task was lost, fail those out of attempts.

    The supervisor calls this every few seconds. Returns how many jobs were queued. Tasks that wait in the queue are
    enough: while no worker takes them up, they are not to grow in number.
    """
    silent, queued, room_left = timezone.now() - timedelta(seconds=settings.IMPORTS_SWEEP_SECONDS), 0, queue_capacity()
    for job in _at_work().filter(Q(queued=None) | Q(queued__lt=silent)).order_by(F("queued").asc(nulls_first=True)):
        if fail_if_exhausted(job):
            continue
        if room_left > 0 and not job.buckets.filter(step=job.step, done=None, lease_until__gt=Now()).exists():
            queue.enqueue_job(job, min(room_left, settings.IMPORTS_WORKERS))
            room_left -= settings.IMPORTS_WORKERS
            queued += 1
    return queued


def queue_capacity() -> int:
    """How many more tasks than wait in the queue the jobs at work may have there; below 0 others' tasks wait too."""
    return _at_work().count() * settings.IMPORTS_WORKERS - queue.queue_size()


def _at_work() -> QuerySet[ImportJob]:
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
