"""Print the result of a command: tables for a person, or one line of JSON for a program."""

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
from imports.jobs.progress import Stage, console, format_duration
from imports.mapping.column_mapping import Target
from imports.models import ImportColumn, ImportJob, RowError
from imports.states import Status

MAX_PROBLEMS = 10
MAX_CELL_LENGTH = 60
MAX_COLUMNS = 40


def report(command: BaseCommand, job: ImportJob, *, as_json: bool = False, dry_run: bool = False) -> None:
    """Print the result of a job. Raises ``CommandError`` with the exit code if the job was not successful."""
    messages = summary.status_messages(job, dry_run=dry_run)
    if not as_json and not summary.is_refused(job):  # of a refused file there is only the reason, below
        print_job(console(command.stdout), job)
    for sentence in messages:
        console(command.stderr if as_json else command.stdout).print(Text(f"\n{sentence}"), soft_wrap=True)
    if as_json:
        command.stdout.write(json.dumps(summary.as_json(job)))
    if code := summary.exit_code(job):
        raise CommandError("\n".join(map(escape_unprintable, summary.failure_messages(job))), returncode=code)


def print_job(out: Console, job: ImportJob) -> None:
    """Print the result for a person: figures, the mapping if it is only a preview, notes, and the first problems."""
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
    """Escape the characters of a file that could move a terminal's cursor or reverse the direction of its text."""
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
    """Return each figure: its label, the number, a note, and the style."""
    counts, seconds = found.counts, found.seconds
    yield (
        "Rows",
        f"{counts.total:,}",
        "" if job.status in summary.ENDED_STATUSES else "expected, from the preview of all rows",
        "",
    )
    yield "Imported", f"{counts.imported:,}", "new people", ""
    yield "Updated", f"{counts.updated:,}", f"{found.unchanged:,} of them unchanged" if counts.updated else "", ""
    yield "Ignored", f"{counts.ignored:,}", "existed already" if counts.ignored else "", ""
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
    stages = ", ".join(f"{stage.verb} {format_duration(seconds[stage])}" for stage in Stage if seconds[stage])
    yield "Time", format_duration(seconds["total"]), stages, ""
    if found.rows_per_second:
        yield "Speed", f"{found.rows_per_second:,}", "rows per second", ""


def _mapping(job: ImportJob) -> Table:
    """Return the table of columns and their targets."""
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
    """Return the findings of the scan and the preview that the user should read."""
    ended = job.status in summary.ENDED_STATUSES  # then the failed rows include the ragged ones
    notes = [f"{found['reason'].rstrip('.')}." for found in job.findings if not (ended and found["code"] == "ragged")]
    added = [f"{new['key']} ({new['type']})" for new in job.preview.get("new_attributes", [])]
    if added and job.status != Status.READY:  # the table of the mapping shows them
        notes.append(f"New attributes: {', '.join(added)}.")
    if job.preview.get("only_identifiers") and job.preview["imported"] and job.status not in summary.ENDED_STATUSES:
        notes.append(
            f"The file has no columns but identifiers, and {job.preview['imported']:,} of its rows match nobody: they "
            "would create people without any other data."
        )
    if job.preview.get("cleared"):
        values = "value" if job.preview["cleared"] == 1 else "values"
        notes.append(f"Replace clears {job.preview['cleared']:,} {values} that the file does not contain.")
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
