"""Reads a whole file once: is it a table, what are its columns, which type do *all* values of a column have.

A plain file is read in parts, by several processes; what they found is put together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from imports.files.batches import Position
from imports.files.source import Source
from profiles.values.type_inference import Shape, TypeInference

SAMPLES = 5
SAMPLE_CHARACTERS = 100
TELLING_CHARACTERS = 40
PART_ROWS = 50_000
"""Rows between two positions at which the file may be cut for staging."""


@dataclass(slots=True)
class ColumnStatistics:
    """What one column holds. ``telling``: its first letter beyond ASCII, with what stands around it (FF-07)."""

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
            self.telling = _around_the_first(next(text for text in texts if text.strip() and not text.isascii()))

    def join(self, then: ColumnStatistics) -> None:
        """Take in what the next part of the file has in the same column."""
        self.filled += then.filled
        self.guess = TypeInference(self.guess.seen | then.guess.seen)
        self._sample(then.samples)
        self.telling = self.telling or then.telling

    def _sample(self, texts: Sequence[str]) -> None:
        if len(self.samples) == SAMPLES:
            return
        for text in dict.fromkeys(texts):
            text = text[:SAMPLE_CHARACTERS]
            if len(self.samples) < SAMPLES and text.strip() and text not in self.samples:
                self.samples.append(text)

    def to_json(self) -> dict[str, Any]:
        """A form that can be stored. PostgreSQL's JSON cannot hold a NUL, so the picture of one stands for it."""
        samples = [sample.replace("\0", "\u2400") for sample in self.samples]
        telling = self.telling.replace("\0", "\u2400")
        return {"filled": self.filled, "samples": samples, "telling": telling, "seen": sorted(self.guess.seen)}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        guess = TypeInference(map(Shape, stored["seen"]))
        return cls(stored["filled"], stored["samples"], stored["telling"], guess)


def _around_the_first(text: str) -> str:
    """The part of a text in which its first letter beyond ASCII stands."""
    at = next(place for place, letter in enumerate(text) if not letter.isascii())
    return text[max(0, at - TELLING_CHARACTERS // 2) :][:TELLING_CHARACTERS]


@dataclass(slots=True)
class Scan:
    """What the scan of a part of a file found, or of all of it.

    ``positions``: where the file may be cut, the last one being its last row's end. ``lines``: physical lines, those of
    the header and empty ones too.
    """

    columns: list[ColumnStatistics]
    rows: int
    ragged: int
    positions: list[Position]
    lines: int

    def join(self, then: Scan) -> None:
        """Take in the part that follows."""
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
        """A form that can be stored as JSON."""
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


def scan(source: Source, first: int = 0, last: int | None = None) -> Scan:
    """Read a plain file from one byte to another, where 0 is the first row, and any file to its end.

    Raises ``SourceError`` where it cannot be imported, or was cut at the wrong place.
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
    return Scan(columns, end.row, ragged, positions, lines)
