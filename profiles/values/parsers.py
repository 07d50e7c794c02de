"""Turn text into values, for files and for APIs alike (requirements section 6, design rule 4).

`parser` returns the function for one type. That function takes a text that is not blank and returns the value to store,
or raises `InvalidValue` with a code and a sentence. Columns hold millions of texts, so the common forms of each type
are read by a regular expression, a table or slicing; libraries read only the rest.
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
    MAX_INTEGER,
    MIN_INTEGER,
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
    """Return the function that reads texts of one type.

    `date_format` is the format that the header declares, one of `dates.KNOWN_FORMATS`; only dates use it. The function
    strips all types except text (D-13) and raises InvalidValue. Raises ValueError for an unknown country, time zone or
    date format in the options.
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
            return closed_lists.closed_list_parser(closed_lists.genders(options.genders))
        case ValueType.SUBSCRIPTION:
            return closed_lists.state_parser(options, list(SubscriptionState))
        case _:
            return closed_lists.closed_list_parser(closed_lists.CHOICES[value_type])


def membership_parser(options: ValueOptions) -> Parser:
    """Return the function that reads whether a person is in a subscription group (AT-50)."""
    return closed_lists.state_parser(options, [SubscriptionState.SUBSCRIBED, SubscriptionState.UNSUBSCRIBED])


@dataclass(frozen=True, slots=True)
class QuickParser:
    """A fast reader of the common forms of one type: a text that passes ``test`` has the value that ``read`` returns.

    Both are functions in C, for columns of millions of texts. A text that does not pass needs the `parser`.
    """

    test: Callable[[str], object]
    read: Callable[[str], Value]


def quick_parser(value_type: ValueType, options: ValueOptions) -> QuickParser | None:
    """Return the fast reader of a type, which agrees with its `parser` under the same options; None if it has none."""
    match value_type:
        case ValueType.EMAIL:
            return QuickParser(emails.is_plain, str)
        case ValueType.PHONE:
            return QuickParser(
                phones.plain_number_test(options.phone_format, national=options.default_country is not None), str
            )
        case ValueType.DATE if options.iso_dates:
            return QuickParser(dates.is_plain_iso_day, str)
        case ValueType.INTEGER:
            return QuickParser(_SHORT_INTEGER.fullmatch, int)
    return None


def is_blank(text: str) -> bool:
    """Return whether a cell is empty or white space only (AT-18)."""
    return not text or text.isspace()


def is_placeholder(text: str) -> bool:
    """Return whether a text is only a placeholder for a missing identity, such as `null` (HI-13)."""
    return text.strip().casefold() in _PLACEHOLDERS


_NON_FINITE = ("infinity", "inf", "nan")
_PLACEHOLDERS = {"undefined", "null", "na", "n/a", "0", "nil", "-1", "none", "xxxxxx", "empty"}
_PLACEHOLDERS |= {f"{sign}{word}" for word in _NON_FINITE for sign in ("", "-")}


def blank_words(value_type: ValueType, options: ValueOptions) -> frozenset[str]:
    """Return the texts, in lower case, that mean the same as a blank cell: `nil` for an unknown gender (AT-39)."""
    return _NIL if value_type is ValueType.GENDER and options.genders == GENDERS else frozenset()


_NIL = frozenset({"nil"})


def matching_form(value_type: ValueType, value: object) -> str:
    """Return the form in which an identifier is compared: the digits of a phone number (D-19), an e-mail address with
    its case folded (D-28), other values as text.

    Raises InvalidValue if that form is empty.
    """
    text = _as_text(value).strip()
    if value_type is ValueType.PHONE:
        digits = phones.matching_digits(text)
        if not digits:
            raise phones.invalid_phone("no digits")
        return digits
    if value_type is ValueType.EMAIL:
        if not text:
            raise emails.invalid_email()
        return text.casefold()
    if not text:
        raise InvalidValue("blank", "Nothing to match by: the value is blank")
    return text


