"""The conditions that listed people meet, as data (section 17). Pure.

A person must meet all of them. `query_builder` turns them into a query; `condition_json` and `condition_parameters`
write and read them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date

from profiles.merging.consent import Channel

FIRST_YEAR, LAST_YEAR = 1000, 9998
"""Limits, so that a day exists in every time zone and its year has four digits."""


class Operator(enum.StrEnum):
    """How a value is compared."""

    EXISTS = "exists"
    MISSING = "missing"
    EQUALS = "equals"
    CONTAINS = "contains"
    GREATER = "greater"
    LESS = "less"
    BEFORE = "before"
    AFTER = "after"

    @property
    def label(self) -> str:
        return _LABELS[self]

    @property
    def needs_value(self) -> bool:
        """Whether the operator needs a value to compare with."""
        return self not in (Operator.EXISTS, Operator.MISSING)


_LABELS = {
    Operator.EXISTS: "exists",
    Operator.MISSING: "does not exist",
    Operator.EQUALS: "is",
    Operator.CONTAINS: "contains",
    Operator.GREATER: "is greater than",
    Operator.LESS: "is less than",
    Operator.BEFORE: "is before",
    Operator.AFTER: "is after",
}


class Outcome(enum.StrEnum):
    """What a change set did to a member (SG-06)."""

    IMPORTED = "imported"
    UPDATED = "updated"


class GroupState(enum.StrEnum):
    """A person's state in a subscription group."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    NEITHER = "neither"

    @property
    def label(self) -> str:
        return "neither subscribed nor unsubscribed" if self is GroupState.NEITHER else self.value


class Moment(enum.StrEnum):
    CREATED = "created"
    UPDATED = "updated"


class When(enum.StrEnum):
    ON = "on"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class AttributeCondition:
    """People whose attribute compares with ``value``, a text as a user types it (SG-01, SG-02)."""

    key: str
    operator: Operator
    value: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.key, self.operator.label, self.value)))


@dataclass(frozen=True, slots=True)
class ChangeSetMember:
    """People that a change set created or matched, or only one of the two (SG-06)."""

    change_set: int
    outcome: Outcome | None = None

    def __str__(self) -> str:
        return f"Change set {self.change_set}" + (f", {self.outcome}" if self.outcome else "")


@dataclass(frozen=True, slots=True)
class HasIdentifier:
    """People who have an external ID, an alias, or a value of this channel."""

    kind: str

    def __str__(self) -> str:
        return f"Has {self.kind}"


@dataclass(frozen=True, slots=True)
class InGroup:
    """People who are subscribed to a group, unsubscribed from it, or neither (SB-09). ``group``: the group's ID."""

    group: str
    state: GroupState

    def __str__(self) -> str:
        return f"Group {self.group}: {self.state.label}"


@dataclass(frozen=True, slots=True)
class DateCondition:
    """People created, or last changed, on, before or after a day of the current time zone."""

    moment: Moment
    when: When
    day: date

    def __str__(self) -> str:
        return f"{self.moment.capitalize()} {self.when} {self.day.day} {self.day:%B} {self.day.year}"


@dataclass(frozen=True, slots=True)
class BirthdayToday:
    """People whose birthday is today in the current time zone (SG-11)."""

    def __str__(self) -> str:
        return "Birthday today"


@dataclass(frozen=True, slots=True)
class Reachable:
    """People who may and can be contacted on a channel (SG-09)."""

    channel: Channel

    def __str__(self) -> str:
        return f"Reachable on {self.channel.label}"


Condition = AttributeCondition | ChangeSetMember | HasIdentifier | InGroup | DateCondition | BirthdayToday | Reachable


class InvalidCondition(ValueError):
    """An invalid condition. Its text is a sentence for the user; ``field`` is the parameter that it concerns, ``row``
    the number of the parameter among several of that name, from 0."""

    def __init__(self, reason: str, field: str = "", row: int = 0) -> None:
        super().__init__(reason)
        self.field, self.row = field, row
