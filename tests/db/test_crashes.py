"""Whoever is killed, and when: every row counts once, and the end is that of an undisturbed run (design section 8)."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from config.settings import BASE_DIR
from imports import engine, leases, lifecycle, queue, tasks
from imports.lifecycle import Actor
from imports.models import Bucket, ImportJob, Status, Step
from imports.tables import JobTables
from profiles.models import Profile
from tests.crashes import people, way
from tests.crashes.processes import (
    CHAINED,
    HASHED,
    HELD_UP,
    Hold,
    Work,
    carrying,
    command,
    completed,
    holding,
    seen,
    wait_for,
    working,
)

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture(autouse=True)
def options() -> Iterator[None]:
    with way.options():
        yield


@pytest.fixture
def environment(process_environment: dict[str, str]) -> dict[str, str]:
    """What a worker needs that works on this test's database and files."""
    return process_environment | {
        "DJANGO_SETTINGS_MODULE": "tests.crashes.settings",
        "DATA_DIR": os.environ["DATA_DIR"],
        "IMPORTS_WORKERS": "2",
    }


def leased(job: ImportJob) -> list[Bucket]:
    """Buckets that somebody has leased and not yet done."""
    return list(job.buckets.filter(step=Step.APPLY, done=None, lease_until__gt=timezone.now()))


def failed(job: ImportJob) -> bool:
    job.refresh_from_db()
    return job.status == Status.FAILED


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
        left = leased(job)
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
        left = leased(job)
        hold.let_go()
        wait_for(lambda: completed(job), job)
    assert way.outcome(job) == expected
    assert_taken_up_in_time(left)


def test_after_three_attempts_the_job_fails_with_true_counts_and_can_be_resumed(environment):
    expected = way.undisturbed(tied=False)
    job = way.ready(tied=False)
    with working(environment) as work, holding(*HASHED) as hold:
        wait_for(work.is_up)
        way.start(job)
        for _ in range(leases.MAX_ATTEMPTS):
            wait_for_the_next(hold, job)
            work.kill_busy_workers()
        wait_for(lambda: failed(job), job)
        assert_failed_of_its_attempts(job)
        assert "was tried 3 times and did not succeed: its worker died each time" in job.reason
        hold.let_go()
        assert command(environment, "resume_import", job.pk, "--wait") == 0
    assert way.outcome(job) == expected


def test_a_unit_that_does_not_end_is_cut_off_and_counts_as_an_attempt(environment):
    expected = way.undisturbed(tied=False)
    job = way.ready(tied=False)
    soon = {"DJANGO_SETTINGS_MODULE": "tests.settings", "IMPORTS_LEASE_SECONDS": "2", "IMPORTS_SWEEP_SECONDS": "1"}
    with working(environment, **soon) as work, holding(*HASHED) as hold:
        wait_for(work.is_up)
        way.start(job)
        wait_for(lambda: failed(job), job)
        assert_failed_of_its_attempts(job)
        hold.let_go()
    way.resume(job)
    way.finish(job)
    assert way.outcome(job) == expected


def wait_for_the_next(hold: Hold, job: ImportJob) -> None:
    """Wait until one more worker waits for a lock, beside the backends of those who are dead."""
    dead = hold.waiting()
    wait_for(lambda: hold.waiting() - dead, job)


def assert_failed_of_its_attempts(job: ImportJob) -> None:
    way.assert_counts_are_true(job)
    left = list(job.buckets.filter(step=Step.APPLY, done=None))
    assert max(bucket.attempts for bucket in left) == leases.MAX_ATTEMPTS
    assert job.not_run == sum(bucket.size for bucket in left)
    assert job.reason_code == "attempts"
    assert "was tried 3 times" in job.reason


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
    with queue.in_this_process():
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
    with queue.in_this_process():
        way.start(job)
    with holding(*HASHED) as hold, carrying(environment, job) as slow:
        wait_for(hold.waiting, job)
        (bucket,) = leased(job)
        wait_for(lambda: not leased(job), job)
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
    for move, status in ((way.submit, Status.READY), (way.start, Status.COMPLETED)):
        with queue.in_this_process():
            move(job)
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


