"""Rows of a table and the place where each of them stands in its file (RP-10)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

BATCH_ROWS = 500
"""Few enough to stay in the processor's cache while column after column of them is worked on."""


MALFORMED = "Malformed row"
"""How the sentence begins of a row that has too many or too few cells."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows: just after `row` data rows, `line` physical lines and `offset` bytes.

    Bytes are those of the file where it is splittable. Otherwise they are those of the unpacked and decoded text in
    UTF-8, and for a workbook the rows of the sheet.
    """

    offset: int
    line: int
    row: int


@dataclass(frozen=True, slots=True)
class RaggedRow:
    """A data row whose number of cells is not that of the header (FF-05, FF-06)."""

    number: int
    line: int
    cells: list[str]
    expected: int
    found: int

    @property
    def reason(self) -> str:
        """The sentence of the row's error."""
        values = "value" if self.expected == 1 else "values"
        return f"{MALFORMED}: expected {self.expected} {values}, found {self.found}"


@dataclass(slots=True)
class Batch:
    """Consecutive data rows: the well-formed ones with their row and line numbers, the ragged ones apart.

    `numbers`, `lines` and `rows` run in step. A row's number is its place among the data rows, from 1, without empty
    lines; its line is the physical line where it starts, from 1. `end` is the position just after the last row.
    """

    numbers: list[int]
    lines: list[int]
    rows: list[list[str]]
    ragged: list[RaggedRow]
    end: Position


@dataclass(slots=True)
class Block:
    """A parsed piece of a file, made of whole records.

    `starts` and `ends` count the physical lines of the piece before and after each of its rows; `lengths` holds the
    size of each of those lines. Empty lines have a length but no row.
    """

    rows: list[list[str]]
    starts: Sequence[int]
    ends: Sequence[int]
    lengths: list[int]


def assemble(blocks: Iterable[Block], start: Position, width: int, size: int) -> Iterator[Batch]:
    """Cut the rows of consecutive blocks into batches of `size` rows, the last one with what is left.

    `start` is where the first block begins, `width` the number of cells that a row should have.
    """
    rows: list[list[str]] = []
    lines: list[int] = []
    end, offset, line = start, start.offset, start.line
    for block in blocks:
        taken = used = 0
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
