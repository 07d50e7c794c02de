"""The list of people: search, filters, pages, counts (requirements section 17)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from imports.admin.people_filter import people_url
from imports.models import ImportJob
from profiles.attributes import filter_index
from profiles.models import Attribute, Profile, load_schema
from profiles.search import listing, query_builder
from profiles.search.conditions import AttributeCondition, Operator, Outcome
from tests.admin.screens import check, finish, log_in, press, upload

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

PEOPLE = "admin:profiles_profile_changelist"

KNOWN = b"""email,phone,first_name,plan,score,joined,labels,dob,vip
ann@x.co,+447700900123,Ann,gold,1,2026-05-04,Acme,1990-05-04,true
ben@x.co,,Ben,silver,20,2026-05-05,Bolt,1980-01-01,false
cy@x.co,,Cy,100%_off,3.5,,,,
"""


@pytest.fixture
def admin() -> Client:
    return log_in("Admin")


def imported(client: Client, content: bytes = KNOWN, name: str = "", **values: str) -> ImportJob:
    """An import of this file that has run."""
    upload(client, content, **({"name": name} if name else {}))
    job = ImportJob.objects.latest("pk")
    check(client, job, **values)
    press(client, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == "completed", job.reason
    return job


def look(client: Client, *pairs: tuple[str, str], **sent: str):
    return client.get(f"{reverse(PEOPLE)}?{urlencode([*pairs, *sent.items()])}", follow=True)


def names(response) -> list[str]:
    """Who is listed, by what they are called or by their first identifier."""
    return sorted(line.name or line.identifiers[0] for line in response.context["lines"])


def where(client: Client, attribute: str, operator: str, value: str = "") -> list[str]:
    return names(look(client, attribute=attribute, operator=operator, value=value))


def told(response) -> str:
    """What the page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(response.content.decode())).split())


def test_a_property_marks_a_set_of_people(admin: Client):
    imported(admin)
    imported(admin, b"email,user_set_1\nann@x.co,1\nben@x.co,\n")
    assert where(admin, "user_set_1", "exists") == ["Ann"]
    assert where(admin, "user_set_1", "equals", "1") == ["Ann"], "stored as a number (SG-02)"
    assert where(admin, "user_set_1", "missing") == ["Ben", "Cy"]


COMPARISONS = [
    ("plan", "equals", "gold", ["Ann"]),
    ("plan", "equals", "Gold", []),
    ("plan", "contains", "OL", ["Ann"]),
    ("plan", "contains", "%_", ["Cy"]),
    ("first_name", "contains", "n", ["Ann", "Ben"]),
    ("score", "greater", "3", ["Ben", "Cy"]),
    ("score", "less", "3.5", ["Ann"]),
    ("score", "equals", "20.0", ["Ben"]),
    ("vip", "equals", "TRUE", ["Ann"]),
    ("joined", "before", "2026-05-05", ["Ann"]),
    ("joined", "after", "2026-05-04", ["Ben"]),
    ("joined", "after", "2026-05-05", []),
    ("joined", "after", "9999-12-31", []),
    ("joined", "before", "0001-01-01", []),
    ("labels", "equals", "Acme", ["Ann"]),
    ("labels", "contains", "OL", ["Ben"]),
    ("labels", "contains", '"', []),
    ("labels", "exists", "", ["Ann", "Ben"]),
    ("email", "equals", " ANN@x.co ", ["Ann"]),
    ("email", "contains", "@x", ["Ann", "Ben", "Cy"]),
    ("phone", "equals", "+44 7700 900123", ["Ann"]),
]


def test_values_are_compared(admin: Client):
    imported(admin)
    for attribute, operator, value, found in COMPARISONS:
        assert where(admin, attribute, operator, value) == found, (attribute, operator, value)


NO_VALUES = [
    ("score", "greater", "many", "score: Invalid number"),
    ("score", "equals", "many", "score: Invalid number"),
    ("plan", "greater", "3", "compare numbers; this attribute holds text"),
    ("plan", "before", "2026-05-04", "compare dates; this attribute holds text"),
    ("joined", "before", "soon", "joined: Invalid date: YYYY-MM-DD expected."),
    ("phone", "equals", "none", "Phone Number: "),
    ("vip", "equals", "Yes", "vip: Invalid boolean: true or false expected."),
    ("plan", "equals", "", "Enter a value to compare with"),
    ("gone", "exists", "", "There is no such attribute any more; remove this filter."),
]


