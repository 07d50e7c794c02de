"""The only place where text becomes a value, for files and for APIs alike (requirements section 6, design rule 4).

`parser` gives the function for one type. It takes text that is not blank and returns what is stored, or raises
`InvalidValue` with a code and a sentence. Columns hold millions of texts, so the plain forms of each type are read by a
regular expression, a table or slicing; libraries see only the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from operator import methodcaller
from typing import Any

from profiles.values import closed_lists, dates, emails, phones
from profiles.values.types import (
    GENDERS,
    LEAST_INTEGER,
    MOST_INTEGER,
    InvalidValue,
    Parser,
    SubscriptionState,
    Value,
    ValueOptions,
    ValueType,
)

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_SHORT_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE][+-]?[0-9]{1,3})?")
_LONGEST_NUMBER = 40

_HOST = r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)*[^\W_](?:[\w-]{0,61}[^\W_])?\.?|\[[0-9A-Fa-f:.]{2,45}\]"
_URL = re.compile(rf"[Hh][Tt][Tt][Pp][Ss]?://(?:{_HOST})(?::[0-9]{{1,5}})?(?:[/?#][^\s\x00-\x1f\x7f<>\"]*)?")


def parser(value_type: ValueType, options: ValueOptions, date_format: str | None = None) -> Parser:
    """The function that reads texts of one type.

    `date_format` is what the header declares, one of `dates.KNOWN_FORMATS`, and matters to dates only. The function
    strips all types but text (D-13) and raises InvalidValue. Raises ValueError for options that cannot work: an unknown
    country, time zone or date format.
    """
    match value_type:
        case ValueType.TEXT:
            return _text(options.max_bytes)
        case ValueType.INTEGER:
            return _integer
        case ValueType.NUMBER:
            return _number
        case ValueType.DATE | ValueType.DATETIME:
            return _date(value_type, options, date_format)
        case ValueType.EMAIL:
            return emails.parse
        case ValueType.PHONE:
            return phones.parser(options.phone_format, options.default_country)
        case ValueType.URL:
            return _url(options.max_bytes)
        case ValueType.GENDER:
            return closed_lists.list_parser(closed_lists.genders(options.genders))
        case ValueType.SUBSCRIPTION:
            return closed_lists.state_parser(options, list(SubscriptionState))
        case _:
            return closed_lists.list_parser(closed_lists.CHOICES[value_type])


def membership_parser(options: ValueOptions) -> Parser:
    """The function that reads whether somebody is in a subscription group (AT-50)."""
    return closed_lists.state_parser(options, [SubscriptionState.SUBSCRIBED, SubscriptionState.UNSUBSCRIBED])


@dataclass(frozen=True, slots=True)
class QuickParser:
    """The plain forms of one type: what passes ``test`` surely has the value that ``read`` gives.

    Both are made of functions in C, for columns of millions of texts; what does not pass is for the `parser`.
    """

    test: Callable[[str], object]
    read: Callable[[str], Value]


def quick_parser(value_type: ValueType, options: ValueOptions) -> QuickParser | None:
    """How the plain forms of a type are read under the same options as by its `parser`; None where it has none."""
    match value_type:
        case ValueType.EMAIL:
            return QuickParser(emails.is_plain, str)
        case ValueType.PHONE:
            return QuickParser(
                phones.plain_number_test(options.phone_format, national=options.default_country is not None), str
            )
        case ValueType.DATE if options.iso_dates:
            return QuickParser(dates.sure_iso_day, str)
        case ValueType.INTEGER:
            return QuickParser(_SHORT_INTEGER.fullmatch, int)
    return None


def is_blank(text: str) -> bool:
    """Whether a cell holds nothing: empty, or white space only (AT-18)."""
    return not text or text.isspace()


def is_placeholder(text: str) -> bool:
    """Whether a text only stands for an identity that is not there (HI-13)."""
    return text.strip().casefold() in _PLACEHOLDERS


_ENDLESS = ("infinity", "inf", "nan")
_PLACEHOLDERS = {"undefined", "null", "na", "n/a", "0", "nil", "-1", "none", "xxxxxx", "empty"}
_PLACEHOLDERS |= {f"{sign}{word}" for word in _ENDLESS for sign in ("", "-")}


def blank_words(value_type: ValueType, options: ValueOptions) -> frozenset[str]:
    """Texts in lower case that say as little as a blank one: no gender is known (AT-39)."""
    return _NIL if value_type is ValueType.GENDER and options.genders == GENDERS else frozenset()


_NIL = frozenset({"nil"})


def matching_form(value_type: ValueType, value: object) -> str:
    """What an identifier is compared by: a phone's digits (D-19), an e-mail in folded case (D-28), others as text.

    Raises InvalidValue when nothing is left.
    """
    text = _as_text(value).strip()
    if value_type is ValueType.PHONE:
        digits = phones.matching_digits(text)
        if not digits:
            raise phones.invalid("no digits")
        return digits
    if value_type is ValueType.EMAIL:
        if not text:
            raise emails.refusal_reason()
        return text.casefold()
    if not text:
        raise InvalidValue("blank", "Nothing to match by: the value is blank")
    return text


def matcher(value_type: ValueType) -> Callable[[Any], str]:
    """`matching_form` for values that the `parser` of the type gave, without looking at them once more."""
    if value_type is ValueType.EMAIL:
        return str.casefold
    if value_type is ValueType.PHONE:
        return methodcaller("removeprefix", "+")
    return partial(matching_form, value_type)


def are_plain(texts: Iterable[str], max_bytes: int = 512) -> bool:
    """Whether each text is surely its own value as text: what `parser` would say, for all of them at once."""
    longest = max(map(len, texts), default=0)
    return 4 * longest <= max_bytes and not _ODD_CHARACTER("".join(texts))


_ODD_CHARACTER = re.compile("[\0\ud800-\udfff]").search


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # as JSON writes it
    return str(value)


def _text(max_bytes: int) -> Parser:
    """Text is kept exactly as it is (AT-11, HI-07)."""

    def parse(text: str) -> str:
        if len(text) <= max_bytes and "\0" not in text and (text.isascii() or _fits(text, max_bytes)):
            return text
        if "\0" in text:
            raise InvalidValue("nul_character", "The text holds a NUL character")
        raise InvalidValue("too_long", f"The text is longer than {max_bytes} bytes")

    return parse


def _fits(text: str, max_bytes: int) -> bool:
    try:
        return len(text.encode()) <= max_bytes
    except UnicodeEncodeError:
        raise InvalidValue("invalid_text", "The text holds a broken character") from None


def _integer(text: str) -> int:
    """An integer of 64 bits. Here, unlike in the guess, `+7` and `007` are numbers: the attribute says so (AT-16)."""
    text = text.strip()
    if _INTEGER.fullmatch(text) and LEAST_INTEGER <= (number := int(text)) <= MOST_INTEGER:
        return number
    raise InvalidValue("invalid_integer", "Invalid integer: a whole number of at most 64 bits expected, digits only")


def _number(text: str) -> int | float:
    """A number, as an integer where it is one, so that equal numbers are stored alike (AT-16).

    Integers beyond 64 bits are refused, since a float would change them; so are exponents that end in infinity or zero.
    """
    text = text.strip()
    if len(text) <= _LONGEST_NUMBER and (match := _NUMBER.fullmatch(text)):
        if _INTEGER.fullmatch(text) and LEAST_INTEGER <= (integer := int(text)) <= MOST_INTEGER:
            return integer
        number = float(text)
        vanished = not number and float(match[1])
        if not (vanished or abs(number) == float("inf") or text.lstrip("+-").isdigit()):
            return _integral(number) if number.is_integer() else number
    raise InvalidValue(
        "invalid_number", "Invalid number: digits with an optional decimal point expected, no spaces or commas"
    )


def _integral(number: float) -> int | float:
    """A float without a fraction as PostgreSQL's JSON gives it back: its shortest digits, as an integer of 64 bits."""
    digits = int(Decimal(repr(number)))
    return digits if LEAST_INTEGER <= digits <= MOST_INTEGER else number


