"""Change jobs from status to status (D-10), and from step to step. Nothing else changes a status.

A transition is one conditional UPDATE: if two users request one at once, the first succeeds and the second is refused
with the reason. The audit entry and the queued task are written in the same transaction. ``transitions`` defines which
transitions there are and who may make them.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from imports.jobs import queue, schema_guard
from imports.jobs.transitions import (
    CHECK_TRANSITIONS,
    EDITABLE_STATUSES,
    FIRST_STEP,
    RESUME_STEP,
    TRANSITIONS,
    Actor,
    Refused,
    Transition,
    check_may_upload,
    check_role,
)
from imports.models import ImportJob, JobTransition
from imports.states import Status, Step
from profiles.models import Change


def transition(job: ImportJob, name: Transition, actor: Actor | None = None, comment: str = "", **values: Any) -> None:
    """Make a transition of the job, or raise ``Refused`` and change nothing. Refresh ``job`` from the database.

    ``actor`` None is the system itself. ``values`` are fields to set in the same UPDATE.
    """
    check_role(job, name, actor, comment)
    rule, before = TRANSITIONS[name], job.status
    start: dict[str, Any] = {"status": rule.target, "step": FIRST_STEP.get(name, Step.IDLE)}
    with transaction.atomic():
        if name is Transition.RESUME:
            values |= _resume_values(job)
        if name is Transition.CHECKED:
            values |= _after_check(job)
        values = start | {"step_started": timezone.now(), "step_failures": 0} | values
        if before not in rule.sources or not _unmoved(job).update(**values):
            job.refresh_from_db()
            state = job.get_status_display()
            raise Refused("state", f"Nothing was done, because this import is now “{state}”. Look at it again.")
        user = actor.user if actor else None
        entry = JobTransition.objects.create(
            job=job, name=name, before=before, after=values["status"], actor=user, comment=comment.strip()
        )
        if _needs_notice(job, entry, actor):
            queue.enqueue_notice(entry)
        job.refresh_from_db()
        _discard_earlier_work(job, name)
        if job.step:
            queue.enqueue_job(job)


def lock_for_editing(job: ImportJob, actor: Actor) -> None:
    """Lock a job whose settings are about to change, make it a draft, and refresh it from the database.

    Call this in a transaction. Raises ``Refused`` if the actor may not do that, or if it is no longer possible.
    """
    check_role(job, Transition.EDIT, actor)
    if ImportJob.objects.select_for_update().filter(pk=job.pk).first() is None:
        raise Refused("gone", "This import has been deleted. Nothing was saved.")
    job.refresh_from_db()
    if job.step or job.status not in EDITABLE_STATUSES:
        state = job.get_step_display() if job.status in EDITABLE_STATUSES else job.get_status_display()
        raise Refused("state", f"This import is at “{state}” now; its settings cannot change. Nothing was saved.")
    if job.status != Status.DRAFT:
        transition(job, Transition.EDIT, actor)


def upload(job: ImportJob, actor: Actor) -> ImportJob:
    """Store a new job and queue the scan of its file. Raises ``Refused`` if the actor may not upload."""
    check_may_upload(actor)
    with transaction.atomic():
        job.status, job.step, job.step_started = Status.DRAFT, Step.SCAN, timezone.now()
        job.created_by = actor.user
        job.save()
        JobTransition.objects.create(job=job, name="upload", before=job.status, after=job.status, actor=actor.user)
        queue.enqueue_job(job)
    return job


def advance_to_step(job: ImportJob, step: Step, **values: Any) -> bool:
    """Advance a working job to another step. Return False, and change nothing, if it has advanced since it was read.

    ``values``: other fields to set in the same UPDATE.
    """
    with transaction.atomic():
        values = {
            "step": step,
            "seconds": step_seconds(job),
            "step_started": timezone.now(),
            "step_failures": 0,
        } | values
        if not _unmoved(job).update(**values):
            return False
        job.refresh_from_db()
        if step:
            queue.enqueue_job(job)
    return True


def step_seconds(job: ImportJob) -> dict[str, float]:
    """Return the job's seconds per step, including the step that ends now."""
    began = job.step_started or timezone.now()
    seconds: dict[str, float] = job.seconds
    return seconds | {job.step: round((timezone.now() - began).total_seconds(), 3)}


def fail(job: ImportJob, code: str, reason: str) -> bool:
    """Fail a working job that cannot continue. What it applied is kept, and its counts say so (PS-21).

    Return False, and change nothing, if another transition was made before.
    """
    try:
        with transaction.atomic():
            _block_commits(job)
            transition(
                job,
                Transition.FAIL,
                None,
                reason_code=code,
                reason=reason,
                finished=timezone.now(),
                **final_counts(job),
            )
    except Refused as refused:
        if refused.code != "state":
            raise
        return False
    return True


