"""Consent on the screens: a person's page, the list's filter, an import's reach, the groups (section 15, SG-09)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports.models import ImportJob
from profiles.models import Change, Profile, SubscriptionGroup, Suppression
from profiles.writing import edit
from tests.admin.screens import address as job_address
from tests.admin.screens import check, finish, log_in, press, upload
from tests.admin.test_person import address, name, save

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "admin:profiles_profile_changelist"
GROUPS = "admin:profiles_subscriptiongroup_changelist"


def made(**values: Any) -> Profile:
    return Profile.objects.get(pk=edit.create(values, None, shared=True))


def channels(page: Any) -> dict[str, tuple[str, str]]:
    return {line.channel: (line.state, line.reason) for line in page.context["channels"]}


def imported(admin: Client, content: bytes) -> ImportJob:
    upload(admin, content)
    job = ImportJob.objects.latest("id")
    check(admin, job, action="overwrite")
    press(admin, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == "completed", job.reason
    return job


def test_the_page_of_a_person_says_what_counts_for_each_channel_and_why():  # SB-02
    admin = log_in("Admin")
    made(external_id="other", email=["shared@x.co"], dnd_email=True)
    person = made(email=["shared@x.co"], email_subscribe="opted_in", sms_subscribe="unsubscribed")
    page = admin.get(address(person))
    assert channels(page) == {
        "E-mail": ("Unsubscribed", "the address is suppressed, for everybody who has it"),
        "SMS": ("Unsubscribed", "set for this person"),
        "Push": ("Subscribed", "no preference recorded"),
        "WhatsApp": ("Subscribed", "no preference recorded"),
    }
    assert "shared@x.co" in page.content.decode().partition('id="consent"')[2].partition("</table>")[0]


def test_answers_and_memberships_are_changed_on_the_page_and_told_in_the_history():
    admin = log_in("Admin")
    SubscriptionGroup.objects.create(group_id="news", name="Newsletter", channel="email")
    person = made(external_id="a", email=["a@x.co"], **{"group:old": "subscribed"})
    save(admin, person, email_subscribe="unsubscribed", dnd_email="true", **{"group:old": "unsubscribed"})
    save(admin, person, **{"group:news": "subscribed"})
    person.refresh_from_db()
    said = {"email_subscribe": "unsubscribed", "dnd_email": True, "group:old": "unsubscribed"}
    assert person.attributes == {"email": ["a@x.co"], "group:news": "subscribed"} | said
    assert Suppression.objects.get().suppressed
    labels = {cell.label for entry in admin.get(address(person)).context["history"] for cell in entry.cells}
    assert labels == {"E-mail subscription", "Do not disturb by e-mail", "Group old", "Group Newsletter (E-mail)"}
    assert Change.objects.filter(profile=person).count() == 3


def test_nobody_is_opted_into_a_group():
    admin = log_in("Admin")
    person = made(external_id="a", **{"group:news": "subscribed"})
    page = save(admin, person, **{"group:news": "opted_in"})
    assert "Invalid subscription state" in page.content.decode()
    person.refresh_from_db()
    assert person.attributes == {"group:news": "subscribed"}


def test_who_may_only_look_sees_the_consent_apart_from_the_rest():
    person = made(external_id="a", first_name="Ann", email_subscribe="unsubscribed", **{"group:news": "subscribed"})
    text = log_in("Creator").get(address(person)).content.decode()
    known, consent = text.partition('id="consent"')[::2]
    assert "Ann" in known
    assert "E-mail subscription" not in known
    assert all(shown in consent for shown in ("E-mail subscription", "Unsubscribed", "news"))


def test_a_language_that_an_import_set_is_marked_on_the_page():
    admin = log_in("Admin")
    imported(admin, b"email,language\na@x.co,fr\n")
    by_hand = made(email=["b@x.co"], language="fr")
    mark = "Set by an import; automatic capture does not change it."
    assert mark in admin.get(address(Profile.objects.exclude(pk=by_hand.pk).get())).content.decode()
    assert mark not in admin.get(address(by_hand)).content.decode()


def test_the_list_is_filtered_by_reach_together_with_other_filters():
    admin = log_in("Admin")
    made(external_id="a", email=["a@x.co"], first_name="Ann")
    made(external_id="b", email=["b@x.co"], email_subscribe="unsubscribed")
    made(external_id="c", email=["c@x.co"], first_name="Cy")
    page = admin.get(reverse(LIST), {"reach": "email", "count": "exact"}, follow=True)
    assert [chip.text for chip in page.context["chips"]] == ["Reachable on E-mail"]
    assert {line.identifiers[0] for line in page.context["lines"]} == {"a", "c"}
    both = {"reach": "email", "attribute": "first_name", "operator": "equals", "value": "Ann"}
    assert len(admin.get(reverse(LIST), both, follow=True).context["lines"]) == 1
    wrong = admin.get(reverse(LIST), {"reach": "pigeon"}, follow=True)
    assert wrong.context["problems"] == [("reach", "Choose one of: email, sms, push, whatsapp.")]


def test_a_finished_import_shows_its_set_beside_its_reach_when_asked():
    admin = log_in("Admin")
    job = imported(admin, b"email,MSG-email,phone\na@x.co,true,+15550100\nb@x.co,false,+15550101\nc@x.co,,\n")
    where = reverse("admin:imports_importjob_reach", args=[job.pk])
    assert where in admin.get(job_address("change", job)).content.decode()
    for headers in ({}, {"HX-Request": "true"}):
        page = admin.get(where, headers=headers)
        assert {line.channel.value: line.people for line in page.context["reached"]} == {
            "email": 2, "sms": 2, "push": 0, "whatsapp": 2
        }  # fmt: skip
        assert page.context["everybody"] == 3
        assert ("<html" in page.content.decode()) is not bool(headers)
    of_email = re.search(r'href="([^"]*reach=email)"', page.content.decode())
    assert of_email
    assert len(admin.get(of_email[1].replace("&amp;", "&"), follow=True).context["lines"]) == 2


def test_reach_needs_a_role_and_an_import_that_began():
    admin = log_in("Admin")
    upload(admin)
    where = reverse("admin:imports_importjob_reach", args=[ImportJob.objects.get().pk])
    assert admin.get(where).status_code == 404
    assert log_in().get(where).status_code == 403


def test_groups_are_named_by_admins_and_seen_by_all_roles():
    group = SubscriptionGroup.objects.create(group_id="news", name="news")
    admin, creator = log_in("Admin"), log_in("Creator")
    change = reverse("admin:profiles_subscriptiongroup_change", args=[group.pk])
    admin.post(change, {"name": "Newsletter", "channel": "email"})
    creator.post(change, {"name": "Mine", "channel": ""})
    group.refresh_from_db()
    assert (group.group_id, group.name, group.channel) == ("news", "Newsletter", "email")
    assert "Newsletter" in creator.get(reverse(GROUPS)).content.decode()
    assert creator.get(reverse("admin:profiles_subscriptiongroup_add")).status_code == 403
    assert log_in().get(reverse(GROUPS)).status_code == 403
    assert admin.get(reverse("admin:profiles_subscriptiongroup_delete", args=[group.pk])).status_code == 403


@pytest.mark.parametrize("key", ["group:news", "group:", "subscription_group_id"])
def test_no_attribute_takes_a_key_of_groups(key: str):
    page = log_in("Admin").post(
        reverse("admin:profiles_attribute_add"), {"key": key, "label": "", "type": "text", "description": ""}
    )
    assert "Choose another key." in page.content.decode()


def test_the_pages_need_few_queries_however_many_groups_there_are():
    admin = log_in("Admin")
    SubscriptionGroup.objects.bulk_create(SubscriptionGroup(group_id=f"g{n}", name=f"g{n}") for n in range(1_000))
    person = made(email=["a@x.co"], language="fr", **{f"group:g{n}": "subscribed" for n in range(900, 950)})
    for where in (address(person), reverse(GROUPS)):
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(where).status_code == 200
        assert len(queries) <= 15
    assert name("group:g949") in admin.get(address(person)).content.decode().replace("&#x27;", "'")
