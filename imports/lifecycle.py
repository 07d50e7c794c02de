"""Who may move a job from where to where (D-09, D-10), and from step to step. Nothing else changes a status.

A move is one conditional UPDATE, so that of two people who press at once one wins and the other is told. Its audit
entry and its queued task are in the same transaction.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from imports import queue, schema_use
from imports.models import ImportJob, JobMove, Status, Step
from profiles.models import Change

UPLOAD = "imports.upload_csv"
APPROVE = "imports.approve_import"


class Role(enum.StrEnum):
    """Whom a move is open to, beside the policy of approval."""

    ACTOR = "the uploader, an Approver or an Admin"
    APPROVER = "an Approver or an Admin"
    SYSTEM = "the system"


class Refused(Exception):
    """A move that is not allowed. ``code``: ``role``, ``state``, ``own``, ``comment``, or why a file is not taken."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who acts on jobs, as far as jobs are concerned."""

    user: Any
    may_upload: bool
    may_approve: bool

    @classmethod
    def of(cls, user: AbstractBaseUser | AnonymousUser) -> Actor:
        """The rights of a person: a superuser counts as Admin (PM-04)."""
        return cls(user, bool(user.has_perm(UPLOAD)), bool(user.has_perm(APPROVE)))  # type: ignore[union-attr]

    @classmethod
    def command(cls) -> Actor:
        """Whoever can run commands on the server has the rights of an Admin."""
        return cls(None, True, True)

    def owns(self, job: ImportJob) -> bool:
        return job.created_by_id == (self.user.pk if self.user is not None else None)


class Move(enum.StrEnum):
    REREAD = "reread"
    CHECK = "check"
    CHECKED = "checked"
    REFRESH = "refresh"
    EDIT = "edit"
    SUBMIT = "submit"
    START = "start"
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    BEGIN = "begin"
    RECHECK = "recheck"
    COMPLETE = "complete"
    STOP = "stop"
    FAIL = "fail"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table of moves."""

    sources: tuple[Status, ...]
    target: Status
    role: Role


OPEN = (Status.DRAFT, Status.READY, Status.REJECTED)
"""Where a job's settings can be changed."""
_WORKING = (Status.DRAFT, Status.CHECKING, Status.PENDING, Status.IN_PROGRESS)

MOVES: dict[Move, Rule] = {
    Move.REREAD: Rule(OPEN, Status.DRAFT, Role.ACTOR),
    Move.CHECK: Rule(OPEN, Status.CHECKING, Role.ACTOR),
    Move.CHECKED: Rule((Status.CHECKING,), Status.READY, Role.SYSTEM),
    Move.REFRESH: Rule((Status.READY, Status.AWAITING_APPROVAL), Status.CHECKING, Role.ACTOR),
    Move.EDIT: Rule((Status.READY, Status.REJECTED, Status.CHECKING), Status.DRAFT, Role.ACTOR),
    Move.SUBMIT: Rule((Status.READY,), Status.AWAITING_APPROVAL, Role.ACTOR),
    Move.START: Rule((Status.READY,), Status.PENDING, Role.ACTOR),
    Move.APPROVE: Rule((Status.AWAITING_APPROVAL,), Status.PENDING, Role.APPROVER),
    Move.REJECT: Rule((Status.AWAITING_APPROVAL,), Status.REJECTED, Role.APPROVER),
    Move.CANCEL: Rule((*OPEN, Status.CHECKING, Status.AWAITING_APPROVAL), Status.CANCELLED, Role.ACTOR),
    Move.BEGIN: Rule((Status.PENDING,), Status.IN_PROGRESS, Role.SYSTEM),
    Move.RECHECK: Rule((Status.PENDING,), Status.CHECKING, Role.SYSTEM),
    Move.COMPLETE: Rule((Status.IN_PROGRESS,), Status.COMPLETED, Role.SYSTEM),
    Move.STOP: Rule((Status.PENDING, Status.IN_PROGRESS), Status.STOPPED, Role.ACTOR),
    Move.FAIL: Rule(_WORKING, Status.FAILED, Role.SYSTEM),
    Move.RESUME: Rule((Status.STOPPED, Status.FAILED), Status.IN_PROGRESS, Role.ACTOR),
}

CHECKS = (Move.CHECK, Move.REFRESH, Move.RECHECK)
"""What has the whole file checked: a person, a person because people changed since, the system after the schema did."""

FIRST_STEP = dict.fromkeys(CHECKS, Step.STAGE) | {
    Move.REREAD: Step.SCAN,
    Move.START: Step.PREPARE,
    Move.APPROVE: Step.PREPARE,
}
"""What the workers do after a move; a move that is not listed leaves them nothing to do."""


