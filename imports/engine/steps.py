"""What each step of a job is made of: how it is cut into units, how one of them is done, what follows the last."""

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
    """A step: how it is cut into units, how one unit is done, what happens after the last."""

    split: Callable[[ImportJob], list[Bucket]]
    do: Callable[[ImportJob, Bucket], dict[str, Any]]
    end: Callable[[ImportJob], object]


def _one(job: ImportJob) -> list[Bucket]:
    return [Bucket(job=job, step=job.step, number=1, size=job.total)]


def _cut_plan(job: ImportJob) -> list[Bucket]:
    # Here, before there are units: one that kept it locked would wait for the other one, which waits for the job.
    ImportJob.objects.filter(pk=job.pk).update(snapshot=store.current_snapshot())
    return [Bucket(job=job, step=Step.PLAN, number=number) for number in (1, 2)]


def _plan(job: ImportJob, bucket: Bucket) -> dict[str, int]:
    """The plan itself, and beside it what it does not need."""
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
    # In this order: whoever still reads the tables comes to an end by waiting for the job, never the other way round.
    JobTables(job.pk).drop()
    lifecycle.transition(job, Transition.COMPLETE, **apply.completed_fields(job), data_points=points)
    apply.create_segment(job)  # in the transaction of the transition, which one process makes once


def _cut_stage(job: ImportJob) -> list[Bucket]:
    JobTables(job.pk).create_staged(events=job.holds_events)
    return staging.split(job)


STEPS: dict[Step, StepDefinition] = {
    Step.SCAN: StepDefinition(scan.parts, scan.read, scan.end),
    Step.STAGE: StepDefinition(_cut_stage, staging.stage, lambda job: lifecycle.advance_to_step(job, Step.PLAN)),
    Step.PLAN: StepDefinition(_cut_plan, _plan, lambda job: lifecycle.advance_to_step(job, Step.PREVIEW)),
    Step.PREVIEW: StepDefinition(lambda job: [], preview.preview, _end_preview),
    Step.PREPARE: StepDefinition(_one, _prepare, _end_prepare),
    Step.APPLY: StepDefinition(lambda job: [], apply.apply, _end_apply),
}
