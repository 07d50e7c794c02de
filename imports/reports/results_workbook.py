"""What people take away from an import (requirements section 13): the results workbook, and its bad rows to correct.

Both are written row by row in constant memory. In the workbook every cell that came from a file is text, never a
formula or a link (AT-23). Excel takes no `/` in the name of a sheet, so the sheet *Failed/Ignored Records* is called
``Failed-Ignored Records`` and bears its name in its first line.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from tempfile import TemporaryDirectory
from typing import IO, Any

import xlsxwriter
from django.utils import timezone

from imports.files.batches import MALFORMED
from imports.jobs import stored_file
from imports.mapping import column_mapping
from imports.mapping.headers import PROBLEM
from imports.models import ImportColumn, ImportJob, RowError
from imports.presets import PRESETS
from imports.reports import problem_rows
from imports.reports.problem_rows import ProblemRow
from profiles.merging import alias
from profiles.schema import fields_of
from profiles.values.formula_escapes import escape_cell
from profiles.values.types import ValueType

EMPTY = "(empty)"
SUMMARY = "Summary"
RECORDS = "Failed/Ignored Records"
RECORDS_SHEET = RECORDS.replace("/", "-")
HEADINGS = ("Customer Email", "Phone", "Reason", "Row", "Line", "Identifier", "Column", "Value", "Code")
WIDTHS = (32, 18, 44, 10, 10, 32, 20, 32, 20)
MAX_SHEET_ROWS = 1_048_576
"""As many as Excel takes."""
MAX_CELL_LENGTH = 32_767
MAX_REASONS = 200
"""So many reasons are counted one by one in the summary."""

PADDED_ROW_HINT = ". Blank values were added at its end: move each value to its column, then clear this"
SURPLUS_CELLS_HINT = (
    ". The surplus ones stand to the right of this: join them with the value they are part of, or remove them; then "
    "clear this"
)
NUMERIC_TYPES = {ValueType.PHONE.value, ValueType.INTEGER.value, ValueType.NUMBER.value}

ProgressCallback = Callable[[int], None]
"""Is told how many rows are written, now and then."""
PROGRESS_INTERVAL = 2_000

SheetLine = Sequence[Any]


def write_results(job: ImportJob, out: IO[bytes], told: ProgressCallback = lambda rows: None) -> None:
    """Write the results of a job that has ended (RP-01 to RP-07, RP-13): one line for each row that was not applied."""
    reasons: Counter[tuple[str, str]] = Counter()
    with TemporaryDirectory() as folder:  # where its sheets stand until it is put together
        book = xlsxwriter.Workbook(out, {"constant_memory": True, "tmpdir": folder})
        bold = book.add_format({"bold": True})
        summary = book.add_worksheet(SUMMARY)
        with _rows(job) as rows:
            _write_records(book, bold, _records(job, _counted(rows, reasons)), told)
        summary.set_column(0, 0, 40)
        summary.set_column(1, 1, 60)
        for number, line in enumerate(_summary(job, reasons)):
            write_line(summary, number, line, bold if line[:1] and line[0] in _TITLES else None)
        book.close()


def write_rows_to_correct(
    job: ImportJob, out: IO[str], told: ProgressCallback = lambda rows: None, *, ignored: bool = False
) -> None:
    """Write the rows that failed as CSV, under the file's own headers and with its own cells (RP-12).

    The last column says what is wrong; an import skips it. Corrected, the file can be uploaded as it is. The uploaded
    file must be there still.
    """
    with stored_file.reopened(job) as source:
        header = [escape_cell(text) for text in source.header()]
    columns = {column.position - 1: column for column in job.columns.all()}
    dropped = next((i for i, column in columns.items() if column.header == PROBLEM), None)
    typed = [columns[i].type in NUMERIC_TYPES if i in columns else False for i in range(len(header))]
    writer = csv.writer(out, delimiter=job.format["found"]["delimiter"] or ",", lineterminator="\r\n")
    own_header = _without(header, dropped)
    writer.writerow([*own_header, PROBLEM])
    with problem_rows.open_rows(job, ignored=ignored) as rows:
        for number, row in enumerate(rows):
            if number % PROGRESS_INTERVAL == 0:
                told(number)
            writer.writerow(_to_correct(row, _cells(row, dropped, typed), len(own_header)))


def _cells(row: ProblemRow, dropped: int | None, typed: Sequence[bool]) -> list[str]:
    """A row's own cells, without what an earlier file of rows to correct said of it."""
    cells = [escape_cell(cell, is_number=i < len(typed) and typed[i]) for i, cell in enumerate(row.cells)]
    if dropped is None or len(cells) == len(typed):
        return _without(cells, dropped)
    # Of a row with too few or too many cells nobody knows which one that is, unless it says so itself.
    said = next((i for i, cell in enumerate(cells) if cell.startswith(MALFORMED)), None)
    return _without(cells, said)


