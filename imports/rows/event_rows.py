"""Check rows of events, and convert their cells to events or problems (requirements section 16). No database.

``profile_rows`` checks the identifiers; this module reads name, time and properties. Each distinct text of a column is
read once per batch, and the properties of all rows with the same name are assembled together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from imports.files.batches import Batch
from imports.mapping.event_mapping import SECONDS, EventLayout, EventProperty, parse_event_name
from imports.presets import OnInvalid, Options
from imports.rows.cells import ColumnReader, JsonFragment, ParsedCells, build_documents, to_json
from imports.rows.profile_rows import RowChecker
from imports.rows.results import CheckedRows, Events, Problem
from profiles.values import parsers
from profiles.values.formula_escapes import unescape
from profiles.values.types import InvalidValue, ValueOptions, ValueType

Columns = Sequence[Sequence[str]]


class EventChecker:
    """Checker of rows of events against the mapping: one object per job and process."""

    def __init__(
        self, layout: EventLayout, identifier: str, options: Options, now: datetime, marks: int | None = None
    ) -> None:
        """``now``: the time of events whose time is blank and optional (DT-16). ``marks``: see ``RowChecker``."""
        self._layout = layout
        self._drops = options.on_invalid_value is OnInvalid.DROP_VALUE
        self._rows = RowChecker(layout.people, identifier, replace(options, enforce_mandatory=False), marks)
        self._now = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        self._read_time = _time_reader(layout, options)
        self._readers = [ColumnReader(each.column, options) for each in layout.properties]
        self._starts = [f"{to_json(each.key)}:" for each in layout.properties]

    def check(self, batch: Batch) -> tuple[CheckedRows, list[Problem]]:
        """Return the rows that can be applied, in file order, and all problems including warnings."""
        checked, problems = self._rows.check(batch)
        if not batch.rows:
            return checked, problems
        columns, flaws = list(zip(*batch.rows, strict=True)), _Problems(batch)
        names = self._names(columns, flaws)
        events = Events(names, self._times(columns, flaws), self._properties(columns, names, flaws))
        places = _places(batch, checked)
        checked.events = events if len(places) == len(names) else events.at(places)
        good = [place not in flaws.failed for place in places]
        return checked.only(good) if flaws.failed else checked, problems + flaws.in_order()

    def _names(self, columns: Columns, flaws: _Problems) -> list[str]:
        """Return the name of each event; blank if the row fails."""
        column = self._layout.name
        if column is None:
            return [self._layout.event_name] * len(columns[0])
        texts = columns[column.position]
        found: dict[str, str] = {}
        for text in set(texts):
            try:
                if name := unescape(text.strip()):
                    found[text] = str(parse_event_name(name))
                else:
                    reason = f"The event has no name: fill in {column.header}"
                    flaws.fail(texts, text, InvalidValue("blank_event_name", reason), column.header)
            except InvalidValue as problem:
                flaws.fail(texts, text, problem, column.header)
        return [found.get(text, "") for text in texts]

    def _times(self, columns: Columns, flaws: _Problems) -> list[str]:
        """Return the time of each event; blank if the row fails."""
        column = self._layout.time
        if column is None:
            return [self._now] * len(columns[0])
        texts = columns[column.position]
        found: dict[str, str] = {}
        for text in set(texts):
            try:
                found[text] = self._read_time(unescape(text.strip())) or self._now
            except InvalidValue as problem:
                flaws.fail(texts, text, problem, column.header)
        return [found.get(text, "") for text in texts]

    def _properties(self, columns: Columns, names: Sequence[str], flaws: _Problems) -> list[str]:
        """Return the properties of each event as JSON, without blanks (EV-10)."""
        properties = ["{}"] * len(names)
        distinct = set(names)
        for name in distinct - {""}:
            rows = None if len(distinct) == 1 else [row for row, other in enumerate(names) if other == name]
            objects = self._documents(name, columns, rows, flaws)
            if rows is None:
                return objects
            for row, document in zip(rows, objects, strict=True):
                properties[row] = document
        return properties

    def _documents(self, name: str, columns: Columns, rows: Sequence[int] | None, flaws: _Problems) -> list[str]:
        """Return the properties of the events with one name, which are in some rows of the batch, or in all (None)."""
        fields: list[JsonFragment] = []
        for each, reader, start in zip(self._layout.properties, self._readers, self._starts, strict=True):
            texts: Sequence[str] = columns[each.column.position]
            if rows is not None:
                texts = [texts[row] for row in rows]
            if each.event not in ("", name):
                self._warn(each, name, texts, rows, flaws)
                continue
            cells = reader.read(texts)
            if cells.bad:
                self._report(each, reader, cells, texts, rows, flaws)
            fields.append(reader.field(texts, cells, start, ""))
        return (
            build_documents("{", fields, "}") if fields else ["{}"] * (len(columns[0]) if rows is None else len(rows))
        )

    def _warn(
        self, each: EventProperty, name: str, texts: Sequence[str], rows: Sequence[int] | None, flaws: _Problems
    ) -> None:
        """Add warnings for values of properties of other events, which are not imported (EV-09)."""
        for index, text in enumerate(texts):
            if text and not parsers.is_blank(text):
                reason = f"The value is left out: the column is for events named {each.event}, and this one is {name}"
                row = index if rows is None else rows[index]
                flaws.add(row, "property_of_other_event", reason, each.column.header, text, warning=True)

    def _report(
        self,
        each: EventProperty,
        reader: ColumnReader,
        cells: ParsedCells,
        texts: Sequence[str],
        rows: Sequence[int] | None,
        flaws: _Problems,
    ) -> None:
        """Add problems for values that do not have the column's type: their rows fail, or they are left out (D-17)."""
        warning = self._drops or reader.keeps_text
        for index, text in enumerate(texts):
            problem = cells.bad.get(text)
            if problem is not None:
                row = index if rows is None else rows[index]
                flaws.add(row, problem.code, problem.reason, each.column.header, text, warning=warning)


