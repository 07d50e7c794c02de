"""Send e-mails: to approvers about an import that waits for approval, to the uploader about one that has ended.

A notice is created in the transaction of its transition. It is claimed before it is sent, and deleted when it has been
sent to everybody: each e-mail is sent at least once, and again only to those who have not received it. No e-mail
contains a value of the file.
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
"""The wait doubles after each attempt; together they take about half a day."""
MAX_NAME_LENGTH = 100


def send(transition_id: int) -> None:
    """Send a transition's e-mails to those who have not received them. Does nothing while another task sends them."""
    notice = _claim(transition_id)
    if notice is None:
        return
    transition = notice.transition
    if transition.job.status != transition.after:  # out of date; a later transition may have its notice
        if transition.job.transitions.filter(pk__gt=transition.pk).exclude(name=Transition.REFRESH).exists():
            notice.delete()
        return  # the job is only being checked again: the notice is sent after that, with the new figures
    recipients = list(_recipients(transition).exclude(pk__in=notice.told))
    if _send_all(notice, recipients) == len(recipients):
        notice.delete()


def sweep() -> int:
    """Queue the notices again whose task was lost or did not succeed. Return how many.

    The supervisor calls this every few seconds. Nothing is queued while other tasks wait in the queue.
    """
    lost_before = timezone.now() - timedelta(seconds=settings.IMPORTS_SWEEP_SECONDS)
    given_up, _ = Notice.objects.filter(due__lt=lost_before, attempts__gte=MAX_ATTEMPTS).delete()
    if given_up:
        logger.error("%d notices could not be sent to everybody in %d attempts: given up", given_up, MAX_ATTEMPTS)
    lost = list(Notice.objects.filter(due__lt=lost_before).order_by("due")[: settings.IMPORTS_WORKERS])
    if not lost or queue.queue_size():
        return 0
    for notice in lost:
        queue.requeue_notice(notice)
    return len(lost)


def wants_mail(user: Any) -> bool:
    """Return whether a user receives e-mails about imports; yes, unless they have turned them off."""
    return not NoMail.objects.filter(user=user).exists()


def set_wants_mail(user: Any, *, enabled: bool) -> None:
    """Turn a user's e-mails about imports on or off."""
    if enabled:
        NoMail.objects.filter(user=user).delete()
    else:
        NoMail.objects.get_or_create(user=user)


def _claim(transition_id: int) -> Notice | None:
    """Return the notice if it is due, else None. Until its next due time, this task alone sends it."""
    notice = (
        Notice.objects.select_related("transition__job__created_by", "transition__actor")
        .filter(pk=transition_id)
        .first()
    )
    if notice is None:
        return None
    now = timezone.now()
    later = now + timedelta(seconds=settings.IMPORTS_LEASE_SECONDS) * 2**notice.attempts
    unclaimed = Notice.objects.filter(pk=transition_id, attempts=notice.attempts, due__lte=now)
    return notice if unclaimed.update(attempts=F("attempts") + 1, due=later) else None


def _recipients(transition: JobTransition) -> QuerySet[Any]:
    if transition.name == Transition.SUBMIT:
        users = transitions.approvers(transition.job).exclude(pk=transition.actor_id or 0)
    else:
        users = get_user_model()._default_manager.filter(pk=transition.job.created_by_id or 0)
    return users.filter(is_active=True, no_mail=None).exclude(email="")


def _send_all(notice: Notice, recipients: list[Any]) -> int:
    """Return to how many recipients it was sent. If the mail server does not accept it, it is tried again later."""
    subject, text = _TEXTS[Transition(notice.transition.name)](notice.transition)
    connection, sent = get_connection(), 0
    try:
        connection.open()
        for user in recipients:
            sent += _send_one(EmailMessage(subject, text, to=[user.email], connection=connection), notice, user)
        connection.close()
    except (SMTPException, OSError) as error:
        logger.warning("job %s: the mail server could not be used: %s", notice.transition.job_id, type(error).__name__)
    return sent


def _send_one(message: EmailMessage, notice: Notice, user: Any) -> bool:
    try:
        message.send()
    except (SMTPException, OSError, ValueError) as error:  # ValueError: not an address
        logger.warning(
            "job %s: the mail to user %s was not sent: %s", notice.transition.job_id, user.pk, type(error).__name__
        )
        return False
    recipients = Func(F("told"), Value(user.pk), function="array_append")
    Notice.objects.filter(pk=notice.pk).update(told=recipients)
    return True