def matcher(value_type: ValueType) -> Callable[[Any], str]:
    """Return a faster `matching_form` for values that the `parser` of the type returned, which need no check."""
    if value_type is ValueType.EMAIL:
        return str.casefold
    if value_type is ValueType.PHONE:
        return methodcaller("removeprefix", "+")
    return partial(matching_form, value_type)


def are_plain(texts: Iterable[str], max_bytes: int = 512) -> bool:
    """Return whether the parser of the type text keeps every text unchanged, by one test of all; True is certain."""
    longest = max(map(len, texts), default=0)
    return 4 * longest <= max_bytes and not _ODD_CHARACTER("".join(texts))


_ODD_CHARACTER = re.compile("[\0\ud800-\udfff]").search


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"  # as JSON writes it
    return str(value)


def _text(max_bytes: int) -> Parser:
    """Return a parser that keeps text unchanged (AT-11, HI-07)."""

    def parse(text: str) -> str:
        if len(text) <= max_bytes and "\0" not in text and (text.isascii() or _fits(text, max_bytes)):
            return text
        if "\0" in text:
            raise InvalidValue("nul_character", "The text contains a NUL character")
        raise InvalidValue("too_long", f"The text is longer than {max_bytes} bytes")

    return parse


def _fits(text: str, max_bytes: int) -> bool:
    try:
        return len(text.encode()) <= max_bytes
    except UnicodeEncodeError:
        raise InvalidValue("invalid_text", "The text contains an invalid character") from None


def _integer(text: str) -> int:
    """Read an integer of 64 bits. Here `+7` and `007` are numbers, unlike in `type_inference`, since the attribute has
    this type (AT-16)."""
    text = text.strip()
    if _INTEGER.fullmatch(text) and MIN_INTEGER <= (number := int(text)) <= MAX_INTEGER:
        return number
    raise InvalidValue("invalid_integer", "Invalid integer: a whole number of at most 64 bits expected, digits only")


def _number(text: str) -> int | float:
    """Read a number, as an integer where it is one, so that equal numbers are stored alike (AT-16).

    Integers of more than 64 bits are refused, since a float would change them; so are exponents whose result is
    infinity or zero.
    """
    text = text.strip()
    if len(text) <= _LONGEST_NUMBER and (match := _NUMBER.fullmatch(text)):
        if _INTEGER.fullmatch(text) and MIN_INTEGER <= (integer := int(text)) <= MAX_INTEGER:
            return integer
        number = float(text)
        vanished = not number and float(match[1])
        if not (vanished or abs(number) == float("inf") or text.lstrip("+-").isdigit()):
            return _integral(number) if number.is_integer() else number
    raise InvalidValue(
        "invalid_number", "Invalid number: digits with an optional decimal point expected, no spaces or commas"
    )


def _integral(number: float) -> int | float:
    """Return a float without a fraction as PostgreSQL's JSON returns it: its shortest digits, as an integer of 64 bits
    if it fits."""
    digits = int(Decimal(repr(number)))
    return digits if MIN_INTEGER <= digits <= MAX_INTEGER else number


def _date(value_type: ValueType, options: ValueOptions, date_format: str | None) -> Parser:
    has_shape = dates.has_iso_shape if options.strict_iso_shapes and date_format is None else None
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
        value = read(text) if has_shape is None or has_shape(text) else None
        if value is None:
            raise InvalidValue(code, reason)
        return value

    return parse


def _url(max_bytes: int) -> Parser:
    """Return a parser of web addresses, which only strips outer white space (AT-07)."""
    parse_text = _text(max_bytes)

    def parse(text: str) -> Value:
        text = text.strip()
        if len(text) <= max_bytes and not _URL.fullmatch(text):
            raise InvalidValue("invalid_url", "Invalid URL: an address that begins with http:// or https:// expected")
        return parse_text(text)

    return parse
