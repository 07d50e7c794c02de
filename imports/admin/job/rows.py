"""Rows of a checked file on the page of their import: the first ones, those of one outcome, or one by itself."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imports.cli.summary import JobFigures
from imports.engine import row_lookup
from imports.models import ImportColumn, ImportJob
from imports.states import Status
from profiles.merging.consent import GROUP_ID, GROUP_STATE, group_of
from profiles.merging.rules import Outcome
from profiles.models import Profile
from profiles.schema import ALIAS, ALIAS_FIELDS

ROWS_PER_PAGE = 50
MAX_CELLS = 25
MAX_ROW_NUMBER = 2**31 - 1

PREVIEW_STATUSES = (Status.READY, Status.AWAITING_APPROVAL, Status.REJECTED)
"""While a job stands at one of these its preview's tables tell of every row."""


class Tab(enum.StrEnum):
    """Which rows, or problems, a person looks at."""

    FIRST = "first"
    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"
    PROBLEMS = "problems"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value before and after, or a value of the file and what is wrong with it, or one that changes nothing.

    ``kept``: something is wrong with it, and it is taken all the same.
    """

    old: Any
    new: Any
    problem: str = ""
    warning: bool = False
    same: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file, by attribute: ``brings`` is what a good one has there, ``cells`` what comes of it.

    ``loose`` are problems of the row as a whole. ``made_by``: of an event, the row that makes its person.
    """

    number: int
    line: int
    outcome: str
    key: str
    person: int | None
    cells: Mapping[str, Cell]
    brings: Mapping[str, Any]
    row_problems: Sequence[str]
    is_event: bool = False
    made_by: int | None = None

    @property
    def what(self) -> str:
        """What becomes of the row, in words."""
        if not self.is_event or self.outcome == Outcome.FAILED:
            return self.outcome
        if self.outcome == Outcome.IMPORTED:
            return "event, new person"
        return f"event, person of row {self.made_by:,}" if self.made_by else "event, known person"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the attributes to show: those in which something happens first, and no more than fit a page."""

    rows: Sequence[Row]
    keys: Sequence[str]
    more: int

    def __iter__(self) -> Iterator[tuple[Row, list[tuple[str, Cell | None]]]]:
        return ((row, [(key, row.cells.get(key)) for key in self.keys]) for row in self.rows)


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of one outcome; ``following`` is the row after which the next page begins, None at the end."""

    table: Table
    following: int | None


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """One column of a single row: what the file has there, and what becomes of it.

    No ``header``: an attribute that changes though no column goes there. Not ``read``: a column that is skipped.
    """

    header: str
    target: str
    text: Any
    cell: Cell | None
    read: bool = True


def tabs(job: ImportJob, found: JobFigures) -> list[tuple[Tab, str, int | None]]:
    """What can be looked at now: the tab, its name, how many rows it has (None where that is not the point)."""
    counts = found.counts
    ends = [(Tab.PROBLEMS, "Problems", None)]
    if job.status not in PREVIEW_STATUSES:
        return [*ends, (Tab.IGNORED, "Ignored", counts.ignored)] if counts.ignored else [*ends]
    new, changed = ("New people", "Known people") if job.holds_events else ("New", "Changed")
    offered: list[tuple[Tab, str, int | None]] = [
        (Tab.IMPORTED, new, counts.imported),
        (Tab.UPDATED, changed, counts.updated - found.unchanged),
        (Tab.UNCHANGED, "Unchanged", found.unchanged),
        (Tab.IGNORED, "Ignored", counts.ignored),
        (Tab.FAILED, "Failed", counts.failed),
    ]
    return [(Tab.FIRST, f"First {len(job.preview.get('rows', ()))}", None), *filter(_has_rows, offered), *ends]


def first_rows(job: ImportJob, columns: Sequence[ImportColumn]) -> Table:
    """The rows that are stored with the preview (PV-01)."""
    return _table(job.preview.get("rows", ()), columns)


def rows_by_outcome(job: ImportJob, columns: Sequence[ImportColumn], outcome: Outcome, after: int) -> RowPage:
    """Rows of one outcome that follow a row."""
    numbers = row_lookup.row_numbers_by_outcome(job, outcome, after, ROWS_PER_PAGE + 1)
    shown = numbers[:ROWS_PER_PAGE]
    following = shown[-1] if len(numbers) > ROWS_PER_PAGE else None
    return RowPage(_table(row_lookup.rows_by_number(job, shown), columns), following)


