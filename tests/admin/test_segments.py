"""Segments: saved filters, and what an import leaves behind (SG-03 .. SG-08, SG-12)."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports.engine import steps
from imports.jobs import lifecycle
from imports.jobs.transitions import Actor, Refused, Transition
from imports.models import ImportJob
from imports.states import Step
from profiles.models import Attribute, ChangeSet, Segment
from tests.admin.screens import address, check, finish, log_in, press, upload
from tests.admin.test_people_list import imported, look, names, told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST, ADD = "admin:profiles_segment_changelist", "admin:profiles_segment_add"
GOLD = [("attribute", "plan"), ("operator", "equals"), ("value", "gold")]


@pytest.fixture
def admin() -> Client:
    return log_in("Admin")


def page_of(segment: Segment) -> str:
    return reverse("admin:profiles_segment_change", args=[segment.pk])


def saved(client: Client, name: str, *pairs: tuple[str, str], **sent: str) -> Segment:
    """The filters of the list of people as a segment."""
    answer = client.post(look(client, *pairs, **sent).context["save_address"], {"name": name}, follow=True)
    assert "was saved" in told(answer)
    return Segment.objects.latest("pk")


def test_filters_are_saved_and_the_list_is_narrowed_to_them(admin: Client):
    job = imported(admin)
    imported(admin, b"email,plan\ndee@x.co,gold\n")
    segment = saved(admin, "Gold of the first", *GOLD, ("import", str(job.pk)))
    assert names(look(admin, segment=str(segment.pk))) == ["Ann"]
    assert names(look(admin, segment_name="Gold of the first")) == ["Ann"]
    assert names(look(admin, ("has", "phone"), segment=str(segment.pk))) == ["Ann"]
    assert names(look(admin, ("has", "facebook"), segment=str(segment.pk))) == []
    assert "plan is gold; Imported or updated by “people.csv”" in told(admin.get(reverse(LIST)))


def test_a_segment_of_a_segment_holds_what_that_one_asks_for(admin: Client):
    imported(admin)
    gold = saved(admin, "Gold", *GOLD)
    both = saved(admin, "Gold with a phone", ("has", "phone"), segment=str(gold.pk))
    gold.delete()
    assert names(look(admin, segment=str(both.pk))) == ["Ann"]


def test_several_segments_hold_together_and_the_form_keeps_them(admin: Client):
    imported(admin)
    first, second = saved(admin, "Gold", *GOLD), saved(admin, "Phones", has="phone")
    page = look(admin, ("segment_name", "Gold"), ("segment_name", "Phones"))
    assert page.request["QUERY_STRING"] == f"segment={first.pk}&segment={second.pk}"
    assert names(page) == ["Ann"]
    typed = [field.text for field, _ in page.context["segment_fields"]]
    assert [text.partition(",")[0] for text in typed] == ["Gold", "Phones", ""]
    assert names(look(admin, *(("segment_name", text) for text in typed))) == ["Ann"]


def test_a_name_is_whole_and_segments_of_one_name_are_told_apart(admin: Client):
    imported(admin)
    first, second = saved(admin, "Mine", *GOLD), saved(admin, "Mine", has="phone")
    assert "No segment has exactly this name" in told(look(admin, segment_name="mine"))
    page = look(admin, segment_name="Mine")
    assert "2 segments have this name. Choose one of them." in told(page)
    for segment in (first, second):
        assert f'?segment={segment.pk}"' in page.content.decode()
    page = look(admin, ("has", "phone"), segment_name="Mine")
    assert f'?has=phone&amp;segment={first.pk}"' in page.content.decode(), "the other filters stay"


def test_what_is_no_filter_is_not_saved_and_that_is_told(admin: Client):
    imported(admin)
    for query, sentence in [
        ("", "There are no filters to save."),
        ("?q=ann@x.co&has=email", "A segment cannot contain a search."),
        ("?attribute=gone&operator=exists&value=", "There is no such attribute any more"),
        ("?segment=99999", "This segment no longer exists"),
        ("?import=99999", "This import no longer exists"),
    ]:
        page = admin.post(reverse(ADD) + query, {"name": "x"})
        assert (page.status_code, sentence in told(page)) == (200, True), query
    for name in ("", " ", "a\0b", "x" * 256):
        assert "There is a problem" in told(admin.post(reverse(ADD) + "?has=email", {"name": name}))
    assert not Segment.objects.exists()


def test_a_condition_on_an_attribute_that_is_gone_says_so(admin: Client):
    imported(admin)
    segment = saved(admin, "Gold", *GOLD)
    Attribute.objects.filter(key="plan").delete()
    page = look(admin, segment=str(segment.pk))
    assert "Its filter “plan is gold” is no longer valid. There is no such attribute any more" in told(page)
    assert page.context["lines"] == []
    for where in (reverse(LIST), page_of(segment), f"{page_of(segment)}?count=exactly"):
        assert "There is no such attribute any more" in told(admin.get(where)), where
    assert names(look(admin)) == ["Ann", "Ben", "Cy"]


@pytest.mark.parametrize(
    "stored",
    [
        [],
        {},
        "x",
        [1],
        [{"is": "?"}],
        [{"is": "member"}],
        [{"is": "member", "change_set": 10**30}],
        [{"is": "attribute", "key": 1}],
        [{"is": "attribute", "key": "plan", "operator": "equals", "value": ["gold"]}],
        [{"is": "identifier", "kind": ["email"]}],
        [{"is": "group", "group": 1, "state": "subscribed"}],
        [{"is": "group", "group": "news", "state": "opted_in"}],
        [{"is": "dated", "moment": "created", "when": "on", "day": "0001-01-01"}],
    ],
)
def test_what_was_never_saved_so_finds_nobody_and_says_so(admin: Client, stored: object):
    imported(admin)
    segment = Segment.objects.create(name="Odd", conditions=stored)
    assert "This segment contains nobody." in told(look(admin, segment=str(segment.pk)))
    for where in (reverse(LIST), page_of(segment), f"{page_of(segment)}?count=exactly"):
        assert admin.get(where).status_code == 200


@pytest.mark.parametrize("number", ["x", "-1", "9" * 30, "٣", "1.5", "\0"])
def test_a_segment_that_is_no_number_is_told_and_not_left_out(admin: Client, number: str):
    imported(admin)
    page = look(admin, segment=number)
    assert "This segment no longer exists; remove this filter." in told(page)
    assert names(page) == []
    assert names(admin.get(f"{reverse('admin:profiles_profile_changelist')}{page.context['chips'][0].remove}")) == [
        "Ann",
        "Ben",
        "Cy",
    ]


def test_members_are_counted_on_demand_and_the_name_is_changed(admin: Client):
    imported(admin)
    segment = saved(admin, "Gold", *GOLD)
    assert "Count Show them" in told(admin.get(page_of(segment)))
    assert "1 Show them" in told(admin.get(f"{page_of(segment)}?count=exactly"))
    admin.post(page_of(segment), {"name": "Golden"})
    assert names(look(admin, segment_name="Golden")) == ["Ann"]
    admin.post(reverse("admin:profiles_segment_delete", args=[segment.pk]), {"post": "yes"})
    assert "This segment no longer exists" in told(look(admin, segment=str(segment.pk)))


def test_only_who_may_change_people_saves(admin: Client):
    imported(admin)
    creator = log_in("Creator")
    page = look(creator, *GOLD)
    assert page.context["save_address"] == ""
    assert creator.post(f"{reverse(ADD)}?has=email", {"name": "x"}).status_code == 403


def test_the_lists_need_few_queries_however_many_segments(admin: Client):
    job = imported(admin)
    for number in range(60):
        Segment.objects.create(name=f"S{number}", change_set=job.change_set)
        Segment.objects.create(name=f"C{number}", conditions=[{"is": "identifier", "kind": "email"}])
    some = "&".join(f"segment={pk}" for pk in Segment.objects.values_list("pk", flat=True)[:20])
    for where in (reverse(LIST), f"{reverse('admin:profiles_profile_changelist')}?{some}"):
        admin.get(where)
        with CaptureQueriesContext(connection) as queries:
            assert admin.get(where).status_code == 200
        assert len(queries) <= 15, (where, len(queries))


# --- made by an import --------------------------------------------------------------------------


def waiting(client: Client, targeting: str, name: str = "Summer") -> ImportJob:
    """An import that was started and that nobody works on."""
    upload(client, b"email\nann@x.co\nnone\n", name=name)
    job = ImportJob.objects.latest("pk")
    check(client, job, targeting=targeting)
    press(client, job, "start")
    job.refresh_from_db()
    return job


def test_the_targeting_is_chosen_before_the_check_and_shown_to_who_approves(admin: Client):
    creator = log_in("Creator")
    upload(creator)
    job = ImportJob.objects.latest("pk")
    page = told(creator.get(address("configure", job)))
    for choice in ImportJob.Targeting:
        assert choice.label in page
    check(creator, job, targeting="segment")
    press(creator, job, "submit")
    assert "targeting: Create targeting filter and add to new segment" in told(admin.get(address("change", job)))
    assert "Filter and segment" in told(admin.get(reverse("admin:imports_importjob_changelist")))


def test_a_targeting_that_is_none_of_the_three_is_not_taken(admin: Client):
    upload(admin)
    job = ImportJob.objects.latest("pk")
    admin.post(address("configure", job), {"targeting": "everybody", "save": "1"})
    job.refresh_from_db()
    assert job.targeting == "filter"


@pytest.mark.parametrize(("targeting", "segments"), [("filter", 0), ("segment", 1), ("none", 0)])
def test_an_import_makes_its_segment_when_it_is_complete(admin: Client, targeting: str, segments: int):
    job = waiting(admin, targeting)
    assert not Segment.objects.exists()
    finish(job)
    assert Segment.objects.filter(name="Summer", created_by=job.created_by).count() == segments
    said = told(admin.get(address("change", job)))
    assert ("These people are the segment Summer ." in said) == bool(segments)
    for segment in Segment.objects.all():
        assert names(look(admin, segment=str(segment.pk))) == ["ann@x.co"], "not who failed (D-30)"


def test_an_end_that_is_delivered_again_makes_no_second_segment(admin: Client):
    job = waiting(admin, "segment")
    finish(job)
    late = ImportJob.objects.get(pk=job.pk)
    late.status, late.step = "in_progress", Step.APPLY
    with pytest.raises(Refused), transaction.atomic():
        steps.STEPS[Step.APPLY].end(late)
    assert Segment.objects.count() == 1


def test_a_stopped_import_has_no_segment_until_it_is_resumed_and_complete(admin: Client):
    job = waiting(admin, "segment")
    actor = Actor.of(get_user_model().objects.get(username="Admin"))
    lifecycle.stop(job, actor)
    assert not Segment.objects.exists()
    lifecycle.transition(job, Transition.RESUME, actor)
    finish(job)
    assert Segment.objects.get().change_set_id == job.change_set_id


def test_a_segment_whose_import_is_gone_holds_nobody_and_says_so(admin: Client):
    finish(waiting(admin, "segment"))
    segment = Segment.objects.get()
    Segment.objects.update(change_set=None)
    assert "The import that this segment was created from no longer exists." in told(
        look(admin, segment=str(segment.pk))
    )
    assert ChangeSet.objects.exists()
