"""Conditions as plain JSON, which a segment is stored as. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

from profiles.conditions import (
    AttributeCondition,
    BirthdayToday,
    Condition,
    Dated,
    HasIdentifier,
    InvalidCondition,
    Member,
    Moment,
    Operator,
    Outcome,
    Reachable,
    When,
)
from profiles.consent import Channel


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
