"""No screen is hard to see, to point at or to hear, in light and dark, on wide windows and on phones (WCAG 2.2 AA).

A screen that is new comes into ``SCREENS``.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.template.loader import render_to_string
from django.utils import timezone
from playwright.sync_api import Route, expect

from imports.models import Bucket, ImportJob, JobTransition
from imports.states import Status, Step
from profiles.models import Profile
from tests.browser.person import NARROW, WIDE, People, Person

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

LIST = "/admin/imports/importjob/"
EMPTY = ("/admin/", LIST)
SCREENS = (
    "/admin/",
    LIST,
    f"{LIST}?status__exact=failed&q=leads",
    f"{LIST}?q=nothing",
    f"{LIST}mail/",
    f"{LIST}add/",
    f"{LIST}help/",
    "/admin/profiles/profile/",
    "/admin/profiles/profile/add/",
    "/admin/profiles/attribute/?q=mail",
    "/admin/profiles/attribute/add/",
    "/admin/password_change/",
    "/admin/nothing/",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_has_a_fault(people: People, scheme: str):
    admin = people.log_in("superuser", color_scheme=scheme)
    found = faults(admin, *EMPTY)
    make_jobs(get_user_model().objects.get(username=admin.name))
    ann = {"email": ["ann@x.co"], "first_name": "Ann"}
    Profile.objects.create(object_id="1", attributes=ann, created=timezone.now(), updated=timezone.now())
    found |= faults(admin, *SCREENS)
    found |= faults(people.log_in("Creator", color_scheme=scheme), "/admin/auth/user/")
    for page in ("500.html", "403_csrf.html"):
        html = render_to_string(page)
        admin.page.route(f"**/{page}", partial(answer, html))
        found |= faults(admin, f"/admin/{page}")
    admin.open("/admin/")
    admin.page.click("#logout-form button")
    found |= faults(admin) | faults(admin, "/admin/login/")
    assert found == {}


HOSTILE = """mail,<script>alert(1)</script>,name,note
ann@x.co,"<img src=x onerror=alert(2)>",عمرو,=1+1
no address,,Zoë,{long}
ben@x.co,🙂,Ben,
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_screen_of_an_import_has_a_fault(people: People, tmp_path: Path, scheme: str):
    admin = people.log_in("superuser", color_scheme=scheme)
    file = tmp_path / "<b>leads.csv"
    file.write_text(HOSTILE.format(long="x" * 10_000))
    admin.upload(file)
    found = faults(admin)
    admin.page.set_viewport_size({"width": WIDE, "height": 900})
    admin.page.get_by_role("radio", name="Email", exact=True).check()
    admin.page.get_by_role("radio", name="Replace", exact=True).check()
    admin.page.get_by_role("button", name="Check the file").click()
    expect(admin.page.locator("#state")).to_have_text("Ready")
    job = admin.page.url.removeprefix(admin.site)
    rows = ("", "?show=imported", "?show=failed", "?show=problems", "?find=1", "?find=2", "?find=nobody")
    found |= faults(admin, *(job + query for query in rows))
    admin.open(job)
    admin.page.set_viewport_size({"width": WIDE, "height": 900})
    admin.page.get_by_role("button", name="Cancel import").click()
    expect(admin.page.locator("#state")).to_have_text("Cancelled")
    assert found | faults(admin) == {}


def answer(html: str, route: Route) -> None:
    route.fulfill(body=html, content_type="text/html")


def faults(person: Person, *paths: str) -> dict[str, list[str]]:
    """What is wrong with each of these pages, or with the one that is open, at each width."""
    found = {}
    for path in paths or ("",):
        if path:
            person.open(path)
        for width in (WIDE, NARROW):
            person.page.set_viewport_size({"width": width, "height": 900})
            if wrong := person.faults():
                found[f"{path or person.page.url} at {width}"] = wrong
    return found


def make_jobs(user) -> None:
    """One import in each state, one of which is at work; with a name that is long and one from right to left."""
    made = {"file": "may.csv", "file_name": "x" * 200 + ".csv", "total": 10_000, "created_by": user}
    for status in Status:
        job = ImportJob.objects.create(name=f"{status.label} leads", status=status, step_started=timezone.now(), **made)
        if status == Status.REJECTED:
            JobTransition.objects.create(job=job, name="reject", before=status, after=status, actor=user, comment="No")
        if status == Status.IN_PROGRESS:
            ImportJob.objects.filter(pk=job.pk).update(step=Step.APPLY)
            Bucket.objects.create(job=job, step=Step.APPLY, number=1, size=10)
    ImportJob.objects.create(name="عملاء مايو" + "y" * 200, status=Status.COMPLETED, **made)
