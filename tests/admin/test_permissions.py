"""Who may do what (D-09, PM-01 to PM-07): every transition and address, for everybody, on own and others' imports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse
from django.utils import timezone

from imports.models import ImportJob
from imports.states import Status
from profiles.models import Attribute, ChangeSet, Event, Segment, SubscriptionGroup
from profiles.writing import edit
from tests.admin.screens import address, check, log_in, upload

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

Everybody = dict[str, Client]

OWNER, CREATOR, APPROVER, ADMIN, STAFF = "owner", "other creator", "approver", "admin", "staff without a role"
OUTSIDE = ("not staff", "anonymous")

ACTS = {OWNER, APPROVER, ADMIN}
"""Who acts on an import: its uploader, an Approver, an Admin."""

ROLES = {OWNER, CREATOR, APPROVER, ADMIN}
"""Whoever has one of the three roles."""
NOBODY: set[str] = set()
"""But superusers."""

TRANSITIONS = {
    "start": (Status.READY, {APPROVER, ADMIN}),
    "submit": (Status.READY, ACTS),
    "refresh": (Status.READY, ACTS),
    "cancel": (Status.READY, ACTS),
    "edit": (Status.READY, ACTS),
    "approve": (Status.AWAITING_APPROVAL, {APPROVER, ADMIN}),
    "reject": (Status.AWAITING_APPROVAL, {APPROVER, ADMIN}),
    "stop": (Status.PENDING, ACTS),
    "resume": (Status.STOPPED, ACTS),
}
"""Each transition by its button, from where, and who may make it under the usual policy; Creators need an approval."""


@pytest.fixture
def everybody() -> Everybody:
    return {
        OWNER: log_in("Creator", name=OWNER),
        CREATOR: log_in("Creator", name=CREATOR),
        APPROVER: log_in("Approver"),
        ADMIN: log_in("Admin"),
        STAFF: log_in(name=STAFF),
        "not staff": log_in("Admin", name="not staff", is_staff=False),
        "anonymous": Client(),
    }


@pytest.fixture
def job(everybody: Everybody) -> ImportJob:
    """What the owner has uploaded and had checked."""
    upload(everybody[OWNER])
    job = ImportJob.objects.get()
    check(everybody[OWNER], job)
    return job


def made(client: Client, job: ImportJob, transition: str) -> tuple[int, str, bool]:
    """The answer to a transition, where it leads, and whether it was made; everything is as before afterwards."""
    before = ImportJob.objects.get(pk=job.pk)
    last = job.transitions.latest("pk").pk
    sent = {"transition": transition, "seen": str(last), "comment": "because", "understood": "on"}
    answer = client.post(address("transition", job), sent)
    done = job.transitions.filter(pk__gt=last, name=transition).exists()
    job.transitions.filter(pk__gt=last).delete()
    before.save()
    return answer.status_code, answer.get("Location", ""), done


def allowed(everybody: Everybody, job: ImportJob, transition: str, source: Status) -> set[str]:
    """Who can make a transition; whoever cannot is answered as they should be."""
    found = set()
    for who, client in everybody.items():
        ImportJob.objects.filter(pk=job.pk).update(status=source, step="")
        status, where, done = made(client, job, transition)
        if done:
            found.add(who)
        elif who in OUTSIDE:
            assert (status, where.startswith("/admin/login/")) == (302, True), who
        else:
            assert status == 403, (who, transition)
    return found


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_a_move_is_open_to_those_it_is_for_and_nobody_else(everybody: Everybody, job: ImportJob, transition: str):
    source, who = TRANSITIONS[transition]
    assert allowed(everybody, job, transition, source) == who


def test_four_eyes_keep_everybody_from_their_own(everybody: Everybody, job: ImportJob, settings):
    settings.IMPORTS_APPROVAL = "always"
    assert allowed(everybody, job, "start", Status.READY) == set()
    approver = job.created_by
    assert approver is not None
    approver.groups.set(Group.objects.filter(name="Approver"))
    ImportJob.objects.filter(pk=job.pk).update(status=Status.AWAITING_APPROVAL, step="")
    assert not made(everybody[OWNER], job, "approve")[2]
    assert made(everybody[ADMIN], job, "approve")[2]


def test_without_approval_everybody_starts_what_they_may_act_on(everybody: Everybody, job: ImportJob, settings):
    settings.IMPORTS_APPROVAL = "never"
    assert allowed(everybody, job, "start", Status.READY) == ACTS


def test_a_role_that_is_taken_away_between_two_steps_is_gone(everybody: Everybody, job: ImportJob):
    assert job.created_by is not None
    job.created_by.groups.clear()
    for name in ("configure", "change"):
        assert everybody[OWNER].get(address(name, job)).status_code == 403
    assert made(everybody[OWNER], job, "submit")[0] == 403


@pytest.mark.parametrize("name", ["configure", "change", "transition"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_import_that_does_not_exist_is_no_secret_to_the_roles_only(everybody: Everybody, name: str, method: str):
    nothing = ImportJob(pk=987_654)
    for who, client in everybody.items():
        answer = getattr(client, method)(address(name, nothing))
        expected = 302 if who in OUTSIDE else 403 if who == STAFF else 404
        assert answer.status_code == expected, who


ADDRESSES: dict[str, tuple[set[str], set[str]]] = {
    **dict.fromkeys(("index", "password_change"), ({*ROLES, STAFF}, {*ROLES, STAFF})),
    **dict.fromkeys(("password_change_done", "jsi18n"), ({*ROLES, STAFF}, NOBODY)),
    "app_list": (ROLES, ROLES),
    **dict.fromkeys(("autocomplete", "view_on_site"), (NOBODY, NOBODY)),
    **{
        f"imports_importjob_{name}": who
        for name, who in {
            "changelist": (ROLES, ROLES),
            "add": (ROLES, ROLES),
            "change": (ROLES, ROLES),
            "configure": (ACTS, ACTS),
            "reach": (ROLES, ROLES),
            "transition": (ROLES, ROLES),  # what a transition asks for is held to who may make it above
            "help": (ROLES, ROLES),
            "sample": (ROLES, ROLES),
            **dict.fromkeys(("results", "failed", "problems", "mapping"), (ROLES, NOBODY)),
            "mail": (ROLES, ROLES),
            "history": (ROLES, ROLES),
            "delete": (NOBODY, NOBODY),
        }.items()
    },
    "profiles_profile_import": (ROLES, ROLES),
    **{
        f"profiles_{model}_{name}": who
        for model in ("profile", "attribute", "segment")
        for name, who in {
            "changelist": (ROLES, ROLES),
            "add": ({ADMIN}, {ADMIN}),
            "change": (ROLES, {ADMIN}),
            "delete": ({ADMIN}, {ADMIN}),
            "history": (ROLES, ROLES),
        }.items()
    },
    **{
        f"profiles_event_{name}": who
        for name, who in {
            **dict.fromkeys(("changelist", "change", "history"), (ROLES, ROLES)),
            **dict.fromkeys(("add", "delete"), (NOBODY, NOBODY)),
        }.items()
    },
    **{
        f"profiles_subscriptiongroup_{name}": who
        for name, who in {
            "changelist": (ROLES, ROLES),
            "add": ({ADMIN}, {ADMIN}),
            "change": (ROLES, {ADMIN}),
            "history": (ROLES, ROLES),
        }.items()
    },
}
"""Who gets an answer at each address of the admin, to GET and to POST. What is not listed is for superusers alone."""
OPEN_TO_ALL = {"login", "logout"}


def patterns() -> dict[str, URLPattern]:
    """The addresses of the admin by name: all that there are."""

    def walk(found: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
        for each in found:
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns)
            else:
                yield each

    return {str(each.name): each for each in walk(admin.site.urls[0]) if each.name}


def test_every_address_that_is_told_of_exists():
    assert set(ADDRESSES) | OPEN_TO_ALL <= set(patterns())


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_answers_those_it_is_for_and_nobody_else(everybody: Everybody, job: ImportJob, method: str):
    attribute = Attribute.objects.create(key="own", label="Own", type="text")
    person = edit.create({"external_id": "somebody"}, None)
    segment = Segment.objects.create(name="S", conditions=[{"is": "birthday"}])
    group = SubscriptionGroup.objects.create(group_id="news", name="News")
    change_set = ChangeSet.objects.create(kind="import", when=timezone.now())
    ImportJob.objects.filter(pk=job.pk).update(change_set=change_set)
    event = Event.objects.create(profile_id=person, name="login", time=timezone.now(), change_set=change_set)
    numbers = {
        "imports_importjob": job.pk,
        "profiles_profile": person,
        "profiles_attribute": attribute.pk,
        "profiles_segment": segment.pk,
        "profiles_event": event.pk,
        "profiles_subscriptiongroup": group.pk,
    }
    for name, pattern in patterns().items():
        if name in OPEN_TO_ALL:
            continue
        where = _filled(pattern, numbers.get(name.rpartition("_")[0], 1))
        expected = ADDRESSES.get(name, (NOBODY, NOBODY))[method == "post"]
        for who, client in everybody.items():
            answer = getattr(client, method)(where)
            if answer.streaming:  # a file, which is closed when it was read
                b"".join(answer.streaming_content)
            to_login = answer.status_code == 302 and "/admin/login/" in answer["Location"]
            to_start = answer.status_code == 302 and answer["Location"] == reverse("admin:index")  # nothing is there
            # 409: the results of an import that has not ended, said to those who may have them (RP-01).
            answered = answer.status_code in (200, 302, 409) and not to_login and not to_start
            assert answered == (who in expected), (name, who, answer.status_code)
            assert answer.status_code < 500, (name, who)
            assert to_login == (who in OUTSIDE), (name, who)


def _filled(pattern: URLPattern, number: int) -> str:
    """The address of one thing."""
    found = {*pattern.pattern.regex.groupindex, *pattern.pattern.converters}
    values = {key: "imports" if key == "app_label" else str(number) for key in found}
    return reverse(f"admin:{pattern.name}", kwargs=values)
