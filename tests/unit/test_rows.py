"""Cells into values or problems: the order of checks, lists, blanks, and what a row is looked up by (PS-27, HI-35)."""

from typing import Any

import orjson
import pytest

from imports.files.batches import Batch, Position
from imports.mapping.column_mapping import Column
from imports.presets import OnInvalid, Options
from imports.rows.profile_rows import RowChecker
from imports.rows.results import CheckedRows, Problem
from profiles.schema import Definition
from profiles.values.types import ValueType

EMAIL = Definition("email", "Email", ValueType.EMAIL, multi_valued=True, identifier=True)
PHONE = Definition("phone", "Phone", ValueType.PHONE, multi_valued=True, identifier=True)
NAME = Definition("first_name", "First name", ValueType.TEXT)
AGE = Definition("age", "Age", ValueType.INTEGER)
TIER = Definition("tier", "Tier", ValueType.TEXT, mandatory=True)
EXTERNAL = Definition("external_id", "External ID", ValueType.TEXT, identifier=True)
LABEL = Definition("alias_label", "Alias label", ValueType.TEXT, identifier=True)
ALIAS = Definition("alias_name", "Alias name", ValueType.TEXT, identifier=True)
BORN = Definition("born", "Born", ValueType.DATETIME)


def checked(
    rows: list[list[str]], *definitions: Definition, identifier: str = "email", **options: Any
) -> tuple[CheckedRows, list[Problem]]:
    columns = [Column(i, f"column {i + 1}", definition) for i, definition in enumerate(definitions)]
    return check(columns, rows, identifier, **options)


def check(
    columns: list[Column], rows: list[list[str]], identifier: str, **options: Any
) -> tuple[CheckedRows, list[Problem]]:
    numbers = list(range(1, len(rows) + 1))
    batch = Batch(numbers, [number + 1 for number in numbers], rows, [], Position(0, len(rows) + 1, len(rows)))
    return RowChecker(columns, identifier, Options(**options)).check(batch)


def documents(good: CheckedRows) -> list[dict[str, Any]]:
    return [orjson.loads(text) for text in good.documents]


def codes(problems: list[Problem]) -> list[tuple[int, str, bool]]:
    return [(problem.row, problem.code, problem.warning) for problem in problems]


def test_values_come_by_key_and_blanks_not_at_all():  # AT-04
    good, problems = checked([["a@x.co", "Ann", "7"], ["b@x.co", " ", ""]], EMAIL, NAME, AGE)
    assert documents(good) == [{"email": ["a@x.co"], "first_name": "Ann", "age": 7}, {"email": ["b@x.co"]}]
    assert problems == []


def test_text_keeps_its_spaces_and_identifiers_lose_theirs():
    good, _ = checked([[" A@x.co ", " Ann "]], EMAIL, NAME)
    assert documents(good) == [{"email": ["A@x.co"], "first_name": " Ann "}]
    assert good.keys == [("email", "a@x.co")]


def test_several_columns_make_one_list_without_repetition():
    good, _ = checked([["a@x.co", "+1 555 0100 20", "1555010020"]], EMAIL, PHONE, PHONE)
    assert documents(good)[0]["phone"] == ["+1555010020"]
    assert orjson.loads(good.links[0]) == [["email", "a@x.co"], ["phone", "1555010020"]]


def test_a_row_is_looked_up_by_the_first_value_that_is_not_blank():
    good, _ = checked([["", "b@x.co"], ["a@x.co", "b@x.co"]], EMAIL, EMAIL)
    assert good.keys == [("email", "b@x.co"), ("email", "a@x.co")]
    assert good.ties == [[], [("email", "b@x.co")]]


def test_automatic_tries_the_identifiers_in_their_order():
    rows = [["", "a@x.co", "+15550100"], ["e1", "a@x.co", ""], ["", "", "+15550100"]]
    good, _ = checked(rows, EXTERNAL, EMAIL, PHONE, identifier="automatic")
    assert good.keys == [("email", "a@x.co"), ("external_id", "e1"), ("phone", "15550100")]


@pytest.mark.parametrize("identifier", ["email", "automatic"])
def test_a_blank_identifier_fails_the_row(identifier: str):
    good, problems = checked([["", "Ann"], ["a@x.co", "Bob"]], EMAIL, NAME, identifier=identifier)
    assert list(good.numbers) == [2]
    assert codes(problems) == [(1, "blank_identifier", False)]