def test_a_value_that_is_none_is_told_beside_its_field(admin: Client):
    imported(admin)
    for attribute, operator, value, sentence in NO_VALUES:
        page = look(admin, attribute=attribute, operator=operator, value=value)
        assert page.status_code == 200
        assert sentence in told(page)
        assert page.context["rows_of_form"][0].problems
        assert page.context["lines"] == []
        assert "No one matches" not in told(page)


def test_filters_and_search_combine(admin: Client):
    imported(admin)
    second = imported(admin, b"email,plan\nben@x.co,\ndee@x.co,gold\n")
    gold = [("attribute", "plan"), ("operator", "equals"), ("value", "gold")]
    assert names(look(admin, *gold)) == ["Ann", "dee@x.co"]
    both = [*gold, ("import", str(second.pk))]
    assert names(look(admin, *both)) == ["dee@x.co"]
    assert names(look(admin, *both, ("q", "DEE@x.co"))) == ["dee@x.co"]
    assert names(look(admin, *both, ("q", "ann@x.co"))) == []
    page = look(admin, *gold, ("attribute", "score"), ("operator", "less"), ("value", "3"), ("has", "phone"))
    assert names(page) == ["Ann"]
    assert [chip.text for chip in page.context["chips"]] == ["plan is gold", "score is less than 3", "Has Phone Number"]
    without = admin.get(reverse(PEOPLE) + page.context["chips"][0].remove)
    assert [chip.text for chip in without.context["chips"]] == ["score is less than 3", "Has Phone Number"]


SEARCHED = ["ann@x.co", " ANN@X.CO ", "+44 7700 900123", "447700900123", "E1", "nick: a", " crm:8: nick: a"]


def test_search_finds_by_any_identifier_as_matching_does(admin: Client):
    imported(admin)
    imported(admin, b"external_id,email\nE1,ann@x.co\n", identifier="email")
    Profile.objects.filter(attributes__first_name="Ben").update(alias_label="crm:8", alias_name="nick: a")
    for text in SEARCHED:
        assert names(look(admin, q=text)) == (["Ben"] if "nick" in text else ["Ann"]), text
    person = Profile.objects.get(external_id="E1")
    assert names(look(admin, q=person.object_id)) == ["Ann"]


def test_a_short_number_that_a_file_of_digits_may_have_is_found(admin: Client):
    imported(admin, b"phone,first_name\n123 45,Ann\n", identifier="phone", phone_format="digits")
    assert names(look(admin, q="12345")) == ["Ann"]
    assert where(admin, "phone", "equals", "1 2345") == ["Ann"]


def test_a_day_finds_the_moments_of_that_day(admin: Client):
    imported(admin, b"email,first_name,seen\na@x.co,Ann,2026-05-04T10:00:00Z\nb@x.co,Ben,2026-05-05T00:00:00Z\n")
    assert Attribute.objects.get(key="seen").type == "datetime"
    assert where(admin, "seen", "equals", "2026-05-04") == ["Ann"]
    assert where(admin, "seen", "equals", "2026-05-05 ") == ["Ben"]
    assert where(admin, "seen", "equals", "2026-05-05T00:00:00Z") == ["Ben"]


PARTS = ["ann", "ann@", "Ann", "%", "'", "\0", "x" * 5_000, "E"]


def test_a_part_of_an_identifier_finds_nobody_and_says_what_can_be_searched(admin: Client):
    imported(admin)
    for text in PARTS:
        page = look(admin, q=text)
        assert page.status_code == 200
        assert names(page) == []
        assert "Search finds whole identifiers only: External ID, Object ID, alias, Email" in told(page)


def test_the_people_of_an_import_are_those_imported_and_updated(admin: Client):
    imported(admin)
    job = imported(admin, b"email,plan\nann@x.co,x\neve@x.co,y\nnot an address,z\n", name="Halloween season fun")
    assert names(look(admin, import_name="Halloween season fun")) == ["Ann", "eve@x.co"]
    assert names(look(admin, import_name="Halloween season fun", outcome="imported")) == ["eve@x.co"]
    assert names(admin.get(people_url(job, Outcome.UPDATED))) == ["Ann"]
    assert names(admin.get(people_url(job))) == ["Ann", "eve@x.co"]
    ignored = imported(admin, b"email,plan\nann@x.co,x\nfay@x.co,y\n", action="ignore")
    assert names(admin.get(people_url(ignored))) == ["fay@x.co"]