AT_STEP = {
    Status.DRAFT: Step.SCAN,
    Status.CHECKING: Step.STAGE,
    Status.PENDING: Step.PREPARE,
    Status.IN_PROGRESS: Step.APPLY,
}
"""Where a job goes on that ended in this state; what is done of its steps is not done again."""


def starts_alone(actor: Actor) -> bool:
    """Whether this person's imports run without somebody else's approval (D-09)."""
    policy = settings.IMPORTS_APPROVAL
    return policy == "never" or (policy == "creators" and actor.may_approve)


def check_role(job: ImportJob, move: Move, actor: Actor | None, comment: str = "") -> None:
    """Raise ``Refused`` unless the move is open to this person on this job."""
    role = MOVES[move].role
    if (role is Role.SYSTEM) != (actor is None):
        raise Refused("role", f"Only {role} can do this.")
    if actor is None:
        return
    if not actor.may_upload and not actor.may_approve:
        raise Refused("role", "Only Admins, Creators and Approvers can work with imports.")
    if not actor.may_approve and (role is Role.APPROVER or not actor.owns(job)):
        raise Refused("role", f"Only {role} can do this.")
    if move is Move.START and not starts_alone(actor):
        raise Refused("role", "This import needs the approval of somebody else. Submit it for approval.")
    if move is Move.APPROVE and settings.IMPORTS_APPROVAL == "always" and actor.owns(job):
        raise Refused("own", "You uploaded this, so someone else must approve it.")
    if move is Move.REJECT and not comment.strip():
        raise Refused("comment", "Say why you reject this import, so that its uploader can correct it.")


def approvers(job: ImportJob) -> QuerySet[Any]:
    """The users who may approve the job (D-09)."""
    people: QuerySet[Any] = get_user_model()._default_manager.with_perm(
        APPROVE, backend="django.contrib.auth.backends.ModelBackend", include_superusers=True
    )
    if settings.IMPORTS_APPROVAL == "always":
        people = people.exclude(imports=job)
    return people.order_by("pk")


def waiting_for(actor: Actor) -> QuerySet[ImportJob]:
    """The jobs that this person may approve now, as ``check_role`` has it."""
    jobs = ImportJob.objects.filter(status=Status.AWAITING_APPROVAL)
    if not actor.may_approve:
        return jobs.none()
    return jobs.exclude(created_by=actor.user) if settings.IMPORTS_APPROVAL == "always" else jobs


def open_moves(job: ImportJob, actor: Actor) -> list[Move]:
    """The moves that this person may make now; a comment may be needed still."""
    found = []
    for name, rule in MOVES.items():
        if job.status not in rule.sources or rule.role is Role.SYSTEM:
            continue
        try:
            check_role(job, name, actor, comment="any")
        except Refused:
            continue
        found.append(name)
    if Move.START in found and Move.SUBMIT in found:
        found.remove(Move.SUBMIT)  # whoever may start alone has nobody to ask
    return found


def move(job: ImportJob, name: Move, actor: Actor | None = None, comment: str = "", **values: Any) -> None:
    """Move the job, or raise ``Refused`` and change nothing. ``values`` are fields to set with the same UPDATE.

    ``actor`` None is the system itself. ``job`` is read anew afterwards.
    """
    check_role(job, name, actor, comment)
    rule, before = MOVES[name], job.status
    start: dict[str, Any] = {"status": rule.target, "step": FIRST_STEP.get(name, Step.IDLE)}
    with transaction.atomic():
        if name is Move.RESUME:
            values |= _where_it_was(job)
        if name is Move.CHECKED:
            values |= _after_check(job)
        values = start | {"step_started": timezone.now(), "setbacks": 0} | values
        if before not in rule.sources or not _unmoved(job).update(**values):
            job.refresh_from_db()
            raise Refused("state", f"This import is {job.get_status_display()} now; look at it again.")
        user = actor.user if actor else None
        made = JobMove.objects.create(
            job=job, move=name, before=before, after=values["status"], actor=user, comment=comment.strip()
        )
        if _is_news(job, made, actor):
            queue.tell(made)
        job.refresh_from_db()
        _make_room(job, name)
        if job.step:
            queue.advance(job)


