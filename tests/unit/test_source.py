"""What is read as a table, what is refused and why, and the limits (FF-02..FF-09, FF-20, D-11)."""

import gzip
import io
import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.files.containers import Container
from imports.files.errors import Limits, Refusal, SourceError
from imports.files.format import Format
from imports.files.source import Source
from tests.made_files import PEOPLE, detect, read_or_refused, refused, rows, workbook, zipped


class TestFormat:
    def test_it_survives_being_stored(self):
        found = detect(PEOPLE).format
        assert found == Format(Container.PLAIN, "utf-8", ",")
        assert Format.from_json(found.to_json()) == found
        assert all(type(value) is str for value in found.to_json().values())

    @pytest.mark.parametrize(
        ("data", "splittable"),
        [
            (PEOPLE, True),
            ("prénom,email\nHélène,h@example.org\n".encode("cp1252"), True),
            (PEOPLE.decode().encode("utf-16"), False),
            (gzip.compress(PEOPLE), False),
            (zipped({"people.csv": PEOPLE}), False),
            (workbook([["email"], ["ana@example.org"]]), False),
        ],
        ids=["utf-8", "cp1252", "utf-16", "gzip", "zip", "xlsx"],
    )
    def test_only_plain_files_that_keep_ascii_are_splittable(self, data: bytes, splittable: bool):
        assert detect(data).format.splittable is splittable


class TestEncoding:
    def test_a_letter_at_the_far_end_decides(self):
        far = b"email,name\n" + b"ana@example.org,Ana\n" * 60_000
        assert detect(far + "zoe@example.org,Zoë\n".encode()).format.encoding == "utf-8"
        legacy = detect(far + "helene@example.org,Hélène\nfrancois@example.org,François\n".encode("cp1252"))
        assert legacy.format.encoding == "cp1252"
        assert rows(legacy)[-1] == ["francois@example.org", "François"]

    def test_a_chosen_encoding_wins(self):
        data = "email,name\nivan@example.org,Иван\n".encode("koi8-r")
        assert rows(detect(data, encoding="KOI8-R"))[0][1] == "Иван"
        assert detect(PEOPLE, encoding="latin-1").format.encoding == "iso8859-1"
        assert detect(PEOPLE.decode().encode("utf-16"), encoding="utf-16").format.encoding == "utf-16-le"

    @pytest.mark.parametrize("name", ["UTF-8", "utf8", "utf-8-sig", "ascii"])
    def test_a_chosen_utf_8_has_one_name(self, name: str):
        assert detect(b"\xef\xbb\xbf" + PEOPLE, encoding=name).format.encoding == "utf-8"

    def test_bytes_that_the_chosen_encoding_does_not_know_refuse_the_file_naming_the_line(self):
        error = refused("identity,name\n1,a\n2,é\n".encode("cp1252"), encoding="utf-8")
        assert (error.code, error.line) == (Refusal.UNREADABLE_TEXT, 3)
        assert "not UTF-8 at line 3" in error.message

    @pytest.mark.parametrize("line_break", [b"\n", b"\r\n", b"\r"])
    def test_the_line_of_an_unreadable_byte_is_counted_by_any_line_break(self, line_break: bytes):
        lines = [b"identity,name", *[b"1,a"] * 200_000, b"2,\xff"]
        assert refused(line_break.join(lines), encoding="utf-8").line == 200_002

    @pytest.mark.parametrize("name", ["klingon", "rot13", "base64", "utf-7", "unicode_escape", "", "a\0b"])
    def test_an_encoding_that_is_none_is_refused(self, name: str):
        assert refused(PEOPLE, encoding=name).code == Refusal.UNKNOWN_ENCODING

    def test_bytes_that_change_behind_our_back_are_refused_with_their_line(self):
        found = Format(Container.PLAIN, "utf-8", ",")
        for data in (b"a,b\nx,y\n\xff,z\n", b'a,b\n"x",y\n\xff,z\n'):
            with pytest.raises(SourceError) as error:
                list(Source.reopen(io.BytesIO(data), found, Limits()).batches())
            assert (error.value.code, error.value.line) == (Refusal.UNREADABLE_TEXT, 3)


