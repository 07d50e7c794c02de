"""Which moves a job can make from where to where, and to whom each is open (D-09, D-10). The only place that checks a
role; ``lifecycle`` makes the moves."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from imports.models import ImportJob
from imports.states import Status, Step

UPLOAD = "imports.upload_csv"
APPROVE = "imports.approve_import"
LOOK = "imports.view_importjob"


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
        if name is Move.RESUME and not job.file:  # it was refused, and there is nothing to go on with
            continue
        try:
            check_role(job, name, actor, comment="any")
        except Refused:
            continue
        found.append(name)
    if Move.START in found and Move.SUBMIT in found:
        found.remove(Move.SUBMIT)  # whoever may start alone has nobody to ask
    return found


def check_may_upload(actor: Actor) -> None:
    """Raise ``Refused`` for somebody who may not upload (PM-01)."""
    if not actor.may_upload:
        raise Refused("role", "Only Admins, Creators and Approvers can work with imports.")


def may_look(actor: Actor) -> bool:
    """The three roles may look at every import, and so may whom the site lets look (D-09, PM-07)."""
    return actor.may_upload or actor.may_approve or (actor.user is not None and bool(actor.user.has_perm(LOOK)))
