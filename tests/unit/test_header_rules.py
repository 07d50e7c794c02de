"""What the options make of a header row (HI-01..HI-07, D-12, DT-07, DT-10, AT-19, FF-19)."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.mapping import header_rules, headers
from imports.mapping.headers import FORBIDDEN_CHARACTERS, HeaderError
from imports.presets import BRAZE, CLEVERTAP, EXPERTFLOW, STANDARD, ForbiddenCharacters, Options, Preset

ALL = [STANDARD, CLEVERTAP, EXPERTFLOW, BRAZE]


@dataclass
class Column:
    """A column of a file whose values were seen."""

    header: str
    position: int = 1
    name: str = ""
    date_format: str = ""
    statistics: Any = field(default_factory=dict)


def faults(preset: Preset, *texts: str) -> list[tuple[str, str]]:
    return [(fault.code, fault.column) for fault in header_rules.faults(texts, preset.options)]


def findings(preset: Preset, *texts: str, **more: bool) -> list[str]:
    columns = [Column(text, position) for position, text in enumerate(texts, 1)]
    return [found.code for found in header_rules.findings(columns, preset.options, **more)]


def read(preset: Preset, header: str, *seen: str) -> tuple[str, str, str]:
    column = Column(header, statistics={"seen": list(seen)})
    header_rules.apply_headers([column], preset.options)
    return column.name, column.date_format, column.statistics["type"]


@pytest.mark.parametrize("character", FORBIDDEN_CHARACTERS)
def test_hi_06_each_character_is_rejected_warned_of_or_allowed(character: str):
    row = ["identity", f"a{character}b"]
    assert faults(CLEVERTAP, *row) == [("forbidden_character", f"a{character}b")]
    assert [faults(preset, *row) for preset in (STANDARD, EXPERTFLOW, BRAZE)] == [[], [], []]
    assert [findings(preset, *row) for preset in ALL] == [["forbidden_character"], [], [], []]


def test_hi_06_all_headers_are_named_at_once():
    (fault,) = header_rules.faults(["identity", "$erial", "ok", "a.b#"], CLEVERTAP.options)
    assert fault.reason == (
        "Headers contain forbidden characters: $ in “$erial” (column 2), . and # in “a.b#” (column 4). "
        "Rename the columns, or choose another preset."
    )


def test_hi_06_of_very_many_headers_the_first_are_named():
    (fault,) = header_rules.faults(["identity", *(f"a.{n}" for n in range(100))], CLEVERTAP.options)
    assert "“a.29” (column 31) and 70 more headers" in fault.reason


def test_d_12_the_date_format_is_not_tested():
    assert faults(CLEVERTAP, "identity", "purchase date<dd/MM/yyyy HH:mm:ss>", "MSG-email", "user_set_1") == []


@pytest.mark.parametrize("row", [["Name", "Email"], ["first_name", "city"]])
def test_hi_01_an_identity_is_compulsory(row: list[str]):
    (fault,) = header_rules.faults(row, CLEVERTAP.options)
    assert (fault.code, "identity or objectId column is required" in fault.reason) == ("identity_column_missing", True)
    assert [faults(preset, *row) for preset in (STANDARD, EXPERTFLOW, BRAZE)] == [[], [], []]


@pytest.mark.parametrize(
    ("text", "exact"), [("Identity", "identity"), ("IDENTITY", "identity"), ("ObjectID", "objectId")]
)
def test_hi_02_the_spelling_is_exact_and_told(text: str, exact: str):
    (fault,) = header_rules.faults([text, "Name"], CLEVERTAP.options)
    assert (fault.code, f"must be written exactly “{exact}”" in fault.reason) == ("identity_misspelled", True)
    assert faults(CLEVERTAP, exact, "Name") == []
    assert faults(STANDARD, text, "Name") == []


@pytest.mark.parametrize("identity", ["identity", "objectId", "external_id", "braze_id", "Appboy ID"])
def test_hi_03_the_identity_comes_first(identity: str):
    assert faults(CLEVERTAP, "Name", identity) == [("identity_not_first", identity)]
    assert faults(CLEVERTAP, identity, "Name") == []
    assert faults(BRAZE, "Name", identity) == []


def test_hi_03_one_identity_comes_before_the_other():
    assert faults(CLEVERTAP, "objectId", "identity") == faults(CLEVERTAP, "identity", "objectId") == []


@pytest.mark.parametrize("header", ["email;plan", "email\tplan", "email|plan"])
def test_ff_07_another_delimiter_than_a_comma_is_told_where_only_commas_are_read(header: str):
    assert [faults(preset, header) for preset in (CLEVERTAP, EXPERTFLOW, BRAZE)] == [[("other_delimiter", "")]] * 3
    assert faults(STANDARD, header) == []
    assert faults(EXPERTFLOW, "email", "a;b") == []


@pytest.mark.parametrize("preset", ALL)
def test_hi_04_a_blank_header_is_refused_everywhere(preset: Preset):
    assert faults(preset, "identity", "", "Name") == [("blank_header", "")]


def test_everything_wrong_is_told_at_once():
    with pytest.raises(HeaderError) as caught:
        header_rules.check(["a.b", "identity"], CLEVERTAP.options)
    assert "must be the first one" in caught.value.message
    assert "“a.b”" in caught.value.message


def test_dt_10_a_header_declares_a_format_where_formats_are_known():
    header = "at <dd/MM/yyyy>"
    assert read(CLEVERTAP, header, "text")[:2] == read(STANDARD, header, "text")[:2] == ("at", "dd/MM/yyyy")
    assert read(BRAZE, header, "text")[:2] == read(EXPERTFLOW, header, "text")[:2] == (header, "")


def test_dt_07_dt_10_under_an_unknown_format_values_are_text():
    assert read(CLEVERTAP, "at<yyyy-MM-dd>", "date") == ("at", "", "text")
    assert read(STANDARD, "at<DD/MM/YYYY HH:mm:ss>", "date") == ("at", "", "text")
    assert findings(CLEVERTAP, "identity", "at<DD/MM/YYYY HH:mm:ss>") == ["unknown_date_format"]
    assert findings(BRAZE, "at<DD/MM/YYYY HH:mm:ss>") == []
    column = Column("at<DD/MM/YYYY>")
    assert "write dd/MM/yyyy" in header_rules.findings([column], STANDARD.options)[0].reason


@pytest.mark.parametrize(
    ("preset", "types"),
    [
        (STANDARD, ["date", "datetime", "datetime", "datetime"]),
        (CLEVERTAP, ["text", "text", "datetime", "text"]),
        (EXPERTFLOW, ["date", "datetime", "text", "text"]),
        (BRAZE, ["date", "datetime", "text", "text"]),
    ],
)
def test_d_14_which_undeclared_dates_there_are(preset: Preset, types: list[str]):
    seen = [["date"], ["datetime"], ["marked"], ["datetime", "marked"]]
    assert [read(preset, "at", *shapes)[2] for shapes in seen] == types


def test_ff_19_a_file_of_events_is_noticed_unless_it_is_to_be_one():
    row = ["external_id", "time", "trip.properties.to"]
    assert findings(BRAZE, *row) == ["looks_like_events"]
    assert findings(BRAZE, *row, events=True) == []
    assert findings(BRAZE, "external_id", "time") == findings(BRAZE, "trip.properties.to") == []


@pytest.mark.parametrize("header", ["push_tokens", "Push Tokens", "push_token"])
def test_at_19_push_tokens_are_noticed(header: str):
    assert findings(STANDARD, "email", header) == ["push_tokens"]


@given(
    st.lists(st.text(max_size=8) | st.sampled_from(["identity", "Identity", "objectId", "a<b>", "x.y"]), max_size=5),
    st.sampled_from(ALL),
)
def test_a_header_row_passes_exactly_where_nothing_is_wrong(texts: list[str], preset: Preset):
    if header_rules.faults(texts, preset.options):
        with pytest.raises(HeaderError):
            header_rules.check(texts, preset.options)
        return
    row = header_rules.check(texts, preset.options)
    assert len(row) == len(texts)
    assert preset is not CLEVERTAP or row[0].name in header_rules.IDENTITIES


@given(st.lists(st.text(max_size=6), max_size=4))
def test_warned_of_is_what_others_reject(texts: list[str]):
    try:
        headers.parse_header_row(texts)
    except HeaderError:
        return
    rejected = header_rules.faults(texts, Options(forbidden_characters=ForbiddenCharacters.REJECT))
    columns = [Column(text, position) for position, text in enumerate(texts, 1)]
    warned = header_rules.findings(columns, Options())
    assert bool(rejected) is any(found.code == "forbidden_character" for found in warned)
