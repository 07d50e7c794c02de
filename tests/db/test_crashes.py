"""Whoever is killed, and when: every row counts once, and the end is that of an undisturbed run (design section 8)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest

from config.settings import BASE_DIR
from imports import tasks
from imports.job_tables import JobTables
from imports.jobs import queue
from imports.models import Bucket, ImportJob
from imports.states import Status, Step
from tests.crashes import way
from tests.crashes.processes import (
    CHAINED,
    HASHED,
    HELD_UP,
    Work,
    carrying,
    completed,
    holding,
    seen,
    wait_for,
    working,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("crash_options"),
]


def assert_taken_up_in_time(left: list[Bucket]) -> None:
    assert left
    for bucket in left:
        lease_end = bucket.lease_until
        bucket.refresh_from_db()
        assert lease_end
        assert bucket.done
        assert bucket.done - lease_end < timedelta(seconds=60)


LATER = pytest.mark.long


@pytest.mark.parametrize(
    ("kill", "held"),
    [
        pytest.param(Work.kill_busy_workers, HASHED, id="workers-hash"),
        pytest.param(Work.kill_busy_workers, CHAINED, id="workers-serial", marks=LATER),
        pytest.param(Work.kill_cluster, HASHED, id="cluster-hash", marks=LATER),
        pytest.param(Work.kill_cluster, CHAINED, id="cluster-serial"),
    ],
)
def test_what_the_killed_were_applying_is_taken_up_by_others(environment, kill: Callable[[Work], None], held):
    expected = way.undisturbed(tied=held is CHAINED)
    job = way.ready(tied=held is CHAINED)
    with working(environment) as work, holding(*held) as hold:
        wait_for(work.is_up)
        way.start(job)
        wait_for(hold.waiting, job)
        kill(work)
        left = way.leased(job)
        hold.let_go()
        wait_for(lambda: completed(job), job)
    assert way.outcome(job) == expected
    assert_taken_up_in_time(left)


@pytest.mark.parametrize("held", [pytest.param(HASHED, id="hash", marks=LATER), pytest.param(CHAINED, id="serial")])
def test_another_host_takes_up_what_a_dead_one_was_applying(environment, held):
    expected = way.undisturbed()
    job = way.ready()
    with ExitStack() as hosts, holding(*held) as hold:
        first = hosts.enter_context(working(environment))
        wait_for(first.is_up)
        way.start(job)
        wait_for(hold.waiting, job)
        hosts.enter_context(working(environment))
        first.kill()
        left = way.leased(job)
        hold.let_go()
        wait_for(lambda: completed(job), job)
    assert way.outcome(job) == expected
    assert_taken_up_in_time(left)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(Step.SCAN, marks=LATER),
        Step.STAGE,
        pytest.param(Step.PLAN, marks=LATER),
        Step.PREVIEW,
        pytest.param(Step.PREPARE, marks=LATER),
    ],
)
def test_a_step_whose_worker_was_killed_is_done_by_another(environment, step):
    expected = way.undisturbed()
    job = way.uploaded()
    way.walk(job, step, 0)
    killed_while_held(environment, job, *HELD_UP[step])
    wait_for(lambda: way.finish_what_is_free(job), job)
    assert way.outcome(job) == expected


def test_a_worker_that_is_killed_at_the_very_end_leaves_no_tables_behind(environment):
    expected = way.undisturbed()
    job = way.ready()
    with queue.run_inline():
        way.start(job)
    killed_while_held(environment, job, f"LOCK TABLE {JobTables(job.pk).staged} IN ACCESS SHARE MODE")
    way.finish(job)
    assert way.outcome(job) == expected


def killed_while_held(environment: dict[str, str], job: ImportJob, *lock: str) -> None:
    """Have a process work on the job until it waits for a lock; kill it."""
    with holding(*lock) as hold, carrying(environment, job) as worker:
        wait_for(hold.waiting, job)
        worker.kill()
        worker.wait()


def test_a_unit_whose_worker_was_only_slow_is_done_once(environment):
    expected = way.undisturbed()
    job = way.ready()
    with queue.run_inline():
        way.start(job)
    with holding(*HASHED) as hold, carrying(environment, job) as slow:
        wait_for(hold.waiting, job)
        (bucket,) = way.leased(job)
        wait_for(lambda: not way.leased(job), job)
        with carrying(environment, job) as other:
            wait_for(lambda: len(hold.waiting()) == 2, job)
            bucket.refresh_from_db()
            assert bucket.attempts == 2
            hold.let_go()
            assert [slow.wait(60), other.wait(60)] == [0, 0]
    assert way.outcome(job) == expected


def test_the_same_task_delivered_twice_changes_nothing(environment):
    expected = way.undisturbed()
    job = way.uploaded()
    way.walk(job, Status.DRAFT)
    for transition, status in ((way.submit, Status.READY), (way.start, Status.COMPLETED)):
        with queue.run_inline():
            transition(job)
        deliver_at_the_same_moment(environment, job)
        job.refresh_from_db()
        assert job.status == status, seen(job)
    assert way.outcome(job) == expected
    tasks.advance(job.pk)
    tasks.advance(job.pk)
    assert way.outcome(job) == expected


def deliver_at_the_same_moment(environment: dict[str, str], job: ImportJob) -> None:
    """Have two processes run the same task; both begin when the job is let go."""
    code = f"import django; django.setup(); from imports import tasks; tasks.advance({job.pk})"
    with holding("SELECT FROM imports_importjob WHERE id = %s FOR UPDATE", job.pk) as hold:
        both = [subprocess.Popen([sys.executable, "-c", code], cwd=BASE_DIR, env=environment) for _ in range(2)]
        try:
            wait_for(lambda: len(hold.waiting()) == 2, job)
            hold.let_go()
            assert [process.wait(60) for process in both] == [0, 0]
        finally:
            for process in both:
                process.kill()
                process.wait()
