"""Make the transitions of jobs from state to state (D-10), and from step to step. Nothing else changes a status.

A transition is one conditional UPDATE: of two people who ask for one at once, the first succeeds and the second is
refused with the reason. Its audit entry and its queued task are written in the same transaction. ``transitions``
defines which transitions there are and who may make them.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from imports.jobs import queue, schema_guard
from imports.jobs.transitions import (
    CHECKS,
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
    """Transition the job, or raise ``Refused`` and change nothing. ``values`` are fields to set with the same UPDATE.

    ``actor`` None is the system itself. ``job`` is read anew afterwards.
    """
    check_role(job, name, actor, comment)
    rule, before = TRANSITIONS[name], job.status
    start: dict[str, Any] = {"status": rule.target, "step": FIRST_STEP.get(name, Step.IDLE)}
    with transaction.atomic():
        if name is Transition.RESUME:
            values |= _where_it_was(job)
        if name is Transition.CHECKED:
            values |= _after_check(job)
        values = start | {"step_started": timezone.now(), "step_failures": 0} | values
        if before not in rule.sources or not _unmoved(job).update(**values):
            job.refresh_from_db()
            raise Refused("state", f"This import is {job.get_status_display()} now; look at it again.")
        user = actor.user if actor else None
        made = JobTransition.objects.create(
            job=job, name=name, before=before, after=values["status"], actor=user, comment=comment.strip()
        )
        if _is_news(job, made, actor):
            queue.enqueue_notice(made)
        job.refresh_from_db()
        _make_room(job, name)
        if job.step:
            queue.enqueue_job(job)


def lock_for_editing(job: ImportJob, actor: Actor) -> None:
    """Hold a job whose settings are about to be changed, and make it a draft; to be called in a transaction.

    Raises ``Refused`` where that is not open to this person, or not possible any more. ``job`` is read anew.
    """
    check_role(job, Transition.EDIT, actor)
    held = ImportJob.objects.select_for_update().filter(pk=job.pk).first()
    if held is None:
        raise Refused("gone", "This import is not there any more; somebody has deleted it. Nothing was saved.")
    job.refresh_from_db()
    if job.step or job.status not in EDITABLE_STATUSES:
        state = job.get_step_display() if job.status in EDITABLE_STATUSES else job.get_status_display()
        raise Refused("state", f"This import is at “{state}” now; its settings cannot change. Nothing was saved.")
    if job.status != Status.DRAFT:
        transition(job, Transition.EDIT, actor)


def upload(job: ImportJob, actor: Actor) -> ImportJob:
    """Store a new job and have its file read. Raises ``Refused`` for somebody who may not upload."""
    check_may_upload(actor)
    with transaction.atomic():
        job.status, job.step, job.step_started = Status.DRAFT, Step.SCAN, timezone.now()
        job.created_by = actor.user
        job.save()
        JobTransition.objects.create(job=job, name="upload", before=job.status, after=job.status, actor=actor.user)
        queue.enqueue_job(job)
    return job


def advance_to_step(job: ImportJob, step: Step, **values: Any) -> bool:
    """Transition a working job from the step it is at to the next one; False if somebody else has done so already."""
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
    """The job's seconds per step, with the step that ends now."""
    began = job.step_started or timezone.now()
    seconds: dict[str, float] = job.seconds
    return seconds | {job.step: round((timezone.now() - began).total_seconds(), 3)}


def fail(job: ImportJob, code: str, reason: str) -> bool:
    """A working job cannot go on; what it applied stands, and its counts say so (PS-21).

    Returns False, and changes nothing, if somebody has moved the job before.
    """
    try:
        with transaction.atomic():
            _let_nobody_commit(job)
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
    """Leave the buckets that were not yet applied (D-27); one that is just being applied is rolled back."""
    with transaction.atomic():
        _let_nobody_commit(job)
        job.refresh_from_db()  # it may have begun since somebody looked at it
        transition(job, Transition.STOP, actor, finished=timezone.now(), **final_counts(job))


def final_counts(job: ImportJob, people: int | None = None) -> dict[str, Any]:
    """The job's counts from what was really applied; ``total`` is their sum (design rule 5).

    ``people``: how many were touched, where that is known already.
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
    """Rows and problems that staging counted."""
    counts = dict.fromkeys(("rows", "failed", "warnings"), 0)
    for done in job.buckets.filter(step=Step.STAGE, done__isnull=False).values_list("counts", flat=True):
        for name in counts:
            counts[name] += done.get(name, 0)
    return counts


def _is_news(job: ImportJob, made: JobTransition, actor: Actor | None) -> bool:
    """Return whether others are notified: approvers of a job that waits for them, the uploader of one that ended."""
    if made.name == Transition.SUBMIT:
        return True
    if made.name not in _ENDS or job.created_by_id is None or (actor is not None and actor.owns(job)):
        return False
    # A file that is refused while its person waits for the page is told there.
    return not (made.before == Status.DRAFT and queue.is_inline())


_ENDS = (Transition.COMPLETE, Transition.FAIL, Transition.STOP, Transition.REJECT, Transition.CANCEL)


def _let_nobody_commit(job: ImportJob) -> None:
    """Wait for a bucket that is committing, and make one that is not find the job ended."""
    ImportJob.objects.select_for_update().get(pk=job.pk)


def _unmoved(job: ImportJob) -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(pk=job.pk, status=job.status, step=job.step, step_started=job.step_started)


def _make_room(job: ImportJob, name: Transition) -> None:
    """Forget the units of work, and the problems, of a check that is done anew."""
    if name in CHECKS:
        job.buckets.exclude(step=Step.SCAN).delete()
        job.problems.all()._raw_delete(job.problems.db)
    if name is Transition.REREAD:
        job.buckets.filter(step=Step.SCAN).delete()
    if name is Transition.RESUME:
        job.buckets.filter(done=None).update(attempts=0, lease_until=None, owner="", error="")


def _after_check(job: ImportJob) -> dict[str, Any]:
    """What waited for approval when it was checked again goes on waiting; all else is its person's to go on with."""
    last = job.transitions.filter(name__in=CHECKS).last()
    waits = last is not None and last.name == Transition.REFRESH and last.before == Status.AWAITING_APPROVAL
    return {"status": Status.AWAITING_APPROVAL} if waits else {}


def _where_it_was(job: ImportJob) -> dict[str, Any]:
    """A job that ended while it was applied goes on there; one that failed earlier does that step again."""
    if not job.file:
        raise Refused("state", "The file was refused and is not kept. Correct it and upload it again.")
    fresh = {"reason": "", "reason_code": "", "finished": None}
    ended = job.transitions.filter(name__in=(Transition.STOP, Transition.FAIL)).last()
    status = Status(ended.before if ended else Status.DRAFT)
    if status == Status.IN_PROGRESS and not schema_guard.is_schema_unchanged(job):
        raise Refused("state", "The schema has changed since this file was checked. Upload it again for what is left.")
    return fresh | {"status": status, "step": RESUME_STEP[status]}
