"""Define the transitions of a job: from which states to which state, and who may make each (D-09, D-10).

Roles are checked here only; ``lifecycle`` makes the transitions.
"""

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

UPLOAD_PERMISSION = "imports.upload_csv"
APPROVE_PERMISSION = "imports.approve_import"
VIEW_PERMISSION = "imports.view_importjob"


class Role(enum.StrEnum):
    """Who may make a transition, as far as the policy of approval allows it."""

    ACTOR = "the uploader, an Approver or an Admin"
    APPROVER = "an Approver or an Admin"
    SYSTEM = "the system"


class Refused(Exception):
    """A transition is not allowed. ``code``: ``role``, ``state``, ``own``, ``comment``, or why a file is refused."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, with the rights that matter to jobs. ``user`` is None for a command on the server."""

    user: Any
    may_upload: bool
    may_approve: bool

    @classmethod
    def of(cls, user: AbstractBaseUser | AnonymousUser) -> Actor:
        """Return a user's rights; a superuser counts as Admin (PM-04)."""
        return cls(user, bool(user.has_perm(UPLOAD_PERMISSION)), bool(user.has_perm(APPROVE_PERMISSION)))  # type: ignore[union-attr]

    @classmethod
    def command(cls) -> Actor:
        """Return the rights of an Admin, which everybody has who can run commands on the server."""
        return cls(None, True, True)

    def owns(self, job: ImportJob) -> bool:
        return job.created_by_id == (self.user.pk if self.user is not None else None)


class Transition(enum.StrEnum):
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
class TransitionRule:
    """One line of the table of transitions."""

    sources: tuple[Status, ...]
    target: Status
    role: Role


EDITABLE_STATUSES = (Status.DRAFT, Status.READY, Status.REJECTED)
"""The statuses in which a job's settings can be changed."""
_WORKING = (Status.DRAFT, Status.CHECKING, Status.PENDING, Status.IN_PROGRESS)

TRANSITIONS: dict[Transition, TransitionRule] = {
    Transition.REREAD: TransitionRule(EDITABLE_STATUSES, Status.DRAFT, Role.ACTOR),
    Transition.CHECK: TransitionRule(EDITABLE_STATUSES, Status.CHECKING, Role.ACTOR),
    Transition.CHECKED: TransitionRule((Status.CHECKING,), Status.READY, Role.SYSTEM),
    Transition.REFRESH: TransitionRule((Status.READY, Status.AWAITING_APPROVAL), Status.CHECKING, Role.ACTOR),
    Transition.EDIT: TransitionRule((Status.READY, Status.REJECTED, Status.CHECKING), Status.DRAFT, Role.ACTOR),
    Transition.SUBMIT: TransitionRule((Status.READY,), Status.AWAITING_APPROVAL, Role.ACTOR),
    Transition.START: TransitionRule((Status.READY,), Status.PENDING, Role.ACTOR),
    Transition.APPROVE: TransitionRule((Status.AWAITING_APPROVAL,), Status.PENDING, Role.APPROVER),
    Transition.REJECT: TransitionRule((Status.AWAITING_APPROVAL,), Status.REJECTED, Role.APPROVER),
    Transition.CANCEL: TransitionRule(
        (*EDITABLE_STATUSES, Status.CHECKING, Status.AWAITING_APPROVAL), Status.CANCELLED, Role.ACTOR
    ),
    Transition.BEGIN: TransitionRule((Status.PENDING,), Status.IN_PROGRESS, Role.SYSTEM),
    Transition.RECHECK: TransitionRule((Status.PENDING,), Status.CHECKING, Role.SYSTEM),
    Transition.COMPLETE: TransitionRule((Status.IN_PROGRESS,), Status.COMPLETED, Role.SYSTEM),
    Transition.STOP: TransitionRule((Status.PENDING, Status.IN_PROGRESS), Status.STOPPED, Role.ACTOR),
    Transition.FAIL: TransitionRule(_WORKING, Status.FAILED, Role.SYSTEM),
    Transition.RESUME: TransitionRule((Status.STOPPED, Status.FAILED), Status.IN_PROGRESS, Role.ACTOR),
}

