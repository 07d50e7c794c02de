"""Advance a job, one work unit after another, until this process can do nothing more for it at present.

Any number of processes may do so at the same time. A step is split into units once, and each unit is leased before it
is done. The process that finds all units of a step done transitions the job to the next step.
"""

from __future__ import annotations

import gc
import logging
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from django.db.utils import IntegrityError

from imports.drafts import configure, reread
from imports.engine import apply, data_points, staging
from imports.engine.steps import STEPS, StepDefinition
from imports.files.errors import SourceError
from imports.job_tables import JobTables
from imports.jobs import leases, lifecycle, queue
from imports.jobs.transitions import Refused
from imports.mapping.headers import HeaderError
from imports.models import Bucket, ImportJob
from imports.states import Step
from profiles.writing import store

logger = logging.getLogger(__name__)

IDLE_SECONDS, POLL_SECONDS = 0.5, 0.05
"""Seconds to wait, polling, until other processes end a step: the queue takes as long to start the next task."""

MAX_TRIES = 20
"""Transactions of a unit that may conflict with other writers before that counts as one failed attempt."""


def run_units(job_id: int, seconds: float) -> bool:
    """Do units of a job for about ``seconds``. Return whether more of them can be done now."""
    until, idle = time.monotonic() + seconds, 0.0
    while True:
        job = ImportJob.objects.filter(pk=job_id).first()
        if job is None or job.status not in leases.ACTIVE_STATUSES or not job.step:
            return False
        try:
            advanced = _advance(job)
        except Exception as error:  # outermost handler of the task: the job fails if its step repeatedly does
            logger.exception("job %s: %s could not be begun or ended", job.pk, job.step)
            leases.record_step_failure(job, type(error).__name__)
            time.sleep(IDLE_SECONDS)
            continue
        if advanced:
            idle = 0.0
        elif idle >= IDLE_SECONDS:
            return False
        else:
            time.sleep(POLL_SECONDS)
            idle += POLL_SECONDS
        if time.monotonic() > until:
            return idle == 0.0


def run_until_idle(job: ImportJob) -> None:
    """Do the units of a job in this process until none is left to do; queue nothing."""
    with queue.run_inline():
        while run_units(job.pk, 3600):
            pass
    job.refresh_from_db()


def _advance(job: ImportJob) -> bool:
    """Do one unit of the job's step, or end the step. Return False if neither is possible now."""
    step = Step(job.step)
    work = STEPS[step]
    bucket = leases.claim(job)
    try:
        if bucket is None and _cut(job, work):
            bucket = leases.claim(job)
    except leases.LeaseLost:
        return True
    if bucket is not None:
        return _do(job, bucket, work)
    if leases.all_done(job):
        return _end(job, work)
    return leases.fail_if_exhausted(job)


def _cut(job: ImportJob, work: StepDefinition) -> bool:
    """Split the step into units unless it has some; a lock lets one process do so. Return False if it had units."""
    if job.buckets.filter(step=job.step).exists():
        return False
    with transaction.atomic():
        _lock_job(job)
        # No lock excludes units of an earlier check: they would wait for the job, and this process for their table.
        leases.lock_step(job)
        if not job.buckets.filter(step=job.step).exists():
            Bucket.objects.bulk_create(work.split(job))
    return True


def _end(job: ImportJob, work: StepDefinition) -> bool:
    """End a step whose units are all done. One process does so; the others find the step ended."""
    with _handling_job_errors(job, "end"), transaction.atomic():
        _lock_job(job)
        leases.lock_step(job)  # during the wait another process may have ended it, or a user continued
        if job.step == Step.PREVIEW or (job.step == Step.APPLY and data_points.is_enabled(job)):
            _restage(job)  # the end of these steps reads the rows
        if leases.all_done(job):
            work.end(job)
    return True


def _do(job: ImportJob, bucket: Bucket, work: StepDefinition) -> bool:
    """Do a leased unit. An unexpected error counts as an attempt."""
    try:
        with _handling_job_errors(job, bucket.number):
            try:
                _try(job, bucket, work)
            except leases.LeaseLost:
                leases.release(bucket, "")  # a unit of another check is then free for that check's workers
                raise
    except Exception as error:  # outermost handler of the task: release the unit and store the error's class with it
        logger.exception("job %s: %s %s failed", job.pk, bucket.step, bucket.number)
        leases.release(bucket, type(error).__name__)
    return True


