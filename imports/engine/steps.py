"""Define each step of a job: how it is split into work units, how a unit is done, and what follows the last unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from imports.drafts import scan
from imports.engine import apply, data_points, plan, preview, staging
from imports.job_tables import JobTables
from imports.jobs import lifecycle
from imports.jobs.transitions import Transition
from imports.models import Bucket, ImportJob
from imports.states import Step
from profiles.writing import store


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A step: ``split`` returns its work units, ``do`` does one and returns its counts, ``end`` follows the last."""

    split: Callable[[ImportJob], list[Bucket]]
    do: Callable[[ImportJob, Bucket], dict[str, Any]]
    end: Callable[[ImportJob], object]


def _split_into_one(job: ImportJob) -> list[Bucket]:
    return [Bucket(job=job, step=job.step, number=1, size=job.total)]


def _split_plan(job: ImportJob) -> list[Bucket]:
    # Set before the units exist: a unit that locked the job's row for it would wait for the other unit, which waits for
    # the job.
    ImportJob.objects.filter(pk=job.pk).update(snapshot=store.current_snapshot())
    return [Bucket(job=job, step=Step.PLAN, number=number) for number in (1, 2)]


def _plan(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """Create the plan in unit 1; in unit 2, which may run in parallel, what the plan does not need."""
    tables = JobTables(job.pk)
    if bucket.number == 1:
        tables.index_places()
        plan.create_buckets(job, Step.PREVIEW)
    else:
        tables.index_rows()
        tables.create_results()
    return {}


def _prepare(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    apply.prepare(job)
    return {}


def _end_preview(job: ImportJob) -> None:
    lifecycle.transition(job, Transition.CHECKED, **preview.checked_fields(job), seconds=lifecycle.step_seconds(job))


def _end_prepare(job: ImportJob) -> None:
    lifecycle.transition(
        job, Transition.BEGIN, step=Step.APPLY, started=timezone.now(), seconds=lifecycle.step_seconds(job)
    )


def _end_apply(job: ImportJob) -> None:
    points = data_points.count(job)
    # Dropped before the transition locks the job: a process that still reads the tables locks the job before it ends.
    JobTables(job.pk).drop()
    lifecycle.transition(job, Transition.COMPLETE, **apply.completed_fields(job), data_points=points)
    apply.create_segment(job)  # in the transaction of the transition, so only once


def _split_stage(job: ImportJob) -> list[Bucket]:
    JobTables(job.pk).create_staged(events=job.holds_events)
    return staging.split(job)


STEPS: dict[Step, StepDefinition] = {
    Step.SCAN: StepDefinition(scan.split, scan.read_part, scan.finish),
    Step.STAGE: StepDefinition(_split_stage, staging.stage, lambda job: lifecycle.advance_to_step(job, Step.PLAN)),
    Step.PLAN: StepDefinition(_split_plan, _plan, lambda job: lifecycle.advance_to_step(job, Step.PREVIEW)),
    Step.PREVIEW: StepDefinition(lambda job: [], preview.preview, _end_preview),
    Step.PREPARE: StepDefinition(_split_into_one, _prepare, _end_prepare),
    Step.APPLY: StepDefinition(lambda job: [], apply.apply, _end_apply),
}
