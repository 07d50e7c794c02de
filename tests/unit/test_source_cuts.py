"""A file may be read in pieces of any size and cut at any row: the rows, numbers and lines stay the same (RP-10)."""

import csv
import gzip
import io
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.files.batches import Batch, Position
from imports.files.csv_reader import Dialect, parse_plain, parse_quoted
from imports.files.errors import Limits, Refusal, SourceError
from imports.files.format import Format
from imports.files.source import Source

Row = tuple[int, int, list[str]]

LINE_BREAKS = st.sampled_from(["\n", "\r\n", "\r"])
CELL = st.text(alphabet='ab ,;"\n\ré漢🙂\u2028\x0b', max_size=6)
PLAIN_CELL = st.text(alphabet="ab é漢🙂\u2028\x0b", max_size=6)


def quoted(cell: str) -> str:
    if not cell or cell[0] == '"' or set(cell) & set(",\r\n"):
        return '"' + cell.replace('"', '""') + '"'
    return cell


@st.composite
def tables(draw: st.DrawFn, cells: st.SearchStrategy[str] = CELL) -> str:
    """The text of a CSV: mixed line breaks, empty lines, quoted line breaks, ragged rows, no last break."""
    lines = draw(st.lists(st.one_of(st.just([]), st.lists(cells, min_size=1, max_size=3)), max_size=25))
    lines = [["email", "name"], ["x", "y"], *lines]
    text = "".join(",".join(map(quoted, line)) + draw(LINE_BREAKS) for line in lines)
    return text if draw(st.booleans()) else text.rstrip("\r\n")


class Dribble(io.BytesIO):
    """A file that gives a few bytes at a time, so that pieces end anywhere, also inside a character."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self.most if size is None or size < 0 else min(size, self.most))


def told_by_csv(text: str) -> list[Row]:
    """The data rows by the csv module alone, one at a time."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    found: list[tuple[int, list[str]]] = []
    before = 0
    for cells in reader:
        if cells:
            found.append((before + 1, cells))
        before = reader.line_num
    return [(number, line, cells) for number, (line, cells) in enumerate(found[1:], start=1)]


def flat(batches: Iterator[Batch]) -> list[Row]:
    found: list[Row] = []
    for batch in batches:
        found += zip(batch.numbers, batch.lines, batch.rows, strict=True)
        found += [(row.number, row.line, row.cells) for row in batch.ragged]
    return sorted(found)


def open_source(data: bytes, encoding: str, container: str = "plain", most: int = 1 << 20) -> Source:
    found = Format.from_json({"container": container, "encoding": encoding, "delimiter": ","})
    return Source.reopen(Dribble(data, most), found, Limits())


@given(tables(), st.integers(1, 40), st.integers(1, 7))
def test_pieces_and_batches_of_any_size_give_the_rows_of_the_csv_module(text: str, most: int, size: int):
    batches = list(open_source(text.encode(), "utf-8", most=most).batches(size=size))
    assert flat(iter(batches)) == told_by_csv(text)
    assert all(len(batch.rows) + len(batch.ragged) == size for batch in batches[:-1])
    assert [len(row) for batch in batches for row in batch.rows] == [2] * sum(len(batch.rows) for batch in batches)


@given(st.text(alphabet='a,"\n\r', max_size=30), st.integers(1, 40))
def test_quotes_that_do_not_fit_are_refused_exactly_where_the_csv_module_is_strict(text: str, most: int):
    text = "email,name\nx,y\n" + text
    source = open_source(text.encode(), "utf-8", most=most)
    try:
        told = told_by_csv(text)
    except csv.Error:
        with pytest.raises(SourceError) as refusal:
            list(source.batches(size=1))
        assert refusal.value.code in (Refusal.UNCLOSED_QUOTE, Refusal.TEXT_AFTER_QUOTE)
        assert refusal.value.line is not None
        assert '"' in text.splitlines()[refusal.value.line - 1]
    else:
        assert flat(source.batches()) == told


def check_cuts(source: Source, cuts: list[int]) -> None:
    """Cut behind the rows that `cuts` name, read each part by itself and put the parts together."""
    whole = flat(source.batches())
    ends = {batch.end.row: batch.end for batch in source.batches(size=1)}
    bounds: list[Position | None] = [None, *(ends[cut] for cut in sorted(set(cuts)) if cut in ends), None]
    parts: list[Row] = []
    for start, stop in pairwise(bounds):
        parts += flat(source.batches(start, stop, size=3))
    assert parts == whole


@given(tables(), st.lists(st.integers(1, 27), max_size=4), st.sampled_from(["utf-8", "gb18030"]))
def test_any_cut_of_a_plain_file_gives_the_rows_of_the_whole(text: str, cuts: list[int], encoding: str):
    check_cuts(open_source(text.encode(encoding), encoding), cuts)


@given(tables(), st.lists(st.integers(1, 27), max_size=4), st.sampled_from(["utf-8", "utf-16-le", "utf-32-be"]))
def test_any_cut_of_a_packed_or_transcoded_file_gives_the_rows_of_the_whole(text: str, cuts: list[int], encoding: str):
    packed = gzip.compress(("\ufeff" + text).encode(encoding), compresslevel=1)
    check_cuts(open_source(packed, encoding, "gzip", most=50), cuts)


@given(tables(), st.lists(st.integers(1, 27), max_size=3))
def test_positions_of_a_plain_file_are_bytes_of_the_file(text: str, cuts: list[int]):
    data = b"\xef\xbb\xbf" + text.encode()
    source = open_source(data, "utf-8")
    for batch in source.batches(size=2):
        rows = told_by_csv(data[: batch.end.offset].decode("utf-8-sig"))
        assert len(rows) == batch.end.row
        assert batch.end.line == len(data[: batch.end.offset].splitlines())


@given(tables(PLAIN_CELL.filter(bool)), st.booleans())
def test_the_direct_way_gives_the_rows_of_the_csv_module(text: str, last: bool):
    data = text.encode()
    dialect = Dialect("utf-8", ",", Limits())
    plain = parse_plain(data, dialect, 7)
    by_csv, unfinished = parse_quoted(data.splitlines(keepends=True), dialect, 7, last)
    assert unfinished == b""
    assert (plain.rows, list(plain.starts), list(plain.ends), plain.lengths) == (
        by_csv.rows,
        list(by_csv.starts),
        list(by_csv.ends),
        by_csv.lengths,
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_transcoded_file_is_not_splittable_and_still_starts_anywhere(encoding: str):
    source = open_source(("a,b\n" + "é,漢\n" * 9).encode(encoding), encoding)
    assert not source.format.splittable
    third = next(iter(source.batches(size=3))).end
    assert [number for number, _, _ in flat(source.batches(third))] == [4, 5, 6, 7, 8, 9]


def test_iterations_over_one_file_do_not_disturb_each_other():
    source = open_source(("a,b\n" + "x,y\n" * 100).encode(), "utf-8", most=16)
    pairs = list(zip(source.batches(size=1), source.batches(size=1), strict=True))
    assert len(pairs) == 100
    assert all(one == other for one, other in pairs)
