"""Write the results workbook of an import, and the CSV file of its failed rows to correct (requirements section 13).

Both are written row by row in constant memory. In the workbook every cell from a file is text, never a formula or a
link (AT-23). Excel does not allow `/` in the name of a sheet, so the sheet *Failed/Ignored Records* is named
``Failed-Ignored Records`` and has its proper name in its first line.
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
from imports.mapping.headers import PROBLEM_HEADER
from imports.models import ImportColumn, ImportJob, RowError
from imports.presets import PRESETS
from imports.reports import problem_rows
from imports.reports.problem_rows import ProblemRow
from profiles.merging import alias
from profiles.schema import identifier_fields
from profiles.values.formula_escapes import escape_cell
from profiles.values.types import ValueType

EMPTY = "(empty)"
SUMMARY = "Summary"
RECORDS = "Failed/Ignored Records"
RECORDS_SHEET = RECORDS.replace("/", "-")
HEADINGS = ("Customer Email", "Phone", "Reason", "Row", "Line", "Identifier", "Column", "Value", "Code")
WIDTHS = (32, 18, 44, 10, 10, 32, 20, 32, 20)
MAX_SHEET_ROWS = 1_048_576
"""The limit of Excel."""
MAX_CELL_LENGTH = 32_767
MAX_REASONS = 200
"""Most reasons that the summary counts separately."""

PADDED_ROW_HINT = ". Blank values were added at the end of the row: move each value to its column, then clear this cell"
SURPLUS_CELLS_HINT = (
    ". The surplus values are to the right of this cell: join them with the value they are part of, or remove them; "
    "then clear this cell"
)
NUMERIC_TYPES = {ValueType.PHONE.value, ValueType.INTEGER.value, ValueType.NUMBER.value}

ProgressCallback = Callable[[int], None]
"""Called every ``PROGRESS_INTERVAL`` rows with the number of rows written."""
PROGRESS_INTERVAL = 2_000

SheetLine = Sequence[Any]


def write_results(job: ImportJob, out: IO[bytes], report: ProgressCallback = lambda rows: None) -> None:
    """Write the results of a job that has ended as a workbook: a summary, and a line for each row that was not applied
    (RP-01 to RP-07, RP-13)."""
    reasons: Counter[tuple[str, str]] = Counter()
    with TemporaryDirectory() as folder:  # for the sheets until the workbook is closed
        book = xlsxwriter.Workbook(out, {"constant_memory": True, "tmpdir": folder})
        bold = book.add_format({"bold": True})
        summary = book.add_worksheet(SUMMARY)
        with _rows(job) as rows:
            _write_records(book, bold, _records(job, _counted(rows, reasons)), report)
        summary.set_column(0, 0, 40)
        summary.set_column(1, 1, 60)
        for number, line in enumerate(_summary(job, reasons)):
            write_line(summary, number, line, bold if line[:1] and line[0] in _TITLES else None)
        book.close()


def write_rows_to_correct(
    job: ImportJob, out: IO[str], report: ProgressCallback = lambda rows: None, *, ignored: bool = False
) -> None:
    """Write the rows that failed as CSV, under the file's own headers and with its own cells (RP-12).

    The last column gives the problems; an import skips it. The corrected file can be uploaded without other changes.
    The stored file must still exist. ``ignored``: write the ignored rows too.
    """
    with stored_file.open_stored(job) as source:
        header = [escape_cell(text) for text in source.header()]
    columns = {column.position - 1: column for column in job.columns.all()}
    dropped = next((i for i, column in columns.items() if column.header == PROBLEM_HEADER), None)
    typed = [columns[i].type in NUMERIC_TYPES if i in columns else False for i in range(len(header))]
    writer = csv.writer(out, delimiter=job.format["found"]["delimiter"] or ",", lineterminator="\r\n")
    own_header = _without(header, dropped)
    writer.writerow([*own_header, PROBLEM_HEADER])
    with problem_rows.open_rows(job, ignored=ignored) as rows:
        for number, row in enumerate(rows):
            if number % PROGRESS_INTERVAL == 0:
                report(number)
            writer.writerow(_to_correct(row, _cells(row, dropped, typed), len(own_header)))


def _cells(row: ProblemRow, dropped: int | None, typed: Sequence[bool]) -> list[str]:
    """Return the cells of a row, without the problems that an earlier file of rows to correct gave for it."""
    cells = [escape_cell(cell, is_number=i < len(typed) and typed[i]) for i, cell in enumerate(row.cells)]
    if dropped is None or len(cells) == len(typed):
        return _without(cells, dropped)
    # In a row with too few or too many cells, only its text tells which cell that is.
    marked = next((i for i, cell in enumerate(cells) if cell.startswith(MALFORMED)), None)
    return _without(cells, marked)


def _without(cells: list[str], dropped: int | None) -> list[str]:
    return cells if dropped is None else cells[:dropped] + cells[dropped + 1 :]


def _to_correct(row: ProblemRow, cells: list[str], width: int) -> list[str]:
    """Return a row with its reason in the column of reasons, however many cells it has.

    Surplus cells follow that column, so that nothing is lost. The row fails again until the reason is cleared, since
    its values may be in wrong columns.
    """
    reason = _reasons(row)
    if row.cells and len(cells) < width:
        reason += PADDED_ROW_HINT
    elif len(cells) > width:
        reason += SURPLUS_CELLS_HINT
    return [*cells[:width], *[""] * (width - len(cells)), escape_cell(reason), *cells[width:]]


def _reasons(row: ProblemRow) -> str:
    """Return all problems of a row as one text, each with its column."""
    return "; ".join(
        f"{problem.column}: {problem.reason}" if problem.column else problem.reason for problem in row.problems
    )


# --- the lines of the workbook ------------------------------------------------------------------

_TITLES = {SUMMARY, "Reason", "About this import"}


def _summary(job: ImportJob, reasons: Counter[tuple[str, str]]) -> Iterator[SheetLine]:
    """Yield the five lines of RP-02 under their headings; below them further counts, the reasons and the settings."""
    yield SUMMARY, "Count"
    yield "Total Records", job.total
    yield "Imported", job.imported
    yield "Updated", job.updated
    yield "Ignored", job.ignored
    yield "Failed", job.failed
    yield ()
    yield "Not run", job.not_run
    yield "Unchanged (included in Updated)", job.unchanged
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
        yield "Status reason", job.reason
    yield "Uploaded by", _uploader(job)
    for label, moment in (("Uploaded", job.created), ("Started", job.started), ("Ended", job.finished)):
        if moment:
            yield label, f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"
    yield "Preset", PRESETS[job.preset].label if job.preset in PRESETS else job.preset
    yield "Record type", job.get_record_type_display()
    yield "People matched by", job.identifier or EMPTY
    if not job.holds_events:  # events change nobody, whatever the action is (EV-13)
        yield "Existing people", job.get_action_display() or EMPTY
    for name, value in job.options.items():
        if name != "event_name" or job.holds_events:  # the option remains when the record type changes
            yield f"Option {name}", str(value)


def _uploader(job: ImportJob) -> str:
    user = job.created_by
    return str(user.email or user.get_username()) if user else f"{job.get_source_display()}"


def _rows(job: ImportJob) -> AbstractContextManager[Iterator[ProblemRow]]:
    """Open the rows that were not applied, as the job's counts give them (D-07): none if it failed during the check."""
    return problem_rows.open_rows(job) if job.failed + job.ignored else nullcontext(iter(()))


