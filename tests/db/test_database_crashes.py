"""PostgreSQL is killed, and with it all that is in unlogged tables and in unwritten log (design section 4)."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from imports.models import Status, Step
from tests.crashes import way
from tests.crashes.processes import a_person, completed, holding, wait_for, working
from tests.crashes.server import Crash, Server, connected


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


LATER = pytest.mark.long

MOMENTS = [
    pytest.param(Step.SCAN, 0, marks=LATER),
    pytest.param(Step.SCAN, way.ALL, marks=LATER),
    pytest.param(Status.DRAFT, 0, marks=LATER),
    (Step.STAGE, way.ALL),
    pytest.param(Step.PLAN, 0, marks=LATER),
    (Step.PLAN, way.ALL),
    pytest.param(Step.PREVIEW, 0, marks=LATER),
    (Step.PREVIEW, 2),
    pytest.param(Step.PREVIEW, 9, marks=LATER),
    (Step.PREVIEW, way.ALL),
    (Status.READY, 0),
    (Step.PREPARE, way.ALL),
    pytest.param(Step.APPLY, 0, marks=LATER),
    (Step.APPLY, 2),
    pytest.param(Step.APPLY, 9, marks=LATER),
    (Step.APPLY, way.ALL),
]
"""After how many units of which step, or in which status that waits for somebody."""


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(("moment", "units"), MOMENTS)
@pytest.mark.parametrize("saved", [True, pytest.param(False, marks=LATER)])
def test_a_crash_between_two_units_changes_nothing(server, expected, moment, units, saved):
    way.begin()
    job = way.uploaded()
    way.walk(job, moment, units)
    server.crash(Crash.BACKEND, saved=saved)
    way.finish(job)
    assert way.outcome(job) == expected


@pytest.mark.usefixtures("database")
def test_a_crash_at_the_end_of_the_check_repeats_no_problem(server):
    way.begin()
    undisturbed = way.ready()
    checked = way.problems(undisturbed)
    job = way.uploaded()
    way.walk(job, Step.PREVIEW, way.ALL)
    server.crash(Crash.BACKEND, saved=True)
    way.walk(job, Status.READY)
    assert way.problems(job) == checked
    assert job.preview == undisturbed.preview


@pytest.mark.parametrize("how", [Crash.KILLED, Crash.IMMEDIATE], ids=["killed", "immediate"])
def test_workers_that_live_on_complete_what_they_were_applying(server, database, expected, how):
    environment = {
        **os.environ,
        "DATABASE_URL": server.address.url(database),
        "DJANGO_SETTINGS_MODULE": "tests.crashes.settings",
        "IMPORTS_WORKERS": "2",
    }
    way.begin()
    job = way.ready()
    with working(environment) as work, holding(*a_person("two")) as hold:
        wait_for(work.is_up)
        way.start(job)
        wait_for(hold.waiting, job)
        server.crash(how)
        began = time.monotonic()
        wait_for(lambda: completed(job), job)
        print("recovered", how, time.monotonic() - began)
    assert way.outcome(job) == expected
