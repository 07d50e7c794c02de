"""What waits for somebody: imports that they may approve, and own ones that they have to go on with."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery

from imports.jobs import transitions
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob, JobTransition
from imports.states import Status

SHOWN = 10
OPEN = (Status.DRAFT, Status.READY, Status.REJECTED)


@dataclass(frozen=True, slots=True)
class PendingWork:
    """``approvals`` are the first of ``count``, the longest waiting on top; ``own`` the newest of their own."""

    count: int
    approvals: list[ImportJob]
    own: list[ImportJob]


def count(actor: Actor) -> int:
    """How many imports this person may approve now."""
    return transitions.approvable_jobs(actor).count() if actor.may_approve else 0


def pending_work(actor: Actor, waiting: int) -> PendingWork:
    """What the front page shows to somebody for whom so many imports wait. Queries: at most two."""
    jobs = transitions.approvable_jobs(actor).select_related("created_by").defer(*LONG).order_by("step_started")
    return PendingWork(waiting, list(jobs[:SHOWN]) if waiting else [], list(_own(actor)) if actor.may_upload else [])


LONG = ("preview", "findings", "format", "options", "snapshot", "seconds")
"""What a job holds that no list shows."""


def _own(actor: Actor) -> QuerySet[ImportJob]:
    """Those that their uploader has to go on with, with what was said when they were rejected."""
    said = JobTransition.objects.filter(job=OuterRef("pk"), name=Transition.REJECT).order_by("-id")
    jobs = ImportJob.objects.filter(created_by=actor.user, status__in=OPEN).defer(*LONG)
    return jobs.annotate(
        comment=Subquery(said.values("comment")[:1]), rejected_by=Subquery(said.values("actor__username")[:1])
    )[:SHOWN]
