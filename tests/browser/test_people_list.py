"""The list of people in a browser: filters by keyboard and pointer, wide and narrow, light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.test import Client
from playwright.sync_api import Locator, Page, expect

from imports.models import ImportJob
from tests.admin.screens import check, finish, log_in, press, upload
from tests.browser.person import NARROW, People

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/profiles/profile/"
FILE = "email,first_name,plan\nann@x.co,Ann,gold\nben@x.co,<script>alert(1)</script>,gold\ncy@x.co,مريم,silver\n" + (
    f"long@x.co,{'long' * 100},silver\n"
)


def _bring(client: Client) -> None:
    upload(client, FILE.encode(), name="May leads.csv")
    job = ImportJob.objects.get()
    check(client, job)
    press(client, job, "start")
    finish(job)


def test_people_are_filtered_searched_and_shared(people: People):
    _bring(log_in("Admin", name="importer"))
    creator = people.log_in("Creator")
    page = creator.open(LIST)
    expect(page.locator("#content").get_by_role("status")).to_have_text("4 people")
    page.get_by_label("Exact name of the import").fill("May leads.csv")
    page.get_by_label("Attribute", exact=True).first.select_option(label="plan")
    page.get_by_label("Value").fill("gold")
    page.keyboard.press("Enter")
    expect(page.locator("#content").get_by_role("status")).to_have_text("2 people")
    shared = page.url
    page.get_by_label("Find people").fill("ANN@x.co")
    page.keyboard.press("Enter")
    expect(_rows(page)).to_have_count(2)
    expect(_rows(people.log_in("Approver").open(shared.removeprefix(creator.site)))).to_have_count(3)
    page.get_by_role("link", name="Remove plan is gold").click()
    expect(page.get_by_role("listitem").filter(has_text="plan is gold")).to_have_count(0)
    assert creator.wrong == []


def test_the_list_is_open_to_everybody(people: People):
    _bring(log_in("Admin", name="importer"))
    for width, scheme in ((1280, "light"), (NARROW, "dark")):
        person = people.log_in("Creator", viewport={"width": width, "height": 900}, color_scheme=scheme)
        for query in (
            "?attribute=plan&operator=greater&value=x",
            "?q=nobody",
            "?attribute=plan&operator=equals&value=gold",
        ):
            page = person.open(LIST + query)
            found = Axe().run(page).response["violations"]
            assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        jump = page.get_by_role("link", name="Filters (1)")
        assert jump.is_visible() == (width == NARROW)
        assert person.wrong == []


def _rows(page: Page) -> Locator:
    """The rows of the list, with its head."""
    return page.get_by_role("region", name="People").get_by_role("row")
