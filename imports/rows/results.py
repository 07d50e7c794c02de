"""What comes of a batch of rows that were read: those that can go on, column by column, and what is wrong. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from profiles.merging.person import Link


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one row, or one value of it."""

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
    """What rows of events say beside whom they are about: names, times in UTC, properties as JSON, none blank."""

    names: Sequence[str]
    times: Sequence[str]
    properties: Sequence[str]

    def only(self, kept: Sequence[bool]) -> Events:
        """Those that are kept."""
        return Events(*(list(compress(column, kept)) for column in (self.names, self.times, self.properties)))

    def at(self, places: Sequence[int]) -> Events:
        """Those at some places."""
        return Events(*([column[place] for place in places] for column in (self.names, self.times, self.properties)))


@dataclass(slots=True)
class CheckedRows:
    """Rows that can be applied, column by column: what each is looked up by, what identifies it, and its values.

    ``links`` are JSON: a list of kinds and values in matching form. So are the ``documents``: values by attribute key,
    none blank.
    ``ties`` are the links by which a row may concern rows that look up something else; None where there are none.
    ``events``: None where the rows are people.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    keys: Sequence[Link]
    links: Sequence[str]
    documents: Sequence[str]
    ties: Sequence[list[Link]] | None
    events: Events | None = None

    def only(self, kept: Sequence[bool]) -> CheckedRows:
        """The rows that are kept."""
        return CheckedRows(
            list(compress(self.numbers, kept)),
            list(compress(self.lines, kept)),
            list(compress(self.keys, kept)),
            list(compress(self.links, kept)),
            list(compress(self.documents, kept)),
            None if self.ties is None else list(compress(self.ties, kept)),
            None if self.events is None else self.events.only(kept),
        )
