"""The second screen in a browser: by keyboard, in two tabs, and when something happens meanwhile (section 9)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from imports.models import ImportJob
from tests.browser.person import NARROW, People
from tests.made_files import workbook_of

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "people.csv"
    found.write_text("email;mobile;plan;company\nann@x.co;+15551234567;gold;Zoë & Co\nno address;;silver;Łódź\n")
    return found


def saved(page: Page) -> None:
    expect(page.locator("#save-told")).to_contain_text("Saved")
    page.evaluate("document.getElementById('save-told').textContent = ''")


def goes_to(job: ImportJob) -> list[str]:
    return [column.target or column.target_kind for column in job.columns.all()]


def test_columns_are_mapped_by_keyboard_and_choices_outlast_the_page(people: People, file: Path):
    creator = people.log_in("Creator")
    creator.upload(file)
    page, job = creator.page, ImportJob.objects.get()
    page.get_by_label("Email", exact=True).check()
    saved(page)
    page.get_by_label("Update (Merge)").check()
    saved(page)
    place = page.get_by_role("combobox", name="Column plan goes to")
    place.focus()
    page.keyboard.type("lab")
    expect(page.get_by_role("option", name="Labels")).to_have_class("active")
    page.keyboard.press("Enter")
    saved(page)
    expect(place).to_be_focused()
    page.get_by_role("combobox", name="Column company goes to").fill("choose")
    page.keyboard.press("Enter")
    saved(page)
    expect(page.locator("#check-note")).to_have_text("1 column to decide")
    page.get_by_role("button", name="Check the file").press("Enter")
    expect(page.get_by_role("combobox", name="Column company goes to")).to_be_focused()
    assert creator.wrong == []  # before axe comes, whose styles the site does not let in
    assert creator.faults() == []
    page.reload()
    expect(page.get_by_label("Email", exact=True)).to_be_checked()
    expect(page.get_by_role("combobox", name="Column plan goes to")).to_have_value("Labels")
    assert goes_to(job) == ["email", "phone", "labels", "undecided"]
    page.get_by_role("combobox", name="Column company goes to").fill("skip")
    page.keyboard.press("Enter")
    saved(page)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("main")).to_contain_text("Invalid email format")


def test_two_tabs_and_a_phone_do_not_overwrite_each_other_and_lost_choices_are_told(people: People, file: Path):
    creator = people.log_in("Creator")
    creator.upload(file)
    first, job = creator.page, ImportJob.objects.get()
    second = creator.tab()
    second.goto(first.url)
    first.get_by_role("combobox", name="Column plan goes to").fill("skip")
    first.keyboard.press("Enter")
    saved(first)
    second.get_by_role("combobox", name="Column company goes to").fill("labels")
    second.keyboard.press("Enter")
    saved(second)
    expect(second.get_by_role("combobox", name="Column plan goes to")).to_have_value("Skip this column")
    _choose_an_option_in_both(first, second)
    _read_wrongly_on_a_phone(people, first.url)
    first.get_by_role("button", name="Save", exact=True).click()
    expect(first.get_by_role("main")).to_be_visible()
    assert goes_to(job) == ["email", "phone", "skip", "labels"]
    job.refresh_from_db()
    assert job.options == {"default_country": "DE"}

    job.delete()
    second.get_by_label("Append").check()
    expect(second.get_by_role("alert")).to_contain_text("has been deleted")
    creator.context.clear_cookies()
    second.get_by_label("Ignore").check()
    expect(second.get_by_role("alert")).to_contain_text("This was not saved")


def test_another_sheet_of_a_workbook_is_chosen_and_columns_keep_their_places(people: People, tmp_path: Path):
    june = [["email", "plan", "town"], ["ben@x.co", "silver", "Rome"]]
    file = tmp_path / "people.xlsx"
    file.write_bytes(workbook_of({"May": [["email", "plan"], ["ann@x.co", "gold"]], "June": june, "Empty": []}))
    creator = people.log_in("Creator")
    creator.upload(file)
    page, job = creator.page, ImportJob.objects.get()
    page.get_by_role("combobox", name="Column plan goes to").fill("skip")
    page.keyboard.press("Enter")
    saved(page)
    page.locator("#options > summary").press("Enter")
    _read(page, "June", "; “June” is read")
    page.locator("#options > summary").press("Enter")
    _read(page, "Empty", "The sheet “Empty” is empty.")
    assert creator.wrong == []
    assert goes_to(job) == ["email", "skip", "town"]


def _read(page: Page, sheet: str, told: str) -> None:
    page.get_by_label("Sheet:").select_option(label=sheet)
    page.get_by_role("button", name="Read the file again").press("Enter")
    expect(page.locator("#content-main")).to_contain_text(told)


def _choose_an_option_in_both(first: Page, second: Page) -> None:
    """The last one saved wins, and the other page shows it."""
    for page, format_ in ((first, "plus"), (second, "e164")):
        page.locator("#options > summary").click()
        page.get_by_label("Phone numbers:", exact=True).select_option(format_)
        saved(page)
    first.get_by_label("Dates in ISO 8601:").select_option("False")
    saved(first)
    expect(first.get_by_label("Phone numbers:", exact=True)).to_have_value("e164")
    expect(first.locator("#by-hand")).to_contain_text("strictly as in E.164")
    first.get_by_role("button", name="Reset to the preset’s options").press("Enter")
    expect(first.get_by_role("main")).to_contain_text("Options reset to those of the preset Standard.")
    expect(first.locator("#by-hand")).to_be_empty()


def _read_wrongly_on_a_phone(people: People, address: str) -> None:
    window: dict[str, Any] = {"viewport": {"width": NARROW, "height": 800}, "has_touch": True, "is_mobile": True}
    creator = people.log_in("Creator", **window, color_scheme="dark")
    page = creator.page
    page.goto(address)
    page.locator("#options > summary").click()
    expect(page.get_by_text("Is this spelled right?")).to_be_visible()
    page.get_by_label("Delimiter").select_option("bar (|)")
    page.get_by_role("button", name="Read the file again").click()
    expect(page.locator("#errornote")).to_contain_text("the file has one column instead of 4")
    expect(page.locator("#errornote")).to_be_focused()
    page.get_by_label("Country of phone numbers").select_option(label="Germany (+49)")
    saved(page)
    assert creator.wrong == []
    assert creator.faults() == []


def test_a_thousand_columns_fit_a_phone(people: People, tmp_path: Path):
    wide = tmp_path / "wide.csv"
    wide.write_text(f"email,{','.join(f'c{number}' for number in range(999))}\nann@x.co{',1' * 999}\n")
    creator = people.log_in("Creator", viewport={"width": NARROW, "height": 800})
    creator.upload(wide)
    expect(creator.page.get_by_role("navigation", name="Pages of columns")).to_contain_text("1000 columns")
    assert creator.faults() == []
