"""Addresses of the list of people that nobody means well by: told, or harmless; never an error of the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from operator import or_
from typing import Any

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from profiles.models import Attribute, Profile, load_schema
from profiles.schema import Schema
from profiles.search import query_builder
from profiles.search.condition_parameters import from_parameters
from profiles.search.conditions import InvalidCondition, Operator
from tests.admin.screens import log_in
from tests.admin.test_people_list import PEOPLE, _as_sent, imported, look, names, told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

CONTENT = b"""email,phone,first_name,score,half,joined,seen,dob,country,vip,labels
ann@x.co,+447700900123,Ann,9223372036854775807,0.5,2026-05-04,2026-05-04T10:00:00Z,1990-05-04,GB,true,Acme
"""

TEXTS = [
    "\0",
    "a\0b",
    "\u202egnp.exe",
    "x" * 10_000,
    "%",
    "_",
    "\\",
    "'",
    '"',
    "' OR 1=1 --",
    "🥇",
    "<script>alert(1)</script>",
    "{}",
    "[1]",
    "null",
    "\ud7ff\uffff",
    " ",
]
NUMBERS = ["9223372036854775808", "-9223372036854775809", "1" + "0" * 5_000, "1e308", "1e400", "-1e400", "nan", "inf"]
NUMBERS += ["٣", "1_000", "0x10", "1.", ".5", "--1", "+-1", "1e-400", "1e99999999999"]
MOMENTS = ["2026-02-30", "2026-13-01", "0000-01-01", "9999-12-31", "10000-01-01", "-1-01-01", "20260504", "2026-W01-1"]
MOMENTS += [
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-05-04T25:00:00Z",
    "2026-05-04T10:00",
    "٢٠٢٦-٠٥-٠٤",
]

KEYS = ["email", "phone", "first_name", "score", "half", "joined", "seen", "dob", "country", "vip", "labels"]


@pytest.fixture
def admin() -> Client:
    client = log_in("Admin")
    imported(client, CONTENT)
    return client


def test_any_value_with_any_comparison_is_told_or_can_be_asked_for(admin: Client):
    Attribute.objects.filter(key="labels").update(multi_valued=True)
    Profile.objects.update(attributes=Profile.objects.get().attributes | {"labels": ["Acme", 3, True]})
    schema, asked = load_schema(), 0
    for key in KEYS:
        for operator in Operator:
            sound = [test for value in [*TEXTS, *NUMBERS, *MOMENTS] for test in _tests(key, operator, value, schema)]
            either = reduce(or_, map(Q, sound), Q(pk__in=[]))
            asked += len(sound)
            assert Profile.objects.filter(either).count() in (0, 1), (key, operator)
    assert asked > 1_000


def _tests(key: str, operator: Operator, value: str, schema: Schema) -> Iterator[Any]:
    found, _ = from_parameters({"attribute": [key], "operator": [operator], "value": [value]})
    for condition in found:
        with suppress(InvalidCondition):
            yield query_builder.condition_filter(condition, schema)


def _rows(rows: list[tuple[str, str, str]]) -> list[tuple[str, str]]:
    return [pair for row in rows for pair in zip(("attribute", "operator", "value"), row, strict=True)]


NAMES = ["q", "p", "count", "has", "reach", "birthday", "created", "created_when", "updated", "import", "import_name"]
NAMES += ["outcome", "segment", "segment_name", "group", "group_state", "group_name", "show", "attribute", "operator"]


def test_any_text_in_any_parameter_is_answered(admin: Client):
    for name in [*NAMES, "value", "unknown"]:
        for text in ("\0", "9" * 5_000, "<script>alert(1)</script>"):
            page = look(admin, (name, text), (name, text[:1]), ("p", "2"))
            assert page.status_code == 200, (name, text)
            assert "<script>alert" not in page.content.decode()


def test_the_page_after_the_last_of_a_search_that_finds_nobody_says_so(admin: Client):
    for text in ("\0", "x" * 5_000, "nobody"):
        assert "There are no longer any people on page 2." in told(look(admin, q=text, p="2")), text


def test_the_form_keeps_two_channels_of_reach(admin: Client):
    page = look(admin, ("reach", "email"), ("reach", "sms"))
    again = look(admin, *_as_sent(page.content.decode()))
    assert {chip.text for chip in again.context["chips"]} == {"Reachable on E-mail", "Reachable on SMS"}


def test_of_a_day_that_is_given_twice_the_form_shows_the_one_that_counts(admin: Client):
    page = look(admin, ("created", "2026-05-04"), ("created", "soon"))
    assert page.context["days"][0].day == "soon"
    assert "Enter a date, such as" in page.context["days"][0].problem


def test_people_with_an_alias_are_found(admin: Client):
    Profile.objects.update(alias_label="crm", alias_name="1")
    page = look(admin, has="alias")
    assert names(page) == ["Ann"]
    assert [chip.text for chip in page.context["chips"]] == ["Has Alias"]
    assert ("alias", "Alias", True) in page.context["kinds"]
    Profile.objects.update(alias_label=None, alias_name=None)
    assert names(look(admin, has="alias")) == []


def test_an_address_of_many_filters_needs_few_queries(admin: Client):
    for pairs in (
        _rows([("first_name", "contains", str(n)) for n in range(250)]),
        [("segment", str(n)) for n in range(1, 300)],
        [("segment_name", f"none {n}") for n in range(300)],
        [("has", "email"), ("has", "phone"), ("reach", "email"), ("reach", "sms"), ("reach", "push")],
    ):
        with CaptureQueriesContext(connection) as queries:
            assert look(admin, *pairs).status_code == 200
        assert len(queries) <= 15


def test_every_filter_asks_for_the_right_to_see_people():
    outside = log_in()
    for query in ("has=alias", "group=x", "reach=email", "segment=1", "attribute=email&operator=exists&value="):
        assert outside.get(f"{reverse(PEOPLE)}?{query}").status_code == 403
