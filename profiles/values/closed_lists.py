"""Read the types whose values are a closed list: yes and no, countries, languages, subscription states. Pure.

Other packages read them through `parsers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from profiles.values import time_zones
from profiles.values.types import InvalidValue, Parser, SubscriptionState, Value, ValueOptions, ValueType


@dataclass(frozen=True, slots=True)
class ClosedList:
    """A closed list of values. ``table`` gives the values by name in lower case; ``code`` and ``reason`` are the error
    of a text that is not in the list."""

    table: Callable[[], Mapping[str, Value]]
    code: str
    reason: str


def closed_list_parser(choices: ClosedList) -> Parser:
    """Return a parser that accepts the names of a closed list in any case, without outer white space (D-13)."""
    table, code, reason = choices.table(), choices.code, choices.reason

    def parse(text: str) -> Value:
        name = text.strip()
        # ASCII only, since some other letters have ASCII letters as their lower case.
        value = table.get(name.lower()) if name.isascii() else None
        if value is None:
            raise InvalidValue(code, reason)
        return value

    return parse


def state_parser(options: ValueOptions, states: Sequence[SubscriptionState]) -> Parser:
    """Return a parser of subscription states (SB-03, SB-04, SB-07).

    ``true`` and ``false`` mean subscribed and unsubscribed, unless ``options.exact_states``.
    """
    exact: dict[str, Value] = {state.value: state.value for state in states}
    flags: dict[str, Value] = {} if options.exact_states else {"true": "subscribed", "false": "unsubscribed"}
    *others, last = [*exact, *flags]
    reason = f"Invalid subscription state: {', '.join(others)} or {last} expected"
    if not options.exact_states:
        return closed_list_parser(ClosedList(lambda: exact | flags, "invalid_subscription", reason))

    def parse(text: str) -> Value:
        if text not in exact:
            raise InvalidValue("invalid_subscription", f"{reason}, in lower case and without spaces")
        return text

    return parse


@cache
def _countries() -> dict[str, Value]:
    import pycountry

    return {country.alpha_2.lower(): country.alpha_2 for country in pycountry.countries}


@cache
def _languages() -> dict[str, Value]:
    import pycountry

    return {code: code for language in pycountry.languages if (code := getattr(language, "alpha_2", None))}


_BOOLEANS: dict[str, Value] = {"true": True, "false": False, "1": True, "0": False}
_YES_NO: dict[str, Value] = {"y": "Y", "n": "N"}
_EDUCATIONS: dict[str, Value] = {"graduate": "Graduate", "college": "College", "school": "School"}

CHOICES = {
    ValueType.BOOLEAN: ClosedList(lambda: _BOOLEANS, "invalid_boolean", "Invalid boolean: true or false expected"),
    ValueType.COUNTRY: ClosedList(
        _countries, "invalid_country", "Invalid country: a two-letter ISO code such as GB expected"
    ),
    ValueType.LANGUAGE: ClosedList(
        _languages, "invalid_language", "Invalid language: a two-letter ISO code such as en expected"
    ),
    ValueType.TIME_ZONE: ClosedList(
        time_zones.accepted_names, "invalid_time_zone", "Invalid time zone: a name such as America/New_York expected"
    ),
    ValueType.YES_NO: ClosedList(lambda: _YES_NO, "invalid_yes_no", "Invalid answer: Y or N expected"),
    ValueType.EDUCATION: ClosedList(
        lambda: _EDUCATIONS, "invalid_education", "Invalid education: Graduate, College or School expected"
    ),
}


@cache
def genders(letters: str) -> ClosedList:
    others, last = letters[:-1], letters[-1]
    table: dict[str, Value] = {letter.lower(): letter for letter in letters}
    return ClosedList(lambda: table, "invalid_gender", f"Invalid gender: {', '.join(others)} or {last} expected")
