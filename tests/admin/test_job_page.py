"""The page of one import: what it shows before, during and after, and what its buttons do (design section 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from imports.models import ImportJob, RowError
from imports.states import Status
from profiles.models import Profile
from tests.admin import screens
from tests.admin.screens import address, finish, log_in, press

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

FIVE = (
    b"email,phone,first_name,plan\n"
    b"ann@x.co,+12025550101,Ann,gold\n"
    b"BEN@x.co,+12025550102,Ben,\n"
    b"cy@x.co,+12025550103,Cy,gold\n"
    b"bad,+12025550104,Dee,gold\n"
    b",+12025550105,Eve,gold\n"
)


def ready(client: Client, content: bytes = FIVE, **choices: str) -> ImportJob:
    return screens.ready(client, content, **choices)


def imported(client: Client, content: bytes = FIVE, **choices: str) -> ImportJob:
    return screens.imported(client, content, **choices)


def text(client: Client, job: ImportJob, query: str = "") -> str:
    return client.get(address("change", job) + query).content.decode()


def numbers(client: Client, job: ImportJob, query: str) -> list[int]:
    return [row.number for row in client.get(address("change", job) + query).context["table"].rows]


def test_every_outcome_has_its_rows():
    admin = log_in("Admin")
    imported(admin)
    job = ready(
        admin,
        b"email,first_name,plan\nann@x.co,Ann,gold\nben@x.co,Ben,silver\nnew@x.co,New,\nbad,Bad,gold\n",
        action="overwrite",
    )
    assert numbers(admin, job, "?show=first") == [1, 2, 3, 4]
    assert numbers(admin, job, "?show=unchanged") == [1]
    assert numbers(admin, job, "?show=updated") == [2]
    assert numbers(admin, job, "?show=imported") == [3]
    assert numbers(admin, job, "?show=failed") == [4]
    page = text(admin, job, "?show=updated")
    assert 'Changed <span class="quiet">1</span>' in page
    assert "silver" in page


def test_rows_of_an_outcome_are_paged():  # PV-01
    admin = log_in("Admin")
    lines = "".join(f"person{n}@x.co,P{n}\n" for n in range(1, 121))
    job = ready(admin, f"email,first_name\n{lines}".encode())
    assert numbers(admin, job, "?show=imported") == list(range(1, 51))
    following = admin.get(address("change", job) + "?show=imported").context["following"]
    assert numbers(admin, job, following) == list(range(51, 101))
    following = admin.get(address("change", job) + following).context["following"]
    page = admin.get(address("change", job) + following)
    assert [row.number for row in page.context["table"].rows] == list(range(101, 121))
    assert page.context["following"] == ""


@pytest.mark.parametrize(
    ("identifier", "sought", "found"),
    [
        ("email", "2", [2]),
        ("email", "ben@X.CO", [2]),
        ("email", " cy@x.co ", [3]),
        ("phone", "+1 (202) 555-0103", [3]),
        ("phone", "12025550101", [1]),
        ("email", "4", [4]),
        ("email", "99", []),
        ("email", "99999999999999999999", []),
        ("email", "nobody@x.co", []),
        ("email", "\u0662", []),
        ("email", "a\0b", []),
        ("email", "x" * 10_000, []),
    ],
)
def test_a_row_is_found_by_its_number_or_identifier(identifier: str, sought: str, found: list[int]):  # PV-01
    admin = log_in("Admin")
    job = ready(admin, identifier=identifier)
    page = admin.get(address("change", job), {"find": sought})
    assert [row.number for row in page.context["table"].rows] == found
    if not found:
        assert "No row has the number or identifier" in page.content.decode()


@pytest.mark.parametrize(("sought", "found"), [("BEN@x.co ", [2, 3]), ("bad", [4]), ("12", []), ("a\0b", [])])
def test_a_bad_row_is_found_by_its_identifier_too(sought: str, found: list[int]):
    admin = log_in("Admin")
    job = ready(admin, b"email,phone\nann@x.co,\nben@x.co,12\nBen@x.co,\nbad,12\n")
    page = admin.get(address("change", job), {"find": sought})
    assert [row.number for row in page.context["table"].rows] == found


@pytest.mark.parametrize(
    ("sought", "found"), [("n:1", [1, 3]), ("crm: n:1", [1]), ("crm:x", [2]), ("crm", []), (":" * 10_000, [])]
)
def test_a_row_is_found_by_its_alias_or_the_name_alone(sought: str, found: list[int]):
    admin = log_in("Admin")
    job = ready(admin, b"alias_label,alias_name\ncrm,n:1\ncrm,x\nshop: b,n:1\n", identifier="alias")
    page = admin.get(address("change", job), {"find": sought})
    assert [row.number for row in page.context["table"].rows] == found
    assert "shop: b: n:1" in text(admin, job)


def test_a_single_row_is_shown_with_all_of_its_columns():  # PV-02
    admin = log_in("Admin")
    job = ready(admin)
    lines = admin.get(address("change", job) + "?find=4").context["lines"]
    assert [(line.header, line.text) for line in lines] == [
        ("email", "bad"),
        ("phone", "+12025550104"),
        ("first_name", "Dee"),
        ("plan", "gold"),
    ]
    assert lines[0].cell.problem == "Invalid email format"


def test_problems_are_grouped_filtered_and_searched():
    admin = log_in("Admin")
    job = imported(admin)
    page = admin.get(address("change", job))
    assert {(group.reason, group.column, group.rows) for _, group in page.context["groups"]} == {
        ("Invalid email format", "email", 1),
        ("The identifier is blank: fill in email", "email", 1),
    }
    codes = {problem.code: problem.row for problem in RowError.objects.filter(job=job)}
    for code, row in codes.items():
        shown = admin.get(address("change", job), {"show": "problems", "code": code}).context["problems"]
        assert [problem.row for problem in shown] == [row]
    for sought, rows in (("bad", [4]), ("BLANK", [5]), ("5", [5]), ("email", [4, 5]), ("nothing\0", [])):
        shown = admin.get(address("change", job), {"show": "problems", "text": sought}).context["problems"]
        assert [problem.row for problem in shown] == rows, sought


def test_problems_are_paged_by_row_however_they_were_stored():
    admin = log_in("Admin")
    job = imported(admin)
    one = RowError.objects.filter(job=job).first()
    assert one is not None
    template = {"job": job, "step": one.step, "line": 2, "severity": "error", "code": "bad", "reason": "Bad"}
    RowError.objects.bulk_create(RowError(row=1_000 - n, **template) for n in range(120))
    query, seen = "?show=problems", []
    while query:
        page = admin.get(address("change", job) + query)
        seen += [problem.row for problem in page.context["problems"]]
        query = page.context["following"]
    assert seen == [4, 5, *range(881, 1_001)]


def test_ignored_rows_are_listed_after_the_import():
    admin = log_in("Admin")
    imported(admin)
    job = imported(admin, action="ignore")
    page = admin.get(address("change", job) + "?show=ignored")
    assert [problem.row for problem in page.context["problems"]] == [1, 2, 3]
    assert "Ignored - duplicate found" in page.content.decode()


@pytest.mark.parametrize(
    "query",
    ["?show=nonsense", "?after=x", "?show=imported&after=99999999999999", "?show=problems&after=1-x", "?after=-"],
)
def test_an_address_that_says_nothing_shows_what_there_is(query: str):
    admin = log_in("Admin")
    for job in (ready(admin), imported(admin)):
        assert admin.get(address("change", job) + query).status_code == 200


def test_replace_must_be_understood():  # AC-17
    admin = log_in("Admin")
    imported(admin)
    job = ready(admin, b"email\nann@x.co\n", action="replace")
    page = press(admin, job, "start").content.decode()
    assert "Tick the box to confirm that 3 values are cleared." in page
    job.refresh_from_db()
    assert job.status == Status.READY
    press(admin, job, "start", understood="on")
    finish(job)
    assert Profile.objects.get(attributes__email=["ann@x.co"]).attributes == {"email": ["ann@x.co"]}


def test_an_empty_rejection_is_mended_on_the_page():
    creator, approver = log_in("Creator"), log_in("Approver")
    job = ready(creator)
    press(creator, job, "submit")
    seen = approver.get(address("change", job)).context["seen"]
    page = approver.post(address("transition", job), {"transition": "reject", "seen": seen, "comment": "  "})
    assert page.status_code == 200
    assert "Enter the reason for the rejection" in page.content.decode()
    assert "Error: " in page.content.decode()


def test_what_waits_for_approval_can_be_checked_again_and_goes_on_waiting():
    admin, approver = log_in("Admin"), log_in("Approver")
    first = ready(admin, b"email,first_name\nann@x.co,Ann\n")
    waiting = ready(admin, b"email,first_name\nann@x.co,Anna\n", action="overwrite")
    press(log_in("Admin", name="other"), waiting, "submit")
    ImportJob.objects.filter(pk=waiting.pk).update(status=Status.AWAITING_APPROVAL)
    assert "Check again" not in text(approver, waiting)
    press(admin, first, "start")
    finish(first)
    assert "1 person was added or changed after this check" in text(approver, waiting)
    press(approver, waiting, "refresh")
    waiting.refresh_from_db()
    assert waiting.status == Status.AWAITING_APPROVAL
    assert (waiting.preview["imported"], waiting.preview["updated"]) == (0, 1)
    assert "Check again" not in text(approver, waiting)


def test_it_says_when_nobody_takes_the_work_up():
    admin = log_in("Admin")
    job = ready(admin)
    press(admin, job, "start")
    assert "No worker has continued" not in text(admin, job)
    ImportJob.objects.filter(pk=job.pk).update(step_started=timezone.now() - timedelta(minutes=3))
    assert "No worker has continued this import for 3:00 min" in text(admin, job)


def test_a_stopped_import_says_what_was_applied_and_can_be_resumed():
    admin = log_in("Admin")
    job = ready(admin)
    press(admin, job, "start")
    page = press(admin, job, "stop").content.decode()
    assert "0 were applied, 3 were not reached" in page
    press(admin, job, "resume")
    finish(job)
    job.refresh_from_db()
    assert (job.status, job.imported) == (Status.COMPLETED, 3)


def test_a_file_that_was_refused_cannot_be_resumed():
    admin = log_in("Admin")
    screens.upload(admin, b'email,plan\nann@x.co,"gold"en\n')
    job = ImportJob.objects.get()
    assert (job.status, job.reason_code) == (Status.FAILED, "text_after_quote")
    assert 'value="resume"' not in text(admin, job)


def test_both_vocabularies_tell_the_result():  # SG-10
    admin = log_in("Admin")
    page = text(admin, imported(admin))
    assert "No. of Records 3 · No. of Errors 2" in page
    assert "View 3 people" in page


@pytest.mark.parametrize("query", ["", "?show=imported", "?show=failed", "?show=problems", "?find=3", "?find=ann@x.co"])
def test_the_page_needs_few_queries_whatever_it_shows(query: str):
    admin = log_in("Admin")
    waiting, done = ready(admin), imported(admin)
    for job in (waiting, done):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            admin.get(address("change", job) + query)
        assert len(queries) <= 15, [query["sql"].replace(chr(34), "")[:330] for query in queries.captured_queries]


def lines_of(client: Client, job: ImportJob, row: int) -> dict[str, tuple]:
    found = client.get(address("change", job), {"find": str(row)}).context["lines"]
    return {line.header or line.target: (line.text, line.cell and (line.cell.old, line.cell.new)) for line in found}


def test_a_single_row_tells_what_the_file_has_and_not_what_comes_of_it():
    admin = log_in("Admin")
    imported(admin)
    content = b"email,phone,plan,note\nann@x.co,+12025559999,silver,private\n"
    job = ready(admin, content, action="append", **{"column": "4", "target-4": "skip"})
    lines = lines_of(admin, job, 1)
    assert lines["phone"] == (["+12025559999"], (["+12025550101"], ["+12025550101", "+12025559999"]))
    assert lines["plan"] == ("silver", ("gold", "silver"))
    page = text(admin, job, "?find=1")
    assert "(not read)" in page
    assert "(empty)" not in page


def test_a_single_row_tells_that_a_value_of_the_file_changes_nothing():
    admin = log_in("Admin")
    imported(admin)
    job = ready(admin, b"email,plan\nann@x.co,silver\n", action="update")
    page = text(admin, job, "?find=1")
    assert page.count("silver") == 1
    assert page.count('<span class="quiet">no change</span>') == 2


def test_a_single_row_shows_its_external_id():
    admin = log_in("Admin")
    job = ready(admin, b"external_id,email\n007,bond@x.co\n", identifier="external_id")
    assert lines_of(admin, job, 1)["external_id"] == ("007", (None, "007"))
    press(admin, job, "start")
    finish(job)
    again = ready(admin, b"external_id,email\n007,bond@x.co\n", identifier="external_id")
    assert lines_of(admin, again, 1)["external_id"] == ("007", ("007", "007"))


def test_a_single_row_shows_what_replace_clears_without_a_column():
    admin = log_in("Admin")
    imported(admin)
    job = ready(admin, b"email,plan\nann@x.co,gold\n", action="replace")
    lines = lines_of(admin, job, 1)
    assert lines["first_name"] == (None, ("Ann", None))
    assert lines["phone"] == (None, (["+12025550101"], None))
    assert "no column" in text(admin, job, "?find=1")


def test_each_kind_of_problem_opens_its_rows_and_no_others():
    admin = log_in("Admin")
    job = ready(admin, b"email,plan\nann@x.co\nben@x.co,a,b\ncy@x.co\ndee@x.co,gold\n")
    groups = admin.get(address("change", job) + "?show=problems").context["groups"]
    assert [group.rows for _, group in groups] == [2, 1]
    for link, group in groups:
        assert len(admin.get(address("change", job) + link).context["problems"]) == group.rows


@pytest.mark.parametrize("name", ["severity", "code", "column", "reason", "text", "find"])
def test_what_a_database_cannot_hold_is_not_asked_of_it(name: str):
    admin = log_in("Admin")
    job = ready(admin)
    assert admin.get(address("change", job), {"show": "problems", name: "\0"}).status_code == 200


def test_a_comment_can_hold_what_a_database_cannot():
    creator, approver = log_in("Creator"), log_in("Approver")
    job = ready(creator)
    press(creator, job, "submit")
    assert "Enter the reason for the rejection" in press(approver, job, "reject", comment="\0").content.decode()
    press(approver, job, "reject", comment="not\0 this")
    assert job.transitions.latest("pk").comment == "not this"


def test_what_is_only_started_has_not_imported_anything():
    admin = log_in("Admin")
    job = ready(admin)
    page = press(admin, job, "start")
    counts = page.context["figures"].counts
    assert (counts.imported, counts.updated, counts.failed, counts.not_run) == (0, 0, 2, 3)


def test_only_who_may_write_has_to_understand_what_is_cleared():
    creator, approver, admin = log_in("Creator"), log_in("Approver"), log_in("Admin")
    imported(admin)
    job = ready(creator, b"email,plan\nann@x.co,silver\n", action="replace")
    press(creator, job, "submit", understood="on")
    assert 'id="understood"' not in text(creator, job)
    assert 'id="understood"' in text(approver, job)


def test_a_value_that_is_taken_with_a_warning_shows_what_it_replaces():
    admin = log_in("Admin")
    imported(admin, b"email,seen<dd/MM/yyyy>\nann@x.co,01/02/2003\n")
    job = ready(
        admin,
        b"email,seen<dd/MM/yyyy>\nann@x.co,32/02/2003\nben@x.co,33/02/2003\n",
        identifier="email",
        action="overwrite",
    )
    first, second = (row.cells["seen"] for row in admin.get(address("change", job)).context["table"].rows)
    assert (first.old, first.new) == ("2003-02-01T12:00:00Z", "32/02/2003")
    assert (second.old, second.new) == (None, "33/02/2003")
    for query in ("", "?find=1"):
        page = text(admin, job, query)
        assert "changed from </span><del>" in page
        assert "dd/MM/yyyy expected" in page


def test_where_nothing_changes_the_table_shows_what_the_person_has():
    admin = log_in("Admin")
    imported(admin)
    job = ready(admin, b"email,first_name,plan\nann@x.co,Anna,\nben@x.co,Benny,gold\nbad,Dee,gold\n", action="update")
    ann, ben, bad = admin.get(address("change", job)).context["table"].rows
    assert (ann.cells["first_name"].new, ann.cells["first_name"].same) == ("Ann", True)
    assert (ben.cells["first_name"].new, ben.cells["plan"].old, ben.cells["plan"].new) == ("Ben", None, "gold")
    assert (bad.cells["first_name"].new, bad.cells["email"].problem) == ("Dee", "Invalid email format")


def test_what_was_rejected_goes_on_showing_what_it_would_do():
    creator, approver = log_in("Creator"), log_in("Approver")
    job = ready(creator)
    press(creator, job, "submit")
    press(approver, job, "reject", comment="Not now")
    page = creator.get(address("change", job) + "?show=imported")
    assert [row.number for row in page.context["table"].rows] == [1, 2, 3]
    assert page.context["figures"].counts.imported == 3


def test_a_preview_counts_the_identifiers_that_repeat():  # FF-22
    admin = log_in("Admin")
    twice = b"email,first_name\nann@x.co,Ann\nANN@x.co,Anne\nben@x.co,Ben\n"
    assert "1 duplicate identifier in the file: a row repeats" in text(admin, ready(admin, twice))
    assert "2 duplicate identifiers in the file: rows repeat" in text(admin, ready(admin, twice + b"ben@x.co,B\n"))
    assert "duplicate identifier" not in text(admin, ready(admin))


def test_a_preview_says_once_that_a_file_looks_like_events():  # FF-19
    admin = log_in("Admin")
    page = text(admin, ready(admin, b"email,time,trip.properties.to\nann@x.co,2024-05-01,Rome\n"))
    assert page.count("This looks like an event file") == 1


def test_a_preview_tells_of_mixed_types_where_a_person_made_the_column_an_attribute():  # AT-20, PV-04
    admin = log_in("Admin")
    screens.upload(admin, b"email,shoe\nann@x.co,41\nben@x.co,large\n", preset="expertflow")
    job = ImportJob.objects.get()
    decided = {"column": "2", "target-2": "new", "key-2": "shoe"}
    page = screens.check(admin, job, **decided, **{"type-2": "text"}).content.decode()
    assert "Column shoe has values of mixed types; it becomes text" in page
    press(admin, job, "edit")
    page = screens.check(admin, job, **decided, **{"type-2": "integer"}).content.decode()
    assert "mixed types" not in page
