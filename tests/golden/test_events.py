"""Golden scenarios of events (requirements sections 16 and 19), and events by the command under every option."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imports.models import ImportJob
from imports.reports import results_workbook
from profiles.models import Change, Event, Profile
from tests.golden.way import Way, counts, known, person, reasons

EVENTS = ("--type", "events")


def told() -> list[tuple[Any, ...]]:
    """All events by row: whose, what, when, with what."""
    rows = Event.objects.order_by("row").values_list("profile__external_id", "name", "time", "properties")
    return [(whose, name, f"{time:%Y-%m-%d %H:%M:%S}", properties) for whose, name, time, properties in rows]


def test_g_31_a_trip_is_one_event_with_two_properties(way: Way) -> None:  # EV-04, EV-05
    trip = "external_id,name,time,trip_booked.properties.destination,trip_booked.properties.duration.\n"
    job = way.run(f"{trip}A1,trip_booked,2019-11-20T18:38:57Z,Paris,5\n", "braze", "external_id", "", *EVENTS)
    assert (job.status, counts(job), job.people) == ("completed", (1, 0, 0, 0), 1)
    assert told() == [("A1", "trip_booked", "2019-11-20 18:38:57", {"destination": "Paris", "duration": 5})]


def test_several_events_in_one_file_for_people_known_and_unknown(way: Way) -> None:  # EV-03, EV-06, EV-07
    ann = known(external_id="A1", email=["ann@example.com"], first_name="Ann")
    job = way.run(
        "email,name,time,login.properties.ok,trip.properties.to,trip.properties.price,shoe size\n"
        "Ann@example.com,login,2019-11-20,TRUE,,,41\n"
        "bea@example.com,trip,2019-11-20T18:38:57+00:00,,Paris,1.5,\n"
        "bea@example.com,login,2019-11-20T18:38:57,false,Rome,,\n"
        "bea@example.com,login,2019-11-20T18:38:57,false,Rome,,\n"
        "bea@example.com,,2019-11-20T18:38:57,true,,,\n"
        "cid@example.com,login,20/11/2019,true,,,\n",
        "standard",
        "email",
        "",
        *EVENTS,
    )
    assert (counts(job), job.people, job.warnings) == ((1, 3, 0, 2), 2, 2)
    bea = person("email", "bea@example.com")
    assert list(Event.objects.order_by("row").values_list("profile_id", "name", "properties")) == [
        (ann.pk, "login", {"ok": True}),
        (bea.pk, "trip", {"to": "Paris", "price": 1.5}),
        (bea.pk, "login", {"ok": False}),
        (bea.pk, "login", {"ok": False}),
    ]
    assert [f"{event.time:%d %H:%M}" for event in Event.objects.order_by("row")] == ["20 00:00", *["20 18:38"] * 3]
    assert Profile.objects.get(pk=ann.pk).updated == ann.updated
    assert bea.attributes == {"email": ["bea@example.com"]}
    assert reasons(job)[:2] == [
        "The value is left out: the column is for events named trip, and this one is login",
        "The value is left out: the column is for events named trip, and this one is login",
    ]
    assert reasons(job)[2:] == [
        "The event has no name: fill in name",
        "Invalid event time: YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS alone, with Z or with +00:00 expected",
    ]
    assert [finding["code"] for finding in job.findings] == ["no_part_of_events"]
    assert "shoe size" in job.findings[0]["reason"]
    members = Change.objects.filter(change_set=job.change_set_id).values_list("profile_id", "outcome", "first_row")
    assert set(members) == {(ann.pk, "updated", 1), (bea.pk, "imported", 2)}


def test_one_name_for_all_events_makes_the_other_columns_properties(way: Way) -> None:  # AU-02
    named = (*EVENTS, "--event-name", "Product Viewed")
    job = way.run(
        "identity,Price,name,ts\nu1,59.99,Shoe,1468308340\nu1,5,Hat,\nu2,1,Cap,yesterday\n",
        "standard",
        "external_id",
        "",
        *named,
    )
    assert counts(job) == (1, 1, 0, 1)
    first, second = Event.objects.order_by("row")
    assert (first.name, first.time) == ("Product Viewed", datetime(2016, 7, 12, 7, 25, 40, tzinfo=UTC))
    assert first.properties == {"Price": 59.99, "name": "Shoe"}
    assert abs(second.time - job.created) < timedelta(seconds=2)
    assert job.problems.get(row=3).code == "invalid_event_time"


def test_an_unknown_object_id_never_makes_anybody(way: Way) -> None:
    ann = known(external_id="A1")
    text = f"braze_id,name,time\n{ann.object_id},login,2020-01-01\nnobody,login,2020-01-01\n"
    job = way.run(text, "braze", "object_id", "", *EVENTS, "--map", "braze_id=object_id")
    assert counts(job) == (0, 1, 0, 1)
    assert reasons(job) == ["No profile with this ID"]
    assert Profile.objects.count() == 1


@pytest.mark.parametrize(
    ("header", "told_of"),
    [("external_id,name", "no column time"), ("external_id,time", "no column name"), ("name,time", "external_id")],
)
def test_a_file_without_what_events_need_is_refused(way: Way, header: str, told_of: str) -> None:  # EV-03
    assert told_of in way.refused(f"{header}\nx,2020-01-01\n", "braze", "external_id", "", *EVENTS)


@pytest.mark.parametrize(
    ("preset", "more", "told_of"),
    [
        ("clevertap", EVENTS, "API"),
        ("expertflow", EVENTS, "customers only"),
        ("standard", ("--event-name", "x", "--action", "update"), "--type events"),
        ("standard", (*EVENTS, "--action", "update"), "--action is for profiles and does not apply"),
        ("standard", ("--type", "people"), "profiles, events"),
    ],
)
def test_what_does_not_go_together_is_told(way: Way, preset: str, more: tuple[str, ...], told_of: str) -> None:
    assert told_of in way.refused("external_id,name,time\nx,y,2020-01-01\n", preset, "external_id", "", *more)


def test_a_file_of_events_read_as_people_is_told_to_look_like_events(way: Way) -> None:
    job = way.run("external_id,time,trip.properties.to\nA1,2020-01-01,Paris\n", "standard", "external_id", "update")
    assert [finding["code"] for finding in job.findings] == ["looks_like_events"]
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("header", "identifier", "told_of"),
    [
        ("user_alias_name,name,time", "alias", "one half of an alias"),
        ("external_id,user_alias_label,name,time", "external_id", "one half of an alias"),
        ("external_id,user_alias_name,user_alias_label,name,time", "external_id", "cannot share a file"),
    ],
)
def test_aliases_are_held_to_the_same_rules_as_for_people(
    way: Way, header: str, identifier: str, told_of: str
) -> None:  # HI-15, FF-18
    row = ",".join("2020-01-01" for _ in header.split(","))
    assert told_of in way.refused(f"{header}\n{row}\n", "braze", identifier, "", *EVENTS)


def test_rows_to_correct_come_back_as_they_were(way: Way) -> None:  # RP-12
    job = way.run("external_id,name,time,-x.properties.=d\nu1,-x,bad,=1\n", "braze", "external_id", "", *EVENTS)
    corrected = rows_to_correct(job).replace(",bad,", ",2020-01-01,")
    job = way.run(corrected, "braze", "external_id", "", *EVENTS)
    assert (counts(job), job.warnings, job.findings) == ((1, 0, 0, 0), 0, [])
    assert Event.objects.values_list("name", "properties").get() == ("-x", {"=d": "=1"})


def test_what_was_wrong_with_a_row_is_no_property(way: Way) -> None:  # RP-12
    named = (*EVENTS, "--event-name", "alias")
    job = way.run("external_id,ts,alias\nu1,yesterday,1\n", "standard", "external_id", "", *named)
    corrected = rows_to_correct(job).replace("yesterday", "-5")
    assert counts(way.run(corrected, "standard", "external_id", "", *named)) == (1, 0, 0, 0)
    assert Event.objects.get().properties == {"alias": 1}


def test_a_property_may_not_begin_with_a_dollar_sign(way: Way) -> None:  # EV-14
    text = "external_id,name,time,trip.properties.$to\nA1,trip,2020-01-01,Paris\n"
    for preset in ("standard", "braze"):
        said = way.refused(text, preset, "external_id", "", *EVENTS)
        assert "trip.properties.$to cannot be a property: its name must not begin with $" in said
    job = way.run(text, "braze", "external_id", "", *EVENTS, "--skip", "trip.properties.$to")
    assert counts(job) == (1, 0, 0, 0)


def test_a_header_with_half_of_a_property_is_a_property_by_its_whole_name(way: Way) -> None:
    text = "external_id,time,.properties.to,trip.properties.\nA1,2020-01-01,Paris,5\n"
    way.run(text, "braze", "external_id", "", *EVENTS, "--event-name", "trip")
    assert Event.objects.get().properties == {".properties.to": "Paris", "trip.properties.": 5}


def rows_to_correct(job: ImportJob) -> str:
    out = io.StringIO()
    results_workbook.write_rows_to_correct(job, out)
    return out.getvalue()
