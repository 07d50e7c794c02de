"""How far an import is, and the bars that show it on a terminal."""

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
    """A part of the way of a file, as people see it; each is one step of the engine or two."""

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
"""Steps that tell row by row how far they are."""

PLAIN_WIDTH = 120
"""Columns of what is not a terminal, such as a log."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """How far a stage is: rows done, rows in all (None while nobody knows), seconds since it began."""

    done: int
    total: int | None
    seconds: float

    @property
    def rate(self) -> float:
        """Rows per second; 0 before the first are done."""
        return self.done / self.seconds if self.seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds until the end at this rate, if they can be told."""
        return (self.total - self.done) / self.rate if self.total is not None and self.rate else None


def stage_of(job: ImportJob) -> Stage | None:
    """The stage that a job is at, None when nothing is being done."""
    return next((stage for stage in Stage if job.step in stage.steps), None)


def seconds_of(job: ImportJob, stage: Stage) -> float:
    """How long a stage took, without the step that it is at."""
    return float(sum(job.seconds.get(step, 0.0) for step in stage.steps if step != job.step))


def stage_progress(job: ImportJob, stage: Stage) -> StageProgress:
    """How far a job is at the stage that it is at."""
    began = job.step_started or timezone.now()
    seconds = seconds_of(job, stage) + max(0.0, (timezone.now() - began).total_seconds())
    if job.step not in _COUNTABLE:
        return StageProgress(0, None, seconds)
    done = job.buckets.filter(step=job.step, done__isnull=False).aggregate(rows=Sum("size"))["rows"] or 0
    rows = job.buckets.filter(step=job.step).aggregate(rows=Sum("size"))["rows"] or job.total
    return StageProgress(done, rows, seconds)


def idle_seconds(job: ImportJob) -> float:
    """How long nobody has done anything for a job that has work to do; 0 while somebody is at it."""
    now = timezone.now()
    known = job.buckets.filter(step=job.step).aggregate(last=Max("done"), lease=Max("lease_until", filter=Q(done=None)))
    if known["lease"] and known["lease"] > now:
        return 0.0
    moments = [moment for moment in (job.step_started, known["last"], known["lease"]) if moment]
    return (now - max(moments)).total_seconds() if moments else 0.0


def percent_done(jobs: Iterable[ImportJob]) -> dict[int, int]:
    """Per cent of the rows that each of these jobs has done at its step, where that can be told, by one query."""
    wanted = {job.pk: job.step for job in jobs if job.step in _COUNTABLE}
    if not wanted:
        return {}
    buckets = Bucket.objects.filter(job__in=wanted, step__in=set(wanted.values())).values_list("job_id", "step")
    found = buckets.annotate(rows=Sum("size"), finished=Sum("size", filter=Q(done__isnull=False)))
    return {
        job: min(99, 100 * (finished or 0) // rows)
        for job, step, rows, finished in found.order_by()
        if wanted[job] == step and rows
    }


def is_over(job: ImportJob, stage: Stage) -> bool:
    """Whether a job has gone through a stage."""
    current = stage_of(job)
    return stage.steps[-1] in job.seconds and (current is None or list(Stage).index(stage) < list(Stage).index(current))


def console(stream: OutputWrapper) -> Console:
    """A console over a command's stream, which takes every text as it is, whatever the stream can show."""
    inner = cast(IO[str], stream._out)  # the wrapper would end each piece that is written with a line break
    if isinstance(inner, io.TextIOWrapper):
        inner.reconfigure(errors="replace")
    width = None if inner.isatty() or "COLUMNS" in os.environ else PLAIN_WIDTH
    return Console(file=inner, markup=False, highlight=False, emoji=False, width=width)


class Display:
    """Shows a job on its way: a bar per stage on a terminal, elsewhere only what has to be said."""

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
        """Print a line, above the bars where there are any."""
        self._console.print(text, soft_wrap=True)

    def show(self, job: ImportJob) -> None:
        """Bring the bars up to the job's state."""
        if self._bars is None:
            return
        current = stage_of(job)
        for stage in Stage:
            if stage is current:
                self._draw(self._bars, stage, stage_progress(job, stage))
            elif is_over(job, stage):
                self._draw(self._bars, stage, StageProgress(job.total, job.total, seconds_of(job, stage)), over=True)
            elif stage in self._tasks:  # begun anew, or ended on the way
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
            left="" if left is None else f"{duration(left)}{'' if over else ' left'}",
        )


def duration(seconds: float) -> str:
    """Seconds as people say them: ``0.8 s``, ``12 s``, ``2:05 min``, ``1:02:05 h``."""
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
