"""The type of an undeclared column (D-21, AT-14..AT-22)."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.values import parsers
from profiles.values.type_inference import TypeInference
from profiles.values.types import Value, ValueOptions, ValueType

quick = settings(max_examples=150, deadline=None)

typed = st.sampled_from(["12", "3.5", "0130", "true", "2019-11-20", "2019-11-20T18:38:57Z", "x"])
numberish = st.text(alphabet="0123456789+-.eE ", max_size=25)
dateish = st.text(alphabet="0123456789-/:.TZ+ $D_", max_size=30)
filled = (st.text(max_size=60) | typed | numberish | dateish).filter(lambda text: not parsers.is_blank(text))


def parse(value_type: ValueType, text: str) -> Value:
    return parsers.parser(value_type, ValueOptions())(text)


def guess(*texts: str) -> tuple[ValueType, bool]:
    column = TypeInference()
    column.add(texts)
    return column.type, column.is_mixed


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["true", "FALSE", "False"], ValueType.BOOLEAN),
        (["12", "0", "-7", "9223372036854775807", "-9223372036854775808"], ValueType.INTEGER),
        (["3.5", "-0.25", "0.10"], ValueType.NUMBER),
        (["12", "3.5"], ValueType.NUMBER),
        (["1980-12-21", "2024-02-29"], ValueType.DATE),
        (["2019-11-20T18:38:57Z", "2019-11-20T18:38:57", "2024-02-29T10:00:00+02:00"], ValueType.DATETIME),
        (["$D_1487576752"], ValueType.DATETIME),
        (["gold", "plan b"], ValueType.TEXT),
        ([" 12", "13 "], ValueType.INTEGER),
        ([], ValueType.TEXT),
    ],
)
def test_d_21_a_column_of_one_type(texts: list[str], expected: ValueType) -> None:
    assert guess(*texts) == (expected, False)


@pytest.mark.parametrize(
    "text",
    [
        "0130",
        "-0",
        "-0.0",
        "00.5",
        "+12",
        "1e3",
        "1E1000000",
        "NaN",
        "Infinity",
        "1,000",
        "1 000",
        "3,5",
        ".5",
        "5.",
        "9223372036854775808",
        "1" * 400,
        "0.1234567890123456",
        "1234567890.1234567",
        "١٢",
        "yes",
        "20/11/2019",
        "2023-W01-1",
        "2023-02-30",
        "504-621-8927",
        "['a','b']",
        "x" * 10_000,
    ],
)
def test_at_14_to_21_such_texts_stay_text(text: str) -> None:
    assert guess(text) == (ValueType.TEXT, False)
    assert guess("plain", text) == (ValueType.TEXT, False)


@pytest.mark.parametrize(
    "texts",
    [
        ["12", "abc", "true"],
        ["abc", "12"],
        ["08014", "70116"],
        ["1", "true"],
        ["3.5", "x"],
        ["1980-12-21", "2019-11-20T18:38:57Z"],
        ["1980-12-21", "1980-02-30"],
        ["12", "9223372036854775808"],
    ],
)
def test_at_20_mixed_columns_are_text(texts: list[str]) -> None:
    assert guess(*texts) == (ValueType.TEXT, True)


def test_the_guess_looks_at_every_batch() -> None:
    column = TypeInference()
    for start in range(0, 10_000, 2000):
        column.add({str(number) for number in range(start, start + 2000)})
    assert (column.type, column.is_mixed) == (ValueType.INTEGER, False)
    column.add(["0.5"])
    assert (column.type, column.is_mixed) == (ValueType.NUMBER, False)
    column.add(["1", "0130"])
    assert (column.type, column.is_mixed) == (ValueType.TEXT, True)


@quick
@given(st.lists(filled, max_size=8))
def test_batches_make_no_difference_and_no_value_is_lost(texts: list[str]) -> None:
    whole, single = TypeInference(), TypeInference()
    whole.add(texts)
    for text in reversed(texts):
        single.add([text])
    assert (whole.type, whole.is_mixed) == (single.type, single.is_mixed)
    if whole.type is not ValueType.TEXT:
        for text in texts:
            parse(whole.type, text)


@quick
@given(st.lists(st.floats(-1e6, 1e6).map(lambda number: f"{number:.6f}"), min_size=1, max_size=5))
def test_a_number_of_fifteen_digits_keeps_its_digits(texts: list[str]) -> None:
    for text in texts:
        if guess(text)[0] is ValueType.NUMBER:
            assert f"{parse(ValueType.NUMBER, text):.6f}" == text


def test_quick_tests_never_take_what_the_close_look_refuses() -> None:
    tricky = ["-0", "-0.5", "-0.0", "0", "00", "01.5", "0.5", "1.5", "1" * 18, "1" * 19, "1" * 20, "1234567.12345678"]
    for first, second in pairwise(tricky * 2):
        one, other = TypeInference(), TypeInference()
        one.add([first])
        one.add([second])
        other.add([second, first])
        assert (one.type, one.is_mixed) == (other.type, other.is_mixed)


def test_there_is_no_white_space_beyond_what_may_begin_a_typed_text() -> None:
    assert not any(map(str.isspace, map(chr, range(0x3001, sys.maxunicode + 1))))


@pytest.mark.parametrize("text", ["\u30007", " 7", "\u00852001-02-03", "\ttrue"])
def test_white_space_before_a_typed_text_does_not_make_it_text(text: str) -> None:
    assert guess("some text", text) == (ValueType.TEXT, True)


def test_marks_are_moments_beside_others_and_alone() -> None:
    marks = TypeInference()
    marks.add(["$D_1487576752", "$D_0"])
    assert (marks.type, marks.is_mixed) == (ValueType.DATETIME, False)
    assert marks.type_given(iso=False, marked=True) is ValueType.DATETIME
    assert marks.type_given(iso=True, marked=False) is ValueType.TEXT
    marks.add(["2023-12-25T10:00:00Z"])
    assert (marks.type, marks.is_mixed) == (ValueType.DATETIME, False)
    assert marks.type_given(iso=False, marked=True) is ValueType.TEXT


def test_other_types_have_nothing_to_do_with_dates() -> None:
    for text, type_ in (("12", ValueType.INTEGER), ("1.5", ValueType.NUMBER), ("true", ValueType.BOOLEAN)):
        guess = TypeInference()
        guess.add([text])
        assert guess.type_given(iso=False, marked=False) is type_
