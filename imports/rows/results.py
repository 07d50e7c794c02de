"""The result of checking a batch of rows: the rows that can be applied, by column, and the problems. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from profiles.merging.person import Link


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with one row, or with one value of a row."""

    row: int
    line: int
    code: str
    reason: str
    column: str = ""
    value: str = ""
    warning: bool = False
    raw: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Events:
    """The events of rows, in addition to their people: names, times in UTC, properties as JSON; none is blank."""

    names: Sequence[str]
    times: Sequence[str]
    properties: Sequence[str]

    def only(self, kept: Sequence[bool]) -> Events:
        """Return the events for which ``kept`` is true."""
        return Events(*(list(compress(column, kept)) for column in (self.names, self.times, self.properties)))

    def at(self, places: Sequence[int]) -> Events:
        """Return the events at the given indexes."""
        return Events(*([column[place] for place in places] for column in (self.names, self.times, self.properties)))


@dataclass(slots=True)
class CheckedRows:
    """Rows that can be applied, by column: lookup keys, identifiers, and values.

    ``keys``: the identifier that each row is looked up by. ``links``: all identifiers of each row as JSON, a list of
    kinds and values in matching form. ``documents``: the values of each row by attribute key as JSON; none is blank.
    ``ties``: further links of each row, through which it can affect rows with other keys; None if there are none.
    ``events``: None for rows of people.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    keys: Sequence[Link]
    links: Sequence[str]
    documents: Sequence[str]
    ties: Sequence[list[Link]] | None
    events: Events | None = None

    def only(self, kept: Sequence[bool]) -> CheckedRows:
        """Return the rows for which ``kept`` is true."""
        return CheckedRows(
            list(compress(self.numbers, kept)),
            list(compress(self.lines, kept)),
            list(compress(self.keys, kept)),
            list(compress(self.links, kept)),
            list(compress(self.documents, kept)),
            None if self.ties is None else list(compress(self.ties, kept)),
            None if self.events is None else self.events.only(kept),
        )
