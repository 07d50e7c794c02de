"""Read a whole file once: check that it is a table, and collect for each column the type that *all* its values have.

A plain file is read in parts by several processes, and their results are joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from imports.files.batches import Position
from imports.files.source import Source
from profiles.values.type_inference import Shape, TypeInference

MAX_SAMPLES = 5
SAMPLE_CHARACTERS = 100
ENCODING_SAMPLE_CHARACTERS = 40
PART_ROWS = 50_000
"""Rows between two positions at which the file can be cut for staging."""


@dataclass(slots=True)
class ColumnStatistics:
    """Statistics of one column. ``telling``: its first character beyond ASCII with the text around it (FF-07)."""

    filled: int = 0
    samples: list[str] = field(default_factory=list)
    telling: str = ""
    guess: TypeInference = field(default_factory=TypeInference)

    def add(self, texts: Sequence[str]) -> None:
        """Count the texts of one batch."""
        distinct = set(texts)
        blank = {"", *filter(str.isspace, distinct)}
        self.filled += len(texts) - sum(map(texts.count, blank))
        distinct -= blank
        self.guess.add(distinct)
        self._sample(texts)
        if not self.telling and not "".join(distinct).isascii():
            self.telling = _around_non_ascii(next(text for text in texts if text.strip() and not text.isascii()))

    def join(self, then: ColumnStatistics) -> None:
        """Add the statistics of the same column in the next part of the file."""
        self.filled += then.filled
        self.guess = TypeInference(self.guess.seen | then.guess.seen)
        self._sample(then.samples)
        self.telling = self.telling or then.telling

    def _sample(self, texts: Sequence[str]) -> None:
        if len(self.samples) == MAX_SAMPLES:
            return
        for text in dict.fromkeys(texts):
            text = text[:SAMPLE_CHARACTERS]
            if len(self.samples) < MAX_SAMPLES and text.strip() and text not in self.samples:
                self.samples.append(text)

    def to_json(self) -> dict[str, Any]:
        """Return a form that can be stored as JSON. PostgreSQL's JSON cannot hold a NUL; U+2400 (␀) replaces it."""
        samples = [sample.replace("\0", "\u2400") for sample in self.samples]
        telling = self.telling.replace("\0", "\u2400")
        return {"filled": self.filled, "samples": samples, "telling": telling, "seen": sorted(self.guess.seen)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        guess = TypeInference(map(Shape, stored["seen"]))
        return cls(stored["filled"], stored["samples"], stored["telling"], guess)


def _around_non_ascii(text: str) -> str:
    """Return the part of a text around its first character beyond ASCII."""
    index = next(index for index, character in enumerate(text) if not character.isascii())
    return text[max(0, index - ENCODING_SAMPLE_CHARACTERS // 2) :][:ENCODING_SAMPLE_CHARACTERS]


@dataclass(slots=True)
class ScanResult:
    """The result of scanning a file or a part of one.

    ``positions``: where the file can be cut; the last one is the end of the last row. ``lines``: the number of physical
    lines, including empty ones and those of the header.
    """

    columns: list[ColumnStatistics]
    rows: int
    ragged: int
    positions: list[Position]
    lines: int

    def join(self, then: ScanResult) -> None:
        """Add the scan of the part that follows."""
        for column, more in zip(self.columns, then.columns, strict=True):
            column.join(more)
        self.positions += [
            Position(position.offset, self.lines + position.line, self.rows + position.row)
            for position in then.positions
        ]
        self.rows += then.rows
        self.ragged += then.ragged
        self.lines += then.lines

    def to_json(self) -> dict[str, Any]:
        """Return a form that can be stored as JSON."""
        return {
            "columns": [column.to_json() for column in self.columns],
            "rows": self.rows,
            "ragged": self.ragged,
            "positions": [asdict(position) for position in self.positions],
            "lines": self.lines,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(
            [ColumnStatistics.from_json(column) for column in stored["columns"]],
            stored["rows"],
            stored["ragged"],
            [Position(**position) for position in stored["positions"]],
            stored["lines"],
        )


def scan(source: Source, first: int = 0, last: int | None = None) -> ScanResult:
    """Scan a file, or the part of a plain file between two byte offsets.

    ``first``: where the part begins, 0 for the first row; ``last``: where it ends, None for the end of the file.
    Raises ``SourceError`` if the file cannot be imported, or if it was cut inside a cell.
    """
    columns = [ColumnStatistics() for _ in source.header()]
    start, stop = Position(first, 0, 0) if first else None, None if last is None else Position(last, 0, 0)
    ragged, end = 0, start
    positions: list[Position] = []
    for batch in source.batches(start, stop):
        ragged += len(batch.ragged)
        end = batch.end
        for column, texts in zip(columns, zip(*batch.rows, strict=True), strict=bool(batch.rows)):
            column.add(texts)
        if end.row - (positions[-1].row if positions else 0) >= PART_ROWS:
            positions.append(end)
    end = end or Position(0, 0, 0)
    if end.row and (not positions or positions[-1].row < end.row):
        positions.append(end)
    lines = end.line if last is None else end.line + source.lines_between(end.offset, last)
    return ScanResult(columns, end.row, ragged, positions, lines)
