"""Find the imports that wait for a user: those to approve, and the user's own unfinished ones."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from imports.jobs import transitions
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob, JobTransition
from imports.states import Status

MAX_SHOWN = 10
UPLOADER_STATUSES = (Status.DRAFT, Status.READY, Status.REJECTED)


@dataclass(frozen=True, slots=True)
class PendingWork:
    """The imports that wait for a user.

    ``approvals``: the first of the ``count`` imports to approve, the longest waiting on top. ``own``: the newest of the
    user's unfinished imports.
    """

    count: int
    approvals: list[ImportJob]
    own: list[ImportJob]


def count_approvals(actor: Actor) -> int:
    """Return how many imports the actor may approve now."""
    return transitions.approvable_jobs(actor).count() if actor.may_approve else 0


def pending_work(actor: Actor, waiting: int) -> PendingWork:
    """Return what the front page shows to an actor who may approve ``waiting`` imports; at most two queries."""
    jobs = (
        transitions.approvable_jobs(actor).select_related("created_by").defer(*DEFERRED_FIELDS).order_by("step_started")
    )
    return PendingWork(
        waiting, list(jobs[:MAX_SHOWN]) if waiting else [], list(_own(actor)) if actor.may_upload else []
    )


DEFERRED_FIELDS = ("preview", "findings", "format", "options", "snapshot", "seconds")
"""Large fields of a job that no list shows."""


def _own(actor: Actor) -> QuerySet[ImportJob]:
    """Return the actor's unfinished imports, with the comment and the user name of their last rejection."""
    rejections = JobTransition.objects.filter(job=OuterRef("pk"), name=Transition.REJECT).order_by("-id")
    jobs = ImportJob.objects.filter(created_by=actor.user, status__in=UPLOADER_STATUSES).defer(*DEFERRED_FIELDS)
    return jobs.annotate(
        comment=Subquery(rejections.values("comment")[:1]),
        rejected_by=Subquery(rejections.values("actor__username")[:1]),
    )[:MAX_SHOWN]
