"""What waits for whom, on the front page and in the navigation (D-09, issue point 2)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from imports.jobs import lifecycle, queue, transitions
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob, NoMail
from imports.states import Status
from tests.admin.screens import log_in

pytestmark = pytest.mark.django_db

START = "/admin/"
LIST = "/admin/imports/importjob/"
MAIL = "/admin/imports/importjob/mail/"


@pytest.fixture(autouse=True)
def nobody_takes_it_up():
    with queue.run_inline():
        yield


def who(name: str):
    return get_user_model().objects.get(username=name)


def job(name: str, status: Status = Status.AWAITING_APPROVAL, by: str = "cara", **values) -> ImportJob:
    user, _ = get_user_model().objects.get_or_create(username=by)
    made = {"name": name, "file": "may.csv", "file_name": "may.csv", "total": 1_200, "step_started": timezone.now()}
    return ImportJob.objects.create(status=status, created_by=user, **(made | values))


def page(client: Client, address: str = START) -> str:
    return re.sub(r"\s+", " ", client.get(address).content.decode())


def test_an_approver_finds_what_waits_the_longest_first():
    client = log_in("Approver")
    job("May leads")
    job("April leads", step_started=timezone.now() - timedelta(days=1))
    shown = page(client)
    assert "2 imports wait for you" in shown
    assert shown.index("April leads") < shown.index("May leads")
    assert "1,200 rows, cara, waiting since" in shown
    assert "Imports (2 waiting)" in shown
    assert "Imports (2 waiting)" in page(client, LIST)


def test_one_import_waits_in_the_singular():
    job("May leads")
    assert "1 import waits for you" in page(log_in("Admin"))


@pytest.mark.parametrize("role", ["Creator", "none"])
def test_it_is_not_told_to_people_who_may_not_approve(role):
    job("May leads")
    shown = page(log_in(*([] if role == "none" else [role])))
    assert "waiting" not in shown
    assert "May leads" not in shown


@pytest.mark.parametrize(("policy", "count"), [("creators", 2), ("always", 1)])
def test_own_imports_wait_for_others_where_four_eyes_are_asked_for(settings, policy, count):
    settings.IMPORTS_APPROVAL = policy
    client = log_in("Approver", name="ben")
    job("Own", by="ben")
    job("Of another")
    assert f"Imports ({count} waiting)" in page(client)


def test_what_waits_for_somebody_is_what_they_may_approve(settings):
    for policy in ("creators", "always", "never"):
        settings.IMPORTS_APPROVAL = policy
        for role in ("Creator", "Approver", "Admin"):
            log_in(role, name=f"{role} {policy}")
            actor = Actor.of(who(f"{role} {policy}"))
            for made in (job("Own", by=f"{role} {policy}"), job("Of another"), job("Ready", Status.READY)):
                waits = transitions.approvable_jobs(actor).filter(pk=made.pk).exists()
                assert waits == (Transition.APPROVE in transitions.open_transitions(made, actor)), (policy, role, made)


def test_a_creator_finds_own_drafts_and_why_an_import_was_rejected():
    creator = log_in("Creator", name="cara")
    log_in("Approver", name="ben")
    job("Draft", Status.DRAFT)
    job("Of another", Status.DRAFT, by="dan")
    job("Done", Status.COMPLETED)
    rejected = job("May leads")
    lifecycle.transition(rejected, Transition.REJECT, Actor.of(who("ben")), "Skip the <b>plan</b>")
    shown = page(creator)
    assert "Your unfinished imports" in shown
    assert 'Rejected by ben: “<bdi dir="auto">Skip the &lt;b&gt;plan&lt;/b&gt;</bdi>”' in shown
    assert "Draft" in shown
    assert "Of another" not in shown
    assert "Done" not in shown


def test_where_nothing_waits_nothing_is_said():
    shown = page(log_in("Approver"))
    assert "wait" not in shown
    assert "of yours" not in shown


def test_the_navigation_costs_one_query_and_nothing_to_those_who_may_not_approve():
    job("May leads")
    counts = {}
    for role in ("Approver", "Creator"):
        client = log_in(role)
        client.get(START)
        with CaptureQueriesContext(connection) as found:
            client.get(MAIL)
        counts[role] = sum("COUNT(*)" in query["sql"] and "imports_importjob" in query["sql"] for query in found)
    assert counts == {"Approver": 1, "Creator": 0}
    client = log_in("Admin")
    with CaptureQueriesContext(connection) as found:
        client.get(START)
    assert len(found) <= 15


def test_people_say_themselves_whether_they_want_mail():
    client = log_in("Creator", name="cara")
    assert "checked" in page(client, MAIL)
    assert "You will get no e-mails about imports." in client.post(MAIL, {}, follow=True).content.decode()
    assert client.post(MAIL, {}).status_code == 302  # twice is as once
    assert NoMail.objects.get().user == who("cara")
    assert "checked" not in page(client, MAIL)
    assert "You will get e-mails about imports." in client.post(MAIL, {"enabled": "on"}, follow=True).content.decode()
    assert not NoMail.objects.exists()
    assert "E-mails" in page(client)


def test_who_has_nothing_to_do_with_imports_has_no_choice_to_make():
    client = log_in()
    assert client.get(MAIL).status_code == client.post(MAIL, {}).status_code == 403
    assert "E-mails" not in page(client)
    assert "/login/" in Client().get(MAIL)["Location"]
