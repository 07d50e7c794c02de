"""Reads a whole file once: is it a table, what are its columns, which type do *all* values of a column have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from imports import headers
from imports.headers import Header
from imports.source import Position, Source
from profiles.values import TypeGuess

SAMPLES = 5
SAMPLE_CHARACTERS = 100
PART_ROWS = 50_000
"""Rows between two positions at which the file may be cut for staging."""


@dataclass(slots=True)
class ColumnStatistics:
    """What one column holds in the whole file."""

    filled: int = 0
    samples: list[str] = field(default_factory=list)
    guess: TypeGuess = field(default_factory=TypeGuess)

    def add(self, texts: Sequence[str]) -> None:
        """Count the texts of one batch."""
        spaces = sum(map(str.isspace, texts))
        self.filled += len(texts) - texts.count("") - spaces
        settled = self.guess.mixed
        if settled and len(self.samples) == SAMPLES:
            return
        distinct = set(texts) - {""}
        if spaces:
            distinct = {text for text in distinct if not text.isspace()}
        self.guess.add(distinct)
        if len(self.samples) < SAMPLES:
            self._sample(texts)

    def _sample(self, texts: Sequence[str]) -> None:
        for text in dict.fromkeys(texts):
            text = text[:SAMPLE_CHARACTERS]
            if len(self.samples) < SAMPLES and text.strip() and text not in self.samples:
                self.samples.append(text)

    def to_json(self) -> dict[str, Any]:
        return {
            "filled": self.filled,
            "samples": self.samples,
            "type": self.guess.type.value,
            "mixed": self.guess.mixed,
        }


@dataclass(frozen=True, slots=True)
class Scan:
    """What the scan found. ``positions``: where the file may be cut, the last one being its end."""

    headers: list[Header]
    columns: list[ColumnStatistics]
    rows: int
    ragged: int
    positions: list[dict[str, int]]


def scan(source: Source) -> Scan:
    """Read the file to its end. Raises ``SourceError`` or ``HeaderError`` where it cannot be imported."""
    names = headers.parse(source.header())
    columns = [ColumnStatistics() for _ in names]
    ragged, end = 0, Position(0, 0, 0)
    positions: list[dict[str, int]] = []
    for batch in source.batches():
        ragged += len(batch.ragged)
        end = batch.end
        for column, texts in zip(columns, zip(*batch.rows, strict=True), strict=bool(batch.rows)):
            column.add(texts)
        if end.row - (positions[-1]["row"] if positions else 0) >= PART_ROWS:
            positions.append(asdict(end))
    if not positions or positions[-1]["row"] < end.row:
        positions.append(asdict(end))
    return Scan(names, columns, end.row, ragged, positions)
