"""People filtered by the subscription groups they are in, and the page of a group (SB-09, section 17)."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from profiles.attributes import usage
from profiles.models import Profile, Segment, SubscriptionGroup
from profiles.writing import edit
from tests.admin.screens import log_in
from tests.admin.test_people_list import _as_sent, look, names, told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


def made(external_id: str, **values: Any) -> None:
    edit.create({"external_id": external_id, **values}, None, shared=True)


@pytest.fixture
def admin() -> Client:
    """The admin of a site with two groups: Ann is in the first, Ben left it, nothing is known of Cy."""
    SubscriptionGroup.objects.create(group_id="news-1", name="Newsletter", channel="email")
    SubscriptionGroup.objects.create(group_id="texts", name="texts")
    made("ann", **{"group:news-1": "subscribed", "group:texts": "subscribed"})
    made("ben", **{"group:news-1": "unsubscribed", "group:texts": "subscribed"})
    made("cy")
    return log_in("Admin")


def page_of(group_id: str, query: str = "") -> str:
    group = SubscriptionGroup.objects.get(group_id=group_id)
    return reverse("admin:profiles_subscriptiongroup_change", args=[group.pk]) + query


def chips(page: Any) -> list[str]:
    return [chip.text.replace(f"#{SubscriptionGroup.objects.all()[0].pk}", "#1") for chip in page.context["chips"]]


def test_people_are_found_by_whether_they_are_in_a_group(admin: Client):
    for state, found, said in (
        ("subscribed", ["ann"], "Subscribed to"),
        ("unsubscribed", ["ben"], "Unsubscribed from"),
        ("neither", ["cy"], "Neither subscribed to nor unsubscribed from"),
    ):
        page = look(admin, group_name="Newsletter", group_name_state=state)
        assert names(page) == found
        assert chips(page) == [f"{said} Newsletter (E-mail), #1"]
        assert page.request["QUERY_STRING"] == f"group=news-1&group_state={state}", "an address to share"
    assert names(look(admin, group="news-1")) == ["ann"], "that somebody is in it, if nothing else is said"


def test_a_group_is_typed_by_its_name_or_its_id_or_as_it_is_offered(admin: Client):
    number = SubscriptionGroup.objects.get(group_id="news-1").pk
    for text in ("Newsletter", " news-1 ", f"Newsletter (E-mail), #{number}"):
        assert names(look(admin, group_name=text)) == ["ann"], text


def test_groups_combine_with_each_other_and_the_form_keeps_them(admin: Client):
    both = [("group_name", "texts"), ("group_name_state", "subscribed")]
    both += [("group_name", "news-1"), ("group_name_state", "unsubscribed")]
    page = look(admin, *both, ("has", "external_id"))
    assert names(page) == ["ben"]
    again = look(admin, *_as_sent(page.content.decode()))
    assert again.request["QUERY_STRING"] == page.request["QUERY_STRING"]
    without = admin.get(reverse("admin:profiles_profile_changelist") + page.context["chips"][2].remove)
    assert names(without) == ["ann", "ben"]


def test_part_of_a_name_offers_the_groups_that_have_it(admin: Client):
    page = look(admin, ("group_name", "LETTER"), ("group_name_state", "unsubscribed"), ("has", "external_id"))
    assert "Group: No subscription group has exactly this name or ID" in told(page)
    assert names(page) == []
    ((label, where),) = page.context["group_fields"][0][1]
    assert label.startswith("Newsletter (E-mail), #")
    assert where == "?has=external_id&group=news-1&group_state=unsubscribed", "the other filters stay"
    assert look(admin, group_name="cricket").context["group_fields"][0][1] == []


def test_groups_of_one_name_are_told_apart(admin: Client):
    SubscriptionGroup.objects.create(group_id="news-2", name="Newsletter", channel="sms")
    page = look(admin, group_name="Newsletter")
    assert "2 subscription groups have this name. Choose one of them." in told(page)
    labels = [label for label, _ in page.context["group_fields"][0][1]]
    assert [label.partition(", #")[0] for label in labels] == ["Newsletter (E-mail)", "Newsletter (SMS)"]
    assert names(look(admin, group_name=labels[0])) == ["ann"]


def test_a_group_in_a_segment_is_told_by_its_name_of_today_and_by_its_id_when_it_is_gone(admin: Client):
    page = look(admin, group="news-1", group_state="subscribed")
    admin.post(page.context["save_address"], {"name": "Readers"})
    segment = Segment.objects.get()
    assert segment.conditions == [{"is": "group", "group": "news-1", "state": "subscribed"}]
    where = reverse("admin:profiles_segment_changelist")
    SubscriptionGroup.objects.filter(group_id="news-1").update(name="Weekly")
    assert "Subscribed to Weekly (E-mail), #" in told(admin.get(where))
    SubscriptionGroup.objects.filter(group_id="news-1").delete()
    assert "Subscribed to news-1" in told(admin.get(where))
    assert names(look(admin, segment=str(segment.pk))) == ["ann"], "what people said is kept with them"
    page = look(admin, group="news-1")
    assert names(look(admin, *_as_sent(page.content.decode()))) == ["ann"], "the form keeps what it cannot name"


HOSTILE = ["\0", "a\0b", "%", "'", '"', "\\", "\u202egnp.exe", "🥇" * 80, "x" * 10_000, "<script>"]
HOSTILE += [", #1", "a, #" + "9" * 18]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_group_is_told_or_finds_nobody(admin: Client, text: str):
    typed, asked = look(admin, group_name=text), look(admin, group=text)
    assert (typed.status_code, asked.status_code) == (200, 200)
    assert names(typed) == names(asked) == []
    assert "There is a problem" in told(typed)
    assert "<script>" not in typed.content.decode().partition('<form id="people-form"')[2].partition("</form>")[0]


def test_a_state_that_is_none_is_told(admin: Client):
    for sent in ({"group": "news-1", "group_state": "opted_in"}, {"group_name": "texts", "group_name_state": "x"}):
        page = look(admin, **sent)
        assert "Choose one of: subscribed, unsubscribed, neither." in told(page)
        assert names(page) == []


def test_hundreds_of_groups_need_few_queries(admin: Client):
    SubscriptionGroup.objects.bulk_create(SubscriptionGroup(group_id=f"g{n}", name=f"Group {n}") for n in range(1_000))
    typed = [("group_name", f"Group {n}") for n in range(30)] + [("group_name", f"none {n}") for n in range(30)]
    for pairs in ([], typed, [("group", f"g{n}") for n in range(60)]):
        with CaptureQueriesContext(connection) as queries:
            page = look(admin, *pairs)
        assert len(queries) <= 15 * max(1, len(page.redirect_chain) + 1)
    assert names(look(admin, group_name="Group 999")) == []


# --- the page of a group ------------------------------------------------------------------------


def test_the_page_of_a_group_counts_its_people_with_the_way_to_them(admin: Client):
    page = admin.get(page_of("news-1"))
    assert "Subscribed: 1 Show who is subscribed Unsubscribed: 1 Show who is unsubscribed" in told(page)
    for state, found in (("subscribed", "ann"), ("unsubscribed", "ben")):
        where = f"{reverse('admin:profiles_profile_changelist')}?group=news-1&group_state={state}"
        assert where.replace("&", "&amp;") in page.content.decode()
        assert names(admin.get(where)) == [found]
    assert "Subscribed: 2" in told(admin.get(page_of("texts")))


def test_of_many_people_the_page_estimates_and_counts_when_asked(admin: Client, monkeypatch: pytest.MonkeyPatch):
    member = Profile(attributes={"group:texts": "subscribed"}, created=timezone.now(), updated=timezone.now())
    members = [copy(member) for _ in range(2_000)]
    for number, each in enumerate(members):
        each.object_id = f"o{number}"
    Profile.objects.bulk_create(members)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('profiles_profile') / 8192")
        monkeypatch.setattr(usage, "SAMPLED_BLOCKS", cursor.fetchone()[0] // 2)
    said = told(admin.get(page_of("texts")))
    assert "Subscribed: about " in said
    assert "Unsubscribed: few or none" in said
    assert "Count exactly" in said
    said = told(admin.get(page_of("texts", "?count=exactly")))
    assert "Subscribed: 2,002 Show" in said
    assert "Unsubscribed: 0" in said


def test_who_may_not_see_people_gets_no_way_to_them(admin: Client):
    reader = log_in(name="reader")
    user = get_user_model().objects.get(username="reader")
    user.user_permissions.add(Permission.objects.get(codename="view_attribute"))
    page = reader.get(page_of("news-1"))
    assert "Subscribed: 1" in told(page)
    assert reverse("admin:profiles_profile_changelist") not in page.content.decode()


def test_a_group_is_made_and_named_as_before(admin: Client):
    add = reverse("admin:profiles_subscriptiongroup_add")
    assert "People" not in told(admin.get(add)).partition("Channel")[2].partition("Save")[0]
    admin.post(add, {"group_id": "x", "name": "<b>x</b>", "channel": "sms"})
    for where in (page_of("x"), reverse("admin:profiles_subscriptiongroup_changelist")):
        assert "<b>x</b>" not in admin.get(where).content.decode()
    admin.post(page_of("x"), {"name": "Renamed", "channel": ""})
    assert SubscriptionGroup.objects.get(group_id="x").name == "Renamed"
    for text in ("a\0b", "é" * 128, " "):
        assert "Please correct the error" in told(admin.post(add, {"group_id": text, "name": "x", "channel": ""}))
