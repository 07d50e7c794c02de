"""Text becomes a value (requirements section 6)."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from profiles.values import dates, emails, parsers
from profiles.values.types import InvalidValue, PhoneFormat, Value, ValueOptions, ValueType

ROOT = Path(parsers.__file__).parents[2]
STANDARD = ValueOptions()
quick = settings(max_examples=150, deadline=None)

numberish = st.text(alphabet="0123456789+-.eE, _xnaif", max_size=25)
dateish = st.text(alphabet="0123456789-/:.TZ+ $D_", max_size=30)
emailish = st.text(alphabet="ab.-_@é1 +ß", max_size=30)
wordish = st.sampled_from(["true", "FALSE", "gb", "EN", "m", "Tokyo", "http://a.b/c", "+1 (724) 123-4567"])
any_text = st.text(min_size=1, max_size=80) | numberish | dateish | emailish | wordish
filled = any_text.filter(lambda text: not parsers.is_blank(text))

all_options = [
    STANDARD,
    ValueOptions(phone_format=PhoneFormat.DIGITS, iso_dates=False),
    ValueOptions(phone_format=PhoneFormat.PLUS, time_zone="Asia/Kolkata"),
    ValueOptions(phone_format=PhoneFormat.E164, default_country="GB"),
    ValueOptions(default_country="US", max_bytes=20),
    ValueOptions(marked_seconds=False, strict_iso_shapes=True, genders="MF"),
]


def parse(value_type: ValueType, text: str, options: ValueOptions = STANDARD, date_format: str | None = None) -> Value:
    return parsers.parser(value_type, options, date_format)(text)


def refused(
    value_type: ValueType, text: str, options: ValueOptions = STANDARD, date_format: str | None = None
) -> InvalidValue:
    with pytest.raises(InvalidValue) as caught:
        parse(value_type, text, options, date_format)
    return caught.value


# Text


@pytest.mark.parametrize(
    "text", ["jack.m@x.com", "$D_1487576752", "5 > 3", "['a','b']", "Paris, France", "<b>", "=1+1"]
)
def test_hi_07_text_may_hold_anything(text: str) -> None:
    assert parse(ValueType.TEXT, text) == text


@pytest.mark.parametrize("text", ["a@b.co", "+15046218927", "A8i3mkd99", "182736485", "0130"])
def test_hi_12_an_identity_is_any_text(text: str) -> None:
    assert parse(ValueType.TEXT, text) == text
    assert parsers.matching_form(ValueType.TEXT, text) == text


def test_d_13_text_keeps_its_white_space() -> None:
    assert parse(ValueType.TEXT, "  two  words\n") == "  two  words\n"


@pytest.mark.parametrize("text", ["x" * 512, "é" * 256, "𝄞" * 128])
def test_at_11_512_bytes_are_text(text: str) -> None:
    assert parse(ValueType.TEXT, text) == text


@pytest.mark.parametrize("text", ["x" * 513, "é" * 257, "𝄞" * 128 + "x", "x" * 10_000, "é" * 10_000])
def test_at_11_513_bytes_are_too_long(text: str) -> None:
    error = refused(ValueType.TEXT, text)
    assert (error.code, error.reason) == ("too_long", "The text is longer than 512 bytes")
    assert refused(ValueType.TEXT, "abcd", ValueOptions(max_bytes=3)).reason == "The text is longer than 3 bytes"


def test_a_nul_character_is_refused() -> None:
    assert refused(ValueType.TEXT, "a\0b").code == "nul_character"
    assert refused(ValueType.TEXT, "é\0" * 600).code == "nul_character"


def test_half_a_character_is_refused() -> None:
    assert refused(ValueType.TEXT, "a\ud800").code == "invalid_text"


# Integer and number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        (" 12 ", 12),
        ("-7", -7),
        ("+7", 7),
        ("007", 7),
        ("-0", 0),
        ("9223372036854775807", 2**63 - 1),
        ("-9223372036854775808", -(2**63)),
    ],
)
def test_at_16_integers(text: str, number: int) -> None:
    for value_type in (ValueType.INTEGER, ValueType.NUMBER):
        value = parse(value_type, text)
        assert value == number
        assert type(value) is int


not_numbers = [
    "1,000",
    "1 000",
    "3,5",
    "abc",
    "0x10",
    "1_000",
    "١٢",
    "½",
    "²",
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1e1000000",
    "9223372036854775808",
    "-9223372036854775809",
    "1" * 400,
    "1" * 10_000,
    "0." + "1" * 10_000,
    "--1",
    "1-",
    "+",
    ".",
    "12\0",
]


@pytest.mark.parametrize("text", [*not_numbers, "3.5", "12.0", "1e3"])
def test_at_16_what_is_no_integer(text: str) -> None:
    assert refused(ValueType.INTEGER, text).code == "invalid_integer"


@pytest.mark.parametrize("text", [*not_numbers, "e5", "1e", "1e999", "1e-999", "1e1.5"])
def test_at_16_what_is_no_number(text: str) -> None:
    assert refused(ValueType.NUMBER, text).code == "invalid_number"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("3.5", 3.5),
        ("-0.25", -0.25),
        (".5", 0.5),
        ("5.", 5),
        ("12.0", 12),
        ("1e3", 1000),
        ("1.5E-7", 1.5e-7),
        ("-0.0", 0),
    ],
)
def test_at_16_numbers(text: str, number: float) -> None:
    value = parse(ValueType.NUMBER, text)
    assert value == number
    assert type(value) is type(number)


def test_equal_numbers_are_stored_alike() -> None:
    assert {json.dumps(parse(ValueType.NUMBER, text)) for text in ("12", "12.0", "+12", "1.2e1", "012")} == {"12"}


# Boolean


@pytest.mark.parametrize(
    ("text", "value"),
    [("TRUE", True), ("true", True), (" True ", True), ("1", True), ("false", False), ("FALSE", False), ("0", False)],
)
def test_at_15_booleans(text: str, value: bool) -> None:
    assert parse(ValueType.BOOLEAN, text) is value


@pytest.mark.parametrize("text", ["yes", "Y", "2", "t", "01", "wahr", "x" * 10_000])
def test_at_15_what_is_no_boolean(text: str) -> None:
    assert refused(ValueType.BOOLEAN, text).code == "invalid_boolean"


# Dates (their shapes are tested in test_dates)


def test_at_14_a_datetime_is_stored_in_utc() -> None:
    assert parse(ValueType.DATETIME, " 2019-11-20T18:38:57Z ") == "2019-11-20T18:38:57Z"
    error = refused(ValueType.DATETIME, "20/11/2019")
    assert (error.code, error.reason) == ("invalid_datetime", "Invalid date and time: YYYY-MM-DDTHH:MM:SS expected")


def test_at_38_a_date_is_stored_as_a_day() -> None:
    assert parse(ValueType.DATE, "1980-12-21 ") == "1980-12-21"
    error = refused(ValueType.DATE, "21/12/1980")
    assert (error.code, error.reason) == ("invalid_date", "Invalid date: YYYY-MM-DD expected")


def test_at_68_a_day_may_be_marked_seconds() -> None:
    assert parse(ValueType.DATE, "$D_1487576752") == "2017-02-20"


def test_a_declared_format_is_named_in_the_reason() -> None:
    assert parse(ValueType.DATETIME, "25/12/2023", date_format="dd/MM/yyyy HH:mm:ss") == "2023-12-25T12:00:00Z"
    error = refused(ValueType.DATETIME, "12/25/2023", date_format="dd/MM/yyyy HH:mm:ss")
    assert error.reason == "Invalid date and time: dd/MM/yyyy HH:mm:ss expected"


def test_d_14_iso_can_be_switched_off() -> None:
    error = refused(ValueType.DATE, "2023-12-25", ValueOptions(iso_dates=False))
    assert error.reason == "Invalid date: $D_ and Unix seconds, or a header with a date format, expected"


@pytest.mark.parametrize("text", ["0000-01-01", "99999-01-01", "2023-02-30", "1" * 10_000])
def test_impossible_dates_are_refused(text: str) -> None:
    assert refused(ValueType.DATE, text).code == "invalid_date"
    assert refused(ValueType.DATETIME, text).code == "invalid_datetime"


# E-mail


@pytest.mark.parametrize(
    "text",
    [
        "jane.doe@braze.com",
        "josephine_darakjy@darakjy.org",
        "O'Neil+tag@sub.example.co.uk",
        "a@b.co",
        "a@a--b.com",
        "x@xn--e1afmkfd.xn--p1ai",
        "jörg@müller.de",
        "用户@例子.中国",
        "x@intranet.local",
        "a" * 64 + "@example.com",
    ],
)
def test_at_36_emails_are_stored_as_given(text: str) -> None:
    assert parse(ValueType.EMAIL, f" {text}\t") == text


@pytest.mark.parametrize(
    "text",
    [
        "invalid-email",
        "invalid@",
        "@example.com",
        "a@b",
        "a@b.c",
        "a@localhost",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a@-b.com",
        "a@b-.com",
        "a@b..com",
        "a@.com",
        "a@b.com.",
        "a@b.123",
        "a@1.2.3.4",
        "a@[1.2.3.4]",
        "a b@example.com",
        '"a b"@example.com',
        "Jane <jane@example.com>",
        "a@b.com,c@d.com",
        "a@@b.com",
        "a@b_c.com",
        "a\0@b.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".com",
        "a" * 64 + "@" + "b." * 100 + "com",
        "a@" + "b" * 10_000 + ".com",
        "é@\ud800.com",
    ],
)
def test_at_80_other_texts_are_not(text: str) -> None:
    error = refused(ValueType.EMAIL, text)
    assert (error.code, error.reason, str(error)) == ("invalid_email", "Invalid email format", "Invalid email format")


@quick
@given(emailish | st.emails())
@example("a@b--c.com")
def test_the_fast_way_takes_only_what_the_library_takes(text: str) -> None:
    if not emails.is_plain(text):
        return
    try:
        validate_email(text, check_deliverability=False, globally_deliverable=False, strict=True)
    except EmailNotValidError as error:
        pytest.fail(f"{text}: {error}")


# Closed lists


@pytest.mark.parametrize(("text", "stored"), [("GB", "GB"), ("gb", "GB"), (" Us ", "US")])
def test_at_37_countries(text: str, stored: str) -> None:
    assert parse(ValueType.COUNTRY, text) == stored


@pytest.mark.parametrize("text", ["Great Britain", "UKX", "UK", "GBR", "ß", "G", "x" * 10_000])
def test_at_37_what_is_no_country(text: str) -> None:
    assert refused(ValueType.COUNTRY, text).code == "invalid_country"


@pytest.mark.parametrize(("text", "stored"), [("en", "en"), ("EN", "en"), (" fr", "fr")])
def test_at_41_languages(text: str, stored: str) -> None:
    assert parse(ValueType.LANGUAGE, text) == stored


@pytest.mark.parametrize("text", ["english", "eng", "en-US", "xx", "\ufb01"])
def test_at_41_what_is_no_language(text: str) -> None:
    assert refused(ValueType.LANGUAGE, text).code == "invalid_language"


@pytest.mark.parametrize("text", ["M", "F", "O", "N", "P"])
def test_at_39_at_64_genders(text: str) -> None:
    assert parse(ValueType.GENDER, text) == parse(ValueType.GENDER, f" {text.lower()} ") == text


@pytest.mark.parametrize("text", ["X", "male", "nil", "MF"])
def test_at_39_what_is_no_gender(text: str) -> None:
    assert refused(ValueType.GENDER, text).code == "invalid_gender"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("America/New_York", "America/New_York"),
        ("america/new_york", "America/New_York"),
        ("UTC", "UTC"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("Pacific Time (US & Canada)", "America/Los_Angeles"),
        ("Buenos Aires", "America/Argentina/Buenos_Aires"),
        ("Mexico City", "America/Mexico_City"),
        ("New Delhi", "Asia/Kolkata"),
        ("London", "Europe/London"),
    ],
)
def test_at_47_time_zones(text: str, stored: str) -> None:
    assert parse(ValueType.TIME_ZONE, text) == stored


@pytest.mark.parametrize("text", ["Mars/Base", "localtime", "Factory", "EDT5", "../../etc/passwd", "x" * 10_000])
def test_at_47_what_is_no_time_zone(text: str) -> None:
    assert refused(ValueType.TIME_ZONE, text).code == "invalid_time_zone"


# URL


@pytest.mark.parametrize(
    "text",
    [
        "http://www.bentonjohnbjr.com",
        "https://example.com:8080/a/b?c=d&e=%20#f",
        "HTTPS://Example.com",
        "https://müller.de/straße",
        "http://[2001:db8::1]/x",
        "http://localhost:8000",
    ],
)
def test_at_07_urls(text: str) -> None:
    assert parse(ValueType.URL, f" {text} ") == text


@pytest.mark.parametrize(
    "text",
    [
        "not a url",
        "www.example.com",
        "ftp://example.com",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://-a.com",
        "http://a..com",
        "http://a b.com",
        "http://a.com/x y",
        "http://a.com/\0",
        'http://a.com/"onload="x',
        "http://" + "a" * 400,
    ],
)
def test_at_07_what_is_no_url(text: str) -> None:
    assert refused(ValueType.URL, text).code == "invalid_url"


def test_at_11_a_url_can_be_too_long() -> None:
    assert refused(ValueType.URL, "http://a.com/" + "x" * 10_000).code == "too_long"
    assert refused(ValueType.URL, "http://a.com/" + "é" * 256).code == "too_long"


# Blank, and matching


@pytest.mark.parametrize(("text", "blank"), [("", True), (" \t\r\n\u00a0", True), ("0", False), (" x ", False)])
def test_at_18_blank_is_empty_or_white_space(text: str, blank: bool) -> None:
    assert parsers.is_blank(text) is blank


def test_d_19_phones_match_by_their_digits() -> None:
    spellings = ["+1 234 567 890", "1234567890", "+1234567890", "(123) 456-7890", 1234567890]
    assert {parsers.matching_form(ValueType.PHONE, spelling) for spelling in spellings} == {"1234567890"}


def test_d_28_emails_match_in_folded_case() -> None:
    assert parsers.matching_form(ValueType.EMAIL, " Jane.DOE@Straße.de ") == "jane.doe@strasse.de"


def test_other_identifiers_match_as_trimmed_text() -> None:
    assert parsers.matching_form(ValueType.TEXT, " aBc ") == "aBc"
    assert parsers.matching_form(ValueType.INTEGER, 12) == "12"
    assert parsers.matching_form(ValueType.BOOLEAN, True) == "true"


@pytest.mark.parametrize(
    ("value_type", "text", "code"),
    [(ValueType.PHONE, "+", "invalid_phone"), (ValueType.EMAIL, " ", "invalid_email"), (ValueType.TEXT, " ", "blank")],
)
def test_nothing_to_match_by_is_refused(value_type: ValueType, text: str, code: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        parsers.matching_form(value_type, text)
    assert caught.value.code == code


# What holds for every type


@quick
@given(filled, st.sampled_from(all_options), st.sampled_from([None, *sorted(dates.KNOWN_FORMATS)]))
def test_any_text_is_a_value_or_invalid_and_values_read_back_alike(
    text: str, options: ValueOptions, date_format: str | None
) -> None:
    for value_type in ValueType:
        try:
            value = parse(value_type, text, options, date_format)
        except InvalidValue:
            continue
        json.dumps(value).encode()
        iso = ValueOptions(options.phone_format, options.default_country, max_bytes=options.max_bytes)
        assert parse(value_type, json.dumps(value) if isinstance(value, bool) else str(value), iso) == value


plain = st.from_regex(r"[+-]?[0-9]{1,19}|\+?[0-9]{6,16}|[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True) | st.builds(
    lambda name, domain: f"{name}@{domain}.com", *[st.text("ab.-_1", min_size=1, max_size=40)] * 2
)


@pytest.mark.parametrize("value_type", [ValueType.INTEGER, ValueType.DATE, ValueType.EMAIL, ValueType.PHONE])
@settings(max_examples=400, deadline=None)
@given(
    text=plain | filled,
    options=st.sampled_from(all_options),
    date_format=st.sampled_from([None, *sorted(dates.KNOWN_FORMATS)]),
)
@example(text="0000-01-01", options=STANDARD, date_format=None)
@example(text="1999-02-29", options=STANDARD, date_format=None)
def test_what_is_read_quickly_is_read_alike(
    value_type: ValueType, text: str, options: ValueOptions, date_format: str | None
) -> None:
    found = parsers.quick_parser(value_type, options)
    if found is None:
        assert value_type is ValueType.DATE
        assert not options.iso_dates
    elif found.test(text):
        assert found.read(text) == parsers.parser(value_type, options, date_format)(text)


@pytest.mark.parametrize(
    ("value_type", "text"),
    [
        (ValueType.INTEGER, "42"),
        (ValueType.DATE, "1999-02-28"),
        (ValueType.EMAIL, "a@b.com"),
        (ValueType.PHONE, "+1234567"),
    ],
)
def test_plain_forms_are_read_quickly(value_type: ValueType, text: str) -> None:
    found = parsers.quick_parser(value_type, STANDARD)
    assert found is not None
    assert found.test(text)


@quick
@given(filled)
def test_matching_form_is_idempotent(text: str) -> None:
    for value_type in ValueType:
        try:
            form = parsers.matching_form(value_type, text)
        except InvalidValue:
            continue
        assert parsers.matching_form(value_type, form) == form


@quick
@given(st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_survives_its_text(number: float) -> None:
    found = parse(ValueType.NUMBER, str(number))
    assert float(found) == float(number)
    assert found == json.loads(json.dumps(found))


@pytest.mark.parametrize("text", ["1.2345678901234567e18", "123456789012345678", "9007199254740993.0", "4e15", "1e300"])
def test_a_large_number_is_what_the_database_gives_back(text: str) -> None:
    found = parse(ValueType.NUMBER, text)
    stored = Decimal(json.dumps(found))  # jsonb keeps a number's decimal digits
    assert json.loads(str(stored.quantize(1)) if stored < 2**63 else json.dumps(found)) == found


def test_errors_survive_pickling() -> None:
    error = pickle.loads(pickle.dumps(InvalidValue("invalid_date", "Invalid date")))
    assert (error.code, error.reason) == ("invalid_date", "Invalid date")


def test_libraries_are_loaded_only_when_needed() -> None:
    code = (
        "import sys; from profiles.values import parsers as v, types as t; "
        "v.parser(t.ValueType.PHONE, t.ValueOptions())('5046218927'); "
        "v.parser(t.ValueType.EMAIL, t.ValueOptions())('a@b.co'); "
        "print([m for m in ('phonenumbers', 'pycountry', 'email_validator', 'django') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize(("letters", "others"), [("MF", "ONP"), ("MFONP", "X")])
def test_at_39_at_64_the_options_say_which_genders_there_are(letters: str, others: str) -> None:
    options = ValueOptions(genders=letters)
    assert [parse(ValueType.GENDER, letter.lower(), options) for letter in letters] == list(letters)
    for letter in others:
        assert refused(ValueType.GENDER, letter, options).code == "invalid_gender"


@pytest.mark.parametrize("text", ["Y", "N", "y", " n "])
def test_at_65_at_67_yes_or_no(text: str) -> None:
    assert parse(ValueType.YES_NO, text) == text.strip().upper()


@pytest.mark.parametrize("text", ["maybe", "2", "yes", "true", "1"])
def test_at_65_at_67_what_is_neither(text: str) -> None:
    assert refused(ValueType.YES_NO, text).reason == "Invalid answer: Y or N expected"


@pytest.mark.parametrize("text", ["Graduate", "College", "School"])
def test_at_66_educations(text: str) -> None:
    assert parse(ValueType.EDUCATION, text) == parse(ValueType.EDUCATION, f" {text.upper()} ") == text
    assert refused(ValueType.EDUCATION, "PhD").code == "invalid_education"


def test_dt_15_marks_can_be_switched_off() -> None:
    assert parse(ValueType.DATE, "$D_1487576752") == "2017-02-20"
    options = ValueOptions(marked_seconds=False)
    assert refused(ValueType.DATE, "$D_1487576752", options).code == "invalid_date"
    assert refused(ValueType.DATETIME, "$D_1487576752", options).code == "invalid_datetime"
