"""Read phone numbers in the four formats of D-19, and make national ones international for a default country.

The library phonenumbers takes about 30 µs per number. Numbers whose result follows directly from its tables are
converted here; the library converts all others. Both ways give the same number.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from profiles.values.types import InvalidValue, Parser, PhoneFormat

if TYPE_CHECKING:
    from phonenumbers import PhoneMetadata, PhoneNumberDesc

International = Callable[[str], str | None]
"""Takes national digits; returns `+` and the international digits, or None if the country has no such number."""

_LONGEST = 40
_SEPARATORS = " -.()/"
# Separators as spreadsheets and word processors write them: non-breaking spaces, and dashes.
_PRINTED = str.maketrans(
    dict.fromkeys("\u00a0\u2007\u202f", " ") | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)
_DIGITS = re.compile(r"[0-9]{1,15}")
_EITHER = re.compile(r"\+?[0-9]{7,15}")
_PLUS = re.compile(r"\+[0-9]{7,15}")
_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_NEVER = r"(?!)"


def parser(phone_format: PhoneFormat, default_country: str | None) -> Parser:
    """Return the function that reads phone numbers of one format; that function raises InvalidValue.

    With a default country (ISO alpha-2), the formats `any` and `e164` make national numbers international. Raises
    ValueError for an unknown country.
    """
    national = international_converter(default_country) if default_country else None
    match phone_format:
        case PhoneFormat.ANY:
            return _any(national)
        case PhoneFormat.E164:
            return _e164(national)
        case PhoneFormat.PLUS:
            return _plus
        case PhoneFormat.DIGITS:
            return _digits


def plain_number_test(phone_format: PhoneFormat, *, national: bool) -> Callable[[str], object]:
    """Return a test for numbers that the parser of a format keeps unchanged.

    ``national``: whether the parser has a default country.
    """
    match phone_format:
        case PhoneFormat.ANY:
            return (_PLUS if national else _EITHER).fullmatch
        case PhoneFormat.E164:
            return _E164.fullmatch
        case PhoneFormat.PLUS:
            return _PLUS.fullmatch
        case PhoneFormat.DIGITS:
            return _DIGITS.fullmatch


def matching_digits(text: str) -> str:
    """Return the digits of a number, which all of its spellings share (D-19); empty if it has none."""
    digits = text.removeprefix("+")
    return digits if digits.isascii() and digits.isdigit() else _NOT_DIGITS.sub("", digits)


def invalid_phone(reason: str) -> InvalidValue:
    return InvalidValue("invalid_phone", f"Invalid phone number: {reason}")


def _any(national: International | None) -> Parser:
    def parse(text: str) -> str:
        number = _without_separators(text)
        if national is not None and _DIGITS.fullmatch(number) and (full := national(number)):
            return full
        if not _EITHER.fullmatch(number):
            raise invalid_phone("7 to 15 digits expected")
        return number

    return parse


def _e164(national: International | None) -> Parser:
    def parse(text: str) -> str:
        number = _without_separators(text)
        if _E164.fullmatch(number):
            return number
        if not _DIGITS.fullmatch(number):
            raise invalid_phone("+ and up to 15 digits expected")
        full = national(number) if national is not None else None
        if full is None:
            raise invalid_phone("country code required")
        return full

    return parse


def _plus(text: str) -> str:
    """Read a number with `+`. `+0987654321` is valid here: Expertflow's own sample contains it (AT-81, AT-82)."""
    number = text.strip()
    if _PLUS.fullmatch(number):
        return number
    raise invalid_phone("country code required" if _DIGITS.fullmatch(number) else "+ and 7 to 15 digits expected")


def _digits(text: str) -> str:
    """Read digits, with spaces allowed between them (AT-63)."""
    number = text.strip()
    if len(number) <= _LONGEST and _DIGITS.fullmatch(bare := number.replace(" ", "")):
        return bare
    if number.startswith("+"):
        raise invalid_phone("the chosen phone format allows digits only; choose another one for numbers with +")
    raise invalid_phone("digits and spaces only, at most 15 digits")


def _without_separators(text: str) -> str:
    """Return a number without the separators between its digits; empty if it is much too long."""
    number = text.strip()
    if number.isdigit():
        return number
    if len(number) > _LONGEST:
        return ""
    if not number.isascii():
        number = number.translate(_PRINTED)
    for separator in _SEPARATORS:  # six replacements cost a third of one translate
        number = number.replace(separator, "")
    return number


@cache
def international_converter(country: str) -> International:
    """Return the function that makes national numbers of a country (ISO alpha-2, any case) international.

    Raises ValueError for an unknown country.
    """
    from phonenumbers import country_code_for_region

    region = country.strip().upper()
    code = country_code_for_region(region)
    if not code:
        raise ValueError(f"Unknown country: {region}")
    by_table, by_library = _by_table(region, str(code)), _by_library(region)
    return lambda digits: by_table(digits) or by_library(digits)


def _by_library(region: str) -> International:
    import phonenumbers

    def convert(digits: str) -> str | None:
        try:
            number = phonenumbers.parse(digits, region)
        except phonenumbers.NumberParseException:
            return None
        # Checks length and shape, not whether the range is in use: new ranges open before the tables contain them.
        if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return convert


def _by_table(region: str, code: str) -> International:
    """Return the fast conversion, of numbers in the country's general pattern, with or without its trunk prefix."""
    table = _metadata(region)
    general = re.compile(_general(table).national_number_pattern or _NEVER)
    abroad = re.compile(table.international_prefix or _NEVER)
    trunk = re.compile(table.national_prefix_for_parsing or _NEVER)
    has_transform_rule = bool(table.national_prefix_transform_rule)
    code_is_ambiguous = table.national_prefix != code
    lengths = _possible_lengths(int(code))

    def convert(digits: str) -> str | None:
        # Digits that begin with the country code, or like a call abroad, can be read in two ways. Only where the trunk
        # prefix is the country code, as in North America, both ways give the same number.
        if (code_is_ambiguous and digits.startswith(code)) or abroad.match(digits):
            return None
        if prefix := trunk.match(digits):
            if has_transform_rule and prefix.groups()[-1] is not None:
                return None
            digits = digits[prefix.end() :]
        return f"+{code}{digits}" if len(digits) in lengths and general.fullmatch(digits) else None

    return convert


def _possible_lengths(code: int) -> frozenset[int]:
    """Return the numbers of digits that a number may have. The first region of a shared country code decides."""
    from phonenumbers import region_code_for_country_code

    return frozenset(_general(_metadata(region_code_for_country_code(code))).possible_length)


def _metadata(region: str) -> PhoneMetadata:
    from phonenumbers import PhoneMetadata

    table = PhoneMetadata.metadata_for_region(region, None)
    if table is None:
        raise ValueError(f"Unknown country: {region}")
    return table


def _general(table: PhoneMetadata) -> PhoneNumberDesc:
    if table.general_desc is None:
        raise ValueError(f"There is no number plan for {table.id}")
    return table.general_desc
