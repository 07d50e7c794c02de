"""Files of events for hypothesis to choose from, and what becomes of them row by row (requirements section 16).

People and how rows find them are those of ``cases`` and ``reference``; here is what is said about events.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.oracle.cases import (
    ALIKE,
    COLUMNS,
    NUMBERS,
    OWN,
    SCHEMA,
    Case,
    identifying,
    several,
    some_headers,
    some_people,
    some_row,
)
from tests.oracle.reference import Person, Reference, Refused, Row, difference

TIMES = {
    "2019-11-20": "2019-11-20T00:00:00Z",
    "2019-11-20T18:38:57": "2019-11-20T18:38:57Z",
    " 2019-11-20T18:38:57Z ": "2019-11-20T18:38:57Z",
    "2020-02-29T23:59:59+00:00": "2020-02-29T23:59:59Z",
}
NO_TIMES = ["", "20/11/2019", "2019-02-29", "2019-11-20T18:38:57+02:00", "yesterday"]
NAMES = ["trip", "trip", " trip ", "login", "tab\there"]
PROPERTIES = ("trip.properties.to", "trip.properties.days.", "login.properties.ok")
CELLS = (["Paris", 'Ry "old"', "back\\slash", "", " "], ["5", "6", "", "7 "], ["true", "FALSE", "", ""])


@dataclass(frozen=True)
class EventCase(Case):
    """A file of events: ``said`` has for each row its name, its time, and its properties as the file has them."""

    said: list[list[str]] = field(default_factory=list)

    record_type = "events"

    def reference(self) -> EventReference:
        return EventReference(self.starting(), self.order(), self.said)

    def text(self) -> str:
        stream = io.StringIO()
        rows = [[*row, *said] for row, said in zip(self.rows, self.said, strict=True)]
        csv.writer(stream).writerows([[*self.headers, "name", "time", *PROPERTIES], *rows])
        return stream.getvalue()


IDS = ("external_id", "object_id", "alias_label", "alias_name")
"""What identifies people and is no attribute."""


@dataclass
class Said(Row):
    """What became of a row, and the event that came of it: its name, its time, its properties."""

    event: tuple[str, str, dict[str, Any]] | None = None


class EventReference(Reference):
    """People, and events given to them one by one; nobody who is known changes (EV-13)."""

    def __init__(self, people: list[Person], order: Any, said: Sequence[Sequence[str]]) -> None:
        super().__init__(people, order)
        self.said = said
        self.event: tuple[str, str, dict[str, Any]] | None = None

    def apply_row(self, number: int, cells: Sequence[str]) -> Row:
        row = Said(number, "failed")
        if len(cells) != len(self.order.fields):
            row.codes = ["malformed_row"]
            return row
        name, time, *texts = self.said[number - 1]
        made = self._row_of_person(row, cells, [*self._wrong(name, time)])
        properties = dict(self._properties(name.strip(), texts, row))
        row.event = (name.strip(), TIMES.get(time, ""), properties) if made.person else None
        if row.event:
            row.changes |= {"name": [None, row.event[0]], "time": [None, row.event[1]]}
            row.changes |= {f"{name.strip()}.properties.{key}": [None, value] for key, value in properties.items()}
        return row

    def _row_of_person(self, row: Said, cells: Sequence[str], wrong: list[str]) -> Row:
        """Find or make the row's person, unless something is ``wrong`` with its event."""
        values, bad = self.read_row(cells, row)
        row.key = self._key(values)
        half = self._half_alias(cells)
        row.codes = [*half, *self._identifier_problem(row, bad, half), *wrong]
        row.codes += [code for column, code in bad if not self._identifies(column)]
        row.sound = not row.codes
        if row.sound:
            try:
                self._match(row, values)
            except Refused as reason:
                row.codes.append(str(reason))
        return row

    def _wrong(self, name: str, time: str) -> Sequence[str]:
        return ["blank_event_name"] * (not name.strip()) + ["invalid_event_time"] * (time not in TIMES)

    def _properties(self, name: str, texts: Sequence[str], row: Row) -> Any:
        """The properties of an event of this name; those of another one are told of (EV-09), blank ones not (EV-10)."""
        for header, text in zip(PROPERTIES, texts, strict=True):
            event, _, key = header.rstrip(".").partition(".properties.")
            if text.strip() and name and event != name:
                row.warnings.append("property_of_other_event")
            elif text.strip() and name:
                yield key, int(text) if key == "days" else text == "true" if key == "ok" else text

    def _change(self, row: Row, values: list[Any], person: Person) -> None:
        """Meet somebody known: whatever else the row brings, they stay as they are."""
        person.first_row = person.first_row or row.number
        row.outcome, row.person = "updated", person
        row.changes = difference({}, {})


@st.composite
def event_cases(draw: st.DrawFn, identifier: str) -> EventCase:
    """Any file of events by one identifier."""
    choice = Random(draw(NUMBERS))
    people = {**OWN, **SCHEMA}
    headers = [h for h in some_headers(identifier, choice) if people[COLUMNS[h]].channel or COLUMNS[h] in IDS]
    rows = draw(several(1, 20))
    alike = ALIKE[0]
    return EventCase(
        people=some_people(draw(several(0, 7)), alike),
        headers=headers,
        rows=[some_row(headers, identifying(identifier), row) for row in rows],
        said=[_said(row) for row in rows],
        identifier=identifier,
        action="",
        bucket_rows=choice.choice([1000, 1, 2, 3, 7]),
        hands=choice.choice([1, 1, 2, 4]),
        salt=choice.randrange(1000),
        drop_bad_values=choice.random() < 0.1,
        most_values=choice.choice([10, 10, 3, 2]),
        disturbed=choice.random() < 0.3,
    )


def _said(choice: Random) -> list[str]:
    """One event, mostly a sound one."""
    name = "" if choice.random() < 0.05 else choice.choice(NAMES)
    time = choice.choice(NO_TIMES if choice.random() < 0.08 else [*TIMES])
    return [name, time, *(choice.choice(cells) for cells in CELLS)]
