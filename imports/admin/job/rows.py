"""Rows of a checked file on the page of their import: the first rows, those of one outcome, or a single row."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imports.admin.configure import column_lines
from imports.cli.summary import JobFigures
from imports.engine import row_lookup
from imports.models import ImportColumn, ImportJob
from imports.states import Status
from profiles.merging.consent import GROUP_ID, GROUP_STATE, group_of
from profiles.merging.rules import Outcome
from profiles.models import Profile
from profiles.schema import ALIAS, ALIAS_FIELDS, Schema

ROWS_PER_PAGE = 50
MAX_CELLS = 25
MAX_ROW_NUMBER = 2**31 - 1

PREVIEW_STATUSES = (Status.READY, Status.AWAITING_APPROVAL, Status.REJECTED)
"""In these statuses the tables of a job's preview hold the result of every row."""


class Tab(enum.StrEnum):
    """A tab of the page: rows of one kind, or problems."""

    FIRST = "first"
    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"
    PROBLEMS = "problems"


OUTCOME_LABELS: Mapping[str, str] = {
    Outcome.IMPORTED: "will be created",
    Outcome.UPDATED: "will be updated",
    Outcome.UNCHANGED: "unchanged",
    Outcome.IGNORED: "will be ignored",
    Outcome.FAILED: "will fail",
}
"""Outcomes in a preview, which has not written anything."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A value before and after the import, or a value of the file and its problem, or a value that stays unchanged.

    ``kept``: the value has a problem and is imported nevertheless.
    """

    old: Any
    new: Any
    problem: str = ""
    warning: bool = False
    same: bool = False
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the file, by attribute: ``brings`` holds the values of a valid row, ``cells`` their effect.

    ``row_problems`` concern the row as a whole. ``made_by``: for an event, the row that creates its person.
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
        """What the import will do with the row, in words."""
        if not self.is_event or self.outcome == Outcome.FAILED:
            return OUTCOME_LABELS.get(self.outcome, self.outcome)
        if self.outcome == Outcome.IMPORTED:
            return "event, new person"
        return f"event, person of row {self.made_by:,}" if self.made_by else "event, existing person"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows with the attributes to show: those with changes or problems first, and no more than fit a page.

    ``headings``: the labels of the attributes, in the order of ``keys``. ``more``: how many attributes are left out.
    """

    rows: Sequence[Row]
    keys: Sequence[str]
    headings: Sequence[str]
    more: int

    def __iter__(self) -> Iterator[tuple[Row, list[tuple[str, Cell | None]]]]:
        columns = list(zip(self.headings, self.keys, strict=True))
        return ((row, [(heading, row.cells.get(key)) for heading, key in columns]) for row in self.rows)


@dataclass(frozen=True, slots=True)
class RowPage:
    """A page of rows of one outcome; ``following`` is the row after which the next page begins, None at the end."""

    table: Table
    following: int | None


@dataclass(frozen=True, slots=True)
class ColumnValue:
    """A column of a single row: the text of the file, and its effect.

    Without ``header``: an attribute that changes although no column is mapped to it. Not ``read``: a skipped column.
    ``label``: the target in words.
    """

    header: str
    target: str
    label: str
    text: Any
    cell: Cell | None
    read: bool = True


def tabs(job: ImportJob, found: JobFigures) -> list[tuple[Tab, str, int | None]]:
    """Return the tabs with rows in the job's present status: the tab, its label, its rows (None: not counted)."""
    counts = found.counts
    ends = [(Tab.PROBLEMS, "Problems", None)]
    if job.status not in PREVIEW_STATUSES:
        return [*ends, (Tab.IGNORED, "Ignored", counts.ignored)] if counts.ignored else [*ends]
    new, changed = ("New people", "Existing people") if job.holds_events else ("New", "Changed")
    by_outcome: list[tuple[Tab, str, int | None]] = [
        (Tab.IMPORTED, new, counts.imported),
        (Tab.UPDATED, changed, counts.updated - found.unchanged),
        (Tab.UNCHANGED, "Unchanged", found.unchanged),
        (Tab.IGNORED, "Ignored", counts.ignored),
        (Tab.FAILED, "Failed", counts.failed),
    ]
    return [(Tab.FIRST, f"First {len(job.preview.get('rows', ()))}", None), *filter(_has_rows, by_outcome), *ends]


def first_rows(job: ImportJob, columns: Sequence[ImportColumn], schema: Schema) -> Table:
    """Return the rows that are stored with the preview (PV-01)."""
    return _table(job.preview.get("rows", ()), columns, schema)


def rows_by_outcome(
    job: ImportJob, columns: Sequence[ImportColumn], schema: Schema, outcome: Outcome, after: int
) -> RowPage:
    """Return a page of the rows of one outcome, beginning after a row number."""
    numbers = row_lookup.row_numbers_by_outcome(job, outcome, after, ROWS_PER_PAGE + 1)
    shown = numbers[:ROWS_PER_PAGE]
    following = shown[-1] if len(numbers) > ROWS_PER_PAGE else None
    return RowPage(_table(row_lookup.rows_by_number(job, shown), columns, schema), following)