def _date(value_type: ValueType, options: ValueOptions, date_format: str | None) -> Parser:
    shaped = dates.has_iso_shape if options.four_shapes and date_format is None else None
    if value_type is ValueType.DATE:
        read = dates.day_reader(date_format, options.time_zone, options.iso_dates, options.marked_seconds)
        code, kind, shape = "invalid_date", "date", "YYYY-MM-DD"
    else:
        read = dates.instant_reader(
            date_format, options.time_zone, options.default_time, options.iso_dates, options.marked_seconds
        )
        code, kind, shape = "invalid_datetime", "date and time", "YYYY-MM-DDTHH:MM:SS"
    if not options.iso_dates:
        shape = "$D_ and Unix seconds, or a header with a date format,"
    reason = f"Invalid {kind}: {date_format or shape} expected"

    def parse(text: str) -> str:
        text = text.strip()
        value = read(text) if shaped is None or shaped(text) else None
        if value is None:
            raise InvalidValue(code, reason)
        return value

    return parse


def _url(max_bytes: int) -> Parser:
    """A web address, as it was given without outer white space (AT-07)."""
    fits = _text(max_bytes)

    def parse(text: str) -> Value:
        text = text.strip()
        if len(text) <= max_bytes and not _URL.fullmatch(text):
            raise InvalidValue("invalid_url", "Invalid URL: an address that begins with http:// or https:// expected")
        return fits(text)

    return parse
