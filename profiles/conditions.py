"""What a person must be like to be listed: conditions as data, from JSON and from addresses (section 17). Pure.

All of them together must hold. `segments` makes a query of them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import zip_longest
from typing import Any, TypeVar

from profiles.consent import Channel

Parameters = Mapping[str, Sequence[str]]
"""What an address says behind its question mark: for each name, its values in order."""


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
    def compares(self) -> bool:
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
class Member:
    """Somebody whom a change set created or found, or only one of the two (SG-06)."""

    change_set: int
    outcome: Outcome | None = None

    def __str__(self) -> str:
        return f"Change set {self.change_set}" + (f", {self.outcome}" if self.outcome else "")


@dataclass(frozen=True, slots=True)
class HasIdentifier:
    """Somebody who can be found by this channel."""

    kind: str

    def __str__(self) -> str:
        return f"Has {self.kind}"


@dataclass(frozen=True, slots=True)
class Dated:
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


Choice = TypeVar("Choice", bound=enum.StrEnum)

Condition = AttributeCondition | Member | HasIdentifier | Dated | BirthdayToday | Reachable


class InvalidCondition(ValueError):
    """A condition that means nothing. ``str`` is a sentence for its author; ``field`` the parameter that it is about,
    ``row`` which one of several of that name."""

    def __init__(self, reason: str, field: str = "", row: int = 0) -> None:
        super().__init__(reason)
        self.field, self.row = field, row


def to_json(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """Conditions as plain JSON, each with what it is."""
    return [
        {"is": _NAMES[type(c)]} | {key: _plain(value) for key, value in asdict(c).items() if value not in ("", None)}
        for c in conditions
    ]


def from_json(stored: object) -> tuple[Condition, ...]:
    """The reverse of `to_json`. Raises ``InvalidCondition`` for what it never wrote."""
    if not isinstance(stored, list) or not all(isinstance(each, dict) for each in stored):
        raise InvalidCondition("These are no conditions.")
    return tuple(_restored(dict(each)) for each in stored)


def to_parameters(conditions: Iterable[Condition]) -> list[tuple[str, str]]:
    """Conditions as an address holds them."""
    return [pair for condition in conditions for pair in _pairs(condition)]


def from_parameters(sent: Parameters) -> tuple[list[Condition], list[InvalidCondition]]:
    """The conditions of an address, and what cannot be one; blank parameters say nothing."""
    found: list[Condition] = []
    wrong: list[InvalidCondition] = []
    for read in _reads(sent):
        try:
            found.extend(read)
        except InvalidCondition as invalid:
            wrong.append(invalid)
    return list(dict.fromkeys(found)), wrong


def rows(sent: Parameters) -> list[tuple[str, str, str]]:
    """Attribute, operator and value of each row of the form that says something."""
    keys, operators, values = (sent.get(name, ()) for name in ("attribute", "operator", "value"))
    found = zip_longest(keys, operators, values, fillvalue="")
    return [(key, operator, value) for key, operator, value in found if key or value]


def outcome(sent: Parameters) -> Outcome | None:
    """The outcome that members are asked for. Raises ``InvalidCondition``."""
    text = _last(sent, "outcome")
    return _member_of(Outcome, text, "outcome") if text else None


# --- reading addresses --------------------------------------------------------------------------


def _reads(sent: Parameters) -> Iterator[Iterator[Condition]]:
    """Each part of the address by itself, so that what is wrong with one does not hide the others."""
    for place, row in enumerate(rows(sent)):
        yield _attribute(place, *row)
    yield _member(sent)
    yield (HasIdentifier(kind) for kind in sent.get("has", ()) if kind)
    for moment in Moment:
        yield _dated(sent, moment)
    yield (BirthdayToday() for text in sent.get("birthday", ()) if text)
    yield (Reachable(_member_of(Channel, text, "reach")) for text in sent.get("reach", ()) if text)


def _attribute(place: int, key: str, operator: str, value: str) -> Iterator[Condition]:
    if not key:
        raise InvalidCondition("Choose the attribute that this value is looked for in.", "attribute", place)
    chosen = _member_of(Operator, operator or Operator.EQUALS, "operator", place)
    if chosen.compares and not value.strip():
        raise InvalidCondition("Say what to compare with, or choose “exists”.", "value", place)
    if "\0" in key + value:
        raise InvalidCondition("This holds a NUL character, which no value has.", "value", place)
    yield AttributeCondition(key, chosen, value if chosen.compares else "")


def _member(sent: Parameters) -> Iterator[Condition]:
    text = _last(sent, "change_set")
    if text:
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise InvalidCondition("The number of a change set is expected.", "change_set")
        yield Member(int(text), outcome(sent))


def _dated(sent: Parameters, moment: Moment) -> Iterator[Condition]:
    text = _last(sent, moment)
    if text:
        yield Dated(moment, _member_of(When, _last(sent, f"{moment}_when") or When.ON, moment), _day(text, moment))


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidCondition("A day is expected, such as 2026-05-04.", field) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidCondition(f"A day between the years {FIRST_YEAR} and {LAST_YEAR} is expected.", field)
    return day


def _member_of(kind: type[Choice], text: str, field: str, place: int = 0) -> Choice:
    try:
        return kind(text)
    except ValueError:
        raise InvalidCondition(f"Choose one of: {', '.join(kind)}.", field, place) from None


def _last(sent: Parameters, name: str) -> str:
    values = sent.get(name, ())
    return values[-1].strip() if values else ""


# --- writing addresses and JSON -----------------------------------------------------------------


def _pairs(condition: Condition) -> list[tuple[str, str]]:
    match condition:
        case AttributeCondition(key, operator, value):
            return [("attribute", key), ("operator", operator.value), ("value", value)]
        case Member(change_set, which):
            return [("change_set", str(change_set)), *([("outcome", which.value)] if which else [])]
        case HasIdentifier(kind):
            return [("has", kind)]
        case Dated(moment, when, day):
            return [(moment.value, day.isoformat()), (f"{moment}_when", when.value)]
        case BirthdayToday():
            return [("birthday", "today")]
        case Reachable(channel):
            return [("reach", channel.value)]


_NAMES: dict[type, str] = {
    AttributeCondition: "attribute",
    Member: "member",
    HasIdentifier: "identifier",
    Dated: "dated",
    BirthdayToday: "birthday",
    Reachable: "reachable",
}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, enum.Enum) else value


def _restored(stored: dict[str, Any]) -> Condition:
    try:
        match stored.pop("is"):
            case "attribute":
                return AttributeCondition(stored["key"], Operator(stored["operator"]), stored.get("value", ""))
            case "member":
                which = stored.get("outcome")
                return Member(int(stored["change_set"]), Outcome(which) if which else None)
            case "identifier":
                return HasIdentifier(stored["kind"])
            case "dated":
                return Dated(Moment(stored["moment"]), When(stored["when"]), date.fromisoformat(stored["day"]))
            case "birthday":
                return BirthdayToday()
            case "reachable":
                return Reachable(Channel(stored["channel"]))
            case unknown:
                raise ValueError(f"nothing is called {unknown}")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCondition(f"This is no condition: {error}.") from error
