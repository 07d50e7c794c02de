"""The sheet of a workbook, chosen on the second screen; everything after it reads that one (FF-02)."""

from __future__ import annotations

import csv
import io
from html import unescape
from typing import Any

import pytest
from django.test import Client

from imports.engine import row_lookup
from imports.jobs import stored_file
from imports.jobs.transitions import Transition
from imports.models import ImportJob
from imports.states import Status, Step
from profiles.models import Profile
from tests.admin.screens import address, check, finish, log_in, press, upload
from tests.made_files import edited, workbook, workbook_of

pytestmark = pytest.mark.django_db

SHEETS: dict[str, list[list[str]]] = {
    "May": [["email", "plan"], ["ann@x.co", "gold"]],
    "June": [["email", "plan", "town"], ["ben@x.co", "silver", "Rome"], ["no address", "gold", "Oslo"]],
    "Addresses": [["email"], ["cy@x.co"]],
    "Empty": [],
    "Notes": [["", "of May"], ["a", "b"]],
}


def draft(client: Client, content: bytes | None = None) -> ImportJob:
    upload(client, workbook_of(SHEETS) if content is None else content, name="people.xlsx")
    return ImportJob.objects.latest("pk")


def send(client: Client, job: ImportJob, **values: Any) -> str:
    page: str = client.post(address("configure", job), values, follow=True).content.decode()
    job.refresh_from_db()
    return unescape(page)


def shown(client: Client, job: ImportJob) -> str:
    return unescape(client.get(address("configure", job)).content.decode())


def goes_to(job: ImportJob) -> dict[str, tuple[str, str]]:
    return {column.header: (column.target_kind, column.target) for column in job.columns.all()}


def test_another_sheet_is_read_and_choices_stay_with_the_headers_that_are_in_both():
    creator = log_in("Creator")
    job = draft(creator)
    page = shown(creator, job)
    assert "The workbook has 5 sheets; “May” is read" in page
    assert "Sheet “<bdi>May</bdi>”" in page
    assert '<option value="1" selected>May</option>' in page
    send(creator, job, column="2", **{"target-2": "skip"})
    page = send(creator, job, sheet="2", **{"was-sheet": "1"})
    assert "The file was read again." in page
    assert "The workbook has 5 sheets; “June” is read" in page
    assert (list(goes_to(job)), goes_to(job)["plan"]) == (["email", "plan", "town"], ("skip", ""))
    assert (job.total, job.transitions.filter(name=Transition.REREAD).count()) == (2, 1)
    send(creator, job, save="1", unknown_columns="create")  # for which columns are suggested anew
    assert [found["code"] for found in job.findings] == ["sheets"]
    send(creator, job, sheet="3", **{"was-sheet": "2"})
    assert list(goes_to(job)) == ["email"]  # one column is no wrong delimiter here
    send(creator, job, sheet="1", **{"was-sheet": "3"})
    assert goes_to(job)["plan"] == ("skip", "")


@pytest.mark.parametrize(
    ("number", "reason"),
    [("4", "The sheet “Empty” is empty. Choose a sheet with a header row"), ("5", "Column 1 has no header")],
    ids=["empty", "notes"],
)
def test_a_sheet_that_is_no_table_is_taken_back_and_nothing_is_lost(number: str, reason: str):
    creator = log_in("Creator")
    job = draft(creator)
    send(creator, job, sheet="2")
    send(creator, job, column="2", **{"target-2": "skip"})
    page = send(creator, job, sheet=number, **{"was-sheet": "2"})
    assert reason in page
    assert "The earlier reading of the file is kept." in page
    assert "; “June” is read" in page
    assert (job.status, job.step, stored_file.chosen_format(job)) == (Status.DRAFT, Step.IDLE, {"sheet": "June"})
    assert goes_to(job)["plan"] == ("skip", "")
    check(creator, job)
    job.refresh_from_db()
    assert (job.status, job.preview["imported"], job.preview["failed"]) == (Status.READY, 1, 1)


def test_a_tab_that_shows_the_sheet_of_before_does_not_bring_it_back():
    creator = log_in("Creator")
    job = draft(creator)
    send(creator, job, sheet="2", **{"was-sheet": "1"})
    send(creator, job, sheet="1", **{"was-sheet": "1", "name": "June leads", "was-name": "people"})
    assert (job.format["found"]["sheet"], job.name) == ("June", "June leads")
    send(creator, job, sheet="1", **{"was-sheet": "2", "quiet": "1"})
    assert job.format["found"]["sheet"] == "June"  # the quiet ones only bring what needs no reading
    for number in ("0", "6", "x", "-1"):
        send(creator, job, sheet=number, **{"was-sheet": "2"})
        assert job.format["found"]["sheet"] == "June"


