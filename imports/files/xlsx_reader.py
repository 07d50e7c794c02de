"""Read an .xlsx workbook as a table: the first visible sheet or the chosen one, every cell as text (FF-02)."""

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
from imports.files.containers import file_size, list_entries, open_entry
from imports.files.csv_reader import CHUNK_BYTES, check_cell_sizes
from imports.files.errors import Limits, Refusal, SourceError, format_bytes

_LISTED, _SHOWN = 10, 40
"""Maximum number of sheets that one sentence names, and of characters of each name."""
_SECONDS = 2 * xlsx_process.MAX_CPU_SECONDS
_EXTERNAL_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Sheet:
    """The rows of one sheet of a workbook, in a temporary file that is deleted with this object.

    `chosen`: the name of the sheet, empty for the first visible one. `names`: the names of all visible sheets; `name`:
    the name of this sheet. Raises SourceError for a workbook that is damaged, over the limits, or has no such sheet.
    """

    def __init__(self, file: BinaryIO, limits: Limits, chosen: str = "") -> None:
        _check_unpacked(file, limits)
        self._limits = limits
        self._lines: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115 (it is closed with the sheet)
        weakref.finalize(self, self._lines.close)
        is_found = _write_lines(file, self._lines, limits, chosen)
        self._lines.seek(0)
        self.names: list[str] = orjson.loads(self._lines.readline())
        self._first = self._lines.tell()
        if not is_found:
            raise _unknown_sheet(chosen, self.names)
        self.name = chosen or self.names[0]

    def blocks(self, start: Position, stop: Position | None, width: int | None) -> Iterator[Block]:
        """Yield the rows of the sheet between two positions.

        Rows with fewer cells are padded to `width`, unless it is None. Empty rows have a line and no row.
        """
        line = start.line
        end = file_size(self._lines) if stop is None else self._first + stop.offset
        reader = FileSlice(self._lines, self._first + start.offset, end)
        rest = b""
        while piece := reader.read(CHUNK_BYTES):
            *lines, rest = (rest + piece).split(b"\n")
            filled = [index for index, each in enumerate(lines) if each]
            rows: list[list[str]] = [orjson.loads(lines[index]) for index in filled]
            if len(rest) + len(piece) > self._limits.max_cell_bytes:
                check_cell_sizes(rows, filled, self._limits, line)
            if width is not None:
                rows = [row + [""] * (width - len(row)) if len(row) < width else row for row in rows]
            yield Block(rows, filled, [index + 1 for index in filled], [len(each) + 1 for each in lines])
            line += len(lines)


def format_sheet_names(names: Sequence[str]) -> str:
    """Return the names of sheets for a sentence; of many sheets only the first ones."""
    listed = ", ".join(f"“{isolate_direction(name[:_SHOWN])}”" for name in names[:_LISTED])
    return f"{listed} and {len(names) - _LISTED:,} more" if len(names) > _LISTED else listed


def isolate_direction(name: str) -> str:
    """Return a name in Unicode isolates, for plain text: it does not change the direction of the text around it."""
    return name if name.isascii() else f"\u2068{name}\u2069"


def _check_unpacked(file: BinaryIO, limits: Limits) -> None:
    """Unpack all files of the workbook once, discarding the bytes. Raises SourceError if damaged or too large."""
    budget = DecompressionBudget(file_size(file), limits)
    for entry in list_entries(file):
        reader = open_entry(file, entry, limits)
        while data := reader.read(CHUNK_BYTES):
            budget.use(len(data))


def _write_lines(file: BinaryIO, lines: BinaryIO, limits: Limits, chosen: str) -> bool:
    """Convert the workbook in another process. Return False if it has no such sheet. Raises SourceError."""
    # -P: modules of this folder must not hide those of the standard library.
    command = [
        sys.executable,
        "-P",
        str(Path(xlsx_process.__file__)),
        str(limits.max_xlsx_memory),
        str(limits.max_xlsx_rows),
        json.dumps(chosen[: xlsx_process.MAX_NAME_LENGTH + 1]),  # no sheet has a longer name
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
    if -done.returncode in _EXTERNAL_SIGNALS:  # not caused by the workbook
        raise RuntimeError(f"The process that reads a workbook was ended by {signal.Signals(-done.returncode).name}.")
    if done.returncode:
        raise SourceError(
            Refusal.WORKBOOK_DAMAGED,
            "The workbook is damaged and cannot be read. Open it in a spreadsheet program and save it again.",
        )
    return True


def _unknown_sheet(chosen: str, names: Sequence[str]) -> SourceError:
    message = f"The workbook has no sheet {format_sheet_names([chosen])}. Choose one of: {format_sheet_names(names)}."
    return SourceError(Refusal.UNKNOWN_SHEET, message)


def _too_many_rows(row: int, limits: Limits) -> SourceError:
    return SourceError(
        Refusal.TOO_MANY_ROWS,
        f"The sheet has more than {limits.max_xlsx_rows:,} rows at line {row}. Save it as CSV, which can have more.",
        row,
    )


def _too_large(limits: Limits) -> SourceError:
    return SourceError(
        Refusal.SHEET_TOO_LARGE,
        f"The sheet needs more than {format_bytes(limits.max_xlsx_memory)} of memory, perhaps because of a cell far "
        "away from the others. Delete such cells, or save the sheet as CSV.",
    )
