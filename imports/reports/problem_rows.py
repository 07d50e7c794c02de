"""Rows that failed or were ignored, each with its problems and with its cells as they stand in the stored file
(RP-04, RP-12). In constant memory: problems and file are read side by side, in the order of the rows."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from imports.files.batches import Batch, Position
from imports.files.errors import SourceError
from imports.files.source import Source
from imports.jobs import stored_file
from imports.models import ImportJob, RowError
from imports.states import FINISHED_STATUSES, Step

WINDOW_ROWS = 1_000
"""Rows whose problems are read together."""


class RowProblem(NamedTuple):
    """A problem of a row, as far as it is told to people; there may be millions."""

    row: int
    line: int
    severity: str
    column: str
    value: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A row that was not applied: its problems, the first of them first in the order of PS-27, and its cells.

    ``cells`` are empty where neither the file nor its problems hold them any more.
    """

    problems: Sequence[RowProblem]
    cells: Sequence[str]

    @property
    def first(self) -> RowProblem:
        return self.problems[0]


@contextmanager
def open_rows(job: ImportJob, *, ignored: bool = True) -> Iterator[Iterator[ProblemRow]]:
    """The rows that failed and, where they are wanted, those that were ignored; the file is open meanwhile."""
    severities = [RowError.Severity.ERROR, *([RowError.Severity.IGNORED] if ignored else [])]
    if not stored_file.exists(job):  # then the problems tell as much as they can
        yield _rows(job, severities, None)
        return
    with stored_file.reopened(job) as source:
        yield _rows(job, severities, _Cells(source, job))


def _rows(job: ImportJob, severities: Sequence[str], cells: _Cells | None) -> Iterator[ProblemRow]:
    for found in _problems(job, severities):
        there = cells.of(found[0].row) if cells else None
        yield ProblemRow(found, _kept(job, found[0].row) if there is None else there)


def _kept(job: ImportJob, row: int) -> Sequence[str]:
    """The cells that were kept with a problem of the row; long ones are cut."""
    raw = job.problems.filter(row=row, raw__isnull=False).values_list("raw", flat=True).first()
    return raw or ()


def _problems(job: ImportJob, severities: Sequence[str]) -> Iterator[list[RowProblem]]:
    """The problems of one row after another; they are stored in the order of the checks."""
    stored = job.problems.filter(severity__in=severities)
    if job.status in FINISHED_STATUSES:  # then what the preview expects of rows that were not reached does not count
        stored = stored.exclude(step=Step.PREVIEW)
    last = 0
    while (first := stored.filter(row__gt=last).order_by("row").values_list("row", flat=True).first()) is not None:
        last = first + WINDOW_ROWS - 1
        some = stored.filter(row__range=(first, last)).order_by("row", "id").values_list(*RowProblem._fields)
        yield from (list(found) for _, found in groupby(map(RowProblem._make, some), key=itemgetter(0)))


class _Cells:
    """The cells of rows that are asked for in ascending order; parts of the file that hold none are passed over."""

    def __init__(self, source: Source, job: ImportJob) -> None:
        self._source = source
        positions = [Position(**position) for position in job.format["positions"]] if job.format["splittable"] else []
        self._positions = sorted(positions, key=lambda position: position.row)
        self._batches = source.batches()
        self._end = 0
        self._cells: dict[int, Sequence[str]] = {}

    def of(self, number: int) -> Sequence[str] | None:
        """The cells of a row; None where the file has it no more."""
        try:
            self._pass_over(number)
            while self._end < number:
                batch = next(self._batches)
                self._end, self._cells = batch.end.row, _by_number(batch)
        except (StopIteration, SourceError):
            self._cells = {}
        return self._cells.get(number)

    def _pass_over(self, number: int) -> None:
        before = bisect_left(self._positions, number, key=lambda position: position.row) - 1
        if before >= 0 and self._positions[before].row > self._end:
            start = self._positions[before]
            self._batches, self._end, self._cells = self._source.batches(start), start.row, {}


def _by_number(batch: Batch) -> dict[int, Sequence[str]]:
    well_formed: dict[int, Sequence[str]] = dict(zip(batch.numbers, batch.rows, strict=True))
    return well_formed | {ragged.number: ragged.cells for ragged in batch.ragged}