@pytest.mark.parametrize("held", [pytest.param(HASHED, id="hash", marks=LATER), pytest.param(CHAINED, id="serial")])
def test_a_stop_rolls_back_what_is_being_applied_and_its_counts_are_final(environment, held):
    expected = way.undisturbed()
    job = way.ready()
    with queue.in_this_process():
        way.start(job)
    with holding(*held) as hold, carrying(environment, job) as worker:
        wait_for(hold.waiting, job)
        job.refresh_from_db()
        lifecycle.stop(job, Actor.command())
        counts = way.counts(job)
        hold.let_go()
        worker.wait(30)
    job.refresh_from_db()
    assert (job.status, way.counts(job)) == (Status.STOPPED, counts)
    assert counts["not_run"] > 0
    way.assert_counts_are_true(job)
    assert not Profile.objects.filter(object_id=held[1], updated__gt=people.LONG_AGO + timedelta(days=1)).exists()
    assert command(environment, "resume_import", job.pk, "--inline") == 0
    assert way.outcome(job) == expected


def test_a_job_that_was_stopped_before_anybody_took_it_up_goes_on_to_its_end():
    expected = way.undisturbed()
    job = way.ready()
    with queue.in_this_process():
        way.start(job)
        lifecycle.stop(job, Actor.command())
        assert (job.status, job.not_run) == (Status.STOPPED, job.total - job.failed)
        way.resume(job)
        engine.run_here(job)
    assert job.status == Status.COMPLETED
    assert way.outcome(job) == expected


def test_a_stop_holds_whatever_the_job_came_to_since_somebody_looked_at_it():
    way.begin()
    looked_at = way.ready()
    with queue.in_this_process():
        way.start(looked_at)
        way.walk(ImportJob.objects.get(pk=looked_at.pk), Step.APPLY, 2)
        lifecycle.stop(looked_at, Actor.command())
    assert looked_at.status == Status.STOPPED
    way.assert_counts_are_true(looked_at)


def test_a_job_that_failed_at_any_step_goes_on_there():
    expected = way.undisturbed()
    job = way.uploaded()
    for step in (Step.SCAN, Step.STAGE, Step.PLAN, Step.PREVIEW, Step.PREPARE, Step.APPLY):
        way.walk(job, step, way.ALL)
        lifecycle.fail(job, "attempts", "Tried too often.")
        way.resume(job)
    way.finish(job)
    assert way.outcome(job) == expected
    assert {bucket.attempts for bucket in job.buckets.all()} == {1}


def test_the_counts_of_a_failed_job_include_a_bucket_that_was_just_being_committed():
    way.undisturbed()
    job = way.ready()
    with queue.in_this_process(), ThreadPoolExecutor(2) as threads, ExitStack() as holds:
        way.start(job)
        person = holds.enter_context(holding(*HASHED))
        worker = threads.submit(in_a_thread, lambda: engine.run_here(ImportJob.objects.get(pk=job.pk)))
        wait_for(person.waiting, job)
        bucket = leased(job)[0]
        mark = holds.enter_context(holding("SELECT FROM imports_bucket WHERE id = %s FOR UPDATE", bucket.pk))
        person.let_go()
        wait_for(mark.waiting, job)
        job.refresh_from_db()
        failing = threads.submit(in_a_thread, lambda: lifecycle.fail(job, "attempts", "Tried too often."))
        wait_for(lambda: len(mark.waiting()) == 2, job)
        mark.let_go()
        failing.result(30)
        worker.result(30)
    way.assert_counts_are_true(job)
    assert job.status == Status.FAILED
    bucket.refresh_from_db()
    assert bucket.done


def in_a_thread(work: Callable[[], None]) -> None:
    """Do something over a connection of its own; what is done here queues nothing."""
    try:
        with way.options(), queue.in_this_process():
            work()
    finally:
        connection.close()
