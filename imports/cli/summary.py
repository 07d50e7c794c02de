"""Summarise a finished or previewed import: figures, problems, messages and the exit code."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone

from imports.cli.run import approver_names, is_active
from imports.cli.terminal import ExitCode
from imports.jobs import lifecycle, problems
from imports.jobs.progress import Stage, stage_seconds
from imports.models import ImportJob, RowError
from imports.states import Status, Step

MAX_ERRORS = 20
MAX_NAMED_APPROVERS = 5

UNSUCCESSFUL_STATUSES = (Status.STOPPED, Status.FAILED, Status.CANCELLED, Status.REJECTED)
ENDED_STATUSES = (*UNSUCCESSFUL_STATUSES, Status.COMPLETED)


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by outcome; ``total`` is the sum of the others (design rule 5)."""

    total: int
    imported: int
    updated: int
    ignored: int
    failed: int
    not_run: int


@dataclass(frozen=True, slots=True)
class JobFigures:
    """A job in numbers. ``seconds``: per stage, and in total since the upload or since the job was resumed last."""

    counts: Counts
    unchanged: int
    people: int
    warnings: int
    seconds: dict[str, float]

    @property
    def worked(self) -> float:
        """Seconds of work, without the time in which the job waited for users."""
        return sum(self.seconds[stage] for stage in Stage)

    @property
    def rows_per_second(self) -> int:
        done = self.counts.total - self.counts.not_run
        return round(done / self.seconds["total"]) if self.seconds["total"] else 0


def figures(job: ImportJob) -> JobFigures:
    """Return the job's figures: those of what was done or, before it starts, those of the preview."""
    names = ("total", "imported", "updated", "ignored", "failed", "unchanged", "people", "warnings")
    if job.status in (Status.PENDING, Status.IN_PROGRESS):  # not those of the preview
        found = lifecycle.final_counts(job, people=0) | {"total": job.total, "warnings": job.warnings}
    elif (job.status in ENDED_STATUSES and job.status != Status.REJECTED) or not job.preview:
        found = {name: getattr(job, name) for name in names}
    else:
        found = {name: job.preview.get(name, 0) for name in names}
    done = {name: found[name] for name in ("imported", "updated", "ignored", "failed")}
    return JobFigures(
        counts=Counts(total=found["total"], **done, not_run=found["total"] - sum(done.values())),
        unchanged=found["unchanged"],
        people=found["people"],
        warnings=found["warnings"],
        seconds=_seconds(job),
    )


def data_points(job: ImportJob) -> int | None:
    """Return the data points used or, before the start, expected; None if they are not counted (DP-05)."""
    if job.status in ENDED_STATUSES and job.status != Status.REJECTED:
        return job.data_points
    expected: int | None = job.preview.get("data_points")
    return expected


def as_json(job: ImportJob) -> dict[str, Any]:
    """Return the result for a program, with the first ``MAX_ERRORS`` errors."""
    found = figures(job)
    errors = problems.problems(job).filter(severity=RowError.Severity.ERROR)[:MAX_ERRORS]
    points = data_points(job)
    return {
        "job": job.pk,
        "status": job.status,
        "counts": asdict(found.counts),
        "unchanged": found.unchanged,
        "people": found.people,
        "warnings": found.warnings,
        **({} if points is None else {"data_points": points}),
        "seconds": found.seconds,
        "rows_per_second": found.rows_per_second,
        "errors": [_file_error(job.reason_code, job.reason)] if is_refused(job) else [_row_error(e) for e in errors],
    }


def refusal_as_json(code: str, reason: str) -> dict[str, Any]:
    """Return the result, for a program, of a file that was refused before a job was created."""
    return {
        "job": None,
        "status": "refused",
        "counts": asdict(Counts(0, 0, 0, 0, 0, 0)),
        **dict.fromkeys(("unchanged", "people", "warnings"), 0),
        "seconds": dict.fromkeys([*map(str, Stage), "total"], 0.0),
        "rows_per_second": 0,
        "errors": [_file_error(code, reason)],
    }


def exit_code(job: ImportJob) -> ExitCode:
    """Return 0 if the job is completed or waits for users or workers, 2 if a header is unknown, else 1."""
    if job.reason_code == "unknown_header":
        return ExitCode.USAGE_ERROR
    return ExitCode.FAILED if job.status in UNSUCCESSFUL_STATUSES else ExitCode.DONE


def is_refused(job: ImportJob) -> bool:
    """Return whether the file or its mapping was refused as a whole; then there are no rows to report."""
    return job.status == Status.FAILED and not job.file


def status_messages(job: ImportJob, *, dry_run: bool = False) -> list[str]:
    """Return what to tell the user about a job that has not ended."""
    if is_active(job):
        return [f"Import {job.pk} continues in the background. Follow it with: manage.py resume_import {job.pk} --wait"]
    match job.status:
        case Status.AWAITING_APPROVAL:
            return [f"Import {job.pk} waits for approval. {approvers_message(job)}"]
        case Status.READY if dry_run:
            return ["Nobody was changed. To import the file, run the same command without --dry-run."]
        case Status.READY | Status.DRAFT:
            return [f"Import {job.pk} was not started; nobody was changed."]
        case _:
            return []


def failure_messages(job: ImportJob) -> list[str]:
    """Return why a job was not successful and what to do, by line."""
    state = job.get_status_display().lower()
    lines = [f"Import {job.pk} {state}:", *job.reason.splitlines()] if job.reason else [f"Import {job.pk} is {state}."]
    if job.file and job.status in (Status.FAILED, Status.STOPPED):
        lines.append(f"Resume it with: manage.py resume_import {job.pk}")
    return lines


def _row_error(problem: RowError) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("row", "line", "column", "value", "code", "reason")}


def _file_error(code: str, reason: str) -> dict[str, Any]:
    return {"row": None, "line": None, "column": "", "value": "", "code": code, "reason": reason}


def _seconds(job: ImportJob) -> dict[str, float]:
    begun = max(
        (transition.when for transition in job.transitions.all() if transition.name in ("upload", "resume")),
        default=job.created,
    )
    end = job.finished or (job.step_started if job.step == Step.IDLE else None) or timezone.now()
    total = max(0.0, (end - begun).total_seconds())
    return {stage.value: round(stage_seconds(job, stage), 3) for stage in Stage} | {"total": round(total, 3)}


def approvers_message(job: ImportJob) -> str:
    """Return a sentence that names the first ``MAX_NAMED_APPROVERS`` approvers."""
    names = approver_names(job)
    if not names:
        return "Nobody may approve it yet: add a user to the group Approver or Admin."
    more = f" and {len(names) - MAX_NAMED_APPROVERS} more" if len(names) > MAX_NAMED_APPROVERS else ""
    return f"It can be approved by: {', '.join(names[:MAX_NAMED_APPROVERS])}{more}."