def test_the_name_of_an_import_is_its_whole_name_letter_for_letter(admin: Client):
    imported(admin, name="Halloween season fun")
    for name in ("halloween season fun", "Halloween", "Halloween season fun!", "#1", "a, #1", "9" * 30, "\0"):
        page = look(admin, import_name=name)
        assert "Enter the whole name, in the same case." in told(page)
        assert names(page) == []


def test_imports_of_one_name_are_told_apart_by_date_and_number(admin: Client):
    first, second = imported(admin, name="May"), imported(admin, b"email\nzed@x.co\n", name="May")
    today = timezone.localdate()
    labels = [f"May, {today.day} {today:%B %Y}, #{job.pk}" for job in (second, first)]
    page = look(admin, import_name="May")
    assert page.context["recent"] == labels
    assert "2 imports have this name. Choose one of them." in told(page)
    assert [label for label, _ in page.context["same_name"]] == labels
    assert names(admin.get(reverse(PEOPLE) + page.context["same_name"][0][1])) == ["zed@x.co"]
    (_, address), _ = look(admin, import_name="May", outcome="imported", has="phone").context["same_name"]
    assert names(admin.get(reverse(PEOPLE) + address)) == [], "what else was asked for stays"
    page = look(admin, import_name=labels[1])
    assert names(page) == ["Ann", "Ben", "Cy"]
    assert page.request["QUERY_STRING"] == f"import={first.pk}", "an address to share"


def test_an_import_that_is_not_for_targeting_is_not_offered(admin: Client):
    job = imported(admin, name="Secret")
    ImportJob.objects.update(targeting=ImportJob.Targeting.NONE)
    page = look(admin, import_name="Secret")
    assert page.context["recent"] == []
    assert names(page) == []
    assert len(names(admin.get(people_url(job)))) == 3, "its own page may still show its people"


def test_an_import_that_is_gone_is_told(admin: Client):
    for number in ("12345", "x", "-1", "9" * 30, "٣"):
        page = look(admin, ("import", number))
        assert "This import no longer exists; remove this filter." in told(page)


def test_an_import_that_has_not_begun_has_no_people_yet(admin: Client):
    upload(admin)
    assert "has not started" in told(admin.get(people_url(ImportJob.objects.get())))


def test_birthdays_days_and_channels(admin: Client):  # SG-11
    today = timezone.localdate()
    born = f"1984-{today:%m-%d}" if (today.month, today.day) != (2, 29) else "1984-02-29"
    imported(admin, f"email,dob,telegram\na@x.co,{born},t\nb@x.co,{today - timedelta(days=9)},\n".encode())
    assert names(look(admin, birthday="today")) == ["a@x.co"]
    assert names(look(admin, has="telegram")) == ["a@x.co"]
    assert names(look(admin, has="external_id")) == []
    for moment in ("created", "updated"):
        counts = [
            len(names(look(admin, (moment, str(today)), (f"{moment}_when", when))))
            for when in ("on", "before", "after")
        ]
        assert counts == [2, 0, 0]
    yesterday = str(today - timedelta(days=1))
    assert len(names(look(admin, created=yesterday, created_when="after"))) == 2


def test_days_are_those_of_the_current_time_zone(admin: Client, settings):
    settings.TIME_ZONE = "Pacific/Auckland"
    imported(admin, b"email,seen_at\na@x.co,2026-05-04T11:30:00Z\nb@x.co,2026-05-04T12:30:00Z\n")
    assert where(admin, "seen_at", "before", "2026-05-05") == ["a@x.co"]
    assert where(admin, "seen_at", "after", "2026-05-04") == ["b@x.co"]
    assert where(admin, "seen_at", "after", "2026-05-04T12:00:00Z") == ["b@x.co"]
    assert where(admin, "seen_at", "after", "2026-05-04T12:30:00Z") == []
    for day in ("9999-12-31", "0001-01-01"):
        assert "between the years" in told(look(admin, attribute="seen_at", operator="before", value=day))