def _waiting(transition: JobTransition) -> tuple[str, str]:
    preview, total = transition.job.preview, transition.job.total
    added, updated, ignored, failed = (preview.get(name, 0) for name in ("imported", "updated", "ignored", "failed"))
    return _mail(
        transition.job,
        "waits for approval",
        f"{_name(transition.actor)} asks for approval of the import {_quoted(transition.job)}, "
        f"{total:,} row{pluralize(total)}.\n"
        f"If it is approved, {added:,} rows will be imported as new and {updated:,} will be updated; "
        f"{ignored:,} will be ignored and {failed:,} will fail.",
        "Review it, then approve or reject it",
    )


def _completed(transition: JobTransition) -> tuple[str, str]:
    job = transition.job
    return _mail(
        job,
        "is completed",
        f"Your import {_quoted(job)} is completed.\n"
        f"Records {job.imported + job.updated:,}, errors {job.failed:,}. Rows: {job.imported:,} imported, "
        f"{job.updated:,} updated, {job.ignored:,} ignored, {job.failed:,} failed.",
        "See the results",
    )


def _failed(transition: JobTransition) -> tuple[str, str]:
    job = transition.job
    # The reason why a file was refused may quote the file: it is shown on the page, which checks permissions.
    reason = "\n" + job.reason if job.file and job.reason else ""
    text = f"Your import {_quoted(job)} has failed.{reason}\n{_applied(job)}"
    return _mail(job, "has failed", text, "See the reason and what to do")


def _stopped(transition: JobTransition) -> tuple[str, str]:
    job = transition.job
    text = f"Your import {_quoted(job)} was stopped by {_name(transition.actor)}.\n{_applied(job)}"
    return _mail(job, "was stopped", text, "You can resume it on its page")


def _rejected(transition: JobTransition) -> tuple[str, str]:
    lead = f"Your import {_quoted(transition.job)} was rejected by {_name(transition.actor)}:"
    text = f"{lead}\n\n{transition.comment}\n\nNobody was changed."
    return _mail(transition.job, "was rejected", text, "Change its settings, or upload a corrected file")


def _cancelled(transition: JobTransition) -> tuple[str, str]:
    text = f"Your import {_quoted(transition.job)} was cancelled by {_name(transition.actor)}. Nobody was changed."
    return _mail(transition.job, "was cancelled", text, "See the import")


_TEXTS: dict[Transition, Callable[[JobTransition], tuple[str, str]]] = {
    Transition.SUBMIT: _waiting,
    Transition.COMPLETE: _completed,
    Transition.FAIL: _failed,
    Transition.STOP: _stopped,
    Transition.REJECT: _rejected,
    Transition.CANCEL: _cancelled,
}


def _mail(job: ImportJob, event: str, text: str, invitation: str) -> tuple[str, str]:
    """Return subject and text: what happened, and links to the job's page and to the choice of e-mails."""
    page = _link("admin:imports_importjob_change", job.pk)
    settings_page = _link("admin:imports_importjob_mail")
    return (
        f"Import {_quoted(job)} {event}",
        f"{text}\n\n{invitation}:\n{page}\n\n"
        f"-- \nTo turn off e-mails about imports, change your choice here:\n{settings_page}\n",
    )


def _link(name: str, *arguments: int) -> str:
    return settings.IMPORTS_SITE_URL + reverse(name, args=arguments)


def _applied(job: ImportJob) -> str:
    done = job.total - job.not_run
    if job.change_set_id is None:
        return "Nobody was changed."
    return f"{done:,} of {job.total:,} rows are done, {job.not_run:,} were not run."


def _quoted(job: ImportJob) -> str:
    """Return the job's name in quotes, on one line as a subject requires, cut to ``MAX_NAME_LENGTH`` characters."""
    name = " ".join(job.name.split())
    return f"“{name if len(name) <= MAX_NAME_LENGTH else name[: MAX_NAME_LENGTH - 1] + '…'}”"


def _name(user: Any) -> str:
    return "an administrator at the command line" if user is None else str(user.get_full_name() or user.get_username())
