"""An .xlsx workbook as a table: the first sheet that is shown or the chosen one, every cell as text (FF-02)."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import orjson

from imports.files import xlsx_process
from imports.files.batches import Block, Position
from imports.files.byte_streams import DecompressionBudget, FileSlice
from imports.files.containers import entries, file_size, open_entry
from imports.files.csv_reader import PIECE, check_cells
from imports.files.errors import Limits, Refusal, SourceError, format_bytes

_LISTED, _SHOWN = 10, 40
"""So many sheets are named in one sentence, each with so many characters."""
_SECONDS = 2 * xlsx_process.SECONDS
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Sheet:
    """The rows of one sheet of a workbook, laid down in a temporary file that goes with this object.

    `wanted`: the sheet's name, empty for the first that is shown. `names`: those of all that are shown; `name`: that of
    this one. Raises SourceError for a workbook that is damaged, over the limits, or has no such sheet.
    """

    def __init__(self, file: BinaryIO, limits: Limits, wanted: str = "") -> None:
        _check_unpacked(file, limits)
        self._limits = limits
        self._lines: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed with the sheet)
        weakref.finalize(self, self._lines.close)
        is_there = _write_lines(file, self._lines, limits, wanted)
        self._lines.seek(0)
        self.names: list[str] = orjson.loads(self._lines.readline())
        self._first = self._lines.tell()
        if not is_there:
            raise _unknown_sheet(wanted, self.names)
        self.name = wanted or self.names[0]

    def blocks(self, start: Position, stop: Position | None, width: int | None) -> Iterator[Block]:
        """The rows of the sheet between two positions; without a width as wide as they are.

        A row that ends earlier is filled up to `width`. Empty rows have a line and no row.
        """
        line = start.line
        end = file_size(self._lines) if stop is None else self._first + stop.offset
        reader = FileSlice(self._lines, self._first + start.offset, end)
        left = b""
        while piece := reader.read(PIECE):
            *lines, left = (left + piece).split(b"\n")
            filled = [index for index, each in enumerate(lines) if each]
            rows: list[list[str]] = [orjson.loads(lines[index]) for index in filled]
            if len(left) + len(piece) > self._limits.max_cell_bytes:
                check_cells(rows, filled, self._limits, line)
            if width is not None:
                rows = [row + [""] * (width - len(row)) if len(row) < width else row for row in rows]
            yield Block(rows, filled, [index + 1 for index in filled], [len(each) + 1 for each in lines])
            line += len(lines)


def format_sheet_names(names: Sequence[str]) -> str:
    """Names of sheets for a sentence; of very many the first ones."""
    listed = ", ".join(f"“{isolated(name[:_SHOWN])}”" for name in names[:_LISTED])
    return f"{listed} and {len(names) - _LISTED:,} more" if len(names) > _LISTED else listed


def isolated(name: str) -> str:
    """A name that leaves the direction of what stands around it alone, where no element can be put around it."""
    return name if name.isascii() else f"\u2068{name}\u2069"


def _check_unpacked(file: BinaryIO, limits: Limits) -> None:
    """Unpack everything once, to nowhere, and raise SourceError when it is damaged or too large."""
    allowance = DecompressionBudget(file_size(file), limits)
    for entry in entries(file):
        reader = open_entry(file, entry, limits)
        while data := reader.read(PIECE):
            allowance.use(len(data))


def _write_lines(file: BinaryIO, lines: BinaryIO, limits: Limits, wanted: str) -> bool:
    """Let another process read the workbook; False where it has no such sheet. Raises SourceError when it cannot."""
    # -P: what this folder calls its modules must not hide the standard library.
    command = [
        sys.executable,
        "-P",
        str(Path(xlsx_process.__file__)),
        str(limits.max_xlsx_memory),
        str(limits.max_xlsx_rows),
        json.dumps(wanted[: xlsx_process.LONGEST_NAME + 1]),  # a longer one is none
    ]
    with tempfile.TemporaryFile() as workbook:
        file.seek(0)
        shutil.copyfileobj(file, workbook)
        workbook.seek(0)
        try:
            done = subprocess.run(
                command, stdin=workbook, stdout=lines, stderr=subprocess.PIPE, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise _too_large(limits) from error
    if done.returncode == xlsx_process.NO_SUCH_SHEET:
        return False
    if done.returncode == xlsx_process.TOO_MANY_ROWS:
        raise _too_many_rows(int(done.stderr), limits)
    if b"memory allocation" in done.stderr or b"MemoryError" in done.stderr:
        raise _too_large(limits)
    if done.returncode == -signal.SIGXCPU:
        raise _too_large(limits)
    if -done.returncode in _FROM_OUTSIDE:  # which says nothing about the workbook
        raise RuntimeError(f"Reading a workbook was ended by {signal.Signals(-done.returncode).name}.")
    if done.returncode:
        raise SourceError(
            Refusal.WORKBOOK_DAMAGED,
            "The workbook is damaged and cannot be read. Open it in a spreadsheet program and save it again.",
        )
    return True


def _unknown_sheet(wanted: str, names: Sequence[str]) -> SourceError:
    told = f"The workbook has no sheet {format_sheet_names([wanted])}. Choose one of: {format_sheet_names(names)}."
    return SourceError(Refusal.UNKNOWN_SHEET, told)


def _too_many_rows(row: int, limits: Limits) -> SourceError:
    return SourceError(
        Refusal.TOO_MANY_ROWS,
        f"The sheet has more than {limits.max_xlsx_rows:,} rows at line {row}. Save it as CSV, which may have more.",
        row,
    )


def _too_large(limits: Limits) -> SourceError:
    return SourceError(
        Refusal.SHEET_TOO_LARGE,
        f"The sheet takes more than {format_bytes(limits.max_xlsx_memory)} of memory, perhaps for a cell far away from "
        "the others. Delete what lies far off, or save the sheet as CSV.",
    )
