"""The list of imports stays fresh, and keeps out of the way of whoever uses it (PS-13)."""

from __future__ import annotations

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from imports.models import Bucket, ImportJob
from imports.states import Status, Step
from tests.browser.person import PASSWORD, People

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/imports/importjob/?q=leads"
PATIENCE = 20_000


def test_it_stays_fresh_and_waits_while_rows_are_ticked(people: People):
    job = ImportJob.objects.create(name="May leads", file="may.csv", status=Status.IN_PROGRESS, step=Step.APPLY)
    for number in (1, 2):
        Bucket.objects.create(job=job, step=Step.APPLY, number=number, size=10)
    admin = people.log_in("Admin", timezone_id="Asia/Tokyo")
    page = admin.open(LIST)
    row = page.locator("#result_list tbody tr")
    expect(row).to_contain_text("In Progress 0 %")
    expect(row.locator("time")).to_contain_text("GMT+9")
    page.fill("#searchbar", "half a wo")
    job.buckets.filter(number=1).update(done=timezone.now())
    expect(row).to_contain_text("In Progress 50 %", timeout=PATIENCE)
    expect(row.locator("time")).to_contain_text("GMT+9")
    assert page.input_value("#searchbar") == "half a wo"
    assert page.evaluate("document.activeElement.id") == "searchbar"

    page.check("#action-toggle")
    expect(page.locator(".action-counter")).to_have_text("1 of 1 selected")
    ImportJob.objects.update(status=Status.COMPLETED, step=Step.IDLE, imported=20)
    page.wait_for_timeout(4_000)
    expect(row).to_contain_text("In Progress 50 %")
    page.uncheck("#action-toggle")
    page.focus("#searchbar")
    expect(row).to_contain_text("Completed", timeout=PATIENCE)
    assert admin.wrong == []


def test_a_session_that_ends_leads_to_the_login_page_and_back(people: People):
    ImportJob.objects.create(name="May leads", file="may.csv", status=Status.CHECKING, step=Step.STAGE)
    page = people.log_in("Admin").open(LIST)
    Session.objects.all().delete()
    page.wait_for_url("**/login/?next=**", timeout=PATIENCE)
    page.fill("#id_username", "admin")
    page.fill("#id_password", PASSWORD)
    page.click("input[type=submit]")
    page.wait_for_url(f"**{LIST}")
    expect(page.locator("#result_list")).to_contain_text("May leads")