def open_to_change(job: ImportJob, actor: Actor) -> None:
    """Hold a job whose settings are about to be changed, and make it a draft; to be called in a transaction.

    Raises ``Refused`` where that is not open to this person, or not possible any more. ``job`` is read anew.
    """
    check_role(job, Move.EDIT, actor)
    held = ImportJob.objects.select_for_update().filter(pk=job.pk).first()
    if held is None:
        raise Refused("gone", "This import is not there any more; somebody has deleted it. Nothing was saved.")
    job.refresh_from_db()
    if job.step or job.status not in OPEN:
        state = job.get_step_display() if job.status in OPEN else job.get_status_display()
        raise Refused("state", f"This import is at “{state}” now; its settings cannot change. Nothing was saved.")
    if job.status != Status.DRAFT:
        move(job, Move.EDIT, actor)


def check_may_upload(actor: Actor) -> None:
    """Raise ``Refused`` for somebody who may not upload (PM-01)."""
    if not actor.may_upload:
        raise Refused("role", "Only Admins, Creators and Approvers can work with imports.")


def upload(job: ImportJob, actor: Actor) -> ImportJob:
    """Store a new job and have its file read. Raises ``Refused`` for somebody who may not upload."""
    check_may_upload(actor)
    with transaction.atomic():
        job.status, job.step, job.step_started = Status.DRAFT, Step.SCAN, timezone.now()
        job.created_by = actor.user
        job.save()
        JobMove.objects.create(job=job, move="upload", before=job.status, after=job.status, actor=actor.user)
        queue.advance(job)
    return job


def next_step(job: ImportJob, step: Step, **values: Any) -> bool:
    """Move a working job from the step it is at to the next one; False if somebody else has done so already."""
    with transaction.atomic():
        values = {"step": step, "seconds": timed(job), "step_started": timezone.now(), "setbacks": 0} | values
        if not _unmoved(job).update(**values):
            return False
        job.refresh_from_db()
        if step:
            queue.advance(job)
    return True


def timed(job: ImportJob) -> dict[str, float]:
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
            move(job, Move.FAIL, None, reason_code=code, reason=reason, finished=timezone.now(), **final_counts(job))
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
        move(job, Move.STOP, actor, finished=timezone.now(), **final_counts(job))


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


def _is_news(job: ImportJob, made: JobMove, actor: Actor | None) -> bool:
    """Whether a move is to be told to others: to approvers that it waits for them, to its uploader that it ended."""
    if made.move == Move.SUBMIT:
        return True
    if made.move not in _ENDS or job.created_by_id is None or (actor is not None and actor.owns(job)):
        return False
    # A file that is refused while its person waits for the page is told there.
    return not (made.before == Status.DRAFT and queue.is_here())


_ENDS = (Move.COMPLETE, Move.FAIL, Move.STOP, Move.REJECT, Move.CANCEL)


def _let_nobody_commit(job: ImportJob) -> None:
    """Wait for a bucket that is committing, and make one that is not find the job ended."""
    ImportJob.objects.select_for_update().get(pk=job.pk)


def _unmoved(job: ImportJob) -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(pk=job.pk, status=job.status, step=job.step, step_started=job.step_started)


def _make_room(job: ImportJob, name: Move) -> None:
    """Forget the units of work, and the problems, of a check that is done anew."""
    if name in CHECKS:
        job.buckets.exclude(step=Step.SCAN).delete()
        job.problems.all()._raw_delete(job.problems.db)
    if name is Move.REREAD:
        job.buckets.filter(step=Step.SCAN).delete()
    if name is Move.RESUME:
        job.buckets.filter(done=None).update(attempts=0, lease_until=None, owner="", error="")


def _after_check(job: ImportJob) -> dict[str, Any]:
    """What waited for approval when it was checked again goes on waiting; all else is its person's to go on with."""
    last = job.moves.filter(move__in=CHECKS).last()
    waits = last is not None and last.move == Move.REFRESH and last.before == Status.AWAITING_APPROVAL
    return {"status": Status.AWAITING_APPROVAL} if waits else {}


def _where_it_was(job: ImportJob) -> dict[str, Any]:
    """A job that ended while it was applied goes on there; one that failed earlier does that step again."""
    if not job.file:
        raise Refused("state", "The file was refused and is not kept. Correct it and upload it again.")
    fresh = {"reason": "", "reason_code": "", "finished": None}
    ended = job.moves.filter(move__in=(Move.STOP, Move.FAIL)).last()
    status = Status(ended.before if ended else Status.DRAFT)
    if status == Status.IN_PROGRESS and not schema_use.is_as_checked(job):
        raise Refused("state", "The schema has changed since this file was checked. Upload it again for what is left.")
    return fresh | {"status": status, "step": AT_STEP[status]}