class _Problems:
    """The problems of the events of a batch."""

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._found: list[tuple[int, Problem]] = []
        self.failed: set[int] = set()

    def add(self, row: int, code: str, reason: str, column: str, value: str, *, warning: bool = False) -> None:
        """Add a problem of one row of the batch."""
        batch = self._batch
        problem = Problem(batch.numbers[row], batch.lines[row], code, reason, column, value, warning, batch.rows[row])
        self._found.append((row, problem))
        if not warning:
            self.failed.add(row)

    def fail(self, texts: Iterable[str], bad: str, problem: InvalidValue, column: str) -> None:
        """Add a problem to all rows with this text, which fail."""
        for row, text in enumerate(texts):
            if text == bad:
                self.add(row, problem.code, problem.reason, column, text)

    def in_order(self) -> list[Problem]:
        """Return the problems by row; those of one row in the order in which they were added."""
        return [problem for _, problem in sorted(self._found, key=lambda found: found[0])]


def _places(batch: Batch, checked: CheckedRows) -> Sequence[int]:
    """Return the indexes of the checked rows in the batch."""
    if len(checked.numbers) == len(batch.numbers):
        return range(len(batch.numbers))
    place = {number: index for index, number in enumerate(batch.numbers)}
    return [place[number] for number in checked.numbers]


def _time_reader(layout: EventLayout, options: Options) -> Callable[[str], str | None]:
    """Return a function that reads a time, or None for a blank, optional one. It raises ``InvalidValue``."""
    if layout.time is not None and layout.time.definition.key == SECONDS:
        return _read_seconds
    parse = parsers.parser(ValueType.DATETIME, ValueOptions(time_zone=options.values.time_zone, strict_iso_shapes=True))

    def read(text: str) -> str:
        try:
            return str(parse(text))
        except InvalidValue:
            reason = _SHAPES if text else "The event has no time: fill in a date"
            raise InvalidValue("invalid_event_time", reason) from None

    return read


def _read_seconds(text: str) -> str | None:
    if not text:
        return None
    try:
        return str(_parse_seconds(text))
    except InvalidValue:
        reason = "Invalid event time: Unix seconds such as 1468308340 expected"
        raise InvalidValue("invalid_event_time", reason) from None


_parse_seconds = parsers.parser(ValueType.DATETIME, ValueOptions(iso_dates=False), "unix")
_SHAPES = "Invalid event time: YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SS alone, with Z or with +00:00 expected"
