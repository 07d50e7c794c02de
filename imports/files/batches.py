"""Batches of data rows, each row with its number and its line in the file (RP-10)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BATCH_ROWS = 500
"""Rows of one batch: few enough to stay in the processor's cache while the columns are processed one by one."""

MALFORMED = "Malformed row"
"""Beginning of the reason for a row with too many or too few cells."""


@dataclass(frozen=True, slots=True)
class Position:
    """A boundary between two rows: after `row` data rows, `line` physical lines and `offset` bytes.

    `offset` counts bytes of the file if it is splittable, else bytes of the unpacked text in UTF-8; for a workbook,
    bytes of the rows that `xlsx_process` wrote for the sheet.
    """

    offset: int
    line: int
    row: int


@dataclass(frozen=True, slots=True)
class RaggedRow:
    """A data row that does not have as many cells as the header (FF-05, FF-06)."""

    number: int
    line: int
    cells: list[str]
    expected: int
    found: int

    @property
    def reason(self) -> str:
        """The reason that is reported for the row."""
        values = "value" if self.expected == 1 else "values"
        return f"{MALFORMED}: expected {self.expected} {values}, found {self.found}"


@dataclass(slots=True)
class Batch:
    """Consecutive data rows: the well-formed ones with their row and line numbers, and the ragged ones separately.

    `numbers`, `lines` and `rows` have the same length and order. A row's number counts the data rows from 1, without
    empty lines; its line is the physical line where it starts, from 1. `end` is the position just after the last row.
    """

    numbers: list[int]
    lines: list[int]
    rows: list[list[str]]
    ragged: list[RaggedRow]
    end: Position


@dataclass(slots=True)
class Block:
    """A parsed piece of a file that consists of whole records.

    `starts` and `ends` hold, for each row, the number of physical lines of the piece up to its beginning and up to its
    end; `lengths` holds the size of each line in bytes. Empty lines have a length but no row.
    """

    rows: list[list[str]]
    starts: Sequence[int]
    ends: Sequence[int]
    lengths: list[int]


def iter_batches(blocks: Iterable[Block], start: Position, width: int, size: int) -> Iterator[Batch]:
    """Cut the rows of consecutive blocks into batches of `size` rows; the last batch may be smaller.

    `start` is where the first block begins, `width` the number of cells that a row must have.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    end, offset, line = start, start.offset, start.line
    for block in blocks:
        taken = used = 0  # rows and lines of the block
        while taken < len(block.rows):
            upto = min(taken + size - len(rows), len(block.rows))
            rows += block.rows[taken:upto]
            lines += [line + before + 1 for before in block.starts[taken:upto]]
            offset += sum(block.lengths[used : block.ends[upto - 1]])
            used = block.ends[upto - 1]
            end = Position(offset, line + used, end.row + upto - taken)
            taken = upto
            if len(rows) == size:
                yield _batch(rows, lines, end, width)
                rows, lines = [], []
        offset += sum(block.lengths[used:])
        line += len(block.lengths)
    if rows:
        yield _batch(rows, lines, end, width)


def _batch(rows: list[list[str]], lines: list[int], end: Position, width: int) -> Batch:
    numbers = list(range(end.row - len(rows) + 1, end.row + 1))
    if set(map(len, rows)) == {width}:
        return Batch(numbers, lines, rows, [], end)
    batch = Batch([], [], [], [], end)
    for number, line, cells in zip(numbers, lines, rows, strict=True):
        if len(cells) == width:
            batch.numbers.append(number)
            batch.lines.append(line)
            batch.rows.append(cells)
        else:
            batch.ragged.append(RaggedRow(number, line, cells, width, len(cells)))
    return batch