def _counted(rows: Iterable[ProblemRow], reasons: Counter[tuple[str, str]]) -> Iterator[ProblemRow]:
    """Yield the same rows; count the first reason of each, those beyond ``MAX_REASONS`` different ones together."""
    for row in rows:
        kind = (row.first.severity, row.first.reason)
        reasons[kind if kind in reasons or len(reasons) < MAX_REASONS else ("", "")] += 1
        yield row


def _records(job: ImportJob, rows: Iterable[ProblemRow]) -> Iterator[SheetLine]:
    columns = list(job.columns.all())
    emails, phones = _positions(columns, ("email",)), _positions(columns, ("phone",))
    identifiers = [_identifier_positions(columns, kind) for kind in column_mapping.lookup_kinds(job.identifier)]
    for row in rows:
        first, cells = row.first, row.cells
        yield (
            _first_filled(cells, emails),
            _first_filled(cells, phones),
            first.reason,
            first.row,
            first.line,
            next(filter(None, (_identifier_text(cells, parts) for parts in identifiers)), EMPTY),
            first.column,
            first.value if first.severity != RowError.Severity.IGNORED else "",
            first.code,
        )


def _positions(columns: Iterable[ImportColumn], targets: Sequence[str]) -> list[int]:
    """Return the indexes of the columns mapped to these targets, those of the first target first."""
    pairs = [(targets.index(column.target), column.position - 1) for column in columns if column.target in targets]
    return [position for _, position in sorted(pairs)]


def _identifier_positions(columns: Iterable[ImportColumn], kind: str) -> list[list[int]]:
    """Return the indexes of the columns of an identifier, for each of its parts; an alias has two parts."""
    columns = list(columns)
    return [_positions(columns, (part,)) for part in identifier_fields(kind)]


def _identifier_text(cells: Sequence[str], positions: Iterable[list[int]]) -> str:
    """Return the identifier of a row as the file spells it, or blank if all its parts are blank."""
    parts = [_first_filled(cells, part) for part in positions]
    return "" if set(parts) == {EMPTY} else alias.text_of(parts)


def _first_filled(cells: Sequence[str], positions: Iterable[int]) -> str:
    """Return the first cell that is not blank, as the file spells it, or ``EMPTY`` (RP-07)."""
    return next((cells[i] for i in positions if i < len(cells) and cells[i].strip()), EMPTY)


# --- sheets -------------------------------------------------------------------------------------


def _write_records(book: Any, bold: Any, lines: Iterator[SheetLine], report: ProgressCallback) -> None:
    """Write the lines, on as many sheets as they need."""
    sheet, at, sheets = _sheet(book, bold, 1), 2, 1
    for number, line in enumerate(lines):
        if number % PROGRESS_INTERVAL == 0:
            report(number)
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
    """Write a line of a sheet: integers as numbers, all other values as text."""
    for column, value in enumerate(line):
        if isinstance(value, int):
            sheet.write_number(row, column, value, cell_format)
        elif value:
            sheet.write_string(row, column, _storable(value), cell_format)


def _storable(text: str) -> str:
    """Shorten a text to the most that Excel allows, which counts UTF-16 code units, without splitting a character."""
    if text.isascii():
        return text[:MAX_CELL_LENGTH]
    return text.encode("utf-16-le", errors="replace")[: 2 * MAX_CELL_LENGTH].decode("utf-16-le", errors="ignore")