def search_rows(job: ImportJob, columns: Sequence[ImportColumn], schema: Schema, text: str) -> Table:
    """Return the rows whose number or identifier is the text."""
    number = int(text) if text.isascii() and text.isdecimal() and int(text) <= MAX_ROW_NUMBER else 0
    numbers = sorted({number, *row_lookup.row_numbers_by_identifier(job, text)})
    return _table(row_lookup.rows_by_number(job, numbers), columns, schema)


def column_values(job: ImportJob, row: Row, columns: Iterable[ImportColumn], schema: Schema) -> list[ColumnValue]:
    """Return all columns of a row in file order, then what else the row changes (Replace clears values)."""
    texts, shown = _texts(job, row), list(columns)
    values = [
        ColumnValue(
            column.header,
            column.target,
            column_lines.target_label(column, schema) if column.target else "",
            texts.get(column.position) if texts else row.brings.get(column.target),
            row.cells.get(column.target or column.header),
            read=bool(texts or column.target),
        )
        for column in shown
    ]
    named = {column.target or column.header for column in shown}
    others = [(key, cell) for key, cell in row.cells.items() if key not in named]
    return values + [
        ColumnValue("", key, column_lines.attribute_label(key, schema), None, cell) for key, cell in others
    ]


def _has_rows(tab: tuple[Tab, str, int | None]) -> bool:
    return bool(tab[2])


def _texts(job: ImportJob, row: Row) -> dict[int, str]:
    """Return the texts of a row with problems as the file has them, by position from 1."""
    has_problems = row.row_problems or any(cell.problem for cell in row.cells.values())
    if row.outcome not in (Outcome.FAILED, Outcome.IGNORED) and not has_problems:
        return {}
    problem = job.problems.filter(row=row.number, raw__isnull=False).first()
    return dict(enumerate(problem.raw, 1)) if problem and problem.raw else {}


def _table(found: Sequence[Mapping[str, Any]], columns: Sequence[ImportColumn], schema: Schema) -> Table:
    targets = {column.header: column.target or column.header for column in reversed(columns)}
    people = Profile.objects.only("attributes").in_bulk([row["person"] for row in found if row["person"]])
    rows = [_row(row, targets, columns, people.get(row["person"])) for row in found]
    busy = {key for row in rows for key, cell in row.cells.items() if cell.problem or not cell.same}
    mapped = [column.target for column in columns if column.target]
    keys = sorted(dict.fromkeys([*mapped, *busy]), key=lambda key: key not in busy)
    shown, mapped_to = keys[:MAX_CELLS], {column.target: column for column in columns if column.target}
    headings = [
        column_lines.target_label(mapped_to[key], schema)
        if key in mapped_to
        else column_lines.attribute_label(key, schema)
        for key in shown
    ]
    return Table(rows, shown, headings, len(keys) - len(shown))


def _row(
    row: Mapping[str, Any], targets: Mapping[str, str], columns: Sequence[ImportColumn], person: Profile | None
) -> Row:
    cells = {key: _same(value) for key, value in _unchanged(row, columns, person)}
    cells |= {key: Cell(*change) for key, change in _by_column(row["changes"])}
    brings = row.get("brings", {})  # not kept for a failed row
    for key in [key for key in brings if key not in cells]:  # fields of a person that are no attributes
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
    """Yield changes by the targets of columns: those of an alias, which is one value, by its label and its name."""
    for key, change in changes.items():
        if key != ALIAS:
            yield key, change
            continue
        parts = zip(*(pair or [None, None] for pair in change), strict=True)
        yield from ((field, part) for field, part in zip(ALIAS_FIELDS, parts, strict=True) if part[0] != part[1])


def _group(brings: Mapping[str, Any]) -> dict[str, Cell]:
    """Return the two cells of a subscription group and its state, to show next to the membership they result in."""
    for key, state in brings.items():
        if (group_id := group_of(key)) is not None:
            return {GROUP_ID: _same(group_id), GROUP_STATE: _same(state)}
    return {}


def _unchanged(
    row: Mapping[str, Any], columns: Sequence[ImportColumn], person: Profile | None
) -> Iterator[tuple[str, Any]]:
    """Yield the values that stay unchanged: those of an existing person, which may differ from the file's."""
    if "cells" in row:  # a failed row: the file's own texts
        yield from ((c.target or c.header, text) for c, text in zip(columns, row["cells"] or (), strict=False) if text)
        return
    for key, value in row.get("values", {}).items():
        stays = value if person is None else person.attributes.get(key)
        if stays is not None:
            yield key, stays


def _same(value: Any) -> Cell:
    return Cell(value, value, same=True)
