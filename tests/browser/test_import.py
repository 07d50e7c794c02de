"""The way of a file as three people go it, in their browsers, on a site that runs (design section 5)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from profiles.models import Profile
from tests.browser.person import People, Person

pytestmark = [pytest.mark.django_db(transaction=True, serialized_rollback=True), pytest.mark.usefixtures("workers")]

PROBLEMS = {7: "no address", 12: "", 20: "two@@x.co", 31: "x@", 40: "@x.co"}
"""What stands instead of an e-mail, by row."""
SECONDS_60 = 60_000


def written(path: Path, rows: int, problems: dict[int, str]) -> Path:
    """A file of people, some without a good e-mail."""
    lines = [
        f"{problems.get(n, f'person{n}@x.co')},Person {n},+1202{n:07},{'gold' if n % 2 else ''}"
        for n in range(1, rows + 1)
    ]
    path.write_text("\n".join(["mail,first_name,mobile,plan", *lines]) + "\n")
    return path


def checked(person: Person) -> None:
    """Choose on the second screen, and have the file checked."""
    page = person.page
    page.get_by_role("radio", name="Email", exact=True).check()
    page.get_by_role("radio", name="Overwrite", exact=True).check()
    page.get_by_role("button", name="Check the file").click()
    expect(page.locator("#state")).to_have_text("Ready", timeout=SECONDS_60)


def stays_loaded(page: Page) -> None:
    """Mark the page, so that ``was_never_loaded_again`` can tell."""
    page.evaluate("window.mark = true")


def was_never_loaded_again(page: Page) -> bool:
    return bool(page.evaluate("window.mark === true"))


def test_three_people_bring_a_file_of_forty_rows_in(people: People, tmp_path: Path):  # PV-03, PV-09
    creator, approver = people.log_in("Creator"), people.log_in("Approver")
    creator.upload(written(tmp_path / "leads.csv", 40, PROBLEMS), "May leads")
    checked(creator)
    main = creator.page.get_by_role("main")
    expect(main).to_contain_text("35 rows will create a person, 0 will update one, 0 will be ignored, 5 will fail.")
    creator.page.get_by_role("button", name="Submit for approval").click()
    expect(creator.page.locator("#state")).to_have_text("Awaiting approval")
    where = creator.page.url.removeprefix(creator.site)

    page = approver.open(where)
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_label("Comment")).to_be_focused()
    page.get_by_label("Comment").fill("Leave the plan out <please>")
    page.get_by_role("button", name="Reject").click()
    expect(page.locator("#state")).to_have_text("Rejected")

    page = creator.open(where)
    expect(main).to_contain_text("Leave the plan out <please>")
    page.get_by_role("link", name="Change settings").first.click()
    page.get_by_role("combobox", name="Column plan goes to").fill("skip")
    page.get_by_role("option", name="Skip this column").click()
    checked(creator)
    creator.page.get_by_role("button", name="Submit for approval").click()
    expect(creator.page.locator("#state")).to_have_text("Awaiting approval")
    creator.open(where)

    page = approver.open(where)
    page.get_by_role("button", name="Approve and start: create 35, update 0").click()
    expect(page.locator("#state")).to_have_text("Completed", timeout=SECONDS_60)

    page = creator.open(where)
    expect(page.locator("#state")).to_have_text("Completed")
    expect(main).to_contain_text("No. of Records 35 · No. of Errors 5")
    page.get_by_role("link", name="Invalid email format").first.click()
    expect(page.get_by_role("table").filter(has_text="two@@x.co")).to_be_visible()
    page.get_by_role("link", name="View 35 people").click()
    expect(page.get_by_role("main")).to_contain_text("person39@x.co")
    assert Profile.objects.filter(attributes__has_key="plan").count() == 0
    assert creator.wrong + approver.wrong == []


def test_an_import_of_a_hundred_thousand_rows_is_watched_to_its_end(people: People, tmp_path: Path):  # PS-04
    creator, approver = people.log_in("Creator"), people.log_in("Approver")
    creator.upload(written(tmp_path / "many.csv", 100_000, PROBLEMS))
    expect(creator.page.get_by_role("button", name="Check the file")).to_be_visible(timeout=SECONDS_60)
    checked(creator)
    creator.page.get_by_role("button", name="Submit for approval: create 99,995, update 0").click()
    expect(creator.page.locator("#state")).to_have_text("Awaiting approval")
    stays_loaded(approver.open(creator.page.url.removeprefix(creator.site)))
    approver.page.get_by_role("button", name="Approve and start").click()
    expect(approver.page.get_by_role("main")).to_contain_text("rows/s", timeout=SECONDS_60)
    expect(approver.page.locator("#state")).to_have_text("In Progress")
    stays_loaded(approver.page)
    expect(approver.page.locator("#state")).to_have_text("Completed", timeout=2 * SECONDS_60)
    assert was_never_loaded_again(approver.page)
    expect(approver.page.get_by_role("main")).to_contain_text("No. of Records 99,995 · No. of Errors 5")
    assert creator.wrong + approver.wrong == []


def test_a_refused_upload_is_told_however_one_moved_about_the_page(people: People, tmp_path: Path):
    """The address of the page names a part of it once somebody has followed a link within it."""
    empty = tmp_path / "empty.csv"
    empty.write_text("email,plan\n")
    page = people.log_in("Creator").open("/admin/imports/importjob/add/")
    page.get_by_role("link", name="Get a sample file").click()
    page.set_input_files("input[type=file]", empty)
    for _ in range(2):
        page.fill("#id_name", "May leads")
        page.click("input[value=Upload]")
        expect(page.locator("#errornote")).to_be_focused()
        page.get_by_role("link", name="The file has no data rows").click()
    expect(page.get_by_label("Name of the import")).to_have_value("May leads")
    page.evaluate("document.getElementById('id_name').value = 'x'.repeat(300)")
    page.click("input[value=Upload]")
    expect(page.locator("#name-row.errors .errorlist")).to_contain_text("at most 255 characters")
    expect(page.locator("#drop-zone.errors")).to_have_count(0)