def test_each_person_shows_what_they_are_found_by_and_their_last_import(admin: Client):
    imported(admin)
    last = imported(admin, b"email,plan\nann@x.co,new\n", name="Last of all")
    page = look(admin, ("show", "plan"), ("show", "score"))
    ann = next(line for line in page.context["lines"] if line.name == "Ann")
    assert ann.identifiers == ["ann@x.co", "+447700900123"]
    assert page.context["columns"] == ["plan", "score"]
    assert ann.cells == ["gold", 1]
    assert (ann.source.name, ann.source.link) == (
        "Last of all",
        reverse("admin:imports_importjob_change", args=[last.pk]),
    )
    assert ann.address == reverse(
        "admin:profiles_profile_change", args=[Profile.objects.get(attributes__first_name="Ann").pk]
    )
    ImportJob.objects.filter(pk=last.pk).delete()
    ann = next(line for line in look(admin).context["lines"] if line.name == "Ann")
    assert (ann.source.name, ann.source.link) == (f"import {last.pk}: Last of all", "")


def test_what_the_form_sends_becomes_a_short_address(admin: Client):
    imported(admin)
    blank = [("attribute", ""), ("operator", "equals"), ("value", "")]
    sent = [
        ("q", ""),
        ("import_name", ""),
        ("outcome", "imported"),
        *blank,
        ("attribute", "plan"),
        ("operator", "equals"),
    ]
    sent += [
        ("value", "gold"),
        ("has", ""),
        ("created", ""),
        ("created_when", "on"),
        ("show", "home_city"),
        ("show", ""),
    ]
    page = look(admin, *sent)
    assert page.redirect_chain == [("?attribute=plan&operator=equals&value=gold", 302)]
    assert names(page) == ["Ann"]


def test_the_form_keeps_the_filters_that_it_cannot_show(admin: Client):
    """Two channels, more conditions than rows: sent again as the page has them, all of them still hold."""
    imported(admin)
    conditions = [
        ("plan", "contains", letter) for letter in ("g", "o", "l", "d", "go", "ol", "ld", "gol", "old", "gold")
    ]
    conditions += [("first_name", "contains", "A"), ("score", "less", "2")]
    asked = [pair for row in conditions for pair in zip(("attribute", "operator", "value"), row, strict=True)]
    page = look(admin, *asked, ("has", "email"), ("has", "phone"))
    assert names(page) == ["Ann"]
    assert len(page.context["rows_of_form"]) == 11, "ten, and a blank one"
    again = look(admin, *_as_sent(page.content.decode()))
    assert sorted(again.context["query"].conditions, key=str) == sorted(page.context["query"].conditions, key=str)
    assert names(again) == ["Ann"]


def _as_sent(page: str) -> list[tuple[str, str]]:
    """What a browser sends when the form is sent as it is."""
    form = page[page.index('<form id="people-form"') :]
    sent, select = [], ""
    for tag in re.findall(r"<(?:input|select|option)[^>]*>", form[: form.index("</form>")]):
        name, value = (re.search(rf'{what}="([^"]*)"', tag) for what in ("name", "value"))
        if tag.startswith("<select"):
            select = name[1] if name else ""
            sent.append((select, ""))
        elif tag.startswith("<option"):
            if " selected" in tag:
                sent[-1] = (select, unescape(value[1]) if value else "on")
        elif name and 'type="checkbox"' not in tag:
            sent.append((name[1], unescape(value[1]) if value else ""))
    return sent


def test_what_is_said_where_nobody_is_listed(admin: Client):
    assert "No people yet. Import people from a file" in told(look(admin))
    imported(admin)
    assert "No one matches; remove a filter." in told(look(admin, has="viber"))
    assert "There are no longer any people on page 7. Go to the first page" in told(look(admin, p="7"))


def test_pages_and_counts_of_many_people(admin: Client, monkeypatch: pytest.MonkeyPatch):
    imported(
        admin, b"email,plan\n" + b"".join(b"p%03d@x.co,%s\n" % (n, b"gold" if n % 5 else b"free") for n in range(250))
    )
    first = look(admin)
    assert "250 people" in told(first)
    assert [link.number for link in first.context["pages"]] == [1, 2, 3]
    pages = [names(look(admin, p=str(number))) for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 100, 50]
    assert len({name for page in pages for name in page}) == 250
    assert look(admin, p="3").context["next"] == ""
    monkeypatch.setattr(listing, "CHEAP_COST", -1)  # as in a table of a million
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE profiles_profile")
    assert "About 2" in told(look(admin))
    gold = {"attribute": "plan", "operator": "equals", "value": "gold"}
    assert "More than 100 people Count exactly" in told(look(admin, **gold))
    assert "200 people" in told(look(admin, **gold, count="exact"))
    assert "200 people" in told(look(admin, **gold, p="2"))