def _without(cells: list[str], dropped: int | None) -> list[str]:
    return cells if dropped is None else cells[:dropped] + cells[dropped + 1 :]


def _to_correct(row: ProblemRow, cells: list[str], width: int) -> list[str]:
    """A row with its reason in the column of reasons, however many cells it has.

    Surplus cells follow behind, so that nothing is lost. As long as the reason stands there, the row fails again: its
    values may stand in wrong columns.
    """
    reason = _reasons(row)
    if row.cells and len(cells) < width:
        reason += PADDED_ROW_HINT
    elif len(cells) > width:
        reason += SURPLUS_CELLS_HINT
    return [*cells[:width], *[""] * (width - len(cells)), escape_cell(reason), *cells[width:]]


def _reasons(row: ProblemRow) -> str:
    """All that is wrong, each with its column."""
    return "; ".join(f"{found.column}: {found.reason}" if found.column else found.reason for found in row.problems)


# --- the lines of the workbook ------------------------------------------------------------------

_TITLES = {SUMMARY, "Reason", "About this import"}


def _summary(job: ImportJob, reasons: Counter[tuple[str, str]]) -> Iterator[SheetLine]:
    """The five lines of RP-02 under their headings; below, all else that there is to say of the import."""
    yield SUMMARY, "Count"
    yield "Total Records", job.total
    yield "Imported", job.imported
    yield "Updated", job.updated
    yield "Ignored", job.ignored
    yield "Failed", job.failed
    yield ()
    yield "Not run", job.not_run
    yield "Unchanged (of the updated)", job.unchanged
    yield "People", job.people
    yield "Warnings", job.warnings
    if reasons:
        yield ()
        yield "Reason", "Rows"
        for (severity, reason), times in reasons.most_common():
            yield reason if severity else "Other reasons", times
    yield ()
    yield "About this import", ""
    yield from _about(job)


def _about(job: ImportJob) -> Iterator[SheetLine]:
    yield "Name", job.name
    yield "Number", job.pk
    yield "File", job.file_name
    yield "Status", job.get_status_display()
    if job.reason:
        yield "Why", job.reason
    yield "Uploaded by", _who(job)
    for label, moment in (("Uploaded", job.created), ("Started", job.started), ("Ended", job.finished)):
        if moment:
            yield label, f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
    yield "Preset", PRESETS[job.preset].label if job.preset in PRESETS else job.preset
    yield "Record type", job.get_record_type_display()
    yield "People found by", job.identifier or EMPTY
    if not job.holds_events:  # which change nobody, whatever the preset's action is (EV-13)
        yield "Known people", job.get_action_display() or EMPTY
    for name, value in job.options.items():
        if name != "event_name" or job.holds_events:  # it is kept where a person tries the other record type
            yield f"Option {name}", str(value)


def _who(job: ImportJob) -> str:
    user = job.created_by
    return str(user.email or user.get_username()) if user else f"{job.get_source_display()}"


def _rows(job: ImportJob) -> AbstractContextManager[Iterator[ProblemRow]]:
    """As many as the counts say (D-07): a job that failed while it was checked has bad rows, but none was run."""
    return problem_rows.open_rows(job) if job.failed + job.ignored else nullcontext(iter(()))


