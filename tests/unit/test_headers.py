"""Header texts: date suffixes, forbidden characters, blank and repeated ones (HI-04, HI-06, HI-36, D-12, DT-10)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imports.mapping.headers import FORBIDDEN_CHARACTERS, PROBLEM_HEADER, Header, HeaderError, parse_header_row
from profiles.values.dates import KNOWN_FORMATS


def only(text: str) -> Header:
    (header,) = parse_header_row([text])
    return header


def refused(*texts: str) -> HeaderError:
    with pytest.raises(HeaderError) as error:
        parse_header_row(texts)
    return error.value


def test_positions_count_from_one():
    assert [(header.position, header.name) for header in parse_header_row(["email", "name"])] == [
        (1, "email"),
        (2, "name"),
    ]


def test_white_space_around_headers_and_the_mark_of_the_first_are_stripped():
    assert [
        header.text for header in parse_header_row(["\ufeffidentity ", " MSG-email", "Customer Type\t", "\xa0city"])
    ] == [
        "identity",
        "MSG-email",
        "Customer Type",
        "city",
    ]


def test_inner_spaces_hyphens_underscores_and_digits_stay():  # HI-08, AT-70
    for text in ("MSG-email", "Customer Type", "user_set_1", "two  spaces", "9", "имя"):
        assert (only(text).name, only(text).forbidden) == (text, "")


@pytest.mark.parametrize("date_format", sorted(KNOWN_FORMATS))
@pytest.mark.parametrize("space", ["", " ", "   "])
def test_a_known_date_format_is_taken_off_the_name(date_format: str, space: str):
    header = only(f" purchase date{space}<{date_format}> ")
    assert (header.name, header.date_format, header.unknown_format) == ("purchase date", date_format, None)
    assert header.text == f"purchase date{space}<{date_format}>"
    assert header.forbidden == ""


def test_each_pattern_of_the_documents_is_known_with_and_without_its_time():
    for day in ("dd/MM/yyyy", "MM/dd/yyyy", "yyyy/dd/MM", "yyyy/MM/dd", "dd MMM yyyy"):
        assert only(f"at<{day} HH:mm:ss>").date_format == f"{day} HH:mm:ss"
        assert only(f"at<{day}>").date_format == day
    for unix in ("Unix time", "UNIX", "unix"):
        assert only(f"at<{unix}>").date_format == unix


@pytest.mark.parametrize("date_format", ["DD/MM/YYYY HH:mm:ss", "yyyy-MM-dd", "unix time", "dd/MM/yyyy hh:mm:ss", "10"])
def test_capitals_matter_and_an_unknown_format_is_kept_apart(date_format: str):
    header = only(f"bought <{date_format}>")
    assert (header.name, header.date_format, header.unknown_format) == ("bought", None, date_format)


@pytest.mark.parametrize("character", FORBIDDEN_CHARACTERS)
def test_each_of_the_fourteen_characters_is_found_in_a_name(character: str):
    assert only(f"a{character}b").forbidden == character
    assert only(f"{character}a").forbidden == character


def test_there_are_fourteen_forbidden_characters():
    assert len(set(FORBIDDEN_CHARACTERS)) == len(FORBIDDEN_CHARACTERS) == 14


def test_forbidden_characters_are_named_once_in_their_order():
    assert only("$a.b$c#").forbidden == "$.#"


def test_forbidden_characters_are_looked_for_behind_the_date_suffix_only():
    assert only("a.b<dd/MM/yyyy HH:mm:ss>").forbidden == "."
    assert only("at<hh:mm>").forbidden == ""


@pytest.mark.parametrize("text", ["a<b", "a>b", "<dd/MM/yyyy", "a<>", "a< >", "a<dd/MM/yyyy> x"])
def test_what_only_looks_like_a_suffix_stays_in_the_name(text: str):
    header = only(text)
    assert header.date_format is None
    assert set(header.forbidden) & set("<>")


def test_it_refuses_blank_headers_naming_their_columns():
    assert refused("identity", "", "Name").code == "blank_header"
    assert refused("identity", "", "Name").message == "Column 2 has no header. Give every column a name."
    assert refused("\ufeff", "a", " \t", "b", "").message.startswith("Columns 1, 3 and 5 have no header.")


def test_it_refuses_a_date_format_without_a_name():
    for text in ("<dd/MM/yyyy>", "  < dd/MM/yyyy > ", "\ufeff<dd/MM/yyyy>"):
        error = refused(text, "email")
        assert error.code == "blank_header"
        assert error.message == (
            "Column 1 has a date format, <dd/MM/yyyy>, but no name before it. "
            "Write the name first, such as: birthday <dd/MM/yyyy>."
        )
    assert refused("email", "<img>", "<b>").message.startswith("Columns 2 and 3 have date formats, <img>, <b>, but no")


def test_each_column_without_a_name_is_told_with_what_it_has():
    message = refused("", "<img>", "\u3164").message
    assert "Column 1 has no header." in message
    assert "Column 2 has a date format, <img>," in message
    assert "Column 3 has a header without visible characters." in message


@pytest.mark.parametrize("text", ["\u200bemail", "\u200femail \u200e", "\ufeff\ufeffemail", "\u202aemail\u202c"])
def test_marks_that_nobody_sees_are_taken_off_the_ends(text: str):
    assert parse_header_row(["city", text])[1].text == "email"


@pytest.mark.parametrize("text", ["\u2061", "\u2800", "\u3164", "\u3164<dd/MM/yyyy>", "\x07", "\u200d\u200c"])
def test_it_refuses_a_header_of_which_nothing_can_be_seen(text: str):
    assert refused("email", text).message.startswith("Column 2 has a header without visible characters.")


@pytest.mark.parametrize("text", ["\u200b", "\u00ad", "\u200e \u200f", "\u2060\ufeff"])
def test_marks_alone_are_no_header(text: str):
    assert refused("email", text).message.startswith("Column 2 has no header.")


@pytest.mark.parametrize("text", ['""', "''", "$D_", ".properties.", "name.properties.", "-", "👩‍👧", "< >", "<>"])
def test_odd_names_that_can_be_seen_are_names(text: str):
    assert (only(text).name, only(text).unknown_format) == (text, None)


def test_of_very_many_columns_without_a_header_the_first_are_named():
    assert refused(*[""] * 1_000).message.startswith("Columns 1, 2, 3,")
    assert "29, 30 and 970 more have no header." in refused(*[""] * 1_000).message


@pytest.mark.parametrize("text", ["x" * 10_000, "a" + " " * 50_000 + "b", "a<" + "x" * 10_000 + ">", "<" * 10_000])
def test_a_very_long_header_is_refused_in_a_short_sentence(text: str):
    error = refused("email", text)
    assert error.code == "long_header"
    assert len(error.message) < 200


def test_it_refuses_repeated_headers_naming_their_columns():
    error = refused("identity", "Name", "city", " Name ")
    assert error.code == "repeated_header"
    assert error.message == "Columns 2 and 4 have the same header “Name”. Rename or remove all but one."


def test_one_name_with_and_without_a_date_format_is_a_repeated_header():
    assert refused("DOB", "DOB <dd/MM/yyyy>").code == "repeated_header"


def test_headers_that_differ_in_capitals_are_two():
    assert [header.name for header in parse_header_row(["Name", "name"])] == ["Name", "name"]


def test_a_name_may_take_120_bytes_of_utf8_and_no_more():
    assert only("x" * 120).name == "x" * 120
    assert only("é" * 60 + "<dd/MM/yyyy>").date_format == "dd/MM/yyyy"
    for text in ("x" * 121, "é" * 61):
        error = refused("email", text)
        assert error.code == "long_header"
        assert "column 2" in error.message


def test_it_refuses_a_nul_character():
    assert refused("email", "a\0b").code == "nul_character"


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_header_row_is_read_or_refused(texts: list[str]):
    try:
        headers = parse_header_row(texts)
    except HeaderError:
        return
    assert [header.position for header in headers] == list(range(1, len(texts) + 1))
    assert len({header.name for header in headers}) == len(headers)
    assert all(header.name == header.name.strip() != "" for header in headers)


def test_without_formats_angle_brackets_are_part_of_the_name():
    (header,) = parse_header_row(["at <dd/MM/yyyy>"], bracket_dates=False)
    assert (header.name, header.date_format, header.unknown_format) == ("at <dd/MM/yyyy>", None, None)
    assert [header.name for header in parse_header_row(["a", "a<dd/MM/yyyy>"], bracket_dates=False)] == [
        "a",
        "a<dd/MM/yyyy>",
    ]


@pytest.mark.parametrize("name", ["trip.properties.to", "trip booked.properties.a.b", "v1.2.properties.x"])
def test_the_dots_of_an_events_property_are_not_forbidden(name: str):
    assert only(name).forbidden == ""


@pytest.mark.parametrize("name", ["properties.to", "a.properties.", ".properties.to", "a.b", "a.property.b"])
def test_other_dots_are(name: str):
    assert only(name).forbidden == "."


def test_rp_12_surplus_values_under_no_header_are_told_where_they_belong():
    with pytest.raises(HeaderError, match=r"Column 3 has no header.* into the columns that they belong to"):
        parse_header_row(["email", PROBLEM_HEADER, ""])
