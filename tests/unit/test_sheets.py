"""Which sheet of a workbook is read, and by what names sheets are known (FF-02)."""

import io
import json

import pytest

from imports.files.containers import Container
from imports.files.errors import Limits, Refusal
from imports.files.format import Format
from imports.files.source import Source
from tests.made_files import PEOPLE, detect, edited, refused, rows, workbook_of

HOSTILE = [
    "x" * 31,
    "it's",
    '"people"',
    "<script>alert(1)</script>"[:25],
    "مشتریان",
    "\u202epeople",
    "🙂 people",
    "  people",
    "people ",
    "-- x; DROP",
    "%s {0} $(rm)",
    "--sheet",
]
BOOK = workbook_of(
    {
        "hidden": [["secret"], ["1"]],
        "cover": [["title"], ["May"]],
        "people": [["email", "name"], ["ann@x.co", "Ann"]],
        "deep": [["secret"], ["2"]],
    },
    hidden=["hidden"],
    very_hidden=["deep"],
)


def named(name: str) -> bytes:
    """A workbook whose second sheet has any name, also one that no spreadsheet program would give it."""
    text = "".join(f"&#{ord(letter)};" for letter in name).encode()
    return edited(BOOK, "xl/workbook.xml", b'name="people"', b'name="' + text + b'"')


def test_without_a_choice_the_first_sheet_of_cells_that_is_shown_is_read():
    source = detect(BOOK)
    assert (source.sheets, source.format.sheet, rows(source)) == (["cover", "people"], "cover", [["May"]])


def test_the_chosen_sheet_is_read_and_read_again_from_the_stored_form():
    source = detect(BOOK, sheet="people")
    assert rows(source) == [["ann@x.co", "Ann"]]
    stored = json.loads(json.dumps(source.format.to_json()))
    again = Source.reopen(io.BytesIO(BOOK), Format.from_json(stored), Limits())
    assert (again.header(), rows(again)) == (["email", "name"], [["ann@x.co", "Ann"]])
    (batch,) = again.batches()
    assert [each.rows for each in again.batches(stop=batch.end)] == [batch.rows]
    assert not [more for more in again.batches(start=batch.end) if more.rows]


def test_a_form_that_an_earlier_release_stored_means_the_first_sheet():
    stored = {"container": "xlsx", "encoding": "", "delimiter": ""}
    assert Format.from_json(stored) == Format(Container.XLSX, "", "")
    assert rows(Source.reopen(io.BytesIO(BOOK), Format.from_json(stored), Limits())) == [["May"]]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_sheet_of_any_name_can_be_chosen(name: str):
    found = detect(named(name), sheet=name)
    assert (found.sheets, found.format.sheet, rows(found)) == (["cover", name], name, [["ann@x.co", "Ann"]])


def test_a_name_of_any_length_is_cut_and_a_blank_one_has_a_stand_in():
    (_, long) = detect(named("🙂" * 50_000)).sheets
    assert long == "🙂" * 100
    assert rows(detect(named("🙂" * 50_000), sheet=long)) == [["ann@x.co", "Ann"]]
    assert rows(detect(named(""), sheet="(no name)")) == [["ann@x.co", "Ann"]]


def test_names_that_differ_in_case_only_are_two_sheets_and_of_one_name_the_first_is_read():
    book = named("COVER")
    assert [rows(detect(book, sheet=name)) for name in ("cover", "COVER")] == [[["May"]], [["ann@x.co", "Ann"]]]
    assert detect(named("cover")).sheets == ["cover"]


@pytest.mark.parametrize("name", ["hidden", "deep", "chart", "People", "x" * 300_000, "\u202ex", "\ud800"])
def test_a_sheet_that_is_not_shown_is_refused_with_those_that_are(name: str):
    error = refused(BOOK, sheet=name)
    assert error.code == Refusal.UNKNOWN_SHEET
    assert error.message.endswith("Choose one of: “cover”, “people”.")
    assert len(error.message) < 200


def test_of_very_many_sheets_all_can_be_chosen_and_a_sentence_names_the_first():
    book = workbook_of({f"s{number}": [["email"], [f"p{number}@x.co"]] for number in range(200)})
    assert rows(detect(book, sheet="s199")) == [["p199@x.co"]]
    assert refused(book, sheet="none").message.endswith("“s8”, “s9” and 190 more.")


@pytest.mark.parametrize(
    ("cells", "reason"),
    [([], "The sheet “cover” is empty."), ([["email"]], "The sheet “cover” has no data rows.")],
    ids=["empty", "no rows"],
)
def test_a_first_sheet_that_is_no_table_is_refused_with_the_others(cells: list[list[str]], reason: str):
    book = workbook_of({"cover": cells, "people": [["email"], ["ann@x.co"]]})
    told = refused(book).message
    assert told.startswith(reason)
    assert told.endswith("To import another one, choose it or move it to the front of the workbook: “people”.")
    assert (
        "another one" not in refused(workbook_of({"people": [["email"], ["a"]], "cover": cells}), sheet="cover").message
    )
    assert rows(detect(book, sheet="people")) == [["ann@x.co"]]


def test_a_sheet_of_a_file_that_is_no_workbook_is_refused():
    error = refused(PEOPLE, sheet="people")
    assert (error.code, "is not an Excel workbook and has no sheet “people”" in error.message) == (
        "unknown_sheet",
        True,
    )
    assert Source.detect_from_sample(io.BytesIO(PEOPLE), "people.csv", Limits()) is not None


def test_where_only_csv_is_taken_nothing_is_chosen():
    assert len(rows(detect(PEOPLE, Limits(csv_only=True), sheet="people"))) == 2
    assert "an Excel workbook" in refused(BOOK, Limits(csv_only=True), sheet="people").message
