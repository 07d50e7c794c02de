"""Packed files and workbooks: read, or refused without harm, whatever they say of themselves (FF-02)."""

import gzip
import zipfile
from datetime import time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imports.files.errors import Limits, Refusal
from imports.files.xlsx_process import cell_text
from tests.made_files import PEOPLE, detect, edited, read_or_refused, refused, rows, workbook, zipped

ARCHIVES = {
    "gzip": gzip.compress(PEOPLE),
    "zip": zipped({"people.csv": PEOPLE}),
    "xlsx": workbook([["email", "name"], ["ana@example.org", 1.5], ["bob@example.org", True]]),
}
VALUES = {
    0: "0", 3: "3", -7: "-7", 2.5: "2.5", 1e15: "1000000000000000", 1e20: "100000000000000000000", 1e22: "1e+22",
    0.1: "0.1", "08014": "08014", "=1+1 ": "=1+1 ", True: "true",
}  # fmt: skip


class TestArchives:
    def test_a_stored_file_in_a_zip_is_read(self):
        assert len(rows(detect(zipped({"people.csv": PEOPLE}, zipfile.ZIP_STORED)))) == 2

    def test_another_method_than_deflate_is_refused(self):
        assert refused(zipped({"people.csv": PEOPLE}, zipfile.ZIP_BZIP2)).code == Refusal.ARCHIVE_DAMAGED

    def test_several_files_are_named(self):
        message = refused(zipped({f"{name}.csv": PEOPLE for name in "abcd"})).message
        assert "4 files (a.csv, b.csv, c.csv, …)" in message

    def test_padding_behind_a_gzip_is_allowed_and_other_bytes_are_not(self):
        assert len(rows(detect(gzip.compress(PEOPLE) + bytes(1000)))) == 2
        assert refused(gzip.compress(PEOPLE) + b"more").code == Refusal.ARCHIVE_DAMAGED

    @given(st.sampled_from(["gzip", "zip", "xlsx"]), st.data())
    def test_a_damaged_archive_is_read_or_refused_but_never_breaks(self, kind: str, data: st.DataObject):
        packed = bytearray(ARCHIVES[kind])
        for _ in range(data.draw(st.integers(1, 3))):
            packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.sampled_from([len(packed), len(packed) // 2, len(packed) - 5]))
        read_or_refused(bytes(packed[:cut]))


class TestWorkbooks:
    def test_numbers_and_booleans_become_plain_text(self):
        cells: list[list[object]] = [["email", "value"], *([str(number), value] for number, value in enumerate(VALUES))]
        assert [value for _, value in rows(detect(workbook(cells)))] == list(VALUES.values())

    def test_times_and_durations_become_plain_text(self):
        assert cell_text(time(12, 30)) == "12:30:00"
        assert cell_text(timedelta(hours=30, seconds=5)) == "30:00:05"

    def test_the_unpacked_size_of_a_workbook_is_limited(self):
        assert refused(ARCHIVES["xlsx"], Limits(max_unpacked_bytes=1000)).code == Refusal.UNPACKED_TOO_LARGE

    def test_the_rows_of_a_workbook_are_limited(self):
        sheet = workbook([["email"], *([f"p{number}@example.org"] for number in range(5))])
        assert len(rows(detect(sheet, Limits(max_xlsx_rows=5)))) == 5
        error = refused(sheet, Limits(max_xlsx_rows=4))
        assert (error.code, error.line) == (Refusal.TOO_MANY_ROWS, 6)

    def test_a_workbook_that_lies_about_its_texts_does_not_end_this_process(self):
        lie = edited(ARCHIVES["xlsx"], "xl/sharedStrings.xml", b'uniqueCount="4"', b'uniqueCount="4294967296"')
        assert refused(lie).code == Refusal.SHEET_TOO_LARGE

    def test_a_workbook_that_is_no_workbook_inside_is_refused(self):
        broken = edited(ARCHIVES["xlsx"], "xl/worksheets/sheet1.xml", b"</sheetData>", b"</row>")
        assert refused(broken).code == Refusal.WORKBOOK_DAMAGED

    def test_the_size_of_a_cell_is_limited(self):
        error = refused(workbook([["email"], ["ok"], ["x" * 101]]), Limits(max_cell_bytes=100))
        assert (error.code, error.line) == (Refusal.CELL_TOO_LARGE, 3)

    def test_a_sheet_starts_and_stops_anywhere(self):
        source = detect(workbook([["email"], *([[f"p{n}"], []][n % 2] for n in range(20))]))
        first, second, *_ = list(source.batches(size=3))
        (part,) = source.batches(first.end, second.end)
        assert (part.numbers, part.lines) == ([4, 5, 6], [8, 10, 12])
