"""What can be taken away from an import: the results workbook, the bad rows to correct, the list of problems
(requirements section 13, design rule 9)."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from imports import tasks
from imports.mapping.headers import PROBLEM_HEADER
from imports.models import Download, ImportJob, RowError
from imports.reports import downloads
from imports.states import Status
from profiles.models import Attribute, Profile
from tests.admin import screens
from tests.admin.screens import address, finish, log_in, press, upload

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FIVE = (
    b"email,phone,first_name,plan\n"
    b"ann@x.co,+12025550101,Ann,gold\n"
    b"BEN@x.co,+12025550102,Ben,\n"
    b"invalid-email,+1234567890,=1+1,<b>\n"
    b",,Eve,gold\n"
    b"cy@x.co,+12025550103,Cy\n"
)


def ready(client: Client, content: bytes = FIVE, **choices: str) -> ImportJob:
    return screens.ready(client, content, **choices)


def imported(client: Client, content: bytes = FIVE, **choices: str) -> ImportJob:
    return screens.imported(client, content, **choices)


def content(response: Any) -> bytes:
    assert response.status_code == 200, response.content[:500]
    return b"".join(response.streaming_content) if response.streaming else response.content


def results(client: Client, job: ImportJob) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content(client.get(address("results", job)))))


def lines(sheet: Any) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in sheet.iter_rows(values_only=True)]


def rows(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(response).decode("utf-8-sig"), newline="")))


def summary(book: Any) -> dict[Any, Any]:
    return {line[0]: line[1] for line in lines(book["Summary"])}


def test_the_workbook_has_the_totals_and_a_line_for_each_row_that_was_not_applied():  # PS-18
    admin = log_in("Admin")
    book = results(admin, imported(admin))
    assert book.sheetnames == ["Summary", "Failed-Ignored Records"]
    assert lines(book["Summary"])[:6] == [
        ("Summary", "Count"),
        ("Total Records", 5),
        ("Imported", 2),
        ("Updated", 0),
        ("Ignored", 0),
        ("Failed", 3),
    ]
    told = summary(book)
    assert (told["People"], told["Not run"], told["Warnings"], told["Uploaded by"]) == (2, 0, 0, "Admin")
    assert (told["Preset"], told["People matched by"]) == ("Standard", "email")
    assert told["Existing people"] == "Update (Merge)"
    assert told["Invalid email format"] == 1
    title, header, *records = lines(book["Failed-Ignored Records"])
    assert title[0] == "Failed/Ignored Records"
    assert header == ("Customer Email", "Phone", "Reason", "Row", "Line", "Identifier", "Column", "Value", "Code")
    malformed = "Malformed row: expected 4 values, found 3"
    blank = "The identifier is blank: fill in email"
    assert records == [
        (
            "invalid-email", "+1234567890", "Invalid email format", 3, 4, "invalid-email", "email", "invalid-email",
            "invalid_email",
        ),
        ("(empty)", "(empty)", blank, 4, 5, "(empty)", "email", None, "blank_identifier"),
        ("cy@x.co", "+12025550103", malformed, 5, 6, "cy@x.co", None, None, "malformed_row"),
    ]  # fmt: skip


def test_ignored_rows_have_their_own_cells_and_the_exact_reason():
    admin = log_in("Admin")
    imported(admin)
    book = results(admin, imported(admin, action="ignore"))
    ignored = [line for line in lines(book["Failed-Ignored Records"]) if line[-1] == "ignored"]
    assert ignored == [
        ("ann@x.co", "+12025550101", "Ignored - duplicate found", 1, 2, "ann@x.co", "email", None, "ignored"),
        ("BEN@x.co", "+12025550102", "Ignored - duplicate found", 2, 3, "BEN@x.co", "email", None, "ignored"),
    ]


def test_a_row_with_several_problems_is_one_line_with_the_first_reason():
    admin = log_in("Admin")
    job = imported(admin, b"plan,phone,email\ngold,12,a@x.co\ngold,no phone,bad\n", identifier="email")
    assert job.problems.filter(row=2).count() == 2
    lines_of_two = [line for line in lines(results(admin, job)["Failed-Ignored Records"])[2:] if line[3] == 2]
    assert [line[2] for line in lines_of_two] == ["Invalid email format"]


def test_a_cell_that_could_be_a_formula_or_a_link_is_text():
    admin = log_in("Admin")
    texts = ["=1+1", "+1-1", "-2", "@SUM(A1)", "{=1}", "http://x.co", "mailto:a@x.co", "<script>", "'=1"]
    job = imported(admin, "\n".join(["email,phone", "a@x.co,+12025550101", *(f"{t},{t}" for t in texts)]).encode())
    sheet = results(admin, job)["Failed-Ignored Records"]
    found = [cell for row in sheet.iter_rows(min_row=3, max_col=2) for cell in row]
    assert [(cell.value, cell.data_type, cell.hyperlink) for cell in found] == [
        (text, "s", None) for text in texts for _ in range(2)
    ]


def test_what_a_workbook_cannot_hold_is_cut_or_shown_as_a_mark():
    admin = log_in("Admin")
    job = imported(admin, "email,first_name\na@x.co,A\n{},B\na\x01b,C\n".format("\U0001f600" * 20_000).encode())
    long, control = lines(results(admin, job)["Failed-Ignored Records"])[2:]
    assert long[0] == "\U0001f600" * 16_383
    assert control[0] == "a_x0001_b"  # as workbooks write it


def test_a_sheet_that_is_full_is_followed_by_another(monkeypatch):
    monkeypatch.setattr("imports.reports.results_workbook.MAX_SHEET_ROWS", 4)
    admin = log_in("Admin")
    book = results(admin, imported(admin))
    assert book.sheetnames == ["Summary", "Failed-Ignored Records", "Failed-Ignored Records (2)"]
    found = [line[3] for name in book.sheetnames[1:] for line in lines(book[name])[2:]]
    assert found == [3, 4, 5]


def test_there_are_no_results_of_an_import_that_has_not_ended():
    admin = log_in("Admin")
    job = ready(admin)
    page = admin.get(address("change", job))
    assert "Download the results" not in page.content.decode()
    refused = admin.get(address("results", job))
    assert refused.status_code == 409
    assert "has not ended yet" in refused.content.decode()
    press(admin, job, "start")
    assert admin.get(address("results", job)).status_code == 409
    assert admin.get(address("failed", job)).status_code == 409


def test_a_stopped_import_tells_what_was_done_so_far():
    admin = log_in("Admin")
    job = ready(admin)
    press(admin, job, "start")
    press(admin, job, "stop")
    told = summary(results(admin, job))
    assert [told[name] for name in ("Total Records", "Imported", "Failed", "Not run")] == [5, 0, 3, 2]


def test_a_file_that_was_refused_has_nothing_to_correct():
    admin = log_in("Admin")
    upload(admin, b"email,email\na@x.co,b@x.co\n")
    job = ImportJob.objects.latest("pk")
    assert job.status == Status.FAILED
    assert "Download" not in admin.get(address("change", job)).content.decode()
    assert admin.get(address("failed", job)).status_code == 409
    assert summary(results(admin, job))["Total Records"] == 0


def test_failed_rows_are_corrected_and_uploaded_again():
    admin = log_in("Admin")
    Attribute.objects.create(key="=odd", label="Odd", type="text")
    sent = (
        b'"email";"\'=odd";"visits";"phone";"note"\r\n'
        b"a@x.co;fine;1;+12025550101;first\r\n"
        b'bad;"\'=1+1";-5;+12025550102;"=a;\nb"\r\n'
        b"c@x.co;x;none;=+1;'+1\r\n"
    )
    job = imported(admin, sent, action="overwrite")
    assert job.failed == 2
    corrected = content(admin.get(address("failed", job))).decode("utf-8-sig")
    found = list(csv.reader(io.StringIO(corrected, newline=""), delimiter=";"))
    assert found == [
        ["email", "'=odd", "visits", "phone", "note", PROBLEM_HEADER],
        ["bad", "'=1+1", "'-5", "+12025550102", "'=a;\nb", "email: Invalid email format"],
        ["c@x.co", "x", "none", "'=+1", "'+1", f"phone: {job.problems.get(row=3).reason}"],
    ]
    corrected = corrected.replace("bad;", "b@x.co;").replace("'=+1;", "+12025550103;")
    again = imported(admin, corrected.encode(), action="overwrite")
    assert (again.failed, again.imported) == (0, 2)
    assert again.columns.get(header=PROBLEM_HEADER).target_kind == "skip"
    assert not Attribute.objects.filter(key=PROBLEM_HEADER).exists()
    people = {p.attributes["email"][0]: p.attributes for p in Profile.objects.all()}
    assert people["b@x.co"]["=odd"] == "=1+1"
    assert (people["b@x.co"]["visits"], people["b@x.co"]["note"]) == ("-5", "=a;\nb")
    assert (people["c@x.co"]["note"], people["c@x.co"]["phone"]) == ("+1", ["+12025550103"])


def test_the_mapping_of_the_first_upload_is_offered_for_the_corrected_rows():
    admin = log_in("Admin")
    job = imported(admin, FIVE)
    upload(admin, content(admin.get(address("failed", job))))
    again = ImportJob.objects.latest("pk")
    assert again.headers == job.headers
    assert again.pk != job.pk


def test_rows_that_fail_again_are_given_again_with_one_column_of_problems():
    admin = log_in("Admin")
    first = rows(admin.get(address("failed", job := imported(admin))))
    again = imported(admin, content(admin.get(address("failed", job))))
    assert (again.imported + again.updated, again.failed) == (0, 3)
    found = rows(admin.get(address("failed", again)))
    assert found[:3] == first[:3]
    assert found[3] == [*first[3][:-1], STILL]
    assert rows(admin.get(address("failed", imported(admin, content(admin.get(address("failed", again))))))) == found


def test_what_somebody_imports_from_the_column_of_problems_marks_no_row():
    admin = log_in("Admin")
    sent = f"email,{PROBLEM_HEADER}\nann@x.co,Malformed row of somebody\n".encode()
    assert imported(admin, sent).failed == 1
    note = {"column": "2", "target-2": "new", "key-2": "note", "type-2": "text"}
    assert imported(admin, sent, **note).failed == 0
    assert Profile.objects.get().attributes["note"] == "Malformed row of somebody"


STILL = "Malformed row, not corrected yet: put each value into its column, then clear the row's problem"
SHORT = (
    "Malformed row: expected 3 values, found {}. Blank values were added at the end of the row: move each value to its "
    "column, then clear this cell"
)
LONG = (
    "Malformed row: expected {} values, found {}. The surplus values are to the right of this cell: join them with the "
    "value they are part of, or remove them; then clear this cell"
)
RAGGED = b"email,city,plan\nann@x.co,gold\nben@x.co,Paris, France,=1,gold\ncy,Rome,free\ndee@x.co,Oslo,free\neve@x.co\n"


def test_a_malformed_row_has_its_reason_where_all_others_have_it():
    admin = log_in("Admin")
    found = rows(admin.get(address("failed", imported(admin, RAGGED))))
    assert found == [
        ["email", "city", "plan", PROBLEM_HEADER],
        ["ann@x.co", "gold", "", SHORT.format(2)],
        ["ben@x.co", "Paris", " France", LONG.format(3, 5), "'=1", "gold"],
        ["cy", "Rome", "free", "email: Invalid email format"],
        ["eve@x.co", "", "", SHORT.format(1)],
    ]


def test_corrected_malformed_rows_are_imported_and_others_fail_until_they_are():
    admin = log_in("Admin")
    given = content(admin.get(address("failed", imported(admin, RAGGED)))).decode("utf-8-sig")
    corrected = given.replace(f'ann@x.co,gold,,"{SHORT.format(2)}"', "ann@x.co,,gold,").replace("cy,", "cy@x.co,")
    again = imported(admin, corrected.encode(), action="overwrite")
    assert (again.imported, again.failed) == (2, 2)
    people = {p.attributes["email"][0]: p.attributes for p in Profile.objects.all()}
    assert people["ann@x.co"] == {"email": ["ann@x.co"], "plan": "gold"}
    assert not {"ben@x.co", "eve@x.co"} & people.keys()
    header, ben, eve = rows(admin.get(address("failed", again)))
    assert header == ["email", "city", "plan", PROBLEM_HEADER]
    assert eve == ["eve@x.co", "", "", STILL]
    assert ben == ["ben@x.co", "Paris", " France", LONG.format(4, 6), "'=1", "gold"]
    last = f'email,city,plan,{PROBLEM_HEADER}\nben@x.co,"Paris, France, =1",gold,\n'
    assert imported(admin, last.encode(), action="overwrite").imported == 1
    ben_now = Profile.objects.get(attributes__email=["ben@x.co"]).attributes
    assert (ben_now["home_city"], ben_now["plan"]) == ("Paris, France, =1", "gold")


def test_nothing_is_lost_of_a_row_that_somebody_spoilt_while_correcting_it():
    admin = log_in("Admin")
    text = f"email,city,{PROBLEM_HEADER}\na@x.co,Paris, France,email: bad\nb@x.co,Malformed row: x\nc@x.co\n"
    found = rows(admin.get(address("failed", imported(admin, text.encode() + b"d@x.co,Rome,\n"))))[1:]
    assert [line[:2] + line[3:] for line in found] == [
        ["a@x.co", "Paris", " France", "email: bad"], ["b@x.co", ""], ["c@x.co", ""],
    ]  # fmt: skip
    assert all(line[2].startswith("Malformed row: expected 3 values") for line in found)


def test_long_cells_and_rows_that_fail_only_when_they_are_matched_are_given_whole():
    admin = log_in("Admin")
    long = "x" * 3_000
    imported(admin, b"external_id,email\n7,seven@x.co\n", identifier="external_id")
    text = f"external_id,email,note\n8,bad,{long}\n7,eight@x.co,twice\n".encode()
    job = ready(admin, text, identifier="object_id", **{"column": "1", "target-1": "field:object_id"})
    found = rows(admin.get(address("failed", job)))[1:]
    assert found[0][2] == long
    assert found[1][:3] == ["7", "eight@x.co", "twice"]


@pytest.mark.parametrize(("query", "numbers"), [("", ["3", "4", "5"]), ("?ignored=1", ["1", "2", "3", "4", "5"])])
def test_ignored_rows_are_given_where_they_are_wished_for(query: str, numbers: list[str]):
    admin = log_in("Admin")
    imported(admin)
    job = imported(admin, action="ignore")
    found = rows(admin.get(address("failed", job) + query))
    assert len(found) == 1 + len(numbers)


def test_rows_far_apart_are_found_in_a_file_of_many_parts(monkeypatch):
    monkeypatch.setattr("imports.files.column_statistics.PART_ROWS", 500)
    admin = log_in("Admin")
    bad = {1, 2, 500, 501, 1_999, 2_500, 4_999}
    text = "email,first_name\n" + "".join(f"{'bad' if n in bad else f'p{n}@x.co'},N{n}\n" for n in range(1, 5_000))
    job = ready(admin, text.encode())
    assert len(job.format["positions"]) > 5
    assert [line[1] for line in rows(admin.get(address("failed", job)))[1:]] == [f"N{n}" for n in sorted(bad)]


def test_problems_are_exported_as_they_are_filtered():  # PV-08
    admin = log_in("Admin")
    job = imported(admin, FIVE.replace(b"invalid-email", b"=evil()"))
    every = rows(admin.get(address("problems", job)))
    assert every[0] == ["Row", "Line", "Severity", "Column", "Value", "Code", "Reason"]
    assert every[1] == ["3", "4", "error", "email", "'=evil()", "invalid_email", "Invalid email format"]
    assert [line[0] for line in every[1:]] == ["3", "4", "5"]
    page = admin.get(address("change", job), {"show": "problems", "code": "malformed_row"}).content.decode()
    link = page.split('">CSV</a>')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert [line[0] for line in rows(admin.get(link))[1:]] == ["5"]
    book = openpyxl.load_workbook(io.BytesIO(content(admin.get(link + "&format=xlsx"))))
    assert lines(book.active)[1][:4] == (5, 6, "error", None)


def test_a_phone_among_the_problems_stays_a_phone():
    admin = log_in("Admin")
    job = imported(admin, b"email,phone,note\na@x.co,+1,+1\n")
    RowError.objects.create(job=job, step="stage", row=2, line=3, severity="warning", column="note", value="-1")
    assert [line[4] for line in rows(admin.get(address("problems", job)))[1:]] == ["+1", "'-1"]


def test_more_problems_than_a_page_holds_are_exported_once_each():
    admin = log_in("Admin")
    job = imported(admin)
    template = {"job": job, "step": "stage", "line": 2, "severity": "error", "code": "bad", "reason": "Bad"}
    RowError.objects.bulk_create(RowError(row=10 + n // 3, **template) for n in range(4_500))
    with CaptureQueriesContext(connection) as queries:
        found = [line[0] for line in rows(admin.get(address("problems", job)))[1:]]
    assert found == ["3", "4", "5", *(str(10 + n // 3) for n in range(4_500))]
    assert len(queries) <= 15


def test_too_many_problems_for_a_workbook_are_for_csv(monkeypatch):
    monkeypatch.setattr("imports.reports.exports.MAX_WORKBOOK_PROBLEMS", 2)
    admin = log_in("Admin")
    page = admin.get(address("problems", imported(admin)), {"format": "xlsx"}, follow=True)
    assert "Download them as CSV" in page.content.decode()


# --- large files ----------------------------------------------------------------------------------


@pytest.fixture
def large(monkeypatch) -> None:
    monkeypatch.setattr(downloads, "SMALL_ROWS", 1)


@pytest.mark.usefixtures("large")
def test_a_large_file_is_made_by_a_worker_and_then_given():
    admin = log_in("Admin")
    job = imported(admin)
    page = admin.get(address("results", job)).content.decode()
    assert "is being created: 0 of 3 rows" in page
    download = Download.objects.get()
    tasks.make_download(download.pk)
    fragment = admin.get(address("results", job), headers={"HX-Request": "true"}).content.decode()
    assert "is ready" in fragment
    assert summary(results(admin, job))["Failed"] == 3


@pytest.mark.usefixtures("large")
def test_a_file_is_made_once_however_often_it_is_asked_for():
    admin = log_in("Admin")
    job = imported(admin)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(3):
            admin.get(address("failed", job))
    assert sum("INSERT INTO" in query["sql"] and "django_q" in query["sql"] for query in queries) == 1
    download = Download.objects.get()
    tasks.make_download(download.pk)
    download.refresh_from_db()
    made = download.made
    tasks.make_download(download.pk)
    download.refresh_from_db()
    assert download.made == made
    assert len(rows(admin.get(address("failed", job)))) == 4


@pytest.mark.usefixtures("large")
def test_what_a_dead_worker_left_is_made_by_another(monkeypatch):
    admin = log_in("Admin")
    job = imported(admin)
    admin.get(address("results", job))
    ahead = timezone.now() + timedelta(minutes=1)
    Download.objects.update(owner="dead", attempts=1, lease_until=ahead, queued=None)
    download = Download.objects.get()
    tasks.make_download(download.pk)
    assert "is being created" in admin.get(address("results", job)).content.decode()
    Download.objects.update(lease_until=timezone.now())
    admin.get(address("results", job))
    assert Download.objects.get().queued is not None
    tasks.make_download(download.pk)
    assert summary(results(admin, job))["Failed"] == 3


@pytest.mark.usefixtures("large")
def test_what_cannot_be_made_says_so_and_another_move_makes_it_anew():
    admin = log_in("Admin")
    job = ready(admin)
    press(admin, job, "start")
    press(admin, job, "stop")
    ImportJob.objects.filter(pk=job.pk).update(ignored=5)
    admin.get(address("results", job))
    Download.objects.update(attempts=3, lease_until=timezone.now())
    assert "could not be created after 3 attempts" in admin.get(address("results", job)).content.decode()
    press(admin, job, "resume")
    finish(job)
    assert "is being created" in admin.get(address("results", job)).content.decode()
    tasks.make_download(Download.objects.get().pk)
    assert summary(results(admin, job))["Status"] == "Completed"


@pytest.mark.usefixtures("large")
def test_a_file_that_a_move_overtook_is_not_kept():
    admin = log_in("Admin")
    job = imported(admin)
    admin.get(address("results", job))
    job.transitions.create(name="resume", before="completed", after="completed")
    tasks.make_download(Download.objects.get().pk)
    download = Download.objects.get()
    assert (download.made, str(download.file)) == (None, "")


# --- the pages ------------------------------------------------------------------------------------


def test_the_page_of_an_import_offers_what_there_is():
    admin = log_in("Admin")
    job = ready(admin)
    page = admin.get(address("change", job)).content.decode()
    assert "Download the failed rows" in page
    press(admin, job, "start")
    finish(job)
    page = admin.get(address("change", job)).content.decode()
    assert f'href="{address("results", job)}"' in page
    assert f'href="{address("failed", job)}"' in page
    assert "failed and ignored" not in page


def test_the_list_has_one_link_for_each_import_that_ended():  # RP-08
    admin = log_in("Admin")
    waiting, done = ready(admin), imported(admin)
    page = admin.get("/admin/imports/importjob/").content.decode()
    assert page.count(f'href="{address("results", done)}"') == 1
    assert address("results", waiting) not in page


@pytest.mark.parametrize("name", ["results", "failed", "problems"])
def test_a_file_needs_few_queries(name: str):
    admin = log_in("Admin")
    job = imported(admin)
    with CaptureQueriesContext(connection) as queries:
        content(admin.get(address(name, job)))
    assert len(queries) <= 15, [query["sql"][:200] for query in queries.captured_queries]


def test_an_uploaded_file_that_is_gone_is_told():
    admin = log_in("Admin")
    job = imported(admin)
    job.file.storage.delete(str(job.file.name))
    refused = admin.get(address("failed", job))
    assert refused.status_code == 409
    assert "no longer in the storage" in refused.content.decode()
    assert lines(results(admin, job)["Failed-Ignored Records"])[2][0] == "invalid-email"
