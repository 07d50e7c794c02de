"""What the commands print of a job that has come as far as it can: tables for a person, one line for a program."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.core.management.base import BaseCommand, CommandError
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from imports.cli import summary
from imports.cli.run import is_active
from imports.cli.summary import JobFigures
from imports.jobs import problems
from imports.jobs.progress import Stage, console, duration
from imports.mapping.column_mapping import Target
from imports.models import ImportColumn, ImportJob, RowError
from imports.states import Status

MAX_PROBLEMS = 10
MAX_CELL_LENGTH = 60
MAX_COLUMNS = 40


def report(command: BaseCommand, job: ImportJob, *, as_json: bool = False, dry_run: bool = False) -> None:
    """Print what became of a job. Raises ``CommandError`` with the exit code when that is no success."""
    said = summary.status_messages(job, dry_run=dry_run)
    if not as_json and not summary.is_refused(job):  # the reason, below, says all there is to say then
        print_job(console(command.stdout), job)
    for sentence in said:
        console(command.stderr if as_json else command.stdout).print(Text(f"\n{sentence}"), soft_wrap=True)
    if as_json:
        command.stdout.write(json.dumps(summary.as_json(job)))
    if code := summary.exit_code(job):
        raise CommandError("\n".join(map(escape_unprintable, summary.failure_messages(job))), returncode=code)


def print_job(out: Console, job: ImportJob) -> None:
    """Print the result for a person: figures, notes, first problems."""
    out.print(
        Text(f"\nImport {job.pk}, {escape_unprintable(job.name)}: {job.get_status_display()}", style="bold"),
        soft_wrap=True,
    )
    out.print(_figures(job, summary.figures(job)))
    if job.status == Status.READY:
        out.print(_mapping(job))
    for note in _notes(job):
        out.print(Text(f"  {escape_unprintable(note)}"), soft_wrap=True)
    _show_problems(out, job)


def escape_unprintable(text: str) -> str:
    """Text of a file as a terminal may show it: nothing in it moves the cursor or turns the writing round."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _figures(job: ImportJob, found: JobFigures) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2), pad_edge=False)
    table.add_column()
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for label, number, note, style in _lines(job, found):
        table.add_row(Text(f"  {label}"), Text(number, style=style), Text(note, style="dim"))
    return table


def _lines(job: ImportJob, found: JobFigures) -> Iterator[tuple[str, str, str, str]]:
    """Each figure: its label, the number, what there is to add, its style."""
    counts, seconds = found.counts, found.seconds
    yield (
        "Rows",
        f"{counts.total:,}",
        "" if job.status in summary.ENDED_STATUSES else "expected, by the preview of all rows",
        "",
    )
    yield "Imported", f"{counts.imported:,}", "new people", ""
    yield "Updated", f"{counts.updated:,}", f"{found.unchanged:,} of them unchanged" if counts.updated else "", ""
    yield "Ignored", f"{counts.ignored:,}", "known already" if counts.ignored else "", ""
    yield "Failed", f"{counts.failed:,}", "", "red" if counts.failed else ""
    if counts.not_run:
        yield "Not run", f"{counts.not_run:,}", "", "yellow"
    yield "People", f"{found.people:,}", "imported or updated", ""
    points = summary.data_points(job)
    if points is not None:
        yield "Data points", f"{points:,}", "an estimate", ""
    if found.warnings:
        yield "Warnings", f"{found.warnings:,}", "values left out", "yellow"
    if is_active(job):
        return
    stages = ", ".join(f"{stage.verb} {duration(seconds[stage])}" for stage in Stage if seconds[stage])
    yield "Time", duration(seconds["total"]), stages, ""
    if found.rows_per_second:
        yield "Speed", f"{found.rows_per_second:,}", "rows a second", ""


def _mapping(job: ImportJob) -> Table:
    """Where each column goes."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2))
    for name in ("  Column", "goes to", "as"):
        table.add_column(name, overflow="ellipsis", no_wrap=True)
    columns = list(job.columns.all())
    for column in columns[:MAX_COLUMNS]:
        table.add_row(Text(f"  {_short(column.header)}"), Text(_target(column)), Text(column.type))
    if len(columns) > MAX_COLUMNS:
        table.add_row(Text(f"  and {len(columns) - MAX_COLUMNS} more"), Text(""), Text(""))
    return table


def _target(column: ImportColumn) -> str:
    if column.target_kind == Target.SKIP:
        return "(skipped)"
    new = " (new attribute)" if column.target_kind == Target.NEW else ""
    return f"{_short(column.target)}{new}"


def _notes(job: ImportJob) -> list[str]:
    """What the scan and the preview found that deserves a look."""
    ended = job.status in summary.ENDED_STATUSES  # then ragged rows are among the failed ones
    notes = [f"{found['reason'].rstrip('.')}." for found in job.findings if not (ended and found["code"] == "ragged")]
    added = [f"{new['key']} ({new['type']})" for new in job.preview.get("new_attributes", [])]
    if added and job.status != Status.READY:  # there the mapping says so
        notes.append(f"New attributes: {', '.join(added)}.")
    if job.preview.get("only_identifiers") and job.preview["imported"] and job.status not in summary.ENDED_STATUSES:
        notes.append(
            f"The file holds nothing but identifiers, and {job.preview['imported']:,} of its rows find nobody: they "
            "would make new people of whom nothing else is known."
        )
    if job.preview.get("cleared"):
        values = "value" if job.preview["cleared"] == 1 else "values"
        notes.append(f"Replace clears {job.preview['cleared']:,} {values} that the file does not bring.")
    if job.preview.get("repeated"):
        repeat = "row repeats" if job.preview["repeated"] == 1 else "rows repeat"
        notes.append(f"{job.preview['repeated']:,} {repeat} the identifier of an earlier row.")
    return notes


def _show_problems(out: Console, job: ImportJob) -> None:
    found = problems.problems(job)
    first = list(found[:MAX_PROBLEMS])
    if not first or job.status == Status.CANCELLED:
        return
    count = found.count()
    out.print(
        Text(f"\n  First {len(first)} of {count:,} problems" if count > len(first) else "\n  Problems", style="bold")
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    table.add_column("  Row", justify="right", no_wrap=True)
    table.add_column("Line", justify="right", no_wrap=True)
    table.add_column("Column", overflow="ellipsis", no_wrap=True, max_width=out.width // 6)
    table.add_column("Value", overflow="ellipsis", no_wrap=True, max_width=out.width // 4)
    table.add_column("Reason", overflow="fold")
    for problem in first:
        table.add_row(f"  {problem.row:,}", f"{problem.line:,}", *_cells(problem))
    out.print(table)


def _cells(problem: RowError) -> tuple[Text, Text, Text]:
    blank = "(empty)" if problem.column else ""
    style = "yellow" if problem.severity == RowError.Severity.WARNING else "red"
    return (
        Text(_short(problem.column)),
        Text(_short(problem.value) or blank),
        Text(escape_unprintable(problem.reason), style=style),
    )


def _short(text: str) -> str:
    text = escape_unprintable(text)
    return text if len(text) <= MAX_CELL_LENGTH else f"{text[: MAX_CELL_LENGTH - 1]}…"
