"""A file that is read in parts gives what reading it whole gives, or one of its parts cannot be read."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.files.column_statistics import ScanResult, scan
from imports.files.errors import Limits, SourceError
from imports.files.source import Source
from profiles.values.types import ValueType
from tests.unit.test_source_cuts import PLAIN_CELL, flat, tables, told_by_csv


def in_parts(source: Source, size: int) -> ScanResult:
    ends = source.split_offsets(size)
    parts = [scan(source, first, last) for first, last in zip([0, *ends], ends, strict=False)]
    stored = [ScanResult.from_json(part.to_json()) for part in parts]
    for part in stored[1:]:
        stored[0].join(part)
    return stored[0]


def detect_from_sample(data: bytes) -> Source | None:
    return Source.detect_from_sample(io.BytesIO(data), "people.csv", Limits())


@given(tables(), st.integers(1, 40))
def test_parts_that_can_be_read_are_the_whole(text: str, size: int):
    data = text.encode()
    source = detect_from_sample(data)
    if source is None:
        return
    try:
        found = in_parts(source, size)
    except SourceError:
        assert '"' in text, "only quotes can hide where a row ends"
        return
    whole = scan(Source.detect(io.BytesIO(data), "people.csv", Limits()))
    assert found.to_json() | {"positions": [], "lines": 0} == whole.to_json() | {"positions": [], "lines": 0}
    assert set(whole.positions) <= set(found.positions)
    assert found.lines == len(data.splitlines())


@given(tables(PLAIN_CELL), st.integers(1, 40))
def test_staging_may_begin_at_each_position_of_the_parts(text: str, size: int):
    text = text.replace('"', "")
    source = detect_from_sample(text.encode())
    if source is None:
        return
    rows = told_by_csv(text)
    for position in in_parts(source, size).positions:
        assert flat(source.batches(position)) == rows[position.row :]


def test_a_line_break_in_a_cell_makes_the_part_before_it_unreadable():
    data = b"name,city\n" + b'ann,"a\nb"\n' * 3
    source = detect_from_sample(data)
    assert source is not None
    assert source.split_offsets(13) == [27, 37, 40]
    with pytest.raises(SourceError):
        scan(source, 0, 27)


def test_types_and_samples_come_from_all_parts():
    source = detect_from_sample(b"a,b\n" + b"1,x\n" * 5 + b"2.5,3\n" * 5)
    assert source is not None
    found = in_parts(source, 8)
    assert [column.guess.type for column in found.columns] == [ValueType.NUMBER, ValueType.TEXT]
    assert [column.guess.is_mixed for column in found.columns] == [False, True]
    assert [column.samples for column in found.columns] == [["1", "2.5"], ["x", "3"]]
    assert [column.filled for column in found.columns] == [10, 10]


@pytest.mark.parametrize(
    "data",
    [b"\x1f\x8b\x08", "name\nMüller\n".encode("cp1252"), "name\nann\n".encode("utf-16"), b"%PDF-1.7\n", b"", b"\n"],
    ids=["gzip", "another encoding", "utf-16", "pdf", "nothing", "a blank line"],
)
def test_what_is_not_plainly_utf_8_is_not_read_in_parts(data: bytes):
    assert detect_from_sample(data) is None
