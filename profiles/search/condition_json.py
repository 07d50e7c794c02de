"""Conditions as plain JSON, the form in which a segment stores them. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from profiles.merging.consent import Channel
from profiles.search.conditions import (
    FIRST_YEAR,
    LAST_YEAR,
    AttributeCondition,
    BirthdayToday,
    ChangeSetMember,
    Condition,
    DateCondition,
    GroupState,
    HasIdentifier,
    InGroup,
    InvalidCondition,
    Moment,
    Operator,
    Outcome,
    Reachable,
    When,
)


def to_json(conditions: Iterable[Condition]) -> list[dict[str, Any]]:
    """Return conditions as plain JSON; the key ``is`` holds the kind of each."""
    return [
        {"is": _NAMES[type(c)]} | {key: _plain(value) for key, value in asdict(c).items() if value not in ("", None)}
        for c in conditions
    ]


def from_json(stored: object) -> tuple[Condition, ...]:
    """Return the conditions that `to_json` wrote. Raises ``InvalidCondition`` for other data."""
    if not isinstance(stored, list) or not all(isinstance(each, dict) for each in stored):
        raise InvalidCondition("The stored conditions are not a list of conditions.")
    return tuple(_restored(dict(each)) for each in stored)


_NAMES: dict[type, str] = {
    AttributeCondition: "attribute",
    ChangeSetMember: "member",
    HasIdentifier: "identifier",
    InGroup: "group",
    DateCondition: "dated",
    BirthdayToday: "birthday",
    Reachable: "reachable",
}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, enum.Enum) else value


def _restored(stored: dict[str, Any]) -> Condition:
    try:
        match stored.pop("is"):
            case "attribute":
                return AttributeCondition(
                    _text(stored["key"]), Operator(stored["operator"]), _text(stored.get("value", ""))
                )
            case "member":
                which = stored.get("outcome")
                return ChangeSetMember(_number(stored["change_set"]), Outcome(which) if which else None)
            case "identifier":
                return HasIdentifier(_text(stored["kind"]))
            case "group":
                return InGroup(_text(stored["group"]), GroupState(stored["state"]))
            case "dated":
                return DateCondition(Moment(stored["moment"]), When(stored["when"]), _day(stored["day"]))
            case "birthday":
                return BirthdayToday()
            case "reachable":
                return Reachable(Channel(stored["channel"]))
            case unknown:
                raise ValueError(f"the kind {unknown} does not exist")
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidCondition(f"A stored condition is invalid: {error}.") from error


def _text(stored: object) -> str:
    if not isinstance(stored, str):
        raise TypeError(f"{stored!r} is not a text")
    return stored


def _number(stored: object) -> int:
    if not isinstance(stored, int) or not 0 <= stored < 10**18:
        raise ValueError(f"{stored!r} is not the number of a change set")
    return stored


def _day(stored: str) -> date:
    day = date.fromisoformat(stored)
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"{stored} is not between the years {FIRST_YEAR} and {LAST_YEAR}")
    return day
