"""A file of events through the screens, the list of events, and what somebody did on their page (section 16)."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from imports.models import ImportJob
from profiles.models import Event, Identifier, Profile
from tests.admin import screens

pytestmark = pytest.mark.django_db

MOST_QUERIES = 15
HEADER = "email,name,time,trip.properties.to,shoe size\n"
TRIPS = (
    HEADER + "ann@x.co,trip,2024-05-01,<b>Paris</b>,41\n"
    "ben@x.co,login,2024-05-02T10:00:00Z,,\n"
    "ann@x.co,login,2024-05-03,,\n"
    "ann@x.co,,2024-05-03,,\n"
)
LIST = "admin:profiles_event_changelist"


def uploaded(client: Client, text: str = TRIPS, **values: str) -> ImportJob:
    screens.upload(client, text.encode(), "trips.csv", record_type="events", **values)
    return ImportJob.objects.latest("id")


def imported(client: Client, text: str = TRIPS) -> ImportJob:
    job = uploaded(client, text)
    screens.check(client, job)
    screens.press(client, job, "start")
    screens.finish(job)
    job.refresh_from_db()
    return job


def listed(client: Client, **asked: Any) -> list[tuple[str, str]]:
    """The names and people of the events that the list shows."""
    page = client.get(reverse(LIST), asked)
    assert page.status_code == 200
    return [(line.event.name, line.person) for line in page.context["lines"]]


@pytest.mark.parametrize("preset", ["clevertap", "expertflow"])
def test_a_preset_without_events_refuses_the_type(preset: str) -> None:
    page = screens.upload(screens.log_in("Creator"), TRIPS.encode(), record_type="events", preset=preset)
    assert "events" in page.context["form"].errors["record_type"][0]
    assert not ImportJob.objects.exists()


def test_a_large_file_of_events_is_refused_where_one_of_people_is_not(settings: Any) -> None:
    client, text = screens.log_in("Creator"), TRIPS.encode() + b"ann@x.co,login,2024-05-03,,\n" * 2_000_000
    page = screens.upload(client, text, record_type="events")
    assert "50 MB" in page.context["form"].errors["file"][0]


def test_columns_that_are_no_part_of_an_event_are_left_out_and_named() -> None:
    client = screens.log_in("Creator")
    job = uploaded(client)
    goes = {column.header: (column.target_kind, column.target) for column in job.columns.all()}
    assert goes == {
        "email": ("attribute", "email"),
        "name": ("event", "name"),
        "time": ("event", "time"),
        "trip.properties.to": ("property", "trip.properties.to"),
        "shoe size": ("skip", ""),
    }
    page = client.get(screens.address("configure", job)).content.decode()
    assert "Column shoe size is skipped" in page
    assert "Existing people stay unchanged:" in page
    assert 'name="action"' not in page


def test_one_name_for_all_events_sends_columns_elsewhere_and_back() -> None:
    client = screens.log_in("Creator")
    job = uploaded(client, "email,ts,Price\nann@x.co,1468308340,5\n")
    page = screens.check(client, job)
    assert {"event_name_missing", "event_time_missing"} <= page.context["codes"].keys()
    client.post(screens.address("configure", job), {"event_name": "Product Viewed", "was-event_name": ""})
    assert list(job.columns.values_list("target_kind", "target")) == [
        ("attribute", "email"),
        ("event", "ts"),
        ("property", "Price"),
    ]
    client.post(screens.address("configure", job), {"event_name": "", "was-event_name": "Product Viewed"})
    assert list(job.columns.values_list("target_kind", flat=True)) == ["attribute", "skip", "skip"]


def test_a_column_goes_where_a_list_says_and_nowhere_else() -> None:
    client = screens.log_in("Creator")
    job = uploaded(client)
    for sent, kind in [("property", "property"), ("event:other", "undecided"), ("attribute:plan", "undecided")]:
        client.post(screens.address("configure", job), {"column": "5", "target-5": sent, "was-5": "x"})
        assert job.columns.get(position=5).target_kind == kind
    client.post(screens.address("configure", job), {"column": "5", "target-5": "property", "was-5": "x"})
    assert "is not a property of any event" in screens.check(client, job).content.decode()


def test_the_preview_tells_which_event_goes_to_whom() -> None:
    client = screens.log_in("Admin")
    job = uploaded(client)
    page = screens.check(client, job).content.decode()
    assert "3 events will be written for 2 people (2 new); 1 row will fail." in page
    for words in ("event, new person", "event, person of row 1", "Start: write 3 events", "&lt;b&gt;Paris"):
        assert words in page
    assert not Event.objects.exists()
    found = client.get(screens.address("change", job), {"show": "updated"}).context["table"]
    assert [row.number for row in found.rows] == [3]
    assert [
        row.number for row in client.get(screens.address("change", job), {"find": "ann@x.co"}).context["table"].rows
    ]


def test_the_preview_tells_of_data_points_where_they_are_counted() -> None:  # DP-04, DP-05
    client = screens.log_in("Admin")
    text = "external_id,name,time\na,login,2024-05-01\na,login,2024-05-02\nb,login,yesterday\n"
    job = uploaded(client, text, preset="braze")
    page = screens.check(client, job, "external_id").content.decode()
    assert "Data points: about 2, an estimate: one for each event." in page


def test_the_list_is_filtered_by_name_time_person_and_import() -> None:
    client = screens.log_in("Admin")
    job = imported(client)
    page = client.get(screens.address("change", job)).content.decode()
    assert "3 events written" in page
    assert f"?import={job.pk}" in page
    everything = [("login", "ann@x.co"), ("login", "ben@x.co"), ("trip", "ann@x.co")]
    assert listed(client) == everything
    assert listed(client, name="trip") == everything[2:]
    assert listed(client, **{"from": "2024-05-02"}) == everything[:2]
    assert listed(client, to="2024-05-02") == everything[1:]
    assert listed(client, q="BEN@x.co") == everything[1:2]
    assert listed(client, person=str(Identifier.objects.get(value="ben@x.co").profile_id)) == everything[1:2]
    assert listed(client, **{"import": str(job.pk)}) == everything
    assert listed(client, import_name="trips.csv", name="login") == everything[:2]
    other = imported(client, HEADER + "cy@x.co,login,2024-06-01,,\n")
    assert listed(client, **{"import": str(other.pk)}) == [("login", "cy@x.co")]


def test_what_is_told_of_the_settings_is_true_of_events() -> None:  # EV-13
    client = screens.log_in("Admin")
    job = uploaded(client, "external_id,name,time\na,login,2024-05-01\n", preset="braze")
    screens.check(client, job, "external_id")
    assert '<td dir="auto">Event name</td>' in client.get(screens.address("change", job)).content.decode()
    screens.press(client, job, "start")
    screens.finish(job)
    answer: Any = client.get(screens.address("results", job))
    book = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))
    told = {row[0] for row in book["Summary"].iter_rows(values_only=True)}
    assert "Record type" in told
    assert "Existing people" not in told


@pytest.mark.parametrize(
    "asked",
    [
        {"from": "yesterday"},
        {"to": "0001-01-01"},
        {"to": "9999-12-31"},
        {"import": "999999"},
        {"person": "x"},
        {"p": "-1"},
    ],
)
def test_an_odd_address_of_the_list_is_answered(asked: dict[str, str]) -> None:
    assert screens.log_in("Admin").get(reverse(LIST), asked | {"name": "a\0b"}).status_code == 200


def test_the_list_is_for_those_who_may_look() -> None:
    assert screens.log_in().get(reverse(LIST)).status_code == 403


def test_somebody_sees_what_a_person_did_page_by_page() -> None:
    client = screens.log_in("Admin")
    rows = "".join(f"ann@x.co,trip,2024-05-01T10:00:{second:02},Paris {second},\n" for second in range(45))
    imported(client, HEADER + rows)
    address = reverse("admin:profiles_profile_change", args=[Profile.objects.get().pk])
    seen = []
    for number in (1, 2, 3, 4):
        with CaptureQueriesContext(connection) as queries:
            page = client.get(address, {"events": str(number)})
        assert len(queries) <= MOST_QUERIES
        seen += [line.event.properties["to"] for line in page.context["events"]]
    assert seen == [f"Paris {second}" for second in reversed(range(45))]
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(LIST))
    assert len(queries) <= MOST_QUERIES


def test_the_first_and_the_last_day_can_be_shown(settings: Any) -> None:
    client = screens.log_in("Admin")
    imported(client, HEADER + "ann@x.co,login,0001-01-01,,\nann@x.co,login,9999-12-31T23:59:59Z,,\n")
    for settings.TIME_ZONE in ("Pacific/Honolulu", "Pacific/Kiritimati"):
        assert len(listed(client)) == 2
