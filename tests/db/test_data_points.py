"""Braze's data points, estimated where the options ask for them (DP-01 .. DP-05)."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from imports.engine import data_points, driver
from imports.job_tables import JobTables
from imports.jobs import leases, queue
from imports.models import ImportJob
from imports.states import Step
from tests.admin.screens import address, check, finish, log_in, press, upload

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def admin() -> Client:
    return log_in("Admin")


def checked(client: Client, content: str, identifier: str = "external_id", action: str = "overwrite", **values: str):
    """A job that asks for data points, checked."""
    upload(client, content.encode())
    job = ImportJob.objects.latest("pk")
    ImportJob.objects.filter(pk=job.pk).update(options={"data_points": True})
    check(client, job, identifier, action, **values)
    job.refresh_from_db()
    assert job.status == "ready", job.reason
    return job


def run(client: Client, job: ImportJob) -> int | None:
    """The data points that were used at the end."""
    press(client, job, "start")
    finish(job)
    job.refresh_from_db()
    assert job.status == "completed", job.reason
    return job.data_points


COSTS = [
    ("external_id,first_name,home_city\nA,Ann,\nB,Ben,Bath\n", "external_id", 3, "each value one, blanks and ids none"),
    ("email\na@b.co\nb@b.co\n", "email", 2, "an e-mail address by which people are found"),
    ('external_id,first_name,"a"":"\nA,"x"":,""y"":",:null\nB,"[1,2]",\\\n', "external_id", 4, "whatever they hold"),
    ("external_id,push_subscribe,group:news,grouped\nA,subscribed,subscribed,x\n", "external_id", 1, "consent none"),
]


@pytest.mark.parametrize(("content", "identifier", "points", "why"), COSTS)
def test_values_cost_one_each_but_for_ids_and_consent(
    admin: Client, content: str, identifier: str, points: int, why: str
):
    job = checked(admin, content, identifier)
    assert job.preview["data_points"] == points, why
    assert run(admin, job) == points, why


def test_each_value_of_a_list_costs_one(admin: Client):
    to_email = {"column": "3", "target-3": "attribute:email"}
    job = checked(admin, "external_id,email,work\nA,a@b.co,b@b.co\nB,,\nC,c@b.co,\n", **to_email)
    assert job.preview["data_points"] == 3
    assert run(admin, job) == 3


def test_rows_that_are_ignored_or_fail_cost_none(admin: Client):
    content = "email,first_name\nann@x.co,Ann\nno address,Ben\nann@x.co,Anna\n"
    job = checked(admin, content, "email", "ignore")
    assert (job.preview["ignored"], job.preview["failed"], job.preview["data_points"]) == (1, 1, 2)
    assert run(admin, job) == 2
    again = checked(admin, content, "email", "ignore")
    assert again.preview["data_points"] == 0


def test_what_a_crash_of_the_database_emptied_is_read_again_before_it_is_counted(admin: Client):
    job = checked(admin, "external_id,first_name\nA,Ann\nB,Ben\nC,\n")
    press(admin, job, "start")
    with queue.run_inline():
        while True:
            job.refresh_from_db()
            if job.step == Step.APPLY and job.buckets.filter(step=Step.APPLY).exists() and leases.all_done(job):
                break
            driver._advance(job)
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {JobTables(job.pk).staged}, {JobTables(job.pk).results}")
    finish(job)
    job.refresh_from_db()
    assert (job.status, job.data_points) == ("completed", 2)


def test_nothing_is_counted_where_nobody_asks(admin: Client):
    upload(admin)
    job = ImportJob.objects.latest("pk")
    check(admin, job)
    job.refresh_from_db()
    with CaptureQueriesContext(connection) as queries:
        assert data_points.count(job) is None
    assert (len(queries), "data_points" in job.preview, run(admin, job)) == (0, False, None)
    assert "Data points" not in admin.get(address("change", job)).content.decode()


def test_each_event_costs_one(admin: Client):
    job = checked(admin, "external_id,first_name,home_city\nA,Ann,Bath\nB,Ben,Bath\n")
    job.record_type, job.step = ImportJob.RecordType.EVENTS, Step.PREVIEW
    assert data_points.count(job) == 2


def test_it_is_called_an_estimate_on_the_preview_and_on_the_finished_import(admin: Client):
    job = checked(admin, "external_id,first_name\nA,Ann\n")
    assert "Data points: about 1, an estimate" in admin.get(address("change", job)).content.decode()
    run(admin, job)
    assert "Data points 1 (an estimate)" in admin.get(address("change", job)).content.decode()
