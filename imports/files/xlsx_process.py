"""Convert the workbook on standard input to lines on standard output, in a separate process.

Usage: xlsx_process.py MEMORY_BYTES MAX_ROWS SHEET

SHEET is the name of the sheet to read, as JSON in ASCII; an empty name means the first visible sheet.

The library that reads workbooks trusts the figures in them: a file of 5 KB with two cells in opposite corners, or with
a wrong count of its texts, makes it request hundreds of gigabytes, and the process dies without an exception. It
therefore runs in this process, with limited memory, so that only the import of this file fails.

The first line of the output is a JSON list of the names of the visible sheets. It is followed by one line for each row
of the sheet: a JSON list of texts without the empty ones at its end, or nothing for an empty row. Exit codes: 0 done,
3 damaged, 4 too many rows (the row's number on standard error), 5 no sheet of that name.
"""

import datetime
import json
import sys
from collections.abc import Iterable
from decimal import Decimal

import orjson
from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

DAMAGED = 3
TOO_MANY_ROWS = 4
NO_SUCH_SHEET = 5
MAX_CPU_SECONDS = 300
"""Limit on the processor time for one workbook."""

MAX_NAME_LENGTH = 100
"""Characters to which the name of a sheet is cut; Excel allows 31, a file may have any number."""
MAX_NAMES = 1_000

Cell = int | float | str | bool | datetime.time | datetime.date | datetime.datetime | datetime.timedelta

# Excel stores fifteen digits: longer whole numbers end in zeros, and very long ones are written with an exponent.
_EXACT = 10**15
_NO_EXPONENT = 10**21


def main(memory: int, max_rows: int, sheet_name: str) -> int:
    """Write the lines and return the exit code. `memory` is in bytes."""
    limit_resources(memory)
    try:
        with CalamineWorkbook.from_filelike(sys.stdin.buffer) as workbook:
            names = sheet_names(workbook)
            if not names:
                return DAMAGED
            sys.stdout.buffer.write(orjson.dumps(list(names)) + b"\n")
            if sheet_name and sheet_name not in names:
                return NO_SUCH_SHEET
            sheet = workbook.get_sheet_by_name(names[sheet_name or next(iter(names))])
        filled = 0
        for number, cells in enumerate(sheet.iter_rows(), start=1):
            texts = row_texts(cells)
            filled += bool(texts)
            if filled > max_rows + 1:
                sys.stderr.write(str(number))
                return TOO_MANY_ROWS
            sys.stdout.buffer.write(orjson.dumps(texts) + b"\n" if texts else b"\n")
    except CalamineError:
        return DAMAGED
    return 0


def limit_resources(memory: int) -> None:
    """Limit the memory (in bytes) and the processor time of this process. Windows has no such limits."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, MAX_CPU_SECONDS), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def sheet_names(workbook: CalamineWorkbook) -> dict[str, str]:
    """Return the names in the file of the visible sheets of cells, by their shortened names.

    If no sheet is visible, return the first hidden one. Of several sheets with the same shortened name, only the first
    can be read.
    """
    tables = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    shown = [sheet for sheet in tables if sheet.visible == SheetVisibleEnum.Visible]
    names: dict[str, str] = {}
    for sheet in (shown or tables[:1])[:MAX_NAMES]:
        names.setdefault(sheet.name[:MAX_NAME_LENGTH] or "(no name)", sheet.name)
    return names


def row_texts(cells: Iterable[Cell]) -> list[str]:
    """Return the cells of a row as texts, without the empty ones at its end."""
    texts = [cell if isinstance(cell, str) else cell_text(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return texts


def cell_text(cell: Cell) -> str:
    """Return the text of a cell as in a CSV: whole numbers without a point, dates in ISO 8601, `true` and `false`."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return number_text(cell)
    if isinstance(cell, datetime.timedelta):
        minutes, seconds = divmod(round(cell.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(cell, int):
        return str(cell)
    return cell.isoformat()


def number_text(number: float) -> str:
    """Return `3` for 3.0, all digits of whole numbers below 10^21, else the notation of Python."""
    if number.is_integer() and abs(number) < _EXACT:
        return str(int(number))
    if number.is_integer() and abs(number) < _NO_EXPONENT:
        return format(Decimal(repr(number)).to_integral_value(), "f")
    return repr(number)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])))