CHECK_TRANSITIONS = (Transition.CHECK, Transition.REFRESH, Transition.RECHECK)
"""The transitions that have the whole file checked: on request, again because people have changed since, and again by
the system because the schema has changed."""

FIRST_STEP = dict.fromkeys(CHECK_TRANSITIONS, Step.STAGE) | {
    Transition.REREAD: Step.SCAN,
    Transition.START: Step.PREPARE,
    Transition.APPROVE: Step.PREPARE,
}
"""The step that workers begin after a transition; after any other transition there is no work."""


RESUME_STEP = {
    Status.DRAFT: Step.SCAN,
    Status.CHECKING: Step.STAGE,
    Status.PENDING: Step.PREPARE,
    Status.IN_PROGRESS: Step.APPLY,
}
"""The step at which a job is resumed, by the status in which it ended; work units that are done are not repeated."""


def may_start_without_approval(actor: Actor) -> bool:
    """Return whether the actor's imports run without the approval of another user (D-09)."""
    policy = settings.IMPORTS_APPROVAL
    return policy == "never" or (policy == "creators" and actor.may_approve)


def check_role(job: ImportJob, transition: Transition, actor: Actor | None, comment: str = "") -> None:
    """Raise ``Refused`` unless the actor may make the transition of this job. ``actor`` None is the system."""
    role = TRANSITIONS[transition].role
    if (role is Role.SYSTEM) != (actor is None):
        raise Refused("role", f"Only {role} can do this.")
    if actor is None:
        return
    if not actor.may_upload and not actor.may_approve:
        raise Refused("role", "Only Admins, Creators and Approvers can work with imports.")
    if not actor.may_approve and (role is Role.APPROVER or not actor.owns(job)):
        raise Refused("role", f"Only {role} can do this.")
    if transition is Transition.START and not may_start_without_approval(actor):
        raise Refused("role", "This import needs the approval of another user. Submit it for approval.")
    if transition is Transition.APPROVE and settings.IMPORTS_APPROVAL == "always" and actor.owns(job):
        raise Refused("own", "You uploaded this import, so another user must approve it.")
    if transition is Transition.REJECT and not comment.strip():
        raise Refused("comment", "Enter the reason for the rejection, so that the uploader can correct the import.")


def approvers(job: ImportJob) -> QuerySet[Any]:
    """Return the users who may approve the job (D-09)."""
    users: QuerySet[Any] = get_user_model()._default_manager.with_perm(
        APPROVE_PERMISSION, backend="django.contrib.auth.backends.ModelBackend", include_superusers=True
    )
    if settings.IMPORTS_APPROVAL == "always":
        users = users.exclude(imports=job)
    return users.order_by("pk")


def approvable_jobs(actor: Actor) -> QuerySet[ImportJob]:
    """Return the jobs that the actor may approve now, by the same rules as ``check_role``."""
    jobs = ImportJob.objects.filter(status=Status.AWAITING_APPROVAL)
    if not actor.may_approve:
        return jobs.none()
    return jobs.exclude(created_by=actor.user) if settings.IMPORTS_APPROVAL == "always" else jobs


def open_transitions(job: ImportJob, actor: Actor) -> list[Transition]:
    """Return the transitions that the actor may make now; some of them require a comment."""
    found = []
    for name, rule in TRANSITIONS.items():
        if job.status not in rule.sources or rule.role is Role.SYSTEM:
            continue
        if name is Transition.RESUME and not job.file:  # the file was refused and is not kept
            continue
        try:
            check_role(job, name, actor, comment="any")
        except Refused:
            continue
        found.append(name)
    if Transition.START in found and Transition.SUBMIT in found:
        found.remove(Transition.SUBMIT)  # an actor who may start the import needs no approval
    return found


def check_may_upload(actor: Actor) -> None:
    """Raise ``Refused`` if the actor may not upload (PM-01)."""
    if not actor.may_upload:
        raise Refused("role", "Only Admins, Creators and Approvers can work with imports.")


def may_view(actor: Actor) -> bool:
    """Return whether the actor may view imports: the three roles may view all, and so may users with the permission to
    view (D-09, PM-07)."""
    return (
        actor.may_upload or actor.may_approve or (actor.user is not None and bool(actor.user.has_perm(VIEW_PERMISSION)))
    )
