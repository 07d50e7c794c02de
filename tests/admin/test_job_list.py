"""The list of imports: its columns, what it can be narrowed to, how it stays fresh (PS-08, PS-13, D-07)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.views.defaults import server_error

from imports.admin import job_list
from imports.mapping import column_mapping
from imports.models import Bucket, ImportJob
from imports.states import Status, Step
from profiles.models import load_schema
from tests.admin.screens import log_in

pytestmark = pytest.mark.django_db

LIST = "/admin/imports/importjob/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def admin() -> Client:
    return log_in("Admin")


@pytest.fixture
def cara():
    return get_user_model().objects.create_user("cara", "cara@example.com", first_name="Cara", last_name="Lee")


def job(name: str = "May leads", status: Status = Status.COMPLETED, **values) -> ImportJob:
    made = {"name": name, "file": "may.csv", "file_name": "may.csv"} | values
    return ImportJob.objects.create(status=status, **made)


def shown(client: Client, query: str = "") -> list[str]:
    """The names of the imports on the page."""
    page = client.get(LIST + query)
    assert page.status_code == 200
    return [found.name for found in page.context["cl"].result_list]


def text(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_the_columns_are_those_of_the_two_vendors_in_order(admin, cara):
    job(created_by=cara, total=1_010, imported=900, updated=50, ignored=40, failed=20)
    page = admin.get(LIST).content.decode()
    headings = re.findall(r'<div class="text"><(?:a href|span)[^>]*>([^<]*)<', page)
    assert headings[-9:] == [
        "Name", "Uploaded on", "Uploaded by", "Status", "No. of Errors", "No. of Records",
        "File", "Targeting", "Rows",
    ]  # fmt: skip
    row = text(page[page.index("<tbody>") : page.index("</tbody>")])
    assert "cara@example.com Cara Lee Completed Results of May leads 20 950 may.csv Filter 1,010" in row
    assert 'cara@example.com <span class="quiet">Cara Lee</span>' in page


def test_somebody_without_an_address_is_shown_by_name(admin):
    job(created_by=get_user_model().objects.create_user("dan"))
    assert '<td class="field-uploader">dan</td>' in admin.get(LIST).content.decode()


def test_before_the_end_there_are_no_errors_or_records_to_count(admin):
    job(status=Status.AWAITING_APPROVAL, total=10, preview={"failed": 3})
    assert "– Awaiting approval – – may.csv" in text(admin.get(LIST).content.decode())


def test_a_running_import_shows_its_share_of_the_rows(admin):
    running = job(status=Status.IN_PROGRESS, step=Step.APPLY, total=30)
    Bucket.objects.create(job=running, step=Step.STAGE, number=1, size=30, done=timezone.now())
    for number, done in enumerate([timezone.now(), None, None]):
        Bucket.objects.create(job=running, step=Step.APPLY, number=number, size=10, done=done)
    assert "In Progress 33 %" in text(admin.get(LIST).content.decode())


def test_it_looks_every_few_seconds_while_something_runs_and_seldom_otherwise(admin):
    job()
    assert 'hx-trigger="every 30s"' in admin.get(LIST).content.decode()
    job(status=Status.CHECKING, step=Step.STAGE)
    assert 'hx-trigger="every 3s"' in admin.get(LIST).content.decode()


def test_a_refresh_brings_the_results_alone(admin):
    job()
    part = admin.get(LIST, headers=HTMX).content.decode()
    assert "May leads" in part
    assert "searchbar" not in part
    assert "changelist-filter" not in part


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?status__exact=awaiting_approval", ["Waits"]),
        ("?source__exact=command", ["By command"]),
        ("?created_by={cara}", ["Waits"]),
        ("?created_by={cara}&status__exact=completed", []),
        ("?created_by=99999999999999999999", []),
        ("?created_by=x", []),
        ("?q=COMMAND", ["By command"]),
        ("?q=wait.CSV", ["Waits"]),
        ("?q=%25", []),
        ("?q=nothing+of+the+kind", []),
    ],
)
def test_it_can_be_narrowed(admin, cara, query, names):
    job("By command", source="command", file_name="c.csv")
    job("Waits", Status.AWAITING_APPROVAL, created_by=cara, file_name="wait.csv")
    assert shown(admin, query.format(cara=cara.pk)) == names


def test_it_can_be_narrowed_to_a_date(admin):
    job("Old")
    ImportJob.objects.update(created=timezone.now() - timedelta(days=40))
    job("New")
    page = admin.get(LIST)
    week = re.search(r'href="(\?created__gte=[^"]+)">\s*Past 7 days', page.content.decode())
    assert week
    assert shown(admin, week[1].replace("&amp;", "&")) == ["New"]


def test_only_people_who_uploaded_something_can_be_chosen(admin, cara):
    job(created_by=cara)
    get_user_model().objects.create_user("idle", "idle@example.com")
    page = admin.get(LIST + "?source__exact=admin&q=may").content.decode()
    assert "cara@example.com (Cara Lee)</option>" in page
    assert "idle@example.com" not in page
    form = page[page.index('class="filter-form"') :]
    assert '<input type="hidden" name="source__exact" value="admin">' in form
    assert '<input type="hidden" name="q" value="may">' in form


def test_more_uploaders_than_are_listed_are_found_by_the_search(admin, cara, monkeypatch):
    job("Hers", created_by=cara)
    job("His", created_by=get_user_model().objects.create_user("ben", "ben@example.com"))
    assert "The first" not in admin.get(LIST).content.decode()
    monkeypatch.setattr(job_list, "MAX_UPLOADERS", 1)
    page = admin.get(LIST).content.decode()
    assert "Only the first 1 users are listed. To find the imports of others, search for" in page
    assert shown(admin, "?q=cara@example.com") == ["Hers"]
    assert shown(admin, "?q=ben") == ["His"]


def test_an_empty_list_says_what_to_do_next(admin):
    page = admin.get(LIST).content.decode()
    assert ">Import people from a CSV file</a>" in page
    assert reverse("admin:imports_importjob_add") in page
    job()
    assert "Remove a filter" in admin.get(LIST + "?q=nothing").content.decode()


def test_hostile_names_are_shown_harmlessly(admin, cara):
    cara.first_name = "<b>Cara</b>"
    cara.save()
    job("<script>alert(1)</script>", file_name='"><img src=x onerror=alert(2)>', created_by=cara)
    page = admin.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "<b>Cara" not in page


def test_it_takes_the_same_few_queries_at_any_size(admin):
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            admin.get(LIST)
        return len(found)

    running = job(status=Status.IN_PROGRESS, step=Step.APPLY, total=30)
    Bucket.objects.create(job=running, step=Step.APPLY, number=1, size=30)
    job(created_by=get_user_model().objects.create_user("first"))
    few = queries()
    for number in range(60):
        user = get_user_model().objects.create_user(f"user{number}")
        user.groups.add(Group.objects.get(name="Creator"))
        made = job(f"{number}", Status.IN_PROGRESS, step=Step.APPLY, created_by=user, total=10)
        Bucket.objects.create(job=made, step=Step.APPLY, number=1, size=10)
    assert queries() == few <= 15


def test_stopped_imports_are_resumed_from_the_list_by_whom_they_concern(cara):
    as_checked = column_mapping.schema_version([], load_schema())
    stopped = job(status=Status.STOPPED, created_by=cara, schema_version=as_checked)
    stopped.transitions.create(name="stop", before=Status.IN_PROGRESS, after=Status.STOPPED)
    sent = {"action": "resume", "_selected_action": [stopped.pk]}
    refused = log_in("Creator").post(LIST, sent, follow=True).content.decode()
    assert "Only the uploader, an Approver or an Admin can do this." in refused
    assert "May leads: resumed." in log_in("Approver").post(LIST, sent, follow=True).content.decode()


def test_what_the_site_lets_look_looks_and_nobody_else_does():
    assert log_in("Creator").get(LIST).status_code == 200
    assert log_in().get(LIST).status_code == 403
    assert "/login/" in Client().get(LIST)["Location"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_part_of_a_page_of_somebody_who_is_logged_out_loads_the_whole_page_anew(method):
    answer = getattr(Client(), method)(LIST, headers=HTMX)
    assert answer.status_code == 200
    assert answer["HX-Refresh"] == "true"
    assert answer.content == b""


def test_so_does_one_that_may_not_be_seen_any_more_or_is_gone():
    nobody, admin = log_in(), log_in("Admin")
    assert nobody.get(LIST, headers=HTMX)["HX-Refresh"] == "true"
    assert admin.get(LIST + "7/change/", headers=HTMX)["HX-Refresh"] == "true"
    assert "HX-Refresh" not in nobody.get(LIST)


def test_what_is_refused_says_who_may_and_what_is_gone_says_so():
    refused = log_in().get(reverse("admin:imports_importjob_add"))
    assert refused.status_code == 403
    assert "Only Admins, Creators and Approvers can work with imports." in refused.content.decode()
    assert "You are logged in as nobody." in refused.content.decode()
    gone = log_in("Admin").get(LIST + "7/change/")
    assert gone.status_code == 404
    assert "There is no import 7. It may have been deleted." in gone.content.decode()
    outdated = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert outdated.status_code == 403
    assert "The page you came from is out of date" in outdated.content.decode()


def test_the_page_of_a_fault_needs_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        page = server_error(RequestFactory().get("/admin/"))
    assert b"Something went wrong here" in page.content


@pytest.mark.parametrize("query", ["?status__exact=%00", "?source__exact=a%00", "?q=%00", "?created_by=%00", "?p=%00"])
def test_an_address_with_a_nul_leads_to_the_whole_list(admin, query: str):
    job()
    assert admin.get(LIST + query, follow=True).status_code == 200
