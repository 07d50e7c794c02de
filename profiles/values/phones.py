"""Phone numbers in the four formats of D-19, and how national ones become international for a default country.

phonenumbers takes about 30 µs for a number. The forms whose result is plain to see from its tables are put together
here instead; everything else goes to the library, and both ways give the same number.
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
"""Takes national digits; gives `+` and the international digits, or None when the country has no such number."""

_LONGEST = 40
_SEPARATORS = " -.()/"
# As spreadsheets and word processors write them: spaces that do not break, and the dashes.
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
    """The function that reads phone numbers of one format; it raises InvalidValue.

    With a default country (ISO alpha-2) the formats `any` and `e164` make national numbers international. Raises
    ValueError for an unknown country.
    """
    national = international_form(default_country) if default_country else None
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
    """A test for numbers that a parser surely keeps as they are; ``national``: whether it has a default country."""
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
    """What two spellings of a number have in common: its digits (D-19); empty when there are none."""
    digits = text.removeprefix("+")
    return digits if digits.isascii() and digits.isdigit() else _NOT_DIGITS.sub("", digits)


def invalid(reason: str) -> InvalidValue:
    return InvalidValue("invalid_phone", f"Invalid phone number: {reason}")


def _any(national: International | None) -> Parser:
    def parse(text: str) -> str:
        number = _without_separators(text)
        if national is not None and _DIGITS.fullmatch(number) and (full := national(number)):
            return full
        if not _EITHER.fullmatch(number):
            raise invalid("7 to 15 digits expected")
        return number

    return parse


def _e164(national: International | None) -> Parser:
    def parse(text: str) -> str:
        number = _without_separators(text)
        if _E164.fullmatch(number):
            return number
        if not _DIGITS.fullmatch(number):
            raise invalid("+ and up to 15 digits expected")
        full = national(number) if national is not None else None
        if full is None:
            raise invalid("country code required")
        return full

    return parse


def _plus(text: str) -> str:
    """`+0987654321` is right here: Expertflow's own sample has it (AT-81, AT-82)."""
    number = text.strip()
    if _PLUS.fullmatch(number):
        return number
    raise invalid("country code required" if _DIGITS.fullmatch(number) else "+ and 7 to 15 digits expected")


def _digits(text: str) -> str:
    """Digits, spaces between them allowed (AT-63)."""
    number = text.strip()
    if len(number) <= _LONGEST and _DIGITS.fullmatch(bare := number.replace(" ", "")):
        return bare
    if number.startswith("+"):
        raise invalid("this phone option takes digits only, choose another one for numbers with +")
    raise invalid("digits and spaces only, at most 15 digits")


def _without_separators(text: str) -> str:
    """A number without what people write between its digits; empty when it is far too long."""
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
def international_form(country: str) -> International:
    """How numbers of a country (ISO alpha-2, any case) become international; ValueError for an unknown country."""
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
        # Length and shape, not whether the range is in use: new ranges open faster than the tables follow.
        if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
            return None
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    return convert


def _by_table(region: str, code: str) -> International:
    """The fast way: numbers of the country's general pattern, with or without its trunk prefix."""
    table = _metadata(region)
    general = re.compile(_general(table).national_number_pattern or _NEVER)
    abroad = re.compile(table.international_prefix or _NEVER)
    trunk = re.compile(table.national_prefix_for_parsing or _NEVER)
    rewritten = bool(table.national_prefix_transform_rule)
    two_ways = table.national_prefix != code
    lengths = _possible_lengths(int(code))

    def convert(digits: str) -> str | None:
        # Digits that begin like the country code or like a call abroad can be read in two ways; only where the trunk
        # prefix is the country code, as in North America, both lead to the same number.
        if (two_ways and digits.startswith(code)) or abroad.match(digits):
            return None
        if prefix := trunk.match(digits):
            if rewritten and prefix.groups()[-1] is not None:
                return None
            digits = digits[prefix.end() :]
        return f"+{code}{digits}" if len(digits) in lengths and general.fullmatch(digits) else None

    return convert


def _possible_lengths(code: int) -> frozenset[int]:
    """How many digits a number may have: several regions may share a country code, the first one of them decides."""
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
        raise ValueError(f"No numbers are known for {table.id}")
    return table.general_desc
