"""Conditions as the query parameters of a URL, as a form sends them. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import zip_longest
from typing import TypeVar

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

Parameters = Mapping[str, Sequence[str]]
"""The query parameters of a URL: for each name, its values in order."""

Choice = TypeVar("Choice", bound=enum.StrEnum)


def to_parameters(conditions: Iterable[Condition]) -> list[tuple[str, str]]:
    """Return conditions as query parameters."""
    return [pair for condition in conditions for pair in _pairs(condition)]


def from_parameters(sent: Parameters) -> tuple[list[Condition], list[InvalidCondition]]:
    """Return the conditions of query parameters, and the errors of invalid ones; blank parameters are ignored."""
    conditions: list[Condition] = []
    errors: list[InvalidCondition] = []
    for reader in _readers(sent):
        try:
            conditions.extend(reader)
        except InvalidCondition as invalid:
            errors.append(invalid)
    return list(dict.fromkeys(conditions)), errors


def form_rows(sent: Parameters) -> list[tuple[str, str, str]]:
    """Return attribute, operator and value of each row of the form that has an attribute or a value."""
    keys, operators, values = (sent.get(name, ()) for name in ("attribute", "operator", "value"))
    rows = zip_longest(keys, operators, values, fillvalue="")
    return [(key, operator, value) for key, operator, value in rows if key or value]


def member_outcome(sent: Parameters) -> Outcome | None:
    """Return the outcome of the condition on members, or None. Raises ``InvalidCondition``."""
    text = _last(sent, "outcome")
    return _member_of(Outcome, text, "outcome") if text else None


def parse_group_state(text: str) -> GroupState:
    """Return the state of the condition on a group; *subscribed* if it is blank. Raises ``InvalidCondition``."""
    return _member_of(GroupState, text or GroupState.SUBSCRIBED, "group")


# --- reading ------------------------------------------------------------------------------------


def _readers(sent: Parameters) -> Iterator[Iterator[Condition]]:
    """Yield a reader for each part of the parameters, so that an error in one does not hide the others."""
    for number, row in enumerate(form_rows(sent)):
        yield _attribute(number, *row)
    yield _member(sent)
    yield (HasIdentifier(kind) for kind in sent.get("has", ()) if kind)
    for pair in zip_longest(sent.get("group", ()), sent.get("group_state", ()), fillvalue=""):
        yield _in_group(*pair)
    for moment in Moment:
        yield _dated(sent, moment)
    yield (BirthdayToday() for text in sent.get("birthday", ()) if text)
    yield (Reachable(_member_of(Channel, text, "reach")) for text in sent.get("reach", ()) if text)


def _attribute(row: int, key: str, operator: str, value: str) -> Iterator[Condition]:
    if not key:
        raise InvalidCondition("Choose the attribute in which to search for this value.", "attribute", row)
    chosen = _member_of(Operator, operator or Operator.EQUALS, "operator", row)
    if chosen.needs_value and not value.strip():
        raise InvalidCondition("Enter a value to compare with, or choose “exists”.", "value", row)
    if "\0" in key + value:
        raise InvalidCondition("This contains a NUL character, which no value can contain. Remove it.", "value", row)
    yield AttributeCondition(key, chosen, value if chosen.needs_value else "")


def _member(sent: Parameters) -> Iterator[Condition]:
    text = _last(sent, "change_set")
    if text:
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise InvalidCondition("Enter the number of a change set.", "change_set")
        yield ChangeSetMember(int(text), member_outcome(sent))


def _in_group(group: str, state: str) -> Iterator[Condition]:
    if "\0" in group:
        raise InvalidCondition("This contains a NUL character, which no ID can contain. Remove it.", "group")
    if group:
        yield InGroup(group, parse_group_state(state))


def _dated(sent: Parameters, moment: Moment) -> Iterator[Condition]:
    text = _last(sent, moment)
    if text:
        yield DateCondition(
            moment, _member_of(When, _last(sent, f"{moment}_when") or When.ON, moment), _day(text, moment)
        )


def _day(text: str, field: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidCondition("Enter a date, such as 2026-05-04.", field) from None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise InvalidCondition(f"Enter a date between the years {FIRST_YEAR} and {LAST_YEAR}.", field)
    return day


def _member_of(kind: type[Choice], text: str, field: str, row: int = 0) -> Choice:
    try:
        return kind(text)
    except ValueError:
        raise InvalidCondition(f"Choose one of: {', '.join(kind)}.", field, row) from None


def _last(sent: Parameters, name: str) -> str:
    values = sent.get(name, ())
    return values[-1].strip() if values else ""


# --- writing ------------------------------------------------------------------------------------


def _pairs(condition: Condition) -> list[tuple[str, str]]:
    match condition:
        case AttributeCondition(key, operator, value):
            return [("attribute", key), ("operator", operator.value), ("value", value)]
        case ChangeSetMember(change_set, which):
            return [("change_set", str(change_set)), *([("outcome", which.value)] if which else [])]
        case HasIdentifier(kind):
            return [("has", kind)]
        case InGroup(group, state):
            return [("group", group), ("group_state", state.value)]
        case DateCondition(moment, when, day):
            return [(moment.value, day.isoformat()), (f"{moment}_when", when.value)]
        case BirthdayToday():
            return [("birthday", "today")]
        case Reachable(channel):
            return [("reach", channel.value)]