def search_rows(job: ImportJob, columns: Sequence[ImportColumn], text: str) -> Table:
    """The rows that a person means by a row number or an identifier; none if there is none."""
    number = int(text) if text.isascii() and text.isdecimal() and int(text) <= MAX_ROW_NUMBER else 0
    return _table(
        row_lookup.rows_by_number(job, sorted({number, *row_lookup.row_numbers_by_identifier(job, text)})), columns
    )


def column_values(job: ImportJob, row: Row, columns: Iterable[ImportColumn]) -> list[ColumnValue]:
    """A row by itself: all of its columns from the first to the last, then what else it changes (Replace clears)."""
    texts, shown = _texts(job, row.number), list(columns)
    found = [
        ColumnValue(
            column.header,
            column.target,
            texts.get(column.position) if texts else row.brings.get(column.target),
            row.cells.get(column.target or column.header),
            read=bool(texts or column.target),
        )
        for column in shown
    ]
    named = {column.target or column.header for column in shown}
    return found + [ColumnValue("", key, None, cell) for key, cell in row.cells.items() if key not in named]


def _has_rows(tab: tuple[Tab, str, int | None]) -> bool:
    return bool(tab[2])


def _texts(job: ImportJob, number: int) -> dict[int, str]:
    """The cells of a bad row as the file has them, by position."""
    problem = job.problems.filter(row=number, raw__isnull=False).first()
    return dict(enumerate(problem.raw, 1)) if problem and problem.raw else {}


def _table(found: Sequence[Mapping[str, Any]], columns: Sequence[ImportColumn]) -> Table:
    targets = {column.header: column.target or column.header for column in reversed(columns)}
    people = Profile.objects.only("attributes").in_bulk([row["person"] for row in found if row["person"]])
    rows = [_row(row, targets, columns, people.get(row["person"])) for row in found]
    busy = {key for row in rows for key, cell in row.cells.items() if cell.problem or not cell.same}
    mapped = [column.target for column in columns if column.target]
    keys = sorted(dict.fromkeys([*mapped, *busy]), key=lambda key: key not in busy)
    return Table(rows, keys[:MAX_CELLS], max(0, len(keys) - MAX_CELLS))


def _row(
    row: Mapping[str, Any], targets: Mapping[str, str], columns: Sequence[ImportColumn], person: Profile | None
) -> Row:
    cells = {key: _same(value) for key, value in _unchanged(row, columns, person)}
    cells |= {key: Cell(*change) for key, change in _by_column(row["changes"])}
    brings = row.get("brings", {})  # not kept for a bad row
    for key in [key for key in brings if key not in cells]:  # own fields: they are no attributes
        cells[key] = Cell(None, brings[key]) if row["outcome"] == Outcome.IMPORTED else _same(brings[key])
    cells |= _group(brings)
    row_problems = []
    for problem in row["problems"]:
        key = targets.get(problem["column"])
        if key is None:
            row_problems.append(problem["reason"])
        elif key in brings:
            cells[key] = replace(cells[key], problem=problem["reason"], warning=True, kept=True)
        else:
            cells[key] = Cell(None, problem["value"], problem["reason"], problem["severity"] == "warning")
    about = (row["row"], row["line"], row["outcome"], row["key"], row["person"])
    return Row(*about, cells, brings, row_problems, "made_by" in row, row.get("made_by"))


def _by_column(changes: Mapping[str, Sequence[Any]]) -> Iterator[tuple[str, Sequence[Any]]]:
    """Changes by what columns go to: an alias, which is one value, by its label and its name."""
    for key, change in changes.items():
        if key != ALIAS:
            yield key, change
            continue
        parts = zip(*(pair or [None, None] for pair in change), strict=True)
        yield from ((field, part) for field, part in zip(ALIAS_FIELDS, parts, strict=True) if part[0] != part[1])


def _group(brings: Mapping[str, Any]) -> dict[str, Cell]:
    """The two cells that name a group and a state, beside what comes of them."""
    for key, state in brings.items():
        if (group_id := group_of(key)) is not None:
            return {GROUP_ID: _same(group_id), GROUP_STATE: _same(state)}
    return {}


def _unchanged(
    row: Mapping[str, Any], columns: Sequence[ImportColumn], person: Profile | None
) -> Iterator[tuple[str, Any]]:
    """What stays where nothing changes: of somebody known what they have, which need not be what the file says."""
    if "cells" in row:  # a bad row: the file's own texts
        yield from ((c.target or c.header, text) for c, text in zip(columns, row["cells"] or (), strict=False) if text)
        return
    for key, value in row.get("values", {}).items():
        stays = value if person is None else person.attributes.get(key)
        if stays is not None:
            yield key, stays


def _same(value: Any) -> Cell:
    return Cell(value, value, same=True)