def test_an_alias_is_looked_up_by_its_label_and_its_name_together():  # HI-18
    rows = [["crm", " 1 ", "a@x.co"], ["crm", '"2"', ""]]
    good, problems = checked(rows, LABEL, ALIAS, EMAIL, identifier="alias")
    assert good.keys == [("alias", '["crm","1"]'), ("alias", '["crm","\\"2\\""]')]
    assert [orjson.loads(links) for links in good.links] == [
        [["email", "a@x.co"], ["alias", '["crm","1"]']],
        [["alias", '["crm","\\"2\\""]']],
    ]
    assert (good.ties, documents(good), problems) == (None, [{"email": ["a@x.co"]}, {}], [])


@pytest.mark.parametrize("identifier", ["alias", "email", "automatic"])
def test_half_an_alias_fails_the_row(identifier: str):  # HI-17
    rows = [["crm", " ", "a@x.co"], ["", "1", "b@x.co"], ["crm", "2", "c@x.co"]]
    good, problems = checked(rows, LABEL, ALIAS, EMAIL, identifier=identifier)
    assert good.numbers == [3]
    assert codes(problems) == [(1, "alias_incomplete", False), (2, "alias_incomplete", False)]
    assert [problem.column for problem in problems] == ["column 2", "column 1"]


def test_a_row_with_several_problems_tells_them_all_in_the_order_of_checks():
    _, problems = checked([["", "", "x"]], EMAIL, TIER, AGE)
    assert [problem.code for problem in problems] == ["blank_identifier", "missing_mandatory", "invalid_integer"]
    assert problems[1].reason == "Missing mandatory field: column 2"
    assert (problems[2].row, problems[2].line, problems[2].column, problems[2].value) == (1, 2, "column 3", "x")


def test_a_bad_value_fails_its_row_or_is_dropped_with_a_warning():
    rows = [["a@x.co", "seven"], ["b@x.co", "8"]]
    good, problems = checked(rows, EMAIL, AGE)
    assert (list(good.numbers), codes(problems)) == ([2], [(1, "invalid_integer", False)])
    good, problems = checked(rows, EMAIL, AGE, on_invalid_value=OnInvalid.DROP_VALUE)
    assert documents(good) == [{"email": ["a@x.co"]}, {"email": ["b@x.co"], "age": 8}]
    assert codes(problems) == [(1, "invalid_integer", True)]


def test_a_malformed_value_of_the_selected_identifier_always_fails_the_row():
    good, problems = checked([["nobody", "7"]], EMAIL, AGE, on_invalid_value=OnInvalid.DROP_VALUE)
    assert (list(good.numbers), codes(problems)) == ([], [(1, "invalid_email", False)])


def test_automatic_passes_over_a_malformed_identifier_that_is_dropped():
    rows = [["nobody", "+15550100"], ["nobody", ""]]
    good, problems = checked(rows, EMAIL, PHONE, identifier="automatic", on_invalid_value=OnInvalid.DROP_VALUE)
    assert good.keys == [("phone", "15550100")]
    assert codes(problems) == [(1, "invalid_email", True), (2, "blank_identifier", False), (2, "invalid_email", True)]
    assert problems[1].reason == "The identifier is not valid: correct column 1 or column 2"


def test_a_bad_date_under_a_declared_format_stays_text():
    columns = [Column(0, "email", EMAIL), Column(1, "born<dd/MM/yyyy>", BORN, "dd/MM/yyyy")]
    good, problems = check(columns, [["a@x.co", "12/25/2023"], ["b@x.co", "25/12/2023"]], "email")
    assert [values["born"] for values in documents(good)] == ["12/25/2023", "2023-12-25T12:00:00Z"]
    assert codes(problems) == [(1, "invalid_datetime", True)]


def test_a_text_too_long_or_with_a_nul_fails_its_row():
    good, problems = checked([["a@x.co", "é" * 257], ["b@x.co", "a\0b"], ["c@x.co", "é" * 256]], EMAIL, NAME)
    assert list(good.numbers) == [3]
    assert codes(problems) == [(1, "too_long", False), (2, "nul_character", False)]