@contextmanager
def _handling_job_errors(job: ImportJob, unit: int | str) -> Iterator[None]:
    """Handle what a unit, or the end of a step, raises about its job: it is at another step, or cannot continue."""
    try:
        yield
    except (leases.LeaseLost, Refused):
        logger.debug("job %s: %s %s was done elsewhere, or stopped", job.pk, job.step, unit)
    except (SourceError, HeaderError) as refusal:
        _refuse(job, refusal)
    except apply.SchemaChanged:
        _recheck(job)
    except staging.FileChanged:
        reason = "The stored file no longer gives the rows that were checked. Upload it again."
        lifecycle.fail(job, "file_changed", reason)


def _refuse(job: ImportJob, refusal: SourceError | HeaderError) -> None:
    """Refuse a file that cannot be imported; one that cannot be read in the chosen way keeps its earlier reading."""
    if job.step != Step.SCAN:  # the file was accepted already
        lifecycle.fail(job, refusal.code, refusal.message)
    elif not reread.revert(job, refusal.message):
        configure.refuse(job, refusal.code, refusal.message)


def _try(job: ImportJob, bucket: Bucket, work: StepDefinition) -> None:
    """Do a unit in one transaction; repeat it while it conflicts with other writers, at most ``MAX_TRIES`` times
    (design rule 2)."""
    _restore(job)
    for attempt in range(MAX_TRIES):
        try:
            with transaction.atomic():
                _commit_asynchronously()
                with _without_garbage_collection():
                    counts = work.do(job, bucket)
                leases.finish(job, bucket, counts)
            return
        except (store.Conflict, IntegrityError, OperationalError) as conflict:
            if not _is_conflict(conflict) or attempt == MAX_TRIES - 1:
                raise
            if leases.is_done(bucket):  # the lease had ended, and the other writer did this unit
                raise leases.LeaseLost from None
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))


def _commit_asynchronously() -> None:
    """Commit this transaction without waiting for the disk: what a crash loses is done again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _lock_job(job: ImportJob) -> None:
    """Exclude other processes from restoring this job's rows, and from splitting or ending its step, until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [job.pk])


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector: a unit creates many objects without cycles, and collecting costs a fifth."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _is_conflict(error: Exception) -> bool:
    """Whether an error means a conflict with another writer: changed people, a unique violation, a serialization
    failure, a deadlock, or no memory left for locks."""
    if isinstance(error, store.Conflict):
        return True
    return getattr(error.__cause__, "sqlstate", "") in {"23505", "40001", "40P01", "53200"}


def _restore(job: ImportJob) -> None:
    """Stage the rows again if a crash of the database emptied their table.

    Raise ``LeaseLost`` if the job is no longer at this step.
    """
    if job.step not in (Step.PLAN, Step.PREVIEW, Step.PREPARE, Step.APPLY) or not _is_lost(job):
        return
    with transaction.atomic():
        _commit_asynchronously()
        _lock_job(job)
        _restage(job)
        leases.lock_step(job)


def _restage(job: ImportJob) -> None:
    """Stage lost rows again. The caller holds the lock of the job."""
    if not _is_lost(job):
        return
    logger.warning("job %s: staging the file again, the database has lost its rows", job.pk)
    staging.restore(job)
    if job.step != Step.PLAN:  # which creates the results itself
        JobTables(job.pk).create_results()
    if job.step in (Step.PLAN, Step.PREVIEW):  # their units wrote to the same tables
        job.buckets.filter(step=job.step).exclude(done=None).update(done=None, attempts=0, lease_until=None)
        job.problems.filter(step=job.step).delete()


def _is_lost(job: ImportJob) -> bool:
    return staging.is_lost(job) or (job.step == Step.PLAN and not staging.is_complete(job))


def _recheck(job: ImportJob) -> None:
    """Check the job again, since the schema has changed: users see the new preview first (design section 5.7)."""
    job.refresh_from_db()
    try:
        configure.recheck(job)
    except configure.InvalidMapping as problem:
        reason = f"The schema has changed since the check: {problem}. Correct the schema, then resume the import."
        lifecycle.fail(job, "schema_changed", reason)