class TestDelimiter:
    def test_a_chosen_delimiter_wins(self):
        assert detect(b"email;name\na@example.org;A\n", delimiter=",").header() == ["email;name"]
        assert detect(b"email^name\na@example.org^A\n", delimiter="^").header() == ["email", "name"]

    @pytest.mark.parametrize("delimiter", ["", ",,", '"', "\n", "a", "1", " ", "."])
    def test_what_cannot_be_a_delimiter_is_refused(self, delimiter: str):
        assert refused(PEOPLE, delimiter=delimiter).code == Refusal.UNKNOWN_DELIMITER

    def test_the_records_decide_where_the_header_has_two_marks(self):
        assert detect(b"name;x,title\nAna,Dr\nBob,Mr\n").format.delimiter == ","
        assert detect(b"name,x;title\nAna;Dr\nBob;Mr\n").format.delimiter == ";"

    def test_ragged_rows_do_not_hide_the_delimiter(self):
        assert detect(b"a;b;c\n1;2;3\n1;2\n1;2;3;4\n1,0;2;3\n").format.delimiter == ";"


class TestRows:
    def test_a_ragged_row_tells_what_was_expected_and_found(self):
        (ragged,) = next(detect(b"a,b,c\n1,2,3\n1,x,y,z\n").batches()).ragged
        assert ragged.reason == "Malformed row: expected 3 values, found 4"
        assert (ragged.number, ragged.line, ragged.cells) == (2, 3, ["1", "x", "y", "z"])

    def test_a_header_without_data_rows_is_refused(self):
        assert refused(b"identity,Name\n").message.startswith("The file has no data rows")

    def test_cells_are_passed_on_as_they_are(self):
        assert rows(detect(b'a,b\n x ," y"\n\t,\xc2\xa0\n')) == [[" x ", " y"], ["\t", "\xa0"]]

    def test_an_unclosed_quote_is_found_wherever_the_file_ends(self):
        filler = b"ana@example.org,Ana\n" * 100_000
        error = refused(b"email,name\n" + filler + b'bob@example.org,"Bob\n' + filler)
        assert (error.code, error.line) == (Refusal.UNCLOSED_QUOTE, 100_002)

    def test_quotes_that_do_not_fit_name_the_line_where_the_cell_opens_and_where_it_breaks(self):
        error = refused(b'a,b\n1,"fine\nstill fine"\n2,"open\n3,x\n4,"y"\n')
        assert (error.code, error.line) == (Refusal.UNCLOSED_QUOTE, 4)
        assert "line 4" in error.message
        assert "line 6" in error.message


