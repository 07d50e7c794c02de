"""No formula in what is written as CSV, and every text comes back as it was (design rule 9)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imports.mapping import headers
from imports.mapping.column_mapping import Column
from imports.presets import STANDARD
from imports.rows.cells import ColumnReader
from profiles.schema import Definition
from profiles.values.formula_escapes import escape, escape_cell, may_be_escaped, unescape
from profiles.values.types import ValueType

texts = st.text("'=+-@\t\r a1", max_size=6)


@given(texts)
@example("''=x")
@example("'\t")
def test_a_text_comes_back_as_it_was(text: str):
    assert unescape(escape(text)) == text
    assert may_be_escaped([escape(text)]) or escape(text) == text


@given(texts)
def test_what_is_written_is_no_formula(text: str):
    assert not escape(text).startswith(("=", "+", "-", "@", "\t", "\r")) or text.isspace()


@given(texts)
def test_a_cell_of_a_file_is_read_again_as_it_was(cell: str):
    assert unescape(escape_cell(cell)) == unescape(cell)
    assert escape_cell(escape_cell(cell)) == escape_cell(cell)


@pytest.mark.parametrize("text", ["O'Brien", "'quoted'", "'", "", "a=b", "'' ", "'n Beetje"])
def test_other_texts_stay_as_they_are(text: str):
    assert escape(text) == unescape(text) == text


@pytest.mark.parametrize(("text", "written"), [("+49 (30) 1-2", "+49 (30) 1-2"), ("-5.5", "-5.5"), ("=5", "'=5")])
def test_numbers_and_phones_stay_as_they_are_and_formulas_among_them_do_not(text: str, written: str):
    assert escape(text, is_number=True) == written
    assert escape(text) == f"'{text}"


def test_a_header_is_read_as_it_was_meant():
    assert [header.name for header in headers.parse_header_row(["'=sum", " '+a <dd/MM/yyyy> ", "'b'"])] == [
        "=sum",
        "+a",
        "'b'",
    ]


@pytest.mark.parametrize(
    ("value_type", "cell", "value"),
    [
        (ValueType.TEXT, "'=1+1", "=1+1"),
        (ValueType.TEXT, "''=1+1", "'=1+1"),
        (ValueType.TEXT, "O'Brien", "O'Brien"),
        (ValueType.TEXT, "'\t", "'\t"),
        (ValueType.INTEGER, "'-5", -5),
        (ValueType.PHONE, "'+4930123456", "+4930123456"),
        (ValueType.EMAIL, "'+ann@x.co", "+ann@x.co"),
    ],
)
@pytest.mark.parametrize("identifier", [False, True])
def test_a_cell_is_read_as_it_was_meant(value_type: ValueType, cell: str, value: object, identifier: bool):
    reader = ColumnReader(Column(0, "a", Definition("a", "a", value_type, identifier=identifier)), STANDARD.options)
    read = reader.read([cell, "'=bad", ""])
    if read.values is None:  # each is its own value
        assert (cell, read.has(cell)) == (value, True)
    elif not (identifier and cell == "'\t"):  # which identifiers have no white space around
        assert read.values[cell] == value
    assert read.blank == {""}
    assert read.bad.keys() == (set() if value_type is ValueType.TEXT else {"'=bad"})
