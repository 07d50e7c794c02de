"""Measure the progress of an import, and show it as bars on a terminal."""

from __future__ import annotations

import enum
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self, cast

from django.core.management.base import OutputWrapper
from django.db.models import Max, Q, Sum
from django.utils import timezone
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from imports.models import Bucket, ImportJob
from imports.states import Step


class Stage(enum.StrEnum):
    """A part of an import as users see it: one step of the engine, or two."""

    SCAN = "scan"
    STAGE = "stage"
    PREVIEW = "preview"
    APPLY = "apply"

    @property
    def steps(self) -> tuple[Step, ...]:
        return _STEPS[self]

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def verb(self) -> str:
        return self.label.removesuffix("ing").lower()


_STEPS = {
    Stage.SCAN: (Step.SCAN,),
    Stage.STAGE: (Step.STAGE,),
    Stage.PREVIEW: (Step.PLAN, Step.PREVIEW),
    Stage.APPLY: (Step.PREPARE, Step.APPLY),
}
_LABELS = {Stage.SCAN: "Reading", Stage.STAGE: "Checking", Stage.PREVIEW: "Matching", Stage.APPLY: "Importing"}
_COUNTABLE = (Step.STAGE, Step.PREVIEW, Step.APPLY)
"""Steps whose progress can be counted in rows."""

PLAIN_WIDTH = 120
"""Width, in characters, of output that is not a terminal, such as a log."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The progress of a stage: rows done, rows in total (None while unknown), seconds since it began."""

    done: int
    total: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second; 0 until the first rows are done."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until the end at this rate; None while that cannot be computed."""
        return (self.total - self.done) / self.rate if self.total is not None and self.rate else None


def current_stage(job: ImportJob) -> Stage | None:
    """Return the stage that a job is at, or None if it has no work to do."""
    return next((stage for stage in Stage if job.step in stage.steps), None)


def stage_seconds(job: ImportJob, stage: Stage) -> float:
    """Return how long the completed steps of a stage took, without the step that is running."""
    return float(sum(job.seconds.get(step, 0.0) for step in stage.steps if step != job.step))


def stage_progress(job: ImportJob, stage: Stage) -> StageProgress:
    """Return the progress of a job at ``stage``, which must be its current one."""
    began = job.step_started or timezone.now()
    seconds = stage_seconds(job, stage) + max(0.0, (timezone.now() - began).total_seconds())
    if job.step not in _COUNTABLE:
        return StageProgress(0, None, seconds)
    done = job.buckets.filter(step=job.step, done__isnull=False).aggregate(rows=Sum("size"))["rows"] or 0
    rows = job.buckets.filter(step=job.step).aggregate(rows=Sum("size"))["rows"] or job.total
    return StageProgress(done, rows, seconds)


def idle_seconds(job: ImportJob) -> float:
    """Return for how many seconds no worker has worked on a job that has work to do; 0 while a unit is leased."""
    now = timezone.now()
    latest = job.buckets.filter(step=job.step).aggregate(
        last=Max("done"), lease=Max("lease_until", filter=Q(done=None))
    )
    if latest["lease"] and latest["lease"] > now:
        return 0.0
    moments = [moment for moment in (job.step_started, latest["last"], latest["lease"]) if moment]
    return (now - max(moments)).total_seconds() if moments else 0.0


def percent_done(jobs: Iterable[ImportJob]) -> dict[int, int]:
    """Return, by job, the percentage of rows done at the job's step, of at most 99. Runs one query.

    A job is left out if the progress of its step cannot be counted in rows.
    """
    steps = {job.pk: job.step for job in jobs if job.step in _COUNTABLE}
    if not steps:
        return {}
    buckets = Bucket.objects.filter(job__in=steps, step__in=set(steps.values())).values_list("job_id", "step")
    found = buckets.annotate(rows=Sum("size"), finished=Sum("size", filter=Q(done__isnull=False)))
    return {
        job: min(99, 100 * (finished or 0) // rows)
        for job, step, rows, finished in found.order_by()
        if steps[job] == step and rows
    }


def is_stage_done(job: ImportJob, stage: Stage) -> bool:
    """Return whether a job has completed a stage."""
    current = current_stage(job)
    return stage.steps[-1] in job.seconds and (current is None or list(Stage).index(stage) < list(Stage).index(current))


def console(stream: OutputWrapper) -> Console:
    """Return a console on a command's stream. It prints text without markup, and replaces what cannot be encoded."""
    inner = cast(IO[str], stream._out)  # the wrapper would add a line break to each piece that is written
    if isinstance(inner, io.TextIOWrapper):
        inner.reconfigure(errors="replace")
    width = None if inner.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(file=inner, markup=False, highlight=False, emoji=False, width=width)


class ProgressDisplay:
    """Show the progress of a job: a bar per stage on a terminal; elsewhere messages only."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._console = console(stream)
        self._bars = _progress(self._console) if self._console.is_terminal else None
        self._tasks: dict[Stage, TaskID] = {}

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    def say(self, text: str) -> None:
        """Print a line, above the bars if there are any."""
        self._console.print(text, soft_wrap=True)

    def show(self, job: ImportJob) -> None:
        """Update the bars to the job's current state."""
        if self._bars is None:
            return
        current = current_stage(job)
        for stage in Stage:
            if stage is current:
                self._draw(self._bars, stage, stage_progress(job, stage))
            elif is_stage_done(job, stage):
                self._draw(self._bars, stage, StageProgress(job.total, job.total, stage_seconds(job, stage)), over=True)
            elif stage in self._tasks:  # repeated, or ended before it was completed
                self._bars.update(self._tasks[stage], total=job.total or 1, visible=current is None, left="")

    def _draw(self, bars: Progress, stage: Stage, now: StageProgress, *, over: bool = False) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = bars.add_task(stage.label, rows="", rate="", left="")
        left = now.seconds if over else now.left
        bars.update(
            self._tasks[stage],
            completed=now.done,
            total=now.total,
            visible=True,
            rows=_rows(now),
            rate=f"{now.rate:,.0f} rows/s" if now.rate else "",
            left="" if left is None else f"{format_duration(left)}{'' if over else ' left'}",
        )


def format_duration(seconds: float) -> str:
    """Format seconds for users: ``0.8 s``, ``12 s``, ``2:05 min``, ``1:02:05 h``."""
    if seconds < 59.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02} h" if hours else f"{minutes}:{rest:02} min"


def _rows(now: StageProgress) -> str:
    if now.total is None:
        return ""
    return f"{now.total:,}" if now.done == now.total else f"{now.done:,}/{now.total:,}"


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<9}"),
        BarColumn(bar_width=None),
        *(TextColumn(f"{{task.fields[{name}]}}", justify="right") for name in ("rows", "rate", "left")),
        console=console,
        expand=True,
    )