def test_a_page_that_is_none_is_the_first(admin: Client):
    imported(admin)
    for page in ("0", "-1", "x", "٣", "9" * 50, "1.5", ""):
        assert len(names(look(admin, p=page))) == 3


def test_a_search_is_ended_at_the_time_limit(admin: Client, settings):
    imported(admin)
    settings.IMPORTS_FILTER_SECONDS = 1
    gold = {"attribute": "plan", "operator": "equals", "value": "gold"}
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; LOCK TABLE profiles_profile")
        text = told(look(admin, **gold))
        assert "The search was stopped after 1 second, before it had covered all people." in text
        assert "Mark “ plan ” as filterable in the list of attributes, or add a narrower filter" in text
        assert "Add a narrower filter" in told(look(admin, has="email"))
    finally:
        other.close()
    assert names(look(admin, **gold)) == ["Ann"], "nothing is left of the limit"
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_list_needs_few_queries(admin: Client):
    jobs = [
        imported(admin, b"email,plan\n" + b"".join(b"q%d@x.co,%d\n" % (n, turn) for n in range(130)))
        for turn in range(3)
    ]
    plan = [
        ("attribute", "plan"),
        ("operator", "greater"),
        ("value", "0"),
        ("attribute", "plan"),
        ("operator", "exists"),
        ("value", ""),
    ]
    for pairs in (
        [],
        plan,
        [("has", "email")],
        [("q", "q1@x.co")],
        [("import", str(jobs[0].pk)), *plan, ("has", "email"), ("q", "q1@x.co"), ("count", "exact")],
    ):
        address = f"{reverse(PEOPLE)}?{urlencode(pairs)}"
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(address).status_code == 200
        assert len(queries) <= 15, [query["sql"][:80] for query in queries]


def test_the_three_roles_see_people():
    for role in ("Admin", "Creator", "Approver"):
        client = log_in(role)
        assert look(client).status_code == 200
        assert reverse(PEOPLE) in client.get(reverse("admin:index")).content.decode()


def test_others_see_people_only_with_the_permission_to():
    reader, nobody = log_in(name="reader"), log_in(name="nobody")
    get_user_model().objects.get(username="reader").user_permissions.add(
        Permission.objects.get(codename="view_profile")
    )
    imported(log_in("Admin"), name="May leads")
    page = look(reader)
    assert page.status_code == 200
    assert {(line.source.name, line.source.link) for line in page.context["lines"]} == {("May leads", "")}
    assert reverse("admin:profiles_profile_import") not in page.content.decode()
    assert look(nobody).status_code == 403
    assert look(nobody, q="ann@x.co").status_code == 403
    assert "/login/" in Client().get(reverse(PEOPLE))["Location"]
    assert "/login/" in log_in("Admin", name="outside", is_staff=False).get(reverse(PEOPLE))["Location"]


def test_hostile_contents_are_shown_harmlessly(admin: Client):
    header = ",".join(f"k{n}" for n in range(200))
    hostile = '"<script>alert(1)</script>",' + ",".join(["=1+1"] * 200)
    content = f"email,first_name,{header}\nh@x.co,{hostile}\nr@x.co,مريم{',' * 200}\n".encode()
    imported(admin, content, name="<b>x</b>")
    long = {
        "name": "n" * 10_000,
        "home_city": "<img src=x onerror=alert(2)>" * 400,
        "email": [f"{n}@x.co" for n in range(50)],
    }
    Profile.objects.filter(attributes__first_name__startswith="م").update(attributes=long)
    page = look(
        admin, ("show", "home_city"), ("show", "k1"), ("attribute", "k1"), ("operator", "exists"), ("value", "")
    )
    assert names(page) == ["<script>alert(1)</script>"]
    for shown in (
        page,
        look(admin),
        look(admin, import_name="<script>"),
        look(admin, q="<script>"),
        look(admin, has="<script>"),
    ):
        text = shown.content.decode()
        for mark in ("<script>alert", "<img src=x", "<b>x</b>", '<script>"', "n" * 100):
            assert mark not in text
        assert shown.status_code == 200
    assert "46 more" in told(look(admin))


