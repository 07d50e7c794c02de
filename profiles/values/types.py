"""The types of values, the options for reading them, and the error that reading raises.

A module of its own, below `parsers`, so that the modules of single types can share it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

Value = str | int | float | bool
"""A stored value, which is a JSON scalar; a list attribute holds a list of them."""

Parser = Callable[[str], Value]

GENDERS = "MFONP"
"""Male, female, other, not applicable, prefers not to say (AT-39)."""

MIN_INTEGER, MAX_INTEGER = -(2**63), 2**63 - 1


class ValueType(enum.StrEnum):
    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    EMAIL = "email"
    PHONE = "phone"
    COUNTRY = "country"
    LANGUAGE = "language"
    TIME_ZONE = "time_zone"
    GENDER = "gender"
    YES_NO = "yes_no"
    EDUCATION = "education"
    URL = "url"
    SUBSCRIPTION = "subscription"


class SubscriptionState(enum.StrEnum):
    """A person's consent on a channel: an explicit yes, neither, an explicit no (SB-07)."""

    OPTED_IN = "opted_in"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class PhoneFormat(enum.StrEnum):
    """The form that phone numbers must have (D-19)."""

    ANY = "any"
    DIGITS = "digits"
    PLUS = "plus"
    E164 = "e164"


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """The options of a preset or a user for reading values (requirements section 3).

    `default_country`: ISO alpha-2, for national phone numbers. `time_zone`: IANA name, for dates without offset.
    `default_time`: `HH:MM:SS`, for declared dates without a time. `max_bytes`: the longest text in UTF-8 (AT-11).
    `iso_dates`: whether ISO 8601 is accepted in addition to the declared format (D-14). `marked_seconds`: whether
    `$D_<seconds>` is accepted (DT-15). `strict_iso_shapes`: whether ISO 8601 is limited to the four formats of DT-12.
    `genders`: the accepted letters. `exact_states`: whether subscription states are accepted only in their exact
    spelling, and not as true and false (SB-07).
    """

    phone_format: PhoneFormat = PhoneFormat.ANY
    default_country: str | None = None
    time_zone: str = "UTC"
    default_time: str = "12:00:00"
    max_bytes: int = 512
    iso_dates: bool = True
    marked_seconds: bool = True
    strict_iso_shapes: bool = False
    genders: str = GENDERS
    exact_states: bool = False


class InvalidValue(ValueError):
    """A text that is not a value of its type. `reason` is one sentence for the user and never contains the text."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
