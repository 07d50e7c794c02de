"""The page of one person: shown, made, changed, deleted by those who may, without a browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from imports.models import ImportJob
from profiles.admin.choices import choices
from profiles.models import Attribute, Change, ChangeSet, Event, Profile
from profiles.values import parsers
from profiles.values.types import ValueOptions, ValueType
from profiles.writing import edit
from tests.admin.screens import check, finish, log_in, press, upload

pytestmark = pytest.mark.django_db

committing = pytest.mark.django_db(transaction=True, serialized_rollback=True)
"""For tests in which an import runs."""

ADD = "admin:profiles_profile_add"


def made(**known: Any) -> Profile:
    return Profile.objects.get(pk=edit.create(known, None))


def address(person: Profile, name: str = "change") -> str:
    return reverse(f"admin:profiles_profile_{name}", args=[person.pk])


def name(key: str) -> str:
    return f"value-{quote(key, safe='')}"


def form(page: Any) -> dict[str, Any]:
    """What a browser would send of the form of a page, untouched."""
    context = page.context
    sent: dict[str, Any] = {"version": "" if context["version"] is None else str(context["version"])}
    sent["was"] = context["was"]
    for field, _ in context["fields"]:
        sent[field.name] = [box.text for box in field.boxes()]
    return sent


def save(client: Client, person: Profile, **changes: Any):
    sent = form(client.get(address(person))) | {name(key): value for key, value in changes.items()}
    return client.post(address(person), sent | {"_continue": "1"}, follow=True)


def problems(page: Any) -> dict[str, list[str]]:
    """What the page says is wrong, by attribute; it must say so in its head and at the field."""
    text = page.content.decode()
    assert page.status_code == 200
    assert "There is a problem" in text
    assert "<title>Error: " in text
    found = {f.key: [*f.problems.values(), *(fault.reason for fault in f.faults)] for f, _ in page.context["fields"]}
    return {key: reasons for key, reasons in found.items() if reasons}


def known(person: Profile) -> dict[str, Any]:
    person.refresh_from_db()
    return dict(person.attributes)


GOOD = [
    ("text", " two  words\r\nand more ", " two  words\nand more "),
    ("integer", " 42 ", 42),
    ("number", "-1.50", -1.5),
    ("boolean", "false", False),
    ("date", "1980-02-29", "1980-02-29"),
    ("datetime", "2026-03-01T12:30", "2026-03-01T12:30:00Z"),
    ("email", " Zoë@x.co ", "Zoë@x.co"),
    ("phone", "+1 (555) 010-99-88", "+15550109988"),
    ("country", "GB", "GB"),
    ("language", "en", "en"),
    ("time_zone", "America/New_York", "America/New_York"),
    ("gender", "F", "F"),
    ("url", "https://x.co/ä?b=1", "https://x.co/ä?b=1"),
]
BAD = [
    ("text", "x" * 513, "longer than 512 bytes"),
    ("text", "a\0b", "NUL character"),
    ("integer", "4.5", "Invalid integer"),
    ("number", "1,000", "Invalid number"),
    ("boolean", "perhaps", "Invalid boolean"),
    ("date", "1981-02-29", "Invalid date"),
    ("datetime", "yesterday", "Invalid date and time"),
    ("email", "no address", "Invalid email format"),
    ("phone", "12", "Invalid phone number"),
    ("country", "UKX", "Invalid country"),
    ("language", "english", "Invalid language"),
    ("time_zone", "Mars/Base", "Invalid time zone"),
    ("gender", "X", "Invalid gender"),
    ("url", "javascript:alert(1)", "Invalid URL"),
]


@pytest.mark.parametrize(("kind", "text", "value"), GOOD)
def test_a_value_of_each_type_is_added_kept_and_taken_away(kind: str, text: str, value: Any):
    Attribute.objects.create(key="x y", label="Something", type=kind)
    admin, person = log_in("Admin"), made(email=["a@x.co"])
    page = admin.post(address(person), form(admin.get(address(person))) | {"do": "add", "attribute": "x y"})
    assert name("x y") in page.content.decode()
    assert known(person) == {"email": ["a@x.co"]}
    page = admin.post(address(person), form(page) | {name("x y"): text, "_continue": "1"}, follow=True)
    assert "Something saved." in page.content.decode()
    assert known(person)["x y"] == value
    updated = person.updated
    page = save(admin, person)
    assert "nothing was changed" in page.content.decode()
    assert known(person)["x y"] == value
    assert person.updated == updated
    save(admin, person, **{"x y": "  "})
    assert known(person) == {"email": ["a@x.co"]}
    assert Change.objects.latest("change_set_id").changes == {"x y": [value, None]}


@pytest.mark.parametrize(("kind", "text", "reason"), BAD)
def test_a_bad_value_of_each_type_is_refused_at_its_field(kind: str, text: str, reason: str):
    Attribute.objects.create(key="x", label="Something", type=kind)
    admin, person = log_in("Admin"), made(email=["a@x.co"])
    page = save(admin, person, x=text, email=["b@x.co"])
    assert reason in problems(page)["x"][0]
    assert 'aria-invalid="true"' in page.content.decode()
    assert "b@x.co" in page.content.decode()  # what was typed elsewhere stays in its box
    assert known(person) == {"email": ["a@x.co"]}


@pytest.mark.parametrize("kind", list(ValueType))
def test_each_name_in_a_list_of_choices_is_a_value(kind: ValueType):
    parse = parsers.parser(kind, ValueOptions())
    for code in choices(kind) or {}:
        assert str(parse(code)).lower() == code.lower()


def test_what_no_box_can_show_is_left_as_it_is():
    """A column with a declared date format keeps bad values as text (DT-17); types change; files have line ends."""
    odd = {"dob": "some day", "age": "old", "name": "a\nb", "date_of_first_session": "1-1-1", "gender": "?"}
    now = timezone.now()
    person = Profile.objects.create(object_id="o", attributes=odd, created=now, updated=now)
    admin = log_in("Admin")
    save(admin, person, country="GB")
    assert known(person) == odd | {"country": "GB"}
    assert "dob" in problems(save(admin, person, dob="another day"))


def test_datetimes_are_shown_and_read_in_the_current_time_zone():
    person = made(email=["a@x.co"], date_of_last_session="2026-07-01T10:00:00Z")
    admin = log_in("Admin")
    with timezone.override("Europe/Berlin"):
        page = admin.get(address(person))
        assert 'value="2026-07-01T12:00:00"' in page.content.decode()
        save(admin, person, date_of_last_session="2026-07-01T13:00")
    assert known(person)["date_of_last_session"] == "2026-07-01T11:00:00Z"


def test_lists_grow_shrink_and_change_their_order():
    admin, person = log_in("Admin"), made(email=["a@x.co", "b@x.co"])
    page = admin.get(address(person))
    up = next(field for field, _ in page.context["fields"] if field.key == "email").boxes()[1].up_command
    page = admin.post(address(person), form(page) | {"do": up})
    assert known(person)["email"] == ["a@x.co", "b@x.co"]
    admin.post(address(person), form(page) | {"_save": "1"})
    assert known(person)["email"] == ["b@x.co", "a@x.co"]
    save(admin, person, email=["b@x.co", "", "C@x.co", "B@x.co"])
    assert known(person)["email"] == ["b@x.co", "C@x.co"]
    assert "Invalid email format." in problems(save(admin, person, email=["b@x.co", "", "no address"]))["email"]
    save(admin, person, email=["", ""])
    assert "email" not in known(person)


def test_an_external_id_of_somebody_else_is_refused_with_the_way_to_them():
    owner, person = made(external_id="e1"), made(email=["a@x.co"])
    page = save(log_in("Admin"), person, external_id="e1", email=["b@x.co"])
    assert problems(page) == {"external_id": ["Another person has this External ID."]}
    assert address(owner) in page.content.decode()
    assert known(person) == {"email": ["a@x.co"]}


def test_an_alias_is_added_shown_changed_and_taken_away_with_its_two_parts():  # HI-17
    admin, owner, person = log_in("Admin"), made(alias_label="crm", alias_name="1"), made(email=["a@x.co"])
    sent = form(admin.get(address(person)))
    page = admin.post(address(person), sent | {"do": "add", "attribute": "alias"})
    parts = [field.key for field, _ in page.context["fields"] if field.key.startswith("alias")]
    assert parts == ["alias_label", "alias_name"]
    page = save(admin, person, alias_label="crm", alias_name="")
    reason = "An alias needs its label and its name. Fill in both, or leave both empty."
    assert problems(page) == {"alias_name": [reason]}
    page = save(admin, person, alias_label="crm", alias_name="1")
    assert problems(page) == {"alias_name": ["Another person without an External ID has this alias."]}
    assert address(owner) in page.content.decode()
    page = save(admin, person, alias_label=" crm ", alias_name="2")
    person.refresh_from_db()
    assert (person.alias_label, person.alias_name) == ("crm", "2")
    assert page.context["history"][0].cells[0].new == ["crm: 2"]
    assert "crm: 2" in log_in("Creator").get(address(person)).content.decode()
    save(admin, person, alias_label="", alias_name="")
    person.refresh_from_db()
    assert (person.alias_label, person.alias_name) == (None, None)


def test_too_many_values_are_refused_at_their_field():
    person = made(email=["a@x.co"])
    page = save(log_in("Admin"), person, email=[f"{n}@x.co" for n in range(11)])
    assert problems(page) == {"email": ["A person can have at most 10 values of email."]}


def test_of_two_tabs_the_second_sees_what_the_first_saved_and_loses_nothing():
    admin, other, person = log_in("Admin"), log_in("Admin", name="other"), made(email=["a@x.co"], home_city="Oslo")
    first, second = form(admin.get(address(person))), form(other.get(address(person)))
    admin.post(address(person), first | {name("home_city"): "Rome", "_save": "1"})
    typed = second | {name("home_city"): "Bonn", name("email"): ["a@x.co", "b@x.co"], "_save": "1"}
    page = other.post(address(person), typed)
    text = page.content.decode()
    assert "This person was changed after you opened the page." in text
    meanwhile = {field.key: field.stored_now for field, _ in page.context["fields"] if field.stored_now is not None}
    assert meanwhile == {"home_city": ["Rome"], "email": ["a@x.co"]}
    assert "Stored now:" in text
    assert "Bonn" in text
    assert "Rome" in text
    assert known(person) == {"email": ["a@x.co"], "home_city": "Rome"}
    other.post(address(person), form(page) | {"_save": "1"})
    assert known(person) == {"email": ["a@x.co", "b@x.co"], "home_city": "Bonn"}


def test_of_two_tabs_the_second_does_not_take_back_what_it_never_touched():
    admin, person = log_in("Admin"), made(email=["a@x.co"], home_city="Oslo", first_name="Ann", last_name="Lee")
    first, second = form(admin.get(address(person))), form(admin.get(address(person)))
    admin.post(address(person), first | {name("first_name"): "Zoe", name("last_name"): "", "_save": "1"})
    second = form(admin.post(address(person), second | {"do": "add", "attribute": "age"}))
    page = admin.post(address(person), second | {name("home_city"): "Bonn", "_save": "1"})
    assert [field.key for field, _ in page.context["fields"] if field.stored_now is not None] == ["home_city"]
    admin.post(address(person), form(page) | {"_save": "1"})
    assert known(person) == {"email": ["a@x.co"], "home_city": "Bonn", "first_name": "Zoe"}


def test_who_presses_save_twice_is_told_that_it_is_saved():
    admin, person = log_in("Admin"), made(email=["a@x.co"])
    sent = form(admin.get(address(person))) | {name("email"): ["b@x.co"], "_continue": "1"}
    admin.post(address(person), sent)
    page = admin.post(address(person), sent, follow=True)
    assert "There is a problem" not in page.content.decode()
    assert "your entries are saved already" in page.content.decode()
    assert known(person) == {"email": ["b@x.co"]}
    assert Change.objects.filter(profile=person).count() == 2


def test_a_field_that_is_added_to_an_old_page_does_not_make_it_new():
    admin, person = log_in("Admin"), made(email=["a@x.co"], home_city="Oslo")
    page = admin.get(address(person))
    save(admin, person, home_city="Rome")
    page = admin.post(address(person), form(page) | {"do": "add", "attribute": "age"})
    page = admin.post(address(person), form(page) | {name("age"): "7", "_save": "1"})
    assert "This person was changed" in page.content.decode()
    assert known(person)["home_city"] == "Rome"


def test_who_is_deleted_meanwhile_can_be_added_again_as_typed():
    admin, person = log_in("Admin"), made(email=["a@x.co"])
    sent = form(admin.get(address(person))) | {name("home_city"): "Bonn", "_save": "1"}
    admin.post(address(person, "delete"), {"version": sent["version"]})
    page = admin.post(address(person), sent)
    text = page.content.decode()
    assert page.status_code == 200
    assert "Somebody deleted this person after you opened the page. Nothing was saved." in text
    assert f'action="{reverse(ADD)}"' in text
    admin.post(reverse(ADD), form(page) | {"_save": "1"})
    assert Profile.objects.get().attributes == {"email": ["a@x.co"], "home_city": "Bonn"}
    assert admin.get(address(person)).status_code == 404
    assert admin.get(address(person, "delete")).status_code == 404


def test_a_person_is_added_and_the_log_says_so():
    admin = log_in("Admin")
    page = admin.get(reverse(ADD))
    sent = form(page) | {name("first_name"): "Ann", name("email"): ["ann@x.co"], "_continue": "1"}
    page = admin.post(reverse(ADD), sent, follow=True)
    person = Profile.objects.get()
    assert person.attributes == {"first_name": "Ann", "email": ["ann@x.co"]}
    assert page.redirect_chain[-1][0] == address(person)
    save(admin, person, first_name="Anna")
    admin.post(address(person, "delete"), {"version": form(admin.get(address(person)))["version"]})
    assert not Profile.objects.exists()
    flags = list(LogEntry.objects.order_by("pk").values_list("action_flag", flat=True))
    assert flags == [1, 2, 3]
    assert "First name" in LogEntry.objects.get(action_flag=2).get_change_message()


def test_who_presses_add_twice_adds_one_person():
    admin = log_in("Admin")
    sent = form(admin.get(reverse(ADD))) | {name("email"): ["a@x.co"]}
    assert admin.post(reverse(ADD), sent).status_code == 302
    again = admin.post(reverse(ADD), sent)
    assert problems(again) == {"email": ["Another person already has a@x.co."]}
    assert address(Profile.objects.get()) in again.content.decode()
    assert admin.post(reverse(ADD), sent | {"shared": "on"}).status_code == 302
    assert Profile.objects.count() == 2


def test_a_person_whom_nobody_could_find_is_not_added():
    admin = log_in("Admin")
    page = admin.post(reverse(ADD), form(admin.get(reverse(ADD))) | {name("first_name"): "Ann", "_save": "1"})
    assert "Nobody could find this person again without an identifier." in problems(page)["external_id"][0]
    assert (Profile.objects.count(), ChangeSet.objects.count(), LogEntry.objects.count()) == (0, 0, 0)


@committing
def test_deleting_says_what_goes_and_asks_for_the_page_that_is():
    admin = log_in("Admin")
    upload(admin)
    job = ImportJob.objects.get()
    check(admin, job)
    press(admin, job, "start")
    finish(job)
    person = Profile.objects.get(attributes__first_name="Ann")
    Event.objects.create(profile=person, name="v", time=timezone.now(), change_set=job.change_set)  # type: ignore[misc]
    page = admin.get(address(person, "delete"))
    text = " ".join(page.content.decode().split())
    assert "1 change, 1 of them by import" in text
    assert "1 event<" in text
    assert "ann@x.co" in text
    assert "Undoing that import will not restore this person." in text
    assert "the imported files, and the rows shown on the pages of their imports" in text
    old = page.context["version"]
    save(admin, person, home_city="Oslo")
    page = admin.post(address(person, "delete"), {"version": old})
    assert "This person was changed after you opened the page." in page.content.decode()
    assert Profile.objects.filter(pk=person.pk).exists()
    admin.post(address(person, "delete"), {"version": page.context["version"]})
    assert not Profile.objects.filter(pk=person.pk).exists()
    assert (Change.objects.filter(profile=person.pk).count(), Event.objects.count()) == (0, 0)


@committing
def test_each_value_names_its_import_and_the_history_tells_old_and_new():
    admin = log_in("Admin")
    for content in (b"email,home_city,plan\nann@x.co,Oslo,gold\n", b"email,home_city\nann@x.co,Rome\n"):
        upload(admin, content, name=f"leads{ImportJob.objects.count()}.csv")
        job = ImportJob.objects.latest("pk")
        check(admin, job, action="overwrite")
        press(admin, job, "start")
        finish(job)
    first, second = ImportJob.objects.order_by("pk")
    person = Profile.objects.get()
    save(admin, person, plan="", external_id="e1")
    page = admin.get(address(person))
    writers = {field.key: writer.source.name for field, writer in page.context["fields"] if writer}
    assert writers == {"external_id": "Admin", "email": first.name, "home_city": second.name}
    assert reverse("admin:imports_importjob_change", args=[second.pk]) in page.content.decode()
    told = [(entry.source.name, entry.outcome, entry.cells) for entry in page.context["history"]]
    assert [(source, outcome) for source, outcome, _ in told] == [
        ("Admin", "updated"),
        (second.name, "updated"),
        (first.name, "created"),
    ]
    assert {
        (cell.label, cell.old and cell.old[0], cell.new and cell.new[0]) for _, _, cells in told for cell in cells
    } == {
        ("External ID", None, "e1"),
        ("plan", "gold", None),
        ("Home city", "Oslo", "Rome"),
    }


@pytest.mark.parametrize("role", ["Creator", "Approver"])
def test_those_who_may_only_look_see_no_form(role: str):
    person, client = made(email=["a@x.co"], first_name="Ann"), log_in(role)
    page = client.get(address(person))
    text = page.content.decode()
    assert page.status_code == 200
    assert "a@x.co" in text
    assert 'id="person-form"' not in text
    assert client.post(address(person), {"version": "0"}).status_code == 403
    for url in (reverse(ADD), address(person, "delete")):
        assert client.get(url).status_code == 403
        assert client.post(url, {}).status_code == 403
    assert known(person) == {"email": ["a@x.co"], "first_name": "Ann"}


def test_nobody_without_a_role_comes_in():
    person, nobody = made(email=["a@x.co"]), log_in()
    for url in (reverse(ADD), address(person), address(person, "delete")):
        assert nobody.get(url).status_code == 403
        assert nobody.post(url, {}).status_code == 403
        assert "/login/" in Client().get(url)["Location"]


def test_many_cannot_be_deleted_at_once_past_the_one_writer():
    admin, person = log_in("Admin"), made(email=["a@x.co"])
    sent = {"action": "delete_selected", "_selected_action": [person.pk], "post": "yes"}
    admin.post(reverse("admin:profiles_profile_changelist"), sent)
    assert Profile.objects.count() == 1


def test_hostile_texts_are_shown_harmlessly():
    key = '"><script>alert(1)</script>'
    Attribute.objects.create(key=key, label=key, type="text")
    hostile = "<img src=x onerror=alert(2)>"
    admin = log_in("Admin")
    person = made(email=["a@x.co"], first_name=hostile, labels=[hostile, "=1+1", "مرحبا"], **{key: hostile})
    save(admin, person, first_name="</textarea><script>alert(3)</script>", **{key: ["x" * 500]})
    for client in (admin, log_in("Creator")):
        for url in (address(person), address(person, "delete") if client is admin else address(person)):
            text = client.get(url).content.decode()
            assert "<script>alert" not in text
            assert "<img src=x" not in text
    assert known(person)[key] == "x" * 500


def test_what_the_form_does_not_hold_is_shown_and_stays():
    """An alias, a list with more values than a page has room for, and what an attribute was that is no more."""
    now = timezone.now()
    attributes = {"labels": [f"l{n}" for n in range(300)], "gone": "left over", "first_name": "Ann"}
    person = Profile.objects.create(
        object_id="o", alias_label="crm", alias_name="a-1", attributes=attributes, created=now, updated=now
    )
    admin = log_in("Admin")
    text = admin.get(address(person)).content.decode()
    for shown in ("crm", "a-1", "300 values", "left over"):
        assert shown in text
    assert name("labels") not in text
    page = admin.post(address(person), form(admin.get(address(person))) | {"do": "add", "attribute": "labels"})
    assert name("labels") not in page.content.decode()
    save(admin, person, first_name="Anna")
    assert known(person) == attributes | {"first_name": "Anna"}


@pytest.mark.parametrize(
    "sent",
    [
        {"do": "add", "attribute": "no such"},
        {"do": "up:nonsense:99999999999999"},
        {"do": "up:value-email:7"},
        {"do": "up:value-email:\u0661"},
        {"version": "\u0661"},
        {"version": "9" * 40},
        {"value-no such": "x"},
        {},
    ],
)
def test_what_no_form_of_ours_sends_changes_nothing(sent: dict[str, str]):
    admin, person = log_in("Admin"), made(email=["a@x.co"])
    assert admin.post(address(person), sent).status_code == 200
    assert known(person) == {"email": ["a@x.co"]}
    for number in ("0", "-1", "x", "9" * 30, "\u0661"):
        assert admin.get(f"/admin/profiles/profile/{quote(number)}/change/").status_code == 404


def test_the_page_needs_few_queries_whoever_it_is():
    admin = log_in("Admin")
    person = made(email=["a@x.co"], **dict.fromkeys(("first_name", "last_name", "home_city"), "1"))
    sets = ChangeSet.objects.bulk_create(
        ChangeSet(kind="import", when=timezone.now(), source=f"import {n}") for n in range(1_000)
    )
    ImportJob.objects.bulk_create(ImportJob(name=f"May {one.pk}", file_name="f", change_set=one) for one in sets)
    Change.objects.bulk_create(
        Change(profile=person, change_set=one, outcome="updated", changes={"home_city": ["0", "1"]}) for one in sets
    )
    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = admin.get(address(person))
    assert len(queries) <= 15
    assert len(page.context["history"]) == 20
    assert "1 of 51" in " ".join(page.content.decode().split())
    page = admin.get(address(person), {"history": "51"})
    assert page.context["history"][-1].outcome == "created"
    with CaptureQueriesContext(connection) as queries:
        admin.get(address(person, "delete"))
    assert len(queries) <= 15
