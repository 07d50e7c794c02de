"""Hands work to the queue: ids only, in the transaction that makes the work (design section 8)."""

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

_in_this_process: ContextVar[bool] = ContextVar("in_this_process", default=False)


@contextmanager
def run_inline() -> Iterator[None]:
    """Queue nothing meanwhile: the caller does the work itself, with the same code."""
    token = _in_this_process.set(True)
    try:
        yield
    finally:
        _in_this_process.reset(token)


def enqueue_job(job: ImportJob, times: int | None = None) -> None:
    """Have the job's next work taken up by up to ``times`` workers, all that there are by default.

    The queue in the database commits together with the caller's transaction; another broker is told on commit, and
    the supervisor queues again what was lost between the two.
    """
    if _in_this_process.get():
        return
    ImportJob.objects.filter(pk=job.pk).update(queued=timezone.now())
    for _ in range(times or settings.IMPORTS_WORKERS):
        _hand_over("imports.tasks.advance", job.pk)


def enqueue_notice(transition: JobTransition) -> None:
    """Have people told of a transition, by the queue, or where none is used now by the supervisor's next sweep."""
    Notice.objects.create(transition=transition, due=timezone.now())
    if not _in_this_process.get():
        _hand_over("imports.tasks.send_notice", transition.pk)


def requeue_notice(notice: Notice) -> None:
    """The same for a notice whose task was lost, or did not succeed."""
    _hand_over("imports.tasks.send_notice", notice.pk)


def enqueue_index(attribute_id: int) -> None:
    """Have the indexes of an attribute made or dropped, as the attribute asks for them now."""
    _hand_over("imports.tasks.update_index", attribute_id)


def enqueue_download(number: int) -> None:
    """Have a file made that takes long: its task may take as long as the queue waits for any."""
    _hand_over("imports.tasks.make_download", number, timeout=settings.Q_CLUSTER["retry"] - 60)


def is_inline() -> bool:
    """Whether the caller does the work itself."""
    return _in_this_process.get()


def queue_size() -> int:
    """How many tasks wait to be taken up, whatever they are for."""
    return int(get_broker().queue_size())


def _hand_over(task: str, number: int, **options: int) -> None:
    if settings.Q_CLUSTER.get("orm"):
        async_task(task, number, q_options=options)
    else:
        transaction.on_commit(partial(async_task, task, number, q_options=options))