class TestLimits:
    def test_the_size_limit_is_inclusive(self):
        assert detect(PEOPLE, Limits(max_bytes=len(PEOPLE)))
        error = refused(PEOPLE, Limits(max_bytes=len(PEOPLE) - 1))
        assert error.code == Refusal.TOO_LARGE
        assert f"{len(PEOPLE) - 1} bytes" in error.message

    def test_the_limit_is_named_in_megabytes_where_it_is_whole(self):
        assert "50 MB" in refused(b"a,b\n" + b"x,y\n" * (13 * 1024**2 + 1), Limits(max_bytes=50 * 1024**2)).message

    def test_a_thousand_columns_are_allowed_and_no_more(self):
        wide = b",".join(b"c%d" % number for number in range(1000)) + b"\n" + b"," * 999 + b"\n"
        assert len(detect(wide).header()) == 1000
        assert refused(b"c," + wide).code == Refusal.TOO_MANY_COLUMNS
        assert len(detect(b"why," + wide, Limits(uncounted_header="why")).header()) == 1001

    @pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped({"people.csv": data})], ids=["gzip", "zip"])
    def test_the_unpacked_size_and_ratio_are_limited(self, pack: Callable[[bytes], bytes]):
        big = PEOPLE + bytes(random.Random(1).choices(b"abcdefgh,", k=100_000)).replace(b",", b",x\n") + b"a,b\n"
        assert detect(pack(big), Limits(max_unpacked_bytes=len(big)))
        assert refused(pack(big), Limits(max_unpacked_bytes=len(big) - 1)).code == Refusal.UNPACKED_TOO_LARGE
        flat = PEOPLE + b"ana@example.org,Ana\n" * 60_000
        assert refused(pack(flat)).code == Refusal.RATIO_TOO_HIGH
        assert detect(pack(flat), Limits(max_ratio=1000))

    def test_a_small_file_may_be_packed_as_tightly_as_it_likes(self):
        assert detect(gzip.compress(PEOPLE + b"ana@example.org,Ana\n" * 40_000))

    @pytest.mark.parametrize("cell", [b"x", b'"x"', "é".encode(), b'"x\n"'])
    def test_the_size_of_a_cell_is_limited_in_bytes(self, cell: bytes):
        letter = cell.strip(b'"')
        fits, over = (cell.replace(letter, letter * (size // len(letter))) for size in (1000, 1002))
        limits = Limits(max_cell_bytes=1000)
        assert detect(b"a,b\n1," + fits + b"\n", limits)
        error = refused(b"a,b\n1,y\n2," + over + b"\n3,z\n", limits)
        assert (error.code, error.line) == (Refusal.CELL_TOO_LARGE, 3)

    def test_a_cell_as_large_as_the_limit_is_read_across_pieces(self):
        for cell in (b"x" * 1024**2, b'"' + b"x\n" * 512 * 1024 + b'"'):
            ((_, text),) = rows(detect(b"a,b\n1," + cell + b"\n"))
            assert len(text) == 1024**2
        assert refused(b"a,b\n1," + b"x" * (1024**2 + 1) + b"\n").code == Refusal.CELL_TOO_LARGE
        assert refused(b'a,b\n1,"' + b"x" * (1024**2 + 1) + b'"\n').code == Refusal.CELL_TOO_LARGE

    def test_a_file_without_line_breaks_does_not_fill_the_memory(self):
        error = refused(b"a,b\n" + b"x," * 5 * 1024**2)
        assert (error.code, error.line) == (Refusal.ROW_TOO_LARGE, 2)

    def test_memory_stays_flat_whatever_the_size(self):
        peaks = []
        for count in (4_000, 20_000):
            source = detect(b"email,note\n" + (b'ana@example.org,"' + b"x" * 1000 + b'"\n') * count)
            tracemalloc.start()
            for _ in source.batches():
                pass
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        assert peaks[1] < peaks[0] * 1.2


@given(st.one_of(st.binary(max_size=60), st.text(alphabet='a,;|\t"\n\r\0{<%P\ufeffé', max_size=60).map(str.encode)))
def test_any_bytes_are_a_table_or_refused_with_a_sentence(data: bytes):
    read_or_refused(data)
    read_or_refused(b"email,name\n" + data)


CSV_ONLY = Limits(csv_only=True)


class TestCsvOnly:
    """FF-02 and FF-07 where nothing but CSV in UTF-8 with commas is taken."""

    @pytest.mark.parametrize(
        "data",
        [
            workbook([["email"], ["ana@example.org"]]),
            gzip.compress(PEOPLE),
            zipped({"people.csv": PEOPLE}),
            zipped({"people.csv": PEOPLE})[:40],
            b"%PDF-1.7\n",
            b"<html><body>",
            b'{"a": 1}',
            b"email,name\n" + bytes(range(32)) * 9,
        ],
        ids=["xlsx", "gzip", "zip", "damaged", "pdf", "html", "json", "binary"],
    )
    def test_other_files_are_refused_by_content_whatever_their_name(self, data: bytes):
        error = refused(data, limits=CSV_ONLY)
        assert error.code is Refusal.NOT_CSV
        assert error.message.startswith("The file is not a CSV: it seems to be ")
        assert "xlsx and upload" not in error.message

    def test_they_are_refused_at_once(self):
        for data in (workbook([["email"], ["ana@example.org"]]), gzip.compress(PEOPLE), b"%PDF-1.7\n"):
            with pytest.raises(SourceError) as caught:
                Source.check_first_bytes(io.BytesIO(data), "people.csv", CSV_ONLY)
            assert caught.value.code is Refusal.NOT_CSV

    def test_bytes_that_are_not_utf_8_are_refused_naming_the_line(self):
        error = refused("identity,name\n1,a\n2,é\n".encode("cp1252"), limits=CSV_ONLY, encoding="cp1252")
        assert (error.code, error.line) == (Refusal.UNREADABLE_TEXT, 3)
        assert error.message == "The text is not UTF-8 at line 3. Save the file as UTF-8."

    def test_the_delimiter_is_a_comma(self):
        source = detect(b"a;b\n1;2\n", limits=CSV_ONLY, delimiter=";")
        assert (source.header(), source.format.delimiter) == (["a;b"], ",")
        assert detect(b'\xef\xbb\xbfa,b\n1,"2,3"\n', limits=CSV_ONLY).header() == ["a", "b"]

    def test_a_glance_detects_no_more(self):
        source = Source.detect_from_sample(io.BytesIO(b"a;b\n1;2\n"), "people.csv", CSV_ONLY)
        assert source is not None
        assert source.format == Format(Container.PLAIN, "utf-8", ",")
        assert Source.detect_from_sample(io.BytesIO(gzip.compress(PEOPLE)), "people.csv", CSV_ONLY) is None

    @pytest.mark.parametrize(
        ("found", "kind"),
        [
            (Format(Container.PLAIN, "utf-8", ","), ""),
            (Format(Container.PLAIN, "utf-8", ";"), "a table with “;” between its values"),
            (Format(Container.PLAIN, "cp1252", ","), "text in cp1252"),
            (Format(Container.XLSX, "", ""), "an Excel workbook"),
        ],
    )
    def test_a_file_that_was_read_otherwise_is_told_apart(self, found: Format, kind: str):
        assert found.kind == kind
