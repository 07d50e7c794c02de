"""Hand tasks to the queue: ids only, in the transaction that creates the work (design section 8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task

from imports.models import ImportJob, JobTransition, Notice

_inline: ContextVar[bool] = ContextVar("inline", default=False)


@contextmanager
def run_inline() -> Iterator[None]:
    """Queue no work of jobs within this context: the caller does it itself, with the same code."""
    token = _inline.set(True)
    try:
        yield
    finally:
        _inline.reset(token)


def enqueue_job(job: ImportJob, times: int | None = None) -> None:
    """Queue the job's next work for up to ``times`` workers, by default for all.

    A queue in the database commits together with the caller's transaction. Another broker receives the task on commit,
    and the supervisor queues again what is lost between the two.
    """
    if _inline.get():
        return
    ImportJob.objects.filter(pk=job.pk).update(queued=timezone.now())
    for _ in range(times or settings.IMPORTS_WORKERS):
        _enqueue("imports.tasks.advance", job.pk)


def enqueue_notice(transition: JobTransition) -> None:
    """Create the notice of a transition and queue its e-mails; inline, they are left to the supervisor's next sweep."""
    Notice.objects.create(transition=transition, due=timezone.now())
    if not _inline.get():
        _enqueue("imports.tasks.send_notice", transition.pk)


def requeue_notice(notice: Notice) -> None:
    """Queue again the e-mails of a notice whose task was lost or did not succeed."""
    _enqueue("imports.tasks.send_notice", notice.pk)


def enqueue_index(attribute_id: int) -> None:
    """Queue the creation or removal of an attribute's indexes, as its settings require when the task runs."""
    _enqueue("imports.tasks.update_index", attribute_id)


def enqueue_download(number: int) -> None:
    """Queue the making of a large download. Its task may take nearly as long as the queue waits before a retry."""
    _enqueue("imports.tasks.make_download", number, timeout=settings.Q_CLUSTER["retry"] - 60)


def is_inline() -> bool:
    """Return whether the caller does the work itself (see ``run_inline``)."""
    return _inline.get()


def queue_size() -> int:
    """Return how many tasks of any kind wait to be taken up."""
    return int(get_broker().queue_size())


def _enqueue(task: str, number: int, **options: int) -> None:
    if settings.Q_CLUSTER.get("orm"):
        async_task(task, number, q_options=options)
    else:
        transaction.on_commit(partial(async_task, task, number, q_options=options))
