"""A row's values as JSON, put together by column."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imports.mapping.column_mapping import Column
from imports.presets import STANDARD
from imports.rows.cells import ColumnReader, build_documents, string_fragment
from profiles.schema import Definition
from profiles.values.types import ValueType

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('"\\\n\x7f%{}'), max_size=12)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
@example([('say "hi"', "\x7f"), ("\\n\x7f", "100 %"), ("", "a\tb")])
def test_any_text_comes_out_of_the_json_as_it_went_in(rows: list[tuple[str, str]]):
    columns = list(zip(*rows, strict=True))
    fields = [string_fragment(column, None, f'"{key}":', "") for key, column in zip("ab", columns, strict=True)]
    for row, document in zip(rows, build_documents("{", fields, "}"), strict=True):
        assert json.loads(document) == {key: text for key, text in zip("ab", row, strict=True) if text}


@pytest.mark.parametrize(
    ("value_type", "column", "expected"),
    [
        (ValueType.INTEGER, ["7", "+12", "", "x", "007"], [7, 12, None, None, 7]),
        (ValueType.NUMBER, ["1.5", "2.0", "1e3", ""], [1.5, 2, 1000, None]),
        (ValueType.BOOLEAN, ["true", "0", " "], [True, False, None]),
        (ValueType.INTEGER, ["", "x"], [None, None]),
    ],
)
def test_numbers_and_booleans_are_none_of_them_strings(
    value_type: ValueType, column: list[str], expected: list[object]
):
    reader = ColumnReader(Column(0, "a", Definition("a", "a", value_type)), STANDARD.options)
    field = reader.field(column, reader.read(column), '"a":', "")
    found = [json.loads(document).get("a") for document in build_documents("{", [field], "}")]
    assert [(value, type(value)) for value in found] == [(value, type(value)) for value in expected]
