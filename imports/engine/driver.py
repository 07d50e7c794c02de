"""Carries a job forward, one unit of work after another, until nothing is left that this process can do now.

Any number of processes do so at once. A step is cut into units once, each unit is leased before it is worked on, and
whoever finds all units of a step done transitions the job to the next step.
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
"""Seconds to wait, looking now and then, for others to end a step: the queue would take as long to call us again."""

MAX_TRIES = 20
"""How often a bucket starts again because another writer was in its way, before that counts as an attempt."""


def run_units(job_id: int, seconds: float) -> bool:
    """Do units of a job for about so many seconds. Returns whether there is more that could be done now."""
    until, idle = time.monotonic() + seconds, 0.0
    while True:
        job = ImportJob.objects.filter(pk=job_id).first()
        if job is None or job.status not in leases.ACTIVE_STATUSES or not job.step:
            return False
        try:
            advanced = _advance(job)
        except Exception as error:  # the task's door: a step that cannot be begun or ended fails its job in the end
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
    """Do all that a job needs in this process, until it has nothing to do."""
    with queue.run_inline():
        while run_units(job.pk, 3600):
            pass
    job.refresh_from_db()


def _advance(job: ImportJob) -> bool:
    """Do one unit of the job's step, or end the step; False if neither can be done now."""
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
    """Cut the step into units, unless that is done; the lock lets one process do so. Returns whether it was to do."""
    if job.buckets.filter(step=job.step).exists():
        return False
    with transaction.atomic():
        _one_at_a_time(job)
        # Not locked against units of an earlier check: they would wait for the job, and we for the table they write.
        leases.lock_step(job)
        if not job.buckets.filter(step=job.step).exists():
            Bucket.objects.bulk_create(work.split(job))
    return True


def _end(job: ImportJob, work: StepDefinition) -> bool:
    """End a step all of whose units are done; one process does so, the others find it ended."""
    with _answering(job, "end"), transaction.atomic():
        _one_at_a_time(job)
        leases.lock_step(job)  # while we waited, another process may have ended the step, and people gone on
        if job.step == Step.PREVIEW or (job.step == Step.APPLY and data_points.is_enabled(job)):
            _fill_again(job)  # what its end reads
        if leases.all_done(job):
            work.end(job)
    return True


def _do(job: ImportJob, bucket: Bucket, work: StepDefinition) -> bool:
    """Do a leased unit; anything unforeseen is an attempt."""
    try:
        with _answering(job, bucket.number):
            try:
                _try(job, bucket, work)
            except leases.LeaseLost:
                leases.release(bucket, "")  # it may be another check's, whose workers should not wait for us
                raise
    except Exception as error:  # the task's door: whatever it was, the unit is given back and the job knows
        logger.exception("job %s: %s %s failed", job.pk, bucket.step, bucket.number)
        leases.release(bucket, type(error).__name__)
    return True


@contextmanager
def _answering(job: ImportJob, what: int | str) -> Iterator[None]:
    """Heed what a unit, or the end of a step, finds out about its job: it was moved, or it cannot be imported."""
    try:
        yield
    except (leases.LeaseLost, Refused):
        logger.debug("job %s: %s %s was done elsewhere, or stopped", job.pk, job.step, what)
    except (SourceError, HeaderError) as refusal:
        _refuse(job, refusal)
    except apply.SchemaChanged:
        _check_again(job)
    except staging.FileChanged:
        lifecycle.fail(job, "file_changed", "The stored file is not the one that was checked. Upload it again.")


def _refuse(job: ImportJob, refusal: SourceError | HeaderError) -> None:
    """The file cannot be imported, or not as somebody wanted it read; then it stays as it was read before."""
    if job.step != Step.SCAN:  # the file was taken already
        lifecycle.fail(job, refusal.code, refusal.message)
    elif not reread.revert(job, refusal.message):
        configure.refuse(job, refusal.code, refusal.message)


def _try(job: ImportJob, bucket: Bucket, work: StepDefinition) -> None:
    """Do a unit in one transaction, again and again while other writers are in its way (design rule 2)."""
    _restore(job)
    for attempt in range(MAX_TRIES):
        try:
            with transaction.atomic():
                _commit_soon()
                with _no_collection():
                    counts = work.do(job, bucket)
                leases.finish(job, bucket, counts)
            return
        except (store.Conflict, IntegrityError, OperationalError) as conflict:
            if not _is_conflict(conflict) or attempt == MAX_TRIES - 1:
                raise
            if leases.is_done(bucket):  # whoever was in the way has done this very unit, its lease having ended
                raise leases.LeaseLost from None
            time.sleep(random.uniform(0.01, 0.05) * (attempt + 1))


def _commit_soon() -> None:
    """Let this transaction not wait until it is on disk: what a crash takes of it is done again."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _one_at_a_time(job: ImportJob) -> None:
    """Wait until no other process restores this job's rows or ends its step, and keep others from it until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [job.pk])


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without garbage collection: a unit makes many objects, none in circles, and looking for them costs a fifth."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _is_conflict(error: Exception) -> bool:
    """Whether another writer was in the way: moved people, unique violation, deadlock, serialization failure, no room
    for more locks."""
    if isinstance(error, store.Conflict):
        return True
    return getattr(error.__cause__, "sqlstate", "") in {"23505", "40001", "40P01", "53200"}


def _restore(job: ImportJob) -> None:
    """Fill the staged rows again if a crash of the database emptied them. Raises ``Lost`` if the job was moved."""
    if job.step not in (Step.PLAN, Step.PREVIEW, Step.PREPARE, Step.APPLY) or not _is_lost(job):
        return
    with transaction.atomic():
        _commit_soon()
        _one_at_a_time(job)
        _fill_again(job)
        leases.lock_step(job)


def _fill_again(job: ImportJob) -> None:
    """The same while others are kept from it."""
    if not _is_lost(job):
        return
    logger.warning("job %s: staging the file again, the database has lost its rows", job.pk)
    staging.restore(job)
    if job.step != Step.PLAN:  # which makes them itself
        JobTables(job.pk).create_results()
    if job.step in (Step.PLAN, Step.PREVIEW):  # what was done so far is lost as well
        job.buckets.filter(step=job.step).exclude(done=None).update(done=None, attempts=0, lease_until=None)
        job.problems.filter(step=job.step).delete()


def _is_lost(job: ImportJob) -> bool:
    return staging.is_lost(job) or (job.step == Step.PLAN and not staging.is_complete(job))


def _check_again(job: ImportJob) -> None:
    """The schema has changed since the check: check again, and let people look again (design section 5.7)."""
    job.refresh_from_db()
    try:
        configure.check_again(job)
    except configure.InvalidMapping as problem:
        reason = f"The schema has changed since the check: {problem}. Resume the import when that is put right."
        lifecycle.fail(job, "schema_changed", reason)
