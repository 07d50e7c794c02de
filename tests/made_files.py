"""Small files made in memory, and what comes of them."""

import io
import zipfile
from collections.abc import Collection, Mapping, Sequence

import pytest
import xlsxwriter

from imports.files.errors import Limits, SourceError
from imports.files.format import FormatChoices
from imports.files.source import Source

PEOPLE = b"email,name\nana@example.org,Ana\nbob@example.org,Bob\n"


def detect(data: bytes, limits: Limits | None = None, **chosen: str | None) -> Source:
    return Source.detect(io.BytesIO(data), "people.csv", limits or Limits(), FormatChoices(**chosen))


def refused(data: bytes, limits: Limits | None = None, **chosen: str | None) -> SourceError:
    """The refusal of a file, on detection or while its rows are read."""
    with pytest.raises(SourceError) as error:
        list(detect(data, limits, **chosen).batches())
    return error.value


def rows(source: Source) -> list[list[str]]:
    return [row for batch in source.batches() for row in batch.rows]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def workbook(cells: Sequence[Sequence[object]]) -> bytes:
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    for number, row in enumerate(cells):
        sheet.write_row(number, 0, row)
    book.close()
    return packed.getvalue()


def workbook_of(
    sheets: Mapping[str, Sequence[Sequence[object]]], hidden: Collection[str] = (), very_hidden: Collection[str] = ()
) -> bytes:
    """A workbook of several sheets, some of them not shown, behind a sheet that is nothing but a chart."""
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    chart = book.add_chart({"type": "bar"})
    chart.add_series({"values": "=chart!$A$1:$A$2"})
    book.add_chartsheet("chart").set_chart(chart)
    for name, cells in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(cells):
            sheet.write_row(number, 0, row)
        if name in hidden:
            sheet.hide()
        if name in very_hidden:
            sheet.very_hidden()
    book.close()
    return packed.getvalue()


def edited(packed: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """A copy of a zip archive with one part changed."""
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    return zipped({**parts, part: parts[part].replace(old, new)})


def read_or_refused(data: bytes) -> None:
    try:
        assert rows(detect(data)) is not None
    except SourceError as error:
        place, _, remedy = error.message.partition(". ")
        if not (place and remedy):
            raise
