"""E-mails: to approvers when something waits, to the uploader when it ends; never in the way of a job."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core import mail as outbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from imports import tasks
from imports.jobs import lifecycle, notifications, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob, NoMail, Notice
from imports.states import Status, Step
from tests.crashes import processes

pytestmark = pytest.mark.django_db

ADDRESS = "people@example.com"


class Broken(EmailBackend):
    """A mail server that takes mails for nobody in ``refused``, or for nobody at all."""

    refused: str = ""

    def send_messages(self, messages):
        if not self.refused:
            raise ConnectionRefusedError("no mail for ann@x.co")
        if messages[0].to == [self.refused]:
            raise SMTPRecipientsRefused({self.refused: (550, b"who is that")})
        return super().send_messages(messages)


class Choosy(Broken):
    refused = "bea@example.com"


@pytest.fixture(autouse=True)
def site(settings):
    settings.IMPORTS_SITE_URL = "https://people.example.com"
    settings.DEFAULT_FROM_EMAIL = ADDRESS


def person(name: str, *roles: str, email: str | None = None):
    user = get_user_model().objects.create_user(name, f"{name}@example.com" if email is None else email, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def job(status: Status, by=None, **values) -> ImportJob:
    made = {"name": "May leads", "file": "may.csv", "file_name": "may.csv", "total": 1_000}
    preview = {"imported": 812, "updated": 143, "ignored": 40, "failed": 5}
    return ImportJob.objects.create(status=status, created_by=by, preview=preview, **(made | values))


def carry() -> list[tuple[str, str]]:
    """Do what is queued; returns to whom which subject was sent."""
    before = len(outbox.outbox)
    for notice in list(Notice.objects.order_by("pk")):
        tasks.send_notice(notice.pk)
    return [(message.to[0], str(message.subject)) for message in outbox.outbox[before:]]


def due_now() -> None:
    Notice.objects.update(due=timezone.now() - timedelta(minutes=1))


def test_those_who_may_approve_are_told_that_something_waits():
    cara = person("cara", "Creator")
    for name, role in (("ben", "Approver"), ("ada", "Admin"), ("dan", "Creator")):
        person(name, role)
    waits = job(Status.READY, cara)
    lifecycle.transition(waits, Transition.SUBMIT, Actor.of(cara))
    assert outbox.outbox == []  # nothing is sent where it happens
    subject = "Import “May leads” waits for approval"
    assert carry() == [("ben@example.com", subject), ("ada@example.com", subject)]
    text = outbox.outbox[0].body
    assert "cara asks for approval of the import “May leads”, 1,000 rows." in text
    assert "812 rows will be imported as new and 143 will be updated; 40 will be ignored and 5 will fail" in text
    assert f"https://people.example.com/admin/imports/importjob/{waits.pk}/change/" in text
    assert "https://people.example.com/admin/imports/importjob/mail/" in text
    assert outbox.outbox[0].from_email == ADDRESS


def test_four_eyes_leave_the_uploader_out(settings):
    settings.IMPORTS_APPROVAL = "always"
    ben = person("ben", "Approver")
    person("ada", "Admin")
    lifecycle.transition(job(Status.READY, ben), Transition.SUBMIT, Actor.of(ben))
    assert [to for to, _ in carry()] == ["ada@example.com"]


def test_nobody_is_told_who_cannot_or_does_not_want_to_be():
    cara = person("cara", "Creator")
    person("without address", "Approver", email="")
    gone, left_alone = person("gone", "Approver"), person("alone", "Approver")
    get_user_model().objects.filter(pk=gone.pk).update(is_active=False)
    notifications.set_wants_mail(left_alone, enabled=False)
    lifecycle.transition(job(Status.READY, cara), Transition.SUBMIT, Actor.of(cara))
    assert carry() == []
    assert not Notice.objects.exists()
    assert NoMail.objects.count() == 1


def test_the_uploader_is_told_of_the_counts_at_the_end():
    done = job(Status.IN_PROGRESS, person("cara", "Creator"), step=Step.APPLY)
    lifecycle.transition(done, Transition.COMPLETE, imported=900, updated=50, ignored=45, failed=5)
    assert carry() == [("cara@example.com", "Import “May leads” is completed")]
    assert "Records 950, errors 5. Rows: 900 imported, 50 updated, 45 ignored, 5 failed." in (outbox.outbox[0].body)


def test_the_uploader_is_told_who_rejected_it_and_why():
    ben = person("ben", "Approver")
    lifecycle.transition(
        job(Status.AWAITING_APPROVAL, person("cara")), Transition.REJECT, Actor.of(ben), "Skip the plan"
    )
    assert carry() == [("cara@example.com", "Import “May leads” was rejected")]
    assert "rejected by ben:\n\nSkip the plan" in outbox.outbox[0].body


def test_the_uploader_is_told_who_stopped_it():
    stopped = job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY)
    lifecycle.stop(stopped, Actor.of(person("ben", "Approver")))
    assert carry() == [("cara@example.com", "Import “May leads” was stopped")]
    assert "stopped by ben" in outbox.outbox[0].body


def test_the_uploader_is_told_that_it_failed_but_not_what_a_refused_file_holds():
    broken = job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY)
    lifecycle.fail(broken, "attempts", "Importing was tried 3 times: OSError. Resume it.")
    refused = job(Status.DRAFT, broken.created_by, step=Step.SCAN, file="")
    lifecycle.fail(refused, "header", "The header ann@x.co has a character that is not allowed.")
    assert len(carry()) == 2
    assert "Importing was tried 3 times: OSError. Resume it." in outbox.outbox[0].body
    assert "ann@x.co" not in outbox.outbox[1].body


@pytest.mark.parametrize("transition", [Transition.STOP, Transition.REJECT, Transition.CANCEL])
def test_nobody_is_told_of_what_they_did_themselves(transition):
    ben = person("ben", "Approver")
    own = job(Status.IN_PROGRESS if transition is Transition.STOP else Status.AWAITING_APPROVAL, ben)
    lifecycle.transition(own, transition, Actor.of(ben), "because")
    assert not Notice.objects.exists()


def test_a_file_refused_while_its_person_waits_for_the_page_is_told_there_alone():
    with queue.run_inline():
        lifecycle.fail(job(Status.DRAFT, person("cara"), step=Step.SCAN), "empty", "The file is empty.")
    assert not Notice.objects.exists()


def test_what_is_no_longer_so_is_not_told():
    cara = person("cara", "Creator")
    waits, ada = job(Status.READY, cara), person("ada", "Admin")
    lifecycle.transition(waits, Transition.SUBMIT, Actor.of(cara))
    lifecycle.transition(waits, Transition.APPROVE, Actor.of(ada))
    assert carry() == []
    assert not Notice.objects.exists()


def test_a_task_that_is_delivered_again_sends_nothing_again():
    lifecycle.transition(job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY), Transition.COMPLETE)
    number = Notice.objects.get().pk
    for _ in range(3):
        tasks.send_notice(number)
    assert len(outbox.outbox) == 1


def test_two_who_send_at_once_send_once():
    lifecycle.transition(job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY), Transition.COMPLETE)
    number = Notice.objects.get().pk
    assert notifications._claim(number) is not None  # somebody who is still at it, or died
    tasks.send_notice(number)
    assert outbox.outbox == []
    due_now()
    tasks.send_notice(number)
    assert len(outbox.outbox) == 1


def test_a_mail_server_that_is_down_fails_no_job_and_is_tried_again(settings, caplog):
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    done = job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY)
    lifecycle.transition(done, Transition.COMPLETE)
    with caplog.at_level(logging.WARNING):
        assert carry() == []
    assert done.status == Status.COMPLETED
    assert "ConnectionRefusedError" in caplog.text
    assert "@" not in caplog.text
    OrmQ.objects.all().delete()
    assert notifications.sweep() == 0  # not at once
    due_now()
    assert notifications.sweep() == 1
    assert notifications.sweep() == 0  # while the task waits there is no need of another
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert carry() == [("cara@example.com", "Import “May leads” is completed")]
    assert not Notice.objects.exists()


def test_one_address_that_is_refused_does_not_have_the_others_told_again(settings):
    settings.EMAIL_BACKEND = f"{__name__}.Choosy"
    cara = person("cara", "Creator")
    for name in ("ada", "bea", "col"):
        person(name, "Approver")
    lifecycle.transition(job(Status.READY, cara), Transition.SUBMIT, Actor.of(cara))
    assert [to for to, _ in carry()] == ["ada@example.com", "col@example.com"]
    for attempt in range(1, notifications.MAX_ATTEMPTS):
        due_now()
        assert carry() == [], attempt
    due_now()
    notifications.sweep()
    assert not Notice.objects.exists()  # some day it is given up


def test_a_move_that_is_rolled_back_tells_nobody():
    done = job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY)
    with transaction.atomic():
        lifecycle.transition(done, Transition.COMPLETE)
        transaction.set_rollback(True)
    assert not Notice.objects.exists()
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize("name", ["May\nBcc: all@example.com", "x" * 255, "\u202eevil", "<b>May</b>"])
def test_any_name_of_an_import_makes_a_mail(name):
    lifecycle.transition(job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY, name=name), Transition.COMPLETE)
    assert len(carry()) == 1
    message = outbox.outbox[0].message()
    assert message["To"] == "cara@example.com"
    assert "Bcc" not in message


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_the_workers_send_it(process_environment, tmp_path):
    lifecycle.transition(job(Status.IN_PROGRESS, person("cara"), step=Step.APPLY), Transition.COMPLETE)
    sent = tmp_path / "sent"
    environment = process_environment | {"EMAIL_URL": f"filemail:///{sent}", "IMPORTS_WORKERS": "1"}
    with processes.working(environment):
        processes.wait_for(lambda: not Notice.objects.exists())
    (file,) = sent.iterdir()
    assert "To: cara@example.com" in file.read_text()


def test_approvers_are_told_of_what_is_checked_again_before_they_were():
    cara, ben = person("cara", "Creator"), person("ben", "Approver")
    waits = job(Status.READY, cara)
    lifecycle.transition(waits, Transition.SUBMIT, Actor.of(cara))
    lifecycle.transition(waits, Transition.REFRESH, Actor.of(ben))
    assert carry() == []
    lifecycle.transition(waits, Transition.CHECKED)
    assert waits.status == Status.AWAITING_APPROVAL
    due_now()
    assert carry() == [("ben@example.com", "Import “May leads” waits for approval")]


def test_approvers_are_not_told_of_what_was_taken_back_while_it_was_checked_again():
    cara, ben = person("cara", "Creator"), person("ben", "Approver")
    waits = job(Status.READY, cara)
    lifecycle.transition(waits, Transition.SUBMIT, Actor.of(cara))
    lifecycle.transition(waits, Transition.REFRESH, Actor.of(ben))
    lifecycle.transition(waits, Transition.EDIT, Actor.of(cara))
    assert carry() == []
    assert not Notice.objects.exists()