# --- an index for an attribute ------------------------------------------------------------------


@pytest.fixture
def attribute(admin: Client) -> Iterator[Attribute]:
    imported(admin)
    plan = Attribute.objects.get(key="plan")
    yield plan
    plan.filterable = False
    plan.save()
    filter_index.update_index(plan.pk)


def plan_of(key: str, operator: Operator, value: str) -> str:
    people = query_builder.find_people([AttributeCondition(key, operator, value)], load_schema())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return people.explain()


def test_an_attribute_marked_filterable_gets_an_index_that_is_used(attribute: Attribute):
    for key in ("plan", "it's", 'a"b', "50%", "%s", "back\\slash", "ключ", "); DROP TABLE x; --"):
        Attribute.objects.filter(pk=attribute.pk).update(key=key, filterable=True)
        assert filter_index.update_index(attribute.pk)
        assert filter_index.update_index(attribute.pk), "again"
        for operator, value in ((Operator.EQUALS, "gold"), (Operator.EQUALS, "x" * 300), (Operator.EXISTS, "")):
            assert f"filter_{attribute.pk}" in plan_of(key, operator, value)
    Attribute.objects.filter(pk=attribute.pk).update(filterable=False)
    assert not filter_index.update_index(attribute.pk)
    assert f"filter_{attribute.pk}" not in plan_of(key, Operator.EQUALS, "gold")


def test_an_index_follows_the_type_of_its_attribute(attribute: Attribute):
    Attribute.objects.filter(pk=attribute.pk).update(filterable=True)
    filter_index.update_index(attribute.pk)
    for type_, multi_valued, operator, value in (
        ("integer", False, Operator.GREATER, "3"),
        ("number", False, Operator.EQUALS, "3"),
        ("date", False, Operator.BEFORE, "2026-05-04"),
        ("text", True, Operator.EQUALS, "gold"),
    ):
        Attribute.objects.filter(pk=attribute.pk).update(type=type_, multi_valued=multi_valued)
        assert filter_index.update_index(attribute.pk)
        assert f"filter_{attribute.pk}" in plan_of("plan", operator, value)


def test_a_value_too_long_for_an_index_is_written_and_found(attribute: Attribute, admin: Client):
    Attribute.objects.filter(pk=attribute.pk).update(filterable=True)
    filter_index.update_index(attribute.pk)
    person = Profile.objects.get(attributes__first_name="Ann")
    for text in ("x" * 9_000, "x" * 99 + "y", "x" * 100 + "y"):
        person.attributes["plan"] = text
        person.save()
        assert where(admin, "plan", "equals", text) == ["Ann"]
        assert where(admin, "plan", "equals", text + "z") == []


def test_an_index_is_not_made_inside_a_transaction(attribute: Attribute):
    with transaction.atomic(), pytest.raises(ImproperlyConfigured):
        filter_index.update_index(attribute.pk)


def test_the_index_of_an_attribute_that_is_gone_goes(attribute: Attribute):
    Attribute.objects.filter(pk=attribute.pk).update(filterable=True)
    filter_index.update_index(attribute.pk)
    pk = attribute.pk
    Attribute.objects.filter(pk=pk).delete()
    assert not filter_index.update_index(pk)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"filter_{pk}"])
        assert cursor.fetchone() == (None,)
    Attribute.objects.create(pk=pk, key="plan", label="plan", type="text")


def test_an_attribute_unmarked_while_its_index_is_made_has_none_in_the_end(attribute: Attribute):
    def elsewhere(act: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return act(*arguments)
        finally:
            connections.close_all()

    name, others = f"filter_{attribute.pk}", ThreadPoolExecutor(2)
    Attribute.objects.filter(pk=attribute.pk).update(filterable=True)
    with others:
        with transaction.atomic():
            Profile.objects.filter(external_id="nobody").update(external_id=None)  # what making an index waits for
            making = others.submit(elsewhere, filter_index.update_index, attribute.pk)
            while not others.submit(elsewhere, filter_index._is_being_created, name).result():
                time.sleep(0.01)
            unmarked = Attribute.objects.filter(pk=attribute.pk)
            others.submit(elsewhere, partial(unmarked.update, filterable=False)).result()
            assert not others.submit(elsewhere, filter_index.update_index, attribute.pk).result(), "another makes it"
        assert not making.result()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [name])
        assert cursor.fetchone() == (None,)
