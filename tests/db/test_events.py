"""Events after a crash of the database, which empties what is unlogged, and after their person is deleted."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from imports.drafts import configure
from imports.engine import driver
from imports.job_tables import JobTables
from imports.jobs import lifecycle, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob
from profiles.models import Event, Profile
from profiles.writing import edit, store

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

VIEWS = "external_id,ts,price\na,1468308340,5\nb,,6\na,,\nc,yesterday,7\n"


def checked() -> ImportJob:
    job = ImportJob(name="views", file_name="views.csv", source="command", record_type="events")
    job.identifier, job.options = "external_id", {"event_name": "Product Viewed"}
    job.file.save("views.csv", ContentFile(VIEWS.encode()), save=False)
    lifecycle.upload(job, Actor.command())
    driver.run_until_idle(job)
    configure.check(job, Actor.command())
    driver.run_until_idle(job)
    assert job.status == "ready", job.reason
    return job


def applied(job: ImportJob):
    lifecycle.transition(job, Transition.START, Actor.command())
    driver.run_until_idle(job)
    assert job.status == "completed", job.reason
    return list(Event.objects.order_by("row").values_list("row", "profile__external_id", "properties"))


WRITTEN = [(1, "a", {"price": 5}), (2, "b", {"price": 6}), (3, "a", {})]


@pytest.mark.parametrize("lost", [("staged", "results", "inserted", "updated"), ("results", "inserted", "updated")])
def test_what_a_crash_emptied_is_made_again_from_the_file(lost: tuple[str, ...]) -> None:
    with queue.run_inline():
        job = checked()
        with connection.cursor() as cursor:
            for name in lost:
                cursor.execute(f"TRUNCATE {getattr(JobTables(job.pk), name)}")
        assert applied(job) == WRITTEN
    assert (job.imported, job.updated, job.failed) == (2, 1, 1)


def test_a_person_takes_their_events_along() -> None:
    with queue.run_inline():
        assert applied(checked()) == WRITTEN
    person = Profile.objects.get(external_id="a")
    edit.delete(edit.SeenVersion(person.pk, store.to_microseconds(person.updated)), None)
    assert list(Event.objects.values_list("row", flat=True)) == [2]
