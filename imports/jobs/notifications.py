"""Send e-mails: to approvers about an import that waits for them, to the uploader about one that has ended.

A notice is created in the transaction of its transition. It is claimed before it is sent, and deleted when it was sent
to everybody: so each e-mail is sent at least once, and again only to those who did not get it. No e-mail holds a value
of the file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from smtplib import SMTPException
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage, get_connection
from django.db.models import F, Func, QuerySet, Value
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils import timezone

from imports.jobs import queue, transitions
from imports.jobs.transitions import Transition
from imports.models import ImportJob, JobTransition, NoMail, Notice

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
"""Each is made twice as long after the one before; together that is about half a day."""
LONGEST_NAME = 100


def send(transition_id: int) -> None:
    """Tell whom a transition concerns and who was not told yet. Does nothing while somebody else is at it."""
    notice = _claim(transition_id)
    if notice is None:
        return
    transition = notice.transition
    if transition.job.status != transition.after:  # what is no longer so is not told; the transition after it may be
        if transition.job.transitions.filter(pk__gt=transition.pk).exclude(name=Transition.REFRESH).exists():
            notice.delete()
        return  # what waits is only checked again: then it waits as before, and its figures are new
    people = list(_recipients(transition).exclude(pk__in=notice.told))
    if _send_all(notice, people) == len(people):
        notice.delete()


def sweep() -> int:
    """Queue the notices again whose task was lost or did not succeed. Returns how many.

    The supervisor calls this every few seconds. While tasks wait in the queue, there is no need of more.
    """
    silent = timezone.now() - timedelta(seconds=settings.IMPORTS_SWEEP_SECONDS)
    given_up, _ = Notice.objects.filter(due__lt=silent, attempts__gte=MAX_ATTEMPTS).delete()
    if given_up:
        logger.error("%d notices were not sent to everybody in %d attempts and are given up", given_up, MAX_ATTEMPTS)
    found = list(Notice.objects.filter(due__lt=silent).order_by("due")[: settings.IMPORTS_WORKERS])
    if not found or queue.queue_size():
        return 0
    for notice in found:
        queue.requeue_notice(notice)
    return len(found)


def wants_mail(user: Any) -> bool:
    """Whether somebody is told by e-mail; they are unless they said no."""
    return not NoMail.objects.filter(user=user).exists()


def set_wants_mail(user: Any, *, wanted: bool) -> None:
    """Keep whether somebody wants to be told by e-mail."""
    if wanted:
        NoMail.objects.filter(user=user).delete()
    else:
        NoMail.objects.get_or_create(user=user)


def _claim(transition_id: int) -> Notice | None:
    """The notice, if it is due; nobody else sends it before the task that does so has come to its end."""
    found = (
        Notice.objects.select_related("transition__job__created_by", "transition__actor")
        .filter(pk=transition_id)
        .first()
    )
    if found is None:
        return None
    now = timezone.now()
    later = now + timedelta(seconds=settings.IMPORTS_LEASE_SECONDS) * 2**found.attempts
    mine = Notice.objects.filter(pk=transition_id, attempts=found.attempts, due__lte=now)
    return found if mine.update(attempts=F("attempts") + 1, due=later) else None


def _recipients(transition: JobTransition) -> QuerySet[Any]:
    if transition.name == Transition.SUBMIT:
        people = transitions.approvers(transition.job).exclude(pk=transition.actor_id or 0)
    else:
        people = get_user_model()._default_manager.filter(pk=transition.job.created_by_id or 0)
    return people.filter(is_active=True, no_mail=None).exclude(email="")


def _send_all(notice: Notice, people: list[Any]) -> int:
    """Returns to how many it was sent. A mail server that does not take it is tried again later."""
    subject, text = _TEXTS[Transition(notice.transition.name)](notice.transition)
    connection, sent = get_connection(), 0
    try:
        connection.open()
        for person in people:
            sent += _sent(EmailMessage(subject, text, to=[person.email], connection=connection), notice, person)
        connection.close()
    except (SMTPException, OSError) as error:
        logger.warning("job %s: the mail server could not be used: %s", notice.transition.job_id, type(error).__name__)
    return sent


def _sent(message: EmailMessage, notice: Notice, person: Any) -> bool:
    try:
        message.send()
    except (SMTPException, OSError, ValueError) as error:  # the last: an address that cannot be one
        logger.warning(
            "job %s: the mail to user %s was not sent: %s", notice.transition.job_id, person.pk, type(error).__name__
        )
        return False
    told = Func(F("told"), Value(person.pk), function="array_append")
    Notice.objects.filter(pk=notice.pk).update(told=told)
    return True


def _waiting(transition: JobTransition) -> tuple[str, str]:
    found, total = transition.job.preview, transition.job.total
    added, updated, ignored, failed = (found.get(name, 0) for name in ("imported", "updated", "ignored", "failed"))
    return _mail(
        transition.job,
        "waits for approval",
        f"{_name(transition.actor)} asks for approval of the import {_quoted(transition.job)}, "
        f"{total:,} row{pluralize(total)}.\n"
        f"Starting it adds {added:,} and updates {updated:,} rows; {ignored:,} are ignored, {failed:,} fail.",
        "Look at it, then approve or reject it",
    )


def _completed(transition: JobTransition) -> tuple[str, str]:
    job = transition.job
    return _mail(
        job,
        "is completed",
        f"Your import {_quoted(job)} is completed.\n"
        f"Records {job.imported + job.updated:,}, errors {job.failed:,}. Rows: {job.imported:,} imported, "
        f"{job.updated:,} updated, {job.ignored:,} ignored, {job.failed:,} failed.",
        "See what it did",
    )


def _failed(transition: JobTransition) -> tuple[str, str]:
    job = transition.job
    # Why a file was refused may quote it: that is for the page, which asks who reads it.
    why = "\n" + job.reason if job.file and job.reason else ""
    return _mail(
        job, "has failed", f"Your import {_quoted(job)} has failed.{why}\n{_applied(job)}", "See why, and what to do"
    )


def _stopped(transition: JobTransition) -> tuple[str, str]:
    job = transition.job
    text = f"Your import {_quoted(job)} was stopped by {_name(transition.actor)}.\n{_applied(job)}"
    return _mail(job, "was stopped", text, "Look at it; it can be resumed")


def _rejected(transition: JobTransition) -> tuple[str, str]:
    said = f"Your import {_quoted(transition.job)} was rejected by {_name(transition.actor)}:\n\n{transition.comment}"
    text = f"{said}\n\nNobody was changed."
    return _mail(transition.job, "was rejected", text, "Change its settings, or upload a corrected file")


def _cancelled(transition: JobTransition) -> tuple[str, str]:
    text = f"Your import {_quoted(transition.job)} was cancelled by {_name(transition.actor)}. Nobody was changed."
    return _mail(transition.job, "was cancelled", text, "Look at it")


_TEXTS: dict[Transition, Callable[[JobTransition], tuple[str, str]]] = {
    Transition.SUBMIT: _waiting,
    Transition.COMPLETE: _completed,
    Transition.FAIL: _failed,
    Transition.STOP: _stopped,
    Transition.REJECT: _rejected,
    Transition.CANCEL: _cancelled,
}


def _mail(job: ImportJob, what: str, text: str, invitation: str) -> tuple[str, str]:
    """Subject and text."""
    page = _link("admin:imports_importjob_change", job.pk)
    choice = _link("admin:imports_importjob_mail")
    return (
        f"Import {_quoted(job)} {what}",
        f"{text}\n\n{invitation}:\n{page}\n\n-- \nIf you want no e-mails about imports, say so here:\n{choice}\n",
    )


def _link(name: str, *arguments: int) -> str:
    return settings.IMPORTS_SITE_URL + reverse(name, args=arguments)


def _applied(job: ImportJob) -> str:
    done = job.total - job.not_run
    if job.change_set_id is None:
        return "Nobody was changed."
    return f"{done:,} of {job.total:,} rows were done, {job.not_run:,} were not."


def _quoted(job: ImportJob) -> str:
    """The job's name on one line, as a subject has to be."""
    name = " ".join(job.name.split())
    return f"“{name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + '…'}”"


def _name(user: Any) -> str:
    return "somebody at the command line" if user is None else str(user.get_full_name() or user.get_username())
