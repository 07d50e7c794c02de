"""PostgreSQL is killed, and with it all that is in unlogged tables and in unwritten log (design section 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from imports.models import ImportJob, Status, Step
from tests.crashes import way
from tests.crashes.server import Crash, Server, connected

pytestmark = pytest.mark.xdist_group("database crashes")  # its tests share a server


@pytest.fixture(scope="module")
def server(tmp_path_factory, django_db_blocker) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("crashing") / "postgres")
    server.start()
    with django_db_blocker.unblock():
        server.migrate()
    yield server
    server.stop()


@pytest.fixture
def database(server: Server, django_db_blocker) -> Iterator[str]:
    """A database of the test's own, and Django connected to it."""
    name = server.new_database()
    with django_db_blocker.unblock(), connected(server, name), way.options():
        yield name


@pytest.fixture(scope="module")
def expected(server: Server, django_db_blocker) -> dict[str, Any]:
    """What comes of the file on a server that nobody kills."""
    with django_db_blocker.unblock(), connected(server, server.new_database()), way.options():
        return way.undisturbed()


ALL = -1
"""All units of a step, which is not yet ended."""
LATER = pytest.mark.long

MOMENTS = [
    pytest.param(Step.SCAN, 0, marks=LATER),
    pytest.param(Step.SCAN, ALL, marks=LATER),
    pytest.param(Status.DRAFT, 0, marks=LATER),
    (Step.STAGE, ALL),
    pytest.param(Step.PLAN, 0, marks=LATER),
    (Step.PLAN, ALL),
    pytest.param(Step.PREVIEW, 0, marks=LATER),
    (Step.PREVIEW, 2),
    pytest.param(Step.PREVIEW, 9, marks=LATER),
    (Step.PREVIEW, ALL),
    (Status.READY, 0),
    (Step.PREPARE, ALL),
    pytest.param(Step.APPLY, 0, marks=LATER),
    (Step.APPLY, 2),
    pytest.param(Step.APPLY, 9, marks=LATER),
    (Step.APPLY, ALL),
]
"""After how many units of which step, or in which status that waits for somebody."""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("moment", "units"), MOMENTS)
@pytest.mark.parametrize("saved", [True, pytest.param(False, marks=LATER)])
def test_a_crash_between_two_units_changes_nothing(server, expected, moment, units, saved):
    way.begin()
    job = way.uploaded()
    walk(job, moment, units)
    server.crash(Crash.BACKEND, saved=saved)
    way.finish(job)
    assert way.outcome(job) == expected


@pytest.mark.usefixtures("database")
def test_a_crash_at_the_end_of_the_check_repeats_no_problem(server):
    way.begin()
    undisturbed = way.ready()
    checked = way.problems(undisturbed)
    job = way.uploaded()
    walk(job, Step.PREVIEW, ALL)
    server.crash(Crash.BACKEND, saved=True)
    walk(job, Status.READY, 0)
    assert way.problems(job) == checked
    assert job.preview == undisturbed.preview


def walk(job: ImportJob, moment: str, units: int) -> None:
    """Take a job to the moment when so many units of a step are done."""
    while not _is_at(job, moment, units):
        assert job.status not in (Status.COMPLETED, Status.FAILED), f"past {moment} {units}: {job.status} {job.reason}"
        way.unit(job)


def _is_at(job: ImportJob, moment: str, units: int) -> bool:
    if job.step == Step.IDLE:
        return job.status == moment
    buckets = job.buckets.filter(step=job.step)
    wanted = units if units != ALL else buckets.count() or 1
    return job.step == moment and buckets.filter(done__isnull=False).count() == wanted