def test_a_checked_import_is_a_draft_again_and_one_that_was_started_keeps_its_sheet():
    creator = log_in("Admin")
    job = draft(creator)
    check(creator, job)
    send(creator, job, sheet="2", **{"was-sheet": "1"})
    assert (job.status, job.preview) == (Status.DRAFT, {})
    check(creator, job)
    press(creator, job, "start")
    finish(job)
    page = send(creator, job, sheet="1", **{"was-sheet": "2"})
    assert "its settings can no longer be changed" in page
    assert (job.status, job.format["found"]["sheet"]) == (Status.COMPLETED, "June")
    assert [person.attributes["email"] for person in Profile.objects.all()] == [["ben@x.co"]]


def test_what_opens_the_file_later_reads_the_chosen_sheet():
    admin = log_in("Admin")
    job = draft(admin)
    send(admin, job, sheet="2", **{"was-sheet": "1"})
    check(admin, job)
    job.refresh_from_db()
    (row,) = row_lookup.rows_by_number(job, [2])
    assert "no address" in str(row)
    press(admin, job, "start")
    finish(job)
    answer = admin.get(address("failed", job))
    told = b"".join(answer.streaming_content if answer.streaming else [answer.content]).decode("utf-8-sig")  # type: ignore[attr-defined]
    header, failed = list(csv.reader(io.StringIO(told)))[:2]
    assert (header[:3], failed[:3]) == (["email", "plan", "town"], ["no address", "gold", "Oslo"])


def test_the_choice_outlasts_another_record_type_and_a_preset_that_takes_no_workbook():
    creator = log_in("Creator")
    job = draft(creator)
    send(creator, job, sheet="2", **{"was-sheet": "1"})
    send(creator, job, record_type="events", **{"was-record_type": "profiles"})
    assert (job.record_type, job.format["found"]["sheet"]) == ("events", "June")
    send(creator, job, record_type="profiles", **{"was-record_type": "events"})
    page = send(creator, job, preset="clevertap", **{"was-preset": "standard"})
    assert "file is not a CSV" in page
    assert (job.preset, job.format["found"]["sheet"], stored_file.chosen_format(job)) == (
        "standard",
        "June",
        {"sheet": "June"},
    )


def test_a_workbook_of_one_sheet_offers_nothing():
    creator = log_in("Creator")
    page = shown(creator, draft(creator, workbook([["email"], ["ann@x.co"]])))
    assert 'name="sheet"' not in page
    assert "sheets;" not in page
    assert "Excel workbook" in page


def test_a_file_that_was_read_before_there_was_a_choice_is_still_read():
    creator = log_in("Creator")
    job = draft(creator)
    job.format = {name: value for name, value in job.format.items() if name != "sheets"}
    job.format["found"] = {"container": "xlsx", "encoding": "", "delimiter": ""}
    job.save(update_fields=["format"])
    assert 'name="sheet"' not in shown(creator, job)
    check(creator, job)
    job.refresh_from_db()
    assert (job.status, job.preview["imported"]) == (Status.READY, 1)


def test_names_of_sheets_are_escaped_and_keep_to_themselves():
    creator = log_in("Creator")
    name = "</option><script>alert(1)</script>\u202e🙂  "
    text = "".join(f"&#{ord(letter)};" for letter in name).encode()
    job = draft(creator, edited(workbook_of(SHEETS), "xl/workbook.xml", b'name="June"', b'name="' + text + b'"'))
    creator.post(address("configure", job), {"sheet": "2", "was-sheet": "1"})
    page = creator.get(address("configure", job)).content.decode()
    assert "<script>alert" not in page
    assert f"\u2068{name}\u2069".replace("<", "&lt;").replace(">", "&gt;") in page
    job.refresh_from_db()
    assert (job.format["found"]["sheet"], job.total) == (name, 2)


def test_a_first_sheet_that_is_no_table_names_the_others():
    creator = log_in("Creator")
    job = draft(creator, workbook_of({"Notes": SHEETS["Notes"], "June": SHEETS["June"]}))
    assert (job.status, "Column 1 has no header" in job.reason) == (Status.FAILED, True)
    assert job.reason.endswith("To import another one, choose it or move it to the front of the workbook: “June”.")
