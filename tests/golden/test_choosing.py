"""Golden scenarios of choosing: presets, identifiers, actions, mapping, limits, roles (requirements section 19)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management import CommandError
from django.test import override_settings
from django.urls import reverse

from imports import tasks
from imports.files.errors import SourceError
from imports.jobs import lifecycle, queue, stored_file
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob, RowError
from imports.presets import MEGABYTE, PRESETS
from imports.states import Status
from profiles.models import Attribute, Change, Profile
from tests.admin.screens import UPLOAD, address, check, log_in, upload
from tests.crashes.processes import completed, wait_for
from tests.golden.test_report import SHEETS, cells, workbook
from tests.golden.way import Way, counts, known, people, person

CUSTOMERS = (
    "firstName,lastName,email,phoneNumber,city\n"
    "John,Doe,john@example.com,+1234567890,New York\n"
    "Jane,Smith,jane@example.com,+0987654321,Boston\n"
)
JOHN: dict[str, Any] = {"first_name": "John", "last_name": "Doe", "phone": ["+1234567890"], "home_city": "New York"}


def test_g_01_the_sample_of_the_bulk_upload_is_imported(way: Way) -> None:  # FF-17, HI-32
    job = way.run(CUSTOMERS, "expertflow", "Email", "ignore")
    assert counts(job) == (2, 0, 0, 0)
    assert person("email", "jane@example.com").attributes == {
        "first_name": "Jane", "last_name": "Smith", "email": ["jane@example.com"], "phone": ["+0987654321"],
        "home_city": "Boston",
    }  # fmt: skip


def test_g_02_what_is_known_is_ignored_and_left_alone(way: Way) -> None:  # AC-03
    way.run(CUSTOMERS, "expertflow", "Email", "ignore")
    before = people()
    job = way.run(CUSTOMERS, "expertflow", "Email", "ignore")
    assert counts(job) == (0, 0, 2, 0)
    ignored = job.problems.filter(severity=RowError.Severity.IGNORED)
    assert [line.reason for line in ignored] == ["Ignored - duplicate found"] * 2
    assert [line[:3] for line in cells(workbook(job))[SHEETS[1]][2:]] == [
        ("john@example.com", "+1234567890", "Ignored - duplicate found"),
        ("jane@example.com", "+0987654321", "Ignored - duplicate found"),
    ]
    assert people() == before


def test_g_03_replace_takes_the_values_of_the_row(way: Way) -> None:  # HI-30
    known(**JOHN)
    job = way.run(
        "firstName,lastName,phoneNumber,city\nJohn,Doe,+1234567890,Boston\n", "expertflow", "Phone Number", "replace"
    )
    assert counts(job) == (0, 1, 0, 0)
    assert person("phone", "1234567890").attributes == JOHN | {"home_city": "Boston"}


def test_g_04_replace_clears_what_the_row_does_not_bring_and_keeps_who_it_is(way: Way) -> None:
    Attribute.objects.create(key="plan", label="Plan", type="text")
    before = known(**JOHN, plan="gold", email=["john@example.com"])
    way.run(
        "firstName,lastName,phoneNumber,city\nJohn,Doe,+1234567890,Boston\n", "expertflow", "Phone Number", "replace"
    )
    after = person("phone", "1234567890")
    assert after.attributes == JOHN | {"home_city": "Boston"}
    assert (after.pk, after.object_id, after.created) == (before.pk, before.object_id, before.created)


def test_g_05_update_fills_what_is_empty_and_nothing_else(way: Way) -> None:  # AC-14
    known(**JOHN)
    row = "John,Doe,john@example.com,+1234567890,Boston\n"
    job = way.run(f"firstName,lastName,email,phoneNumber,city\n{row}", "expertflow", "phoneNumber", "update")
    assert counts(job) == (0, 1, 0, 0)
    assert person("phone", "1234567890").attributes == JOHN | {"email": ["john@example.com"]}


def test_g_06_append_adds_to_a_list(way: Way) -> None:  # AC-16
    known(email=["john@example.com"], phone=["+1234567890"])
    way.run("email,phoneNumber\njohn@example.com,+0987654321\n", "expertflow", "Email", "append")
    assert person("email", "john@example.com").attributes["phone"] == ["+1234567890", "+0987654321"]


def test_g_07_append_replaces_a_single_value(way: Way) -> None:  # AC-08
    known(email=["john@example.com"], home_city="New York")
    way.run("email,city\njohn@example.com,Boston\n", "expertflow", "Email", "append")
    assert person("email", "john@example.com").attributes["home_city"] == "Boston"


@pytest.mark.usefixtures("way")
def test_g_10_columns_that_fit_nothing_are_highlighted_and_keep_the_import_until_they_are_decided() -> None:
    """MP-02, MP-03."""
    creator = log_in("Creator")
    upload(creator, b"firstName,mobile,company\nJohn,+1234567890,Acme\n", preset="expertflow")
    job = ImportJob.objects.get()
    answer = creator.get(address("configure", job))
    page = answer.content.decode()
    assert {line.column.header: line.state for line in answer.context["lines"]} == {
        "firstName": "suggested", "mobile": "undecided", "company": "undecided",
    }  # fmt: skip
    assert "2 columns to decide" in page
    assert 'id="check" value="Check the file" aria-describedby="check-note" aria-disabled="true"' in page
    assert "2 columns need a mapping, or must be skipped: mobile, company" in (
        check(creator, job, "phone", "update").content.decode()
    )
    assert ImportJob.objects.get().status == Status.DRAFT
    decided = {"column": ["2", "3"], "target-2": "attribute:phone", "target-3": "attribute:labels"}
    check(creator, job, "phone", "update", **decided)  # type: ignore[arg-type]
    job.refresh_from_db()
    assert (job.status, job.preview["imported"]) == (Status.READY, 1)


def test_g_11_a_file_without_a_mandatory_column_is_refused(way: Way) -> None:  # PS-14
    Attribute.objects.filter(key__in=["first_name", "home_city"]).update(mandatory=True)
    reason = way.refused("lastName,email\nDoe,john@example.com\n", "expertflow", "email", "update")
    assert "The file has no columns for firstName, city, which the schema makes mandatory; add them" in reason
    assert not Profile.objects.exists()


@pytest.mark.parametrize("rows_at_once", [None, 1, 500])
def test_g_21_an_identity_that_repeats_counts_each_time_and_is_one_person(
    way: Way, settings: Any, rows_at_once: int | None
) -> None:  # AT-60, PS-11, PS-15, SG-10
    here = []
    if rows_at_once:
        settings.IMPORTS_BUCKET_ROWS, here = rows_at_once, ["--inline"]
    job = way.run("identity,Name\n1,a\n1,b\n2,c\n", "clevertap", "identity", "", *here)
    assert job.imported + job.updated == 3
    assert (counts(job), job.people) == ((2, 1, 0, 0), 2)
    assert person("external_id", "1").attributes == {"name": "b"}
    assert person("external_id", "2").attributes == {"name": "c"}


def test_g_30_a_header_that_is_not_spelled_exactly_is_a_custom_attribute(way: Way) -> None:
    known(external_id="E1", first_name="Jane")
    job = way.run("external_id,First_name\nE1,Janet\n", "braze", "external_id")
    assert person("external_id", "E1").attributes == {"first_name": "Jane", "First_name": "Janet"}
    assert [found["code"] for found in job.findings] == ["spelled_otherwise"]
    assert "first_name" in job.findings[0]["reason"]


@pytest.mark.usefixtures("way")
def test_g_40_somebody_without_a_role_is_refused_at_every_step() -> None:
    upload(log_in("Creator"))
    job, nobody = ImportJob.objects.get(), log_in()
    transitions = job.transitions.count()
    places = [reverse(UPLOAD), *(address(name, job) for name in ("configure", "change", "transition", "reach"))]
    places += [reverse(f"admin:imports_importjob_{name}") for name in ("sample", "help", "changelist")]
    for place in places:
        assert nobody.get(place).status_code == 403, place
        assert nobody.post(place, {"transition": "start", "check": "1"}).status_code == 403, place
    for name in ("results", "failed", "problems"):
        assert nobody.get(address(name, job)).status_code == 403, name
    assert upload(nobody).status_code == 403
    assert (ImportJob.objects.count(), job.transitions.count()) == (1, transitions)


@pytest.mark.usefixtures("way")
def test_g_41_of_forty_rows_fifteen_are_shown() -> None:  # PV-01
    creator = log_in("Creator")
    rows = "".join(f"E{number},{number}\n" for number in range(40))
    for preset, (header, key) in IDENTIFIED.items():
        upload(creator, f"{header},age\n{rows}".encode(), preset=preset)
        job = ImportJob.objects.latest("pk")
        page = check(creator, job, key, "update")
        assert len(page.context["table"].rows) == 15
        job.refresh_from_db()
        assert (job.status, job.preview["imported"]) == (Status.READY, 40)


IDENTIFIED = {
    "standard": ("external_id", "external_id"), "clevertap": ("identity", "external_id"),
    "expertflow": ("web", "web"), "braze": ("external_id", "external_id"),
}  # fmt: skip
"""Under each preset a header by which people are found, and what it means."""
LIMITS = {
    ("standard", "profiles"): 500, ("standard", "events"): 50, ("clevertap", "profiles"): 50,
    ("expertflow", "profiles"): 500, ("braze", "profiles"): 500, ("braze", "events"): 50,
}  # fmt: skip


def test_g_42_the_limit_is_that_of_the_preset_and_the_record_type() -> None:  # FF-10
    for (preset, record_type), most in LIMITS.items():
        limits = stored_file.limits(ImportJob(preset=preset, record_type=record_type))
        limits.check_size(most * MEGABYTE)
        with pytest.raises(SourceError, match=f"the limit is {most} MB"):
            limits.check_size(most * MEGABYTE + 1)


@pytest.mark.parametrize("preset", ["standard", "clevertap", "expertflow", "braze"])
def test_g_42_a_file_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(
    way: Way, settings: Any, preset: str
) -> None:
    settings.IMPORTS_MAX_MB = 32 / MEGABYTE  # the site's limit wins where it is less
    header, key = IDENTIFIED[preset]
    file = f"{header},age\n".ljust(28, "1") + ",77\n"
    assert len(file) == 32
    assert way.run(file, preset, key, "append", "--inline").imported == 1
    assert "33 bytes and the limit is 32 bytes" in way.refused(f"{file}\n", preset, key, "append", "--inline")


@pytest.mark.usefixtures("way")
def test_g_42_events_are_refused_where_the_system_takes_none() -> None:
    creator = log_in("Creator")
    for preset in ("clevertap", "expertflow"):
        answer = upload(creator, b"identity,name,time\n1,a,2019-11-20\n", preset=preset, record_type="events")
        assert answer.context["form"].errors["record_type"] == [PRESETS[preset].no_events_reason]
    assert not ImportJob.objects.exists()


def test_g_43_two_imports_of_the_same_people_at_once_and_tasks_delivered_twice(way: Way) -> None:  # PS-06
    file = "identity,Name,visits\n" + "".join(f"{number % 400 + 1},n{number},1\n" for number in range(600))
    jobs = [way.run(file, "clevertap", "identity", "", "--dry-run") for _ in range(2)]
    for job in jobs:
        lifecycle.transition(job, Transition.START, Actor.command())
    for job in jobs:
        queue.enqueue_job(job)
    for job in jobs:
        wait_for(lambda job=job: completed(job), job)  # type: ignore[misc]
    after = people()
    for job in jobs:
        tasks.advance(job.pk)
        job.refresh_from_db()
        assert (job.imported + job.updated, job.failed, job.people) == (600, 0, 400)
        assert Change.objects.filter(change_set=job.change_set_id).count() == 400
    assert sum(job.imported for job in jobs) == 400 == Profile.objects.count()
    assert people() == after
    assert person("external_id", "4").attributes == {"name": "n403", "visits": 1}


@pytest.fixture
def skewed() -> Iterator[None]:
    """Files are kept where the clock is another one."""
    with override_settings(STORAGES=site.STORAGES | {"default": {"BACKEND": "tests.golden.storages.Skewed"}}):
        yield


@pytest.mark.usefixtures("skewed")
def test_g_45_a_storage_whose_clock_differs_is_told_in_words_and_leaves_no_job(way: Way) -> None:
    answer = upload(log_in("Creator"))
    (reason,) = answer.context["form"].errors["file"]
    assert "the difference between the request time and the current time is too large" in reason
    assert "Correct the system clock" in reason
    with pytest.raises(CommandError, match="Correct the system clock"):
        way.run("email\na@b.co\n", "standard", "email", "update")
    assert not ImportJob.objects.exists()
