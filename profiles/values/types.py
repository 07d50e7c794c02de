"""What values are: their types, the options for reading them, and the one error that reading raises.

Below `values`, which is the door to all of it, so that the modules for single types can share it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

Value = str | int | float | bool
"""What is stored, a JSON scalar; a list attribute holds a list of them."""

Parser = Callable[[str], Value]

GENDERS = "MFONP"
"""Male, female, other, not applicable, prefers not to say (AT-39)."""

LEAST_INTEGER, MOST_INTEGER = -(2**63), 2**63 - 1


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
    """What somebody said about a channel: an explicit yes, neither, an explicit no (SB-07)."""

    OPTED_IN = "opted_in"
    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"


class PhoneFormat(enum.StrEnum):
    """What a phone number may look like (D-19)."""

    ANY = "any"
    DIGITS = "digits"
    PLUS = "plus"
    E164 = "e164"


@dataclass(frozen=True, slots=True)
class ValueOptions:
    """What a preset or a user chooses about reading values (requirements section 3).

    `default_country`: ISO alpha-2, of national phone numbers. `time_zone`: IANA name, of dates without offset.
    `default_time`: `HH:MM:SS`, of declared dates without a time. `max_bytes`: longest text in UTF-8 (AT-11).
    `iso_dates`: whether ISO 8601 is taken beside what the header declares (D-14); `marked_seconds`: whether
    `$D_<seconds>` is (DT-15). `four_shapes`: whether of ISO 8601 only the four shapes of DT-12 are. `genders`: the
    letters for one. `exact_states`: whether states of subscriptions are taken in their one spelling only, without true
    and false (SB-07).
    """

    phone_format: PhoneFormat = PhoneFormat.ANY
    default_country: str | None = None
    time_zone: str = "UTC"
    default_time: str = "12:00:00"
    max_bytes: int = 512
    iso_dates: bool = True
    marked_seconds: bool = True
    four_shapes: bool = False
    genders: str = GENDERS
    exact_states: bool = False


class InvalidValue(ValueError):
    """A text that is no value of its type. `reason` is one sentence for the user and never holds the text itself."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
