"""Read the rows that failed or were ignored, each with its problems and its unchanged cells from the stored file
(RP-04, RP-12). Memory is constant: problems and file are read in parallel, in row order."""

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
    """The fields of a problem that reports show. There may be millions of them."""

    row: int
    line: int
    severity: str
    column: str
    value: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A row that was not applied: its problems, in the order of PS-27, and its cells.

    ``cells`` is empty where neither the file nor the problems contain them any more.
    """

    problems: Sequence[RowProblem]
    cells: Sequence[str]

    @property
    def first(self) -> RowProblem:
        return self.problems[0]


@contextmanager
def open_rows(job: ImportJob, *, ignored: bool = True) -> Iterator[Iterator[ProblemRow]]:
    """Open an iterator over the failed rows and, unless ``ignored`` is false, the ignored ones."""
    severities = [RowError.Severity.ERROR, *([RowError.Severity.IGNORED] if ignored else [])]
    if not stored_file.exists(job):  # then the cells come from the problems, where they have any
        yield _rows(job, severities, None)
        return
    with stored_file.open_stored(job) as source:
        yield _rows(job, severities, _Cells(source, job))


def _rows(job: ImportJob, severities: Sequence[str], cells: _Cells | None) -> Iterator[ProblemRow]:
    for problems in _problems(job, severities):
        row = problems[0].row
        row_cells = cells.of(row) if cells else None
        yield ProblemRow(problems, _stored_cells(job, row) if row_cells is None else row_cells)


def _stored_cells(job: ImportJob, row: int) -> Sequence[str]:
    """Return the cells that are stored with a problem of the row; long ones are shortened."""
    raw = job.problems.filter(row=row, raw__isnull=False).values_list("raw", flat=True).first()
    return raw or ()


def _problems(job: ImportJob, severities: Sequence[str]) -> Iterator[list[RowProblem]]:
    """Yield the problems of each row, in the order of the checks, which is the order they are stored in."""
    stored = job.problems.filter(severity__in=severities)
    if job.status in FINISHED_STATUSES:  # then problems of the preview are those of rows that were not run
        stored = stored.exclude(step=Step.PREVIEW)
    last = 0
    while (first := stored.filter(row__gt=last).order_by("row").values_list("row", flat=True).first()) is not None:
        last = first + WINDOW_ROWS - 1
        window = stored.filter(row__range=(first, last)).order_by("row", "id").values_list(*RowProblem._fields)
        yield from (list(group) for _, group in groupby(map(RowProblem._make, window), key=itemgetter(0)))


class _Cells:
    """Reader of the cells of rows, requested in ascending order; it skips parts of the file without requested rows."""

    def __init__(self, source: Source, job: ImportJob) -> None:
        self._source = source
        positions = [Position(**position) for position in job.format["positions"]] if job.format["splittable"] else []
        self._positions = sorted(positions, key=lambda position: position.row)
        self._batches = source.batches()
        self._end = 0
        self._cells: dict[int, Sequence[str]] = {}

    def of(self, number: int) -> Sequence[str] | None:
        """Return the cells of a row, or None if the file does not contain the row any more."""
        try:
            self._skip_to(number)
            while self._end < number:
                batch = next(self._batches)
                self._end, self._cells = batch.end.row, _by_number(batch)
        except (StopIteration, SourceError):
            self._cells = {}
        return self._cells.get(number)

    def _skip_to(self, number: int) -> None:
        before = bisect_left(self._positions, number, key=lambda position: position.row) - 1
        if before >= 0 and self._positions[before].row > self._end:
            start = self._positions[before]
            self._batches, self._end, self._cells = self._source.batches(start), start.row, {}


def _by_number(batch: Batch) -> dict[int, Sequence[str]]:
    well_formed: dict[int, Sequence[str]] = dict(zip(batch.numbers, batch.rows, strict=True))
    return well_formed | {ragged.number: ragged.cells for ragged in batch.ragged}