def _counted(rows: Iterable[ProblemRow], reasons: Counter[tuple[str, str]]) -> Iterator[ProblemRow]:
    """The same rows; the first reason of each is counted, those beyond the first two hundred kinds together."""
    for row in rows:
        kind = (row.first.severity, row.first.reason)
        reasons[kind if kind in reasons or len(reasons) < MAX_REASONS else ("", "")] += 1
        yield row


def _records(job: ImportJob, rows: Iterable[ProblemRow]) -> Iterator[SheetLine]:
    columns = list(job.columns.all())
    emails, phones = _positions(columns, ("email",)), _positions(columns, ("phone",))
    identifiers = [_places(columns, kind) for kind in column_mapping.lookup_kinds(job.identifier)]
    for row in rows:
        first, cells = row.first, row.cells
        yield (
            _first_filled(cells, emails),
            _first_filled(cells, phones),
            first.reason,
            first.row,
            first.line,
            next(filter(None, (_identified(cells, places) for places in identifiers)), EMPTY),
            first.column,
            first.value if first.severity != RowError.Severity.IGNORED else "",
            first.code,
        )


def _positions(columns: Iterable[ImportColumn], targets: Sequence[str]) -> list[int]:
    """Where the columns stand that go to these targets, those of the first target first."""
    found = [(targets.index(column.target), column.position - 1) for column in columns if column.target in targets]
    return [position for _, position in sorted(found)]


def _places(columns: Iterable[ImportColumn], kind: str) -> list[list[int]]:
    """Where the columns of an identifier stand: of each of its parts, which the alias has two of."""
    columns = list(columns)
    return [_positions(columns, (part,)) for part in fields_of(kind)]


def _identified(cells: Sequence[str], places: Iterable[list[int]]) -> str:
    """What a row says of an identifier, as it stands in the file; blank where all of it is."""
    parts = [_first_filled(cells, part) for part in places]
    return "" if set(parts) == {EMPTY} else alias.text_of(parts)


def _first_filled(cells: Sequence[str], positions: Iterable[int]) -> str:
    """The first cell that is not blank, as it stands in the file (RP-07)."""
    return next((cells[i] for i in positions if i < len(cells) and cells[i].strip()), EMPTY)


# --- sheets -------------------------------------------------------------------------------------


def _write_records(book: Any, bold: Any, lines: Iterator[SheetLine], told: ProgressCallback) -> None:
    """The lines, on as many sheets as they need."""
    sheet, at, sheets = _sheet(book, bold, 1), 2, 1
    for number, line in enumerate(lines):
        if number % PROGRESS_INTERVAL == 0:
            told(number)
        if at == MAX_SHEET_ROWS:
            sheets += 1
            sheet, at = _sheet(book, bold, sheets), 2
        write_line(sheet, at, line)
        at += 1


def _sheet(book: Any, bold: Any, number: int) -> Any:
    sheet = book.add_worksheet(RECORDS_SHEET if number == 1 else f"{RECORDS_SHEET} ({number})")
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(2, 0)
    write_line(sheet, 0, (RECORDS,), bold)
    write_line(sheet, 1, HEADINGS, bold)
    return sheet


def write_line(sheet: Any, row: int, line: SheetLine, cell_format: Any = None) -> None:
    """A line: numbers as numbers, all else as text, whatever it looks like."""
    for column, value in enumerate(line):
        if isinstance(value, int):
            sheet.write_number(row, column, value, cell_format)
        elif value:
            sheet.write_string(row, column, _storable(value), cell_format)


def _storable(text: str) -> str:
    """A text that Excel takes: it has a longest one, counted in pieces of UTF-16, and no place for half a character."""
    if text.isascii():
        return text[:MAX_CELL_LENGTH]
    return text.encode("utf-16-le", errors="replace")[: 2 * MAX_CELL_LENGTH].decode("utf-16-le", errors="ignore")
