"""What others do to people between the plan of an import and its end: no row is lost, no job fails (design rule 2)."""

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from imports.engine import driver, fast_path
from imports.jobs import lifecycle, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob
from imports.states import Step
from profiles.models import Identifier, Profile
from tests.oracle import drive
from tests.oracle.cases import Case
from tests.oracle.drive import Crew
from tests.oracle.test_examples import case, person

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(params=[500, 1])
def chunk_rows(request: pytest.FixtureRequest) -> Iterator[None]:
    with patch.object(fast_path, "CHUNK_ROWS", request.param):
        yield


def ready(asked: Case, crew: Crew) -> ImportJob:
    job = drive.upload(asked)
    drive.check(job, asked, crew)
    return job


@pytest.mark.usefixtures("chunk_rows")
@pytest.mark.parametrize("action", ["ignore", "update", "append", "overwrite", "replace"])
@pytest.mark.parametrize("rows", [["a@x.co|Oslo", "b@x.co|Rome"], ["a@x.co|", "b@x.co|"]])
def test_keys_of_a_bucket_that_come_to_be_one_persons(action: str, rows: list[str], crew: Crew):
    asked = case([person(None, email=["a@x.co"], home_city="Bonn")], "email|city", rows, "email", action)
    linking = case([], "email|email 2", ["a@x.co|b@x.co"], "email", "append")
    drive.reset(asked)
    drive.store_people(asked.starting())
    with drive.options(asked):
        job, other = ready(asked, crew), ready(linking, crew)
        with queue.run_inline():
            lifecycle.transition(job, Transition.START, Actor.command())
            while ImportJob.objects.get(pk=job.pk).step != Step.APPLY:
                driver.run_units(job.pk, 0)
        drive.apply(other, linking, crew)
        driver.run_until_idle(job)
    assert (job.status, job.not_run) == ("completed", 0)
    # The first row replaces the addresses under two actions; then nobody has the second row's any more.
    assert Profile.objects.count() == (2 if action in ("overwrite", "replace") else 1)
    assert set(Identifier.objects.values_list("profile", flat=True)) == set(
        Profile.objects.values_list("pk", flat=True)
    )


def test_an_identifier_that_nobody_has_any_more_loses_no_row(crew: Crew):
    asked = case([], "email|city", ["a@x.co|Oslo", "b@x.co|Rome"], "email", "overwrite")
    drive.reset(asked)
    Identifier.objects.create(kind="email", value="a@x.co", profile_id=999_999)
    with drive.options(asked):
        job = ready(asked, crew)
        assert (job.preview["imported"], job.preview["total"]) == (2, 2)
        drive.apply(job, asked, crew)
    assert (job.imported, job.not_run) == (2, 0)
