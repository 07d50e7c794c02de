"""Phone numbers: the four formats, and national numbers (D-19)."""

from __future__ import annotations

import random

import phonenumbers
import pytest

from profiles.values import parsers, phones
from profiles.values.types import InvalidValue, Parser, PhoneFormat, Value, ValueOptions, ValueType


def reader(phone_format: PhoneFormat, country: str | None) -> Parser:
    return parsers.parser(ValueType.PHONE, ValueOptions(phone_format=phone_format, default_country=country))


def phone(text: str, phone_format: PhoneFormat = PhoneFormat.ANY, country: str | None = None) -> Value:
    return reader(phone_format, country)(text)


def bad_phone(text: str, phone_format: PhoneFormat = PhoneFormat.ANY, country: str | None = None) -> str:
    with pytest.raises(InvalidValue) as caught:
        phone(text, phone_format, country)
    assert caught.value.code == "invalid_phone"
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("504-621-8927", "5046218927"),
        ("(504) 621.8927", "5046218927"),
        ("+1 (724) 123-4567", "+17241234567"),
        ("+44 20/7183 8750", "+442071838750"),
        ("+0987654321", "+0987654321"),
        (" 1234567 ", "1234567"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_d_19_any_takes_separators_out(text: str, stored: str) -> None:
    assert phone(text) == stored


@pytest.mark.parametrize(
    "text",
    ["123456", "1" * 16, "abc1234567", "504+6218927", "++15046218927", "+", "١٢٣٤٥٦٧٨", "1-" * 10_000, "5046218927 x1"],
)
def test_d_19_any_wants_7_to_15_digits(text: str) -> None:
    assert bad_phone(text) == "Invalid phone number: 7 to 15 digits expected"


@pytest.mark.parametrize(
    ("text", "country", "stored"),
    [
        ("504-621-8927", "US", "+15046218927"),
        ("1-504-621-8927", "us", "+15046218927"),
        ("020 7183 8750", "GB", "+442071838750"),
        ("2071838750", "GB", "+442071838750"),
        ("06 12345678", "IT", "+390612345678"),
        ("030 123456", "DE", "+4930123456"),
        ("0015046218927", "DE", "+15046218927"),
        ("11 4321-1234", "AR", "+541143211234"),
        ("+49 30 123456", "US", "+4930123456"),
        ("621-8927", "US", "6218927"),
        ("442071838750", "US", "442071838750"),
    ],
)
def test_d_19_national_numbers_become_international(text: str, country: str, stored: str) -> None:
    assert phone(text, country=country) == stored


def test_an_unknown_country_is_refused_before_any_number() -> None:
    with pytest.raises(ValueError, match="Unknown country: ZZ"):
        parsers.parser(ValueType.PHONE, ValueOptions(default_country="ZZ"))


@pytest.mark.parametrize("country", ["US", "GB", "DE", "IT", "BR", "AU", "IN", "RU", "AR"])
def test_the_tables_give_what_phonenumbers_gives(country: str) -> None:
    code = phonenumbers.country_code_for_region(country)
    by_table, by_library = phones._by_table(country, str(code)), phones._by_library(country)
    example = phonenumbers.example_number(country)
    assert example is not None
    sample = str(example.national_number)
    dice = random.Random(country)
    hits = 0
    for _ in range(300):
        tail = "".join(dice.choices("0123456789", k=len(sample)))
        start = dice.choice(["", "0", "00", str(code), "1", "8"]) + sample[: dice.randrange(4)]
        digits = (start + tail)[: len(sample) + dice.choice([-1, 0, 0, 1, 2])]
        full = by_table(digits)
        hits += full is not None
        assert full is None or full == by_library(digits)
    assert hits > 20


def test_at_63_digits_takes_digits_and_spaces() -> None:
    assert phone("01 123 111 0123", PhoneFormat.DIGITS) == "011231110123"


@pytest.mark.parametrize("text", ["abc123", "12-34", "1" * 16, "1 " * 10_000])
def test_at_63_digits_takes_nothing_else(text: str) -> None:
    assert bad_phone(text, PhoneFormat.DIGITS) == "Invalid phone number: digits and spaces only, at most 15 digits"


def test_at_63_a_plus_is_refused_with_a_hint() -> None:
    assert "choose another one for numbers with +" in bad_phone("+14155551234", PhoneFormat.DIGITS)


@pytest.mark.parametrize("text", ["+1234567890", "+0987654321", "+14155551234", " +1234567 "])
def test_at_62_at_82_plus_takes_plus_and_digits(text: str) -> None:
    assert phone(text, PhoneFormat.PLUS) == text.strip()


@pytest.mark.parametrize("text", ["1234567890", "4155551234"])
def test_at_81_plus_wants_the_country_code(text: str) -> None:
    assert bad_phone(text, PhoneFormat.PLUS) == "Invalid phone number: country code required"


@pytest.mark.parametrize("text", ["+123456", "+1234567890123456", "+1 415 555 1234", "+", "phone"])
def test_d_19_plus_wants_7_to_15_digits(text: str) -> None:
    assert bad_phone(text, PhoneFormat.PLUS) == "Invalid phone number: + and 7 to 15 digits expected"


def test_at_42_e164() -> None:
    assert phone("+442071838750", PhoneFormat.E164) == "+442071838750"
    assert bad_phone("02071838750", PhoneFormat.E164) == "Invalid phone number: country code required"
    assert bad_phone("+0987654321", PhoneFormat.E164) == "Invalid phone number: + and up to 15 digits expected"
    assert bad_phone("020abc", PhoneFormat.E164) == "Invalid phone number: + and up to 15 digits expected"


def test_at_83_e164_takes_separators_out() -> None:
    assert phone("+1 (724) 123-4567", PhoneFormat.E164) == "+17241234567"
    assert phone("724 123 4567", PhoneFormat.E164, "US") == "+17241234567"


@pytest.mark.parametrize("mark", "\u00a0\u2007\u202f\u2010\u2011\u2012\u2013\u2014\u2015\u2212")
def test_d_19_any_takes_out_what_spreadsheets_write_between_digits(mark: str) -> None:
    assert phone(f"+44{mark}20 7183{mark}8750") == "+442071838750"
    assert phone(f"504{mark}621-8927", country="US") == "+15046218927"
    assert bad_phone(f"12{mark}34", PhoneFormat.DIGITS)


def test_d_19_any_has_from_7_to_15_digits() -> None:
    for digits, taken in ((6, False), (7, True), (15, True), (16, False)):
        for text in ("1" * digits, "+" + "1" * digits):
            assert (phone(text) == text) if taken else bad_phone(text)


def test_at_42_e164_has_from_2_to_15_digits() -> None:
    for digits, taken in ((1, False), (2, True), (15, True), (16, False)):
        text = "+" + "1" * digits
        assert (phone(text, PhoneFormat.E164) == text) if taken else bad_phone(text, PhoneFormat.E164)
