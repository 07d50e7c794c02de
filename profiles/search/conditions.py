"""What a person must be like to be listed: conditions as data (section 17). Pure.

All of them together must hold. `segments` makes a query of them; `condition_json` and `condition_parameters` keep them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date

from profiles.merging.consent import Channel

FIRST_YEAR, LAST_YEAR = 1000, 9998
"""So that a day is one in every time zone, and is written with four digits."""


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
        """Whether it needs a value to compare with."""
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
    """What is known of somebody and a subscription group."""

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
    """What is known under ``key`` compared with ``value``, a text as a person types it (SG-01, SG-02)."""

    key: str
    operator: Operator
    value: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.key, self.operator.label, self.value)))


@dataclass(frozen=True, slots=True)
class ChangeSetMember:
    """Somebody whom a change set created or found, or only one of the two (SG-06)."""

    change_set: int
    outcome: Outcome | None = None

    def __str__(self) -> str:
        return f"Change set {self.change_set}" + (f", {self.outcome}" if self.outcome else "")


@dataclass(frozen=True, slots=True)
class HasIdentifier:
    """Somebody who has an external id, an alias, or a value of this channel."""

    kind: str

    def __str__(self) -> str:
        return f"Has {self.kind}"


@dataclass(frozen=True, slots=True)
class InGroup:
    """Somebody in a subscription group, who left it, or of whom neither is known (SB-09). ``group``: its id."""

    group: str
    state: GroupState

    def __str__(self) -> str:
        return f"Group {self.group}: {self.state.label}"


@dataclass(frozen=True, slots=True)
class DateCondition:
    """Somebody created, or last changed, on, before or after a day of the current time zone."""

    moment: Moment
    when: When
    day: date

    def __str__(self) -> str:
        return f"{self.moment.capitalize()} {self.when} {self.day.day} {self.day:%B} {self.day.year}"


@dataclass(frozen=True, slots=True)
class BirthdayToday:
    """Somebody whose birthday it is today in the current time zone (SG-11)."""

    def __str__(self) -> str:
        return "Birthday today"


@dataclass(frozen=True, slots=True)
class Reachable:
    """Somebody who may be written to on a channel, and can be (SG-09)."""

    channel: Channel

    def __str__(self) -> str:
        return f"Reachable on {self.channel.label}"


Condition = AttributeCondition | ChangeSetMember | HasIdentifier | InGroup | DateCondition | BirthdayToday | Reachable


class InvalidCondition(ValueError):
    """A condition that means nothing. ``str`` is a sentence for its author; ``field`` the parameter that it is about,
    ``row`` which one of several of that name."""

    def __init__(self, reason: str, field: str = "", row: int = 0) -> None:
        super().__init__(reason)
        self.field, self.row = field, row
