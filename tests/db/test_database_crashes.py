"""PostgreSQL is killed, and with it all that is in unlogged tables and in unwritten log (design section 4)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from imports.engine import driver
from imports.jobs import queue
from imports.states import Status, Step
from profiles.models import Change
from tests.crashes import way
from tests.crashes.processes import HELD_UP, completed, holding, wait_for, working
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


pytestmark = pytest.mark.processes
LATER = pytest.mark.long

MOMENTS = [
    pytest.param(Step.SCAN, 0, marks=LATER),
    pytest.param(Step.SCAN, way.ALL, marks=LATER),
    pytest.param(Status.DRAFT, 0, marks=LATER),
    (Step.STAGE, way.ALL),
    pytest.param(Step.PLAN, 0, marks=LATER),
    (Step.PLAN, 1),
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


@pytest.mark.long
@pytest.mark.usefixtures("database")
def test_a_crash_after_every_single_unit_changes_nothing(server, expected):
    way.begin()
    job = way.uploaded()
    seen = set()
    while job.status != Status.COMPLETED:
        way.unit(job)
        # Once for each: a check that were never left alone would have to begin anew for ever.
        moment = job.status, job.step, job.buckets.filter(step=job.step, done__isnull=False).count()
        if moment not in seen:
            seen.add(moment)
            server.crash(Crash.BACKEND, saved=True)
    assert len(seen) > 30
    assert way.outcome(job) == expected


@pytest.mark.usefixtures("database")
def test_a_file_that_is_not_the_one_that_was_checked_is_not_imported(server):
    way.begin()
    job = way.ready()
    with job.file.storage.open(str(job.file.name), "r+b") as file:
        content = file.read()
        file.seek(0)
        file.write(content.swapcase())
    server.crash(Crash.BACKEND)
    with queue.run_inline():
        way.start(job)
        driver.run_until_idle(job)
    assert (job.status, job.reason_code) == (Status.FAILED, "file_changed")
    assert "Upload it again" in job.reason
    assert job.not_run == job.total - job.failed
    assert not Change.objects.exists()


@pytest.mark.usefixtures("database")
def test_people_who_were_written_after_the_crash_are_heeded(server):
    outcomes = []
    for crashes in (False, True):
        way.begin()
        job = way.ready()
        if crashes:
            server.crash(Crash.BACKEND)
        way.import_another()
        way.finish(job)
        outcomes.append(way.outcome(job))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("who", "step"),
    [
        ("killed", Step.APPLY),
        ("immediate", Step.APPLY),
        pytest.param("killed", Step.STAGE, marks=LATER),
        pytest.param("immediate", Step.PLAN, marks=LATER),
        pytest.param("killed", Step.PREVIEW, marks=LATER),
        pytest.param("immediate", Step.PREPARE, marks=LATER),
        pytest.param("with the workers", Step.PREVIEW, marks=LATER),
        pytest.param("with the workers", Step.APPLY, marks=LATER),
    ],
)
def test_workers_go_on_when_the_database_is_back(server, database, expected, who, step):
    environment = {
        **os.environ,
        "DATABASE_URL": server.address.url(database),
        "DJANGO_SETTINGS_MODULE": "tests.crashes.settings",
        "IMPORTS_WORKERS": "2",
    }
    way.begin()
    job = way.uploaded()
    way.walk(job, step, 0)
    with ExitStack() as hosts, holding(*HELD_UP[step]) as hold:
        first = hosts.enter_context(working(environment))
        wait_for(hold.waiting, job)
        if who == "with the workers":
            first.kill()
            hosts.enter_context(working(environment))
        server.crash(Crash.IMMEDIATE if who == "immediate" else Crash.KILLED)
        wait_for(lambda: not way.go_on(job) and completed(job), job)
    assert way.outcome(job) == expected