def test_a_file_of_identifiers_alone_brings_no_values():
    good, _ = checked([["e1"], ["e2"]], EXTERNAL, identifier="external_id")
    assert (documents(good), good.keys) == ([{}, {}], [("external_id", "e1"), ("external_id", "e2")])


GENDER = Definition("gender", "Gender", ValueType.GENDER, mandatory=True)
SESSION = Definition("date_of_first_session", "First session", ValueType.DATETIME)
EMPLOYED = Definition("employed", "Employed", ValueType.YES_NO)
OBJECT = Definition("object_id", "Object ID", ValueType.TEXT, identifier=True)


def test_at_39_nil_is_no_gender_and_not_a_bad_one():
    good, problems = checked([["a@x.co", "nil"], ["b@x.co", " NIL "]], EMAIL, GENDER, enforce_mandatory=False)
    assert (documents(good), problems) == ([{"email": ["a@x.co"]}, {"email": ["b@x.co"]}], [])
    _, problems = checked([["a@x.co", "nil"]], EMAIL, GENDER)
    assert [problem.reason for problem in problems] == ["Missing mandatory field: column 2"]
    _, problems = checked([["a@x.co", "nil"]], EMAIL, GENDER, genders="MF")
    assert [problem.reason for problem in problems] == ["Invalid gender: M or F expected"]


@pytest.mark.parametrize(
    "text",
    ["undefined", "NULL", "na", "N/A", "0", "nil", "-1", "Infinity", "-inf", "NaN", "-nan", "none", "xxxxxx", " Null "],
)
def test_hi_13_placeholders_are_no_identities(text: str):
    good, problems = checked([[text], ["e1"]], EXTERNAL, identifier="external_id", refuse_placeholders=True)
    assert (good.keys, codes(problems)) == ([("external_id", "e1")], [(1, "placeholder", False)])
    good, problems = checked([[text]], EXTERNAL, identifier="external_id")
    assert (good.keys, problems) == ([("external_id", text.strip())], [])


def test_hi_13_other_identities_are_taken_up_to_1024():
    rows = [["x" * 1024], ["x" * 1025], ["nullable"], ["00"], ["xxxxx"]]
    good, problems = checked(rows, EXTERNAL, identifier="external_id", refuse_placeholders=True)
    assert (list(good.numbers), codes(problems)) == ([1, 3, 4, 5], [(2, "too_long", False)])


def test_published_codes_take_the_place_of_ours():
    rows = [["null", "maybe", "a@x.co"], ["e1", "y", "a"], ["", "y", ""]]
    _, problems = checked(
        rows, EXTERNAL, EMPLOYED, EMAIL, identifier="external_id", refuse_placeholders=True, published_codes=True
    )
    assert [problem.code for problem in problems] == ["523", "517", "515", "523"]
    _, problems = checked([["x" * 65]], OBJECT, identifier="object_id", published_codes=True)
    assert [problem.code for problem in problems] == ["526"]


@pytest.mark.parametrize(("text", "taken"), [("2019-11-20T18:38:57", True), ("2019-11-20T18:38:57+02:00", False)])
def test_dt_12_session_dates_have_four_shapes(text: str, taken: bool):
    _, problems = checked([["a@x.co", text]], EMAIL, SESSION, exact_session_dates=True)
    assert bool(problems) is not taken
    assert checked([["a@x.co", text]], EMAIL, SESSION)[1] == []
    assert checked([["a@x.co", text]], EMAIL, BORN, exact_session_dates=True)[1] == []


def test_dt_07_a_date_that_cannot_be_read_stays_text_where_the_option_says_so():
    good, problems = checked([["a@x.co", "25-12-2023"]], EMAIL, BORN, other_dates_stay_text=True)
    assert documents(good)[0]["born"] == "25-12-2023"
    assert codes(problems) == [(1, "invalid_datetime", True)]


def test_dt_10_under_an_unknown_format_a_date_stays_text():
    columns = [Column(0, "email", EMAIL), Column(1, "born<DD/MM/YYYY>", BORN, unknown_format=True)]
    good, problems = check(columns, [["a@x.co", "25/12/2023"]], "email")
    assert documents(good)[0]["born"] == "25/12/2023"
    assert codes(problems) == [(1, "invalid_datetime", True)]