def stop(job: ImportJob, actor: Actor) -> None:
    """Stop the job without its work units that are not applied yet (D-27); one being applied now is rolled back."""
    with transaction.atomic():
        _block_commits(job)
        job.refresh_from_db()  # it may have begun since it was read
        transition(job, Transition.STOP, actor, finished=timezone.now(), **final_counts(job))


def final_counts(job: ImportJob, people: int | None = None) -> dict[str, Any]:
    """Return the job's counts from what was applied.

    Imported, updated, ignored, failed and not run add up to the job's ``total`` (design rule 5). ``people``: how many
    people were created or changed, if the caller has counted them already.
    """
    counts = dict.fromkeys(("imported", "updated", "unchanged", "ignored", "failed"), 0)
    for done in job.buckets.filter(step=Step.APPLY, done__isnull=False).values_list("counts", flat=True):
        for name in counts:
            counts[name] += done.get(name, 0)
    if job.status in (Status.PENDING, Status.IN_PROGRESS):
        counts["failed"] += staged_counts(job)["failed"]
    if people is None:
        people = Change.objects.filter(change_set=job.change_set_id).count() if job.change_set_id else 0
    counts["people"] = people
    counts["not_run"] = job.total - sum(counts[name] for name in ("imported", "updated", "ignored", "failed"))
    return counts


def staged_counts(job: ImportJob) -> dict[str, int]:
    """Return the numbers of rows, failed rows and warnings that staging counted."""
    counts = dict.fromkeys(("rows", "failed", "warnings"), 0)
    for done in job.buckets.filter(step=Step.STAGE, done__isnull=False).values_list("counts", flat=True):
        for name in counts:
            counts[name] += done.get(name, 0)
    return counts


def _needs_notice(job: ImportJob, entry: JobTransition, actor: Actor | None) -> bool:
    """Return whether others are notified: approvers of a job that waits for them, the uploader of one that ended."""
    if entry.name == Transition.SUBMIT:
        return True
    if entry.name not in _ENDS or job.created_by_id is None or (actor is not None and actor.owns(job)):
        return False
    # The uploader who waits while a file is read inline sees at once that it was refused.
    return not (entry.before == Status.DRAFT and queue.is_inline())


_ENDS = (Transition.COMPLETE, Transition.FAIL, Transition.STOP, Transition.REJECT, Transition.CANCEL)


def _block_commits(job: ImportJob) -> None:
    """Wait for work units that are committing; others will find that the job has ended, and roll back."""
    ImportJob.objects.select_for_update().get(pk=job.pk)


def _unmoved(job: ImportJob) -> QuerySet[ImportJob]:
    """Return the job as a query that matches nothing if its status or step has changed since it was read."""
    return ImportJob.objects.filter(pk=job.pk, status=job.status, step=job.step, step_started=job.step_started)


def _discard_earlier_work(job: ImportJob, name: Transition) -> None:
    """Delete the work units and problems of a step that is repeated; reset the attempts when a job is resumed."""
    if name in CHECK_TRANSITIONS:
        job.buckets.exclude(step=Step.SCAN).delete()
        job.problems.all()._raw_delete(job.problems.db)
    if name is Transition.REREAD:
        job.buckets.filter(step=Step.SCAN).delete()
    if name is Transition.RESUME:
        job.buckets.filter(done=None).update(attempts=0, lease_until=None, owner="", error="")


def _after_check(job: ImportJob) -> dict[str, Any]:
    """Return a job to approval if it waited for approval when it was checked again; any other one becomes *ready*."""
    last = job.transitions.filter(name__in=CHECK_TRANSITIONS).last()
    waits = last is not None and last.name == Transition.REFRESH and last.before == Status.AWAITING_APPROVAL
    return {"status": Status.AWAITING_APPROVAL} if waits else {}


def _resume_values(job: ImportJob) -> dict[str, Any]:
    """Return where a job is resumed: in the middle of applying if it ended there, else at the start of the failed step.

    Raises ``Refused`` if its file is not kept, or if the schema has changed since rows were applied.
    """
    if not job.file:
        raise Refused("state", "The file was refused and is not kept. Correct it and upload it again.")
    reset = {"reason": "", "reason_code": "", "finished": None}
    ended = job.transitions.filter(name__in=(Transition.STOP, Transition.FAIL)).last()
    status = Status(ended.before if ended else Status.DRAFT)
    if status == Status.IN_PROGRESS and not schema_guard.is_schema_unchanged(job):
        reason = "The schema has changed since this file was checked. Upload it again to import the remaining rows."
        raise Refused("state", reason)
    return reset | {"status": status, "step": RESUME_STEP[status]}
