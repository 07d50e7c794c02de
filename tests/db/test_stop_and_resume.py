"""A job that ends early, by a person or after three attempts, has true counts, and goes on from there (D-27, PS-21)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection, transaction

from imports.drafts import configure
from imports.engine import driver, steps
from imports.jobs import leases, lifecycle, queue
from imports.jobs.transitions import Actor
from imports.models import ImportJob
from imports.states import Status, Step
from profiles.models import Profile
from tests.crashes import people, way
from tests.crashes.processes import (
    CHAINED,
    HASHED,
    HELD_UP,
    Hold,
    carrying,
    command,
    holding,
    wait_for,
    working,
)

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("crash_options"),
]


LATER = pytest.mark.long


def test_after_three_attempts_the_job_fails_with_true_counts_and_can_be_resumed(environment):
    expected = way.undisturbed(tied=False)
    job = way.ready(tied=False)
    with working(environment) as work, holding(*HASHED) as hold:
        wait_for(work.is_up)
        way.start(job)
        dead: set[int] = set()
        for _ in range(leases.MAX_ATTEMPTS):
            wait_for_another(hold, dead, job)
            work.kill_busy_workers()
            dead = hold.waiting()
        wait_for(lambda: failed(job), job)
        assert_failed_of_its_attempts(job)
        assert "failed 3 times: its worker died each time" in job.reason
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


def failed(job: ImportJob) -> bool:
    job.refresh_from_db()
    return job.status == Status.FAILED


def wait_for_another(hold: Hold, dead: set[int], job: ImportJob) -> None:
    """Wait until a worker waits for a lock, beside the backends of those who are dead."""
    wait_for(lambda: hold.waiting() - dead, job)


def assert_failed_of_its_attempts(job: ImportJob) -> None:
    way.assert_counts_are_true(job)
    left = list(job.buckets.filter(step=Step.APPLY, done=None))
    assert max(bucket.attempts for bucket in left) == leases.MAX_ATTEMPTS
    assert job.not_run == sum(bucket.size for bucket in left)
    assert job.reason_code == "attempts"
    assert "failed 3 times" in job.reason


@pytest.mark.parametrize("held", [pytest.param(HASHED, id="hash", marks=LATER), pytest.param(CHAINED, id="serial")])
def test_a_stop_rolls_back_what_is_being_applied_and_its_counts_are_final(environment, held):  # PS-19
    expected = way.undisturbed()
    job = way.ready()
    with queue.run_inline():
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
    with queue.run_inline():
        way.start(job)
        lifecycle.stop(job, Actor.command())
        assert (job.status, job.not_run) == (Status.STOPPED, job.total - job.failed)
        way.resume(job)
        driver.run_until_idle(job)
    assert job.status == Status.COMPLETED
    assert way.outcome(job) == expected


def test_a_stop_holds_whatever_the_job_came_to_since_somebody_looked_at_it():
    way.begin()
    looked_at = way.ready()
    with queue.run_inline():
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
    with queue.run_inline(), ThreadPoolExecutor(2) as threads, ExitStack() as holds:
        way.start(job)
        person = holds.enter_context(holding(*HASHED))
        worker = threads.submit(in_a_thread, lambda: driver.run_until_idle(ImportJob.objects.get(pk=job.pk)))
        wait_for(person.waiting, job)
        bucket = way.leased(job)[0]
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


def in_a_thread(work: Callable[[], object]) -> None:
    """Do something over a connection of its own; what is done here queues nothing."""
    try:
        with way.options(), queue.run_inline():
            work()
    finally:
        connection.close()


def test_no_unit_of_the_plan_keeps_the_job_locked_while_it_may_wait_for_the_other():
    way.begin()
    job = way.uploaded()
    way.walk(job, Step.PLAN)
    with ThreadPoolExecutor(1) as threads, holding(*HELD_UP[Step.PLAN]) as identifiers:
        planning = threads.submit(in_a_thread, lambda: driver.run_until_idle(ImportJob.objects.get(pk=job.pk)))
        wait_for(identifiers.waiting, job)
        with transaction.atomic():
            locked = ImportJob.objects.select_for_update(nowait=True).get(pk=job.pk)
            assert (locked.step, bool(locked.snapshot)) == (Step.PLAN, True)
        identifiers.let_go()
        planning.result(30)
    job.refresh_from_db()
    assert job.status == Status.READY


@pytest.mark.parametrize("step", [Step.SCAN, Step.STAGE, Step.PLAN, Step.PREVIEW, Step.PREPARE, Step.APPLY])
def test_a_step_that_another_process_has_ended_is_not_ended_again(step: Step):
    way.begin()
    job = way.uploaded()
    way.walk(job, step, way.ALL)
    late = ImportJob.objects.get(pk=job.pk)
    way.unit(job)
    if step == Step.SCAN:
        configure.check(job, Actor.command(), identifier="email", action="append")
    before = ImportJob.objects.values().get(pk=job.pk)
    columns = list(job.columns.values())
    assert (before["status"], before["step"]) != (late.status, late.step)
    driver._end(late, steps.STEPS[step])
    assert ImportJob.objects.values().get(pk=job.pk) == before
    assert list(job.columns.values()) == columns
