"""Who works on one check of a file does no harm to the next one, nor to a job that somebody has moved."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.management.base import OutputWrapper
from django.db import connection

from imports.cli.run import ImportRunner
from imports.drafts import configure
from imports.engine import driver, staging, steps
from imports.files.errors import Refusal, SourceError
from imports.jobs import lifecycle, queue
from imports.jobs.progress import ProgressDisplay
from imports.jobs.transitions import Actor, Transition
from imports.models import Bucket, ImportJob
from imports.states import Status, Step
from tests.crashes import way
from tests.crashes.processes import wait_for
from tests.made_files import workbook as made_workbook

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("crash_options", "nobody_takes_it_up"),
]


@pytest.fixture
def nobody_takes_it_up():
    with queue.run_inline():
        yield


@pytest.fixture
def job() -> ImportJob:
    way.begin()
    return way.uploaded()


def now(job: ImportJob) -> ImportJob:
    return ImportJob.objects.get(pk=job.pk)


def check_again(job: ImportJob, **values: Any) -> None:
    job = now(job)
    lifecycle.transition(job, Transition.EDIT, Actor.command())
    configure.check(job, Actor.command(), **values)


@pytest.mark.parametrize("step", [Step.STAGE, Step.PLAN, Step.PREVIEW])
def test_a_step_of_an_earlier_check_is_not_ended_in_the_next_one(job: ImportJob, step: Step):
    expected = way.ready().preview["imported"]
    way.walk(job, step, way.ALL)
    late = now(job)
    check_again(job)
    way.walk(job := now(job), step)
    before = ImportJob.objects.values().get(pk=job.pk)
    driver._end(late, steps.STEPS[step])
    assert ImportJob.objects.values().get(pk=job.pk) == before
    driver.run_until_idle(job)
    assert (job.status, job.preview["imported"]) == (Status.READY, expected)


def test_a_worker_that_saw_an_earlier_check_leaves_the_units_of_the_next_one_alone(job: ImportJob):
    way.walk(job, Step.STAGE)
    late = now(job)
    check_again(job, identifier="external_id")
    driver._cut(now(job), steps.STEPS[Step.STAGE])
    driver._advance(late)
    units = job.buckets.filter(step=Step.STAGE)
    assert not units.exclude(done=None).exists()
    assert not units.exclude(lease_until=None).exists()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM imports_staged_{job.pk}")
        assert cursor.fetchone() == (0,)


def test_a_check_can_be_cut_up_while_a_unit_of_the_one_before_still_runs(job: ImportJob):
    way.walk(job, Step.STAGE)
    driver._cut(old := now(job), steps.STEPS[Step.STAGE])
    written, ended = threading.Event(), threading.Event()

    def slowly(job: ImportJob, bucket: Bucket) -> dict[str, int]:
        counts = staging.stage(job, bucket)
        written.set()
        assert ended.wait(30)
        return counts

    slow = steps.StepDefinition(lambda job: [], slowly, lambda job: None)
    bucket = old.buckets.filter(step=Step.STAGE)[0]
    with ThreadPoolExecutor(2) as threads:
        unit = threads.submit(over_its_own_connection, lambda: driver._do(old, bucket, slow))
        assert written.wait(30)
        check_again(job)
        cut = threads.submit(over_its_own_connection, lambda: driver._cut(now(job), steps.STEPS[Step.STAGE]))
        wait_for(lambda: _waiting_for_a_table(job), job)
        ended.set()
        unit.result(30)
        assert cut.result(30)
    job = now(job)
    driver.run_until_idle(job)
    assert (job.status, job.step_failures) == (Status.READY, 0)


def _waiting_for_a_table(job: ImportJob) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'")
        return bool(cursor.fetchone()[0])


KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def over_its_own_connection(work: Any) -> Any:
    try:
        with way.options(), queue.run_inline():
            return work()
    finally:
        connection.close()


def refuse() -> None:
    raise SourceError(Refusal.WORKBOOK_DAMAGED, "It cannot be read.")


def test_a_file_whose_job_was_moved_meanwhile_is_kept(job: ImportJob):
    way.walk(job, Step.SCAN)
    late = now(job)
    way.walk(job, Status.DRAFT)
    with driver._handling_job_errors(late, 1):
        refuse()
    job = now(job)
    assert (job.status, job.columns.exists()) == (Status.DRAFT, True)
    assert job.file.storage.exists(str(job.file.name))


def test_a_file_that_was_taken_is_kept_when_it_cannot_be_read_later(job: ImportJob):
    way.walk(job, Step.STAGE)
    with driver._handling_job_errors(job, 1):
        refuse()
    job = now(job)
    assert (job.status, job.reason) == (Status.FAILED, "It cannot be read.")
    assert job.file.storage.exists(str(job.file.name))
    way.resume(job)
    way.finish(job)


def test_a_workbook_whose_reader_is_killed_is_read_again(monkeypatch: pytest.MonkeyPatch):
    way.begin()
    content = made_workbook([["email"], ["ann@example.com"]])
    job = ImportJob(name="May", file_name="may.xlsx", identifier="email", action="update")
    job.file.save("may.xlsx", ContentFile(content), save=False)
    lifecycle.upload(job, Actor.command())
    real = subprocess.run
    killed: list[int] = []

    def run(*arguments: Any, **options: Any) -> Any:
        if killed:
            return real(*arguments, **options)
        killed.append(1)
        return real([sys.executable, "-c", KILLED], **options)

    monkeypatch.setattr(subprocess, "run", run)
    driver.run_until_idle(job)
    assert killed
    assert (job.status, job.total, job.reason) == (Status.DRAFT, 1, "")


def errand() -> ImportRunner:
    return ImportRunner(Actor.command(), ProgressDisplay(OutputWrapper(io.StringIO())), inline=True, wait=True)


def test_ctrl_c_does_not_say_of_a_completed_import_that_nobody_was_changed(job: ImportJob):
    way.finish(job)
    told = errand()._end_early(job)
    assert told == f"Import {job.pk} is Completed."


def test_ctrl_c_gives_up_a_job_that_another_process_has_just_brought_further(job: ImportJob):
    way.walk(job, Step.PREVIEW, way.ALL)
    stale = now(job)
    way.walk(job, Status.READY)
    told = errand()._end_early(stale)
    assert told == f"Import {job.pk} was not started; nobody was changed."
    assert now(job).status == Status.CANCELLED


@pytest.mark.parametrize("status", [Status.READY, Status.STOPPED])
def test_a_job_whose_tables_an_older_release_made_goes_on(job: ImportJob, status: Status):
    way.finish(job)
    expected = way.outcome(job)
    way.begin()
    way.walk(job := way.uploaded(), Status.READY)
    if status is Status.STOPPED:
        way.walk(job, Step.APPLY, 2)
        lifecycle.transition(job, Transition.STOP, Actor.command())
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE imports_fact_{job.pk}")
        cursor.execute(f"ALTER TABLE imports_inserted_{job.pk} DROP COLUMN alias")
        cursor.execute(f"COMMENT ON TABLE imports_staged_{job.pk} IS NULL")
    if status is Status.STOPPED:
        way.resume(job)
    way.finish(job)
    assert way.outcome(job) == expected
