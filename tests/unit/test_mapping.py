"""Where columns go: suggestions, choices, and what keeps a mapping from being imported (requirements 5.4, 9)."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from imports.mapping import column_mapping, validation
from imports.mapping.column_mapping import Target
from imports.mapping.synonyms import NameResolver
from imports.presets import PRESETS, HeaderCase, Options, UnknownColumns
from profiles.schema import Definition, Schema
from profiles.values.types import ValueType

SCHEMA = Schema.of(
    [
        Definition("email", "Email", ValueType.EMAIL, multi_valued=True, identifier=True, built_in=True),
        Definition("phone", "Phone Number", ValueType.PHONE, multi_valued=True, identifier=True, built_in=True),
        Definition("first_name", "First name", ValueType.TEXT, built_in=True),
        Definition("home_city", "Home city", ValueType.TEXT, built_in=True),
        Definition("facebook", "Facebook", ValueType.TEXT, multi_valued=True, identifier=True, built_in=True),
        Definition("plan", "Plan", ValueType.TEXT),
    ]
)


@dataclass
class Column:
    """What the scan knows of a column."""

    header: str
    position: int = 1
    target_kind: str = Target.UNDECIDED
    target: str = ""
    type: str = ""
    date_format: str = ""
    suggested: bool = True
    statistics: Any = field(default_factory=lambda: {"type": "text"})
    name: str = ""

    def __post_init__(self) -> None:
        self.name = self.header.split("<")[0].strip()


def suggested(*headers: str, options: Options | None = None) -> dict[str, tuple[str, str]]:
    columns = [Column(header, position) for position, header in enumerate(headers, 1)]
    column_mapping.suggest(columns, SCHEMA, options or Options())
    return {column.header: (column.target_kind, column.target) for column in columns}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("email", "email"),
        ("Email", "email"),
        ("E-Mail", "email"),
        ("phoneNumber", "phone"),
        ("Phone Number", "phone"),
        ("firstName", "first_name"),
        ("FIRST NAME", "first_name"),
        ("city", "home_city"),
        ("FBID", "facebook"),
        ("plan", "plan"),
        ("Plan", "plan"),
    ],
)
def test_a_header_finds_its_attribute_by_spelling_case_or_synonym(header: str, key: str):  # MP-01
    assert suggested(header) == {header: (Target.ATTRIBUTE, key)}


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("external_id", "external_id"),
        ("identity", "external_id"),
        ("objectId", "object_id"),
        ("braze_id", "object_id"),
        ("Appboy ID", "object_id"),
        ("alias_name", "alias_name"),
        ("user_alias_name", "alias_name"),
        ("user_alias_label", "alias_label"),
    ],
)
def test_a_header_finds_a_persons_own_field(header: str, key: str):  # HI-20
    assert suggested(header) == {header: (Target.FIELD, key)}


def test_numbered_headers_make_one_list():
    assert suggested("phone1", "phone_2") == {
        "phone1": (Target.ATTRIBUTE, "phone"),
        "phone_2": (Target.ATTRIBUTE, "phone"),
    }


def test_an_exact_spelling_comes_before_one_alike():
    assert suggested("First Name", "first_name") == {
        "First Name": (Target.NEW, "First Name"),
        "first_name": (Target.ATTRIBUTE, "first_name"),
    }


def test_an_unknown_header_becomes_a_new_attribute_of_the_type_found():
    columns = [Column("age", statistics={"type": "integer"}), Column("born<dd/MM/yyyy>", date_format="dd/MM/yyyy")]
    column_mapping.suggest(columns, SCHEMA, Options())
    assert [(c.target_kind, c.target, c.type) for c in columns] == [
        (Target.NEW, "age", "integer"),
        (Target.NEW, "born", "datetime"),
    ]


def test_an_unknown_header_stays_undecided_where_a_mapping_is_required():
    options = Options(unknown_columns=UnknownColumns.REQUIRE_MAPPING)
    assert suggested("mobility", options=options) == {"mobility": (Target.UNDECIDED, "")}


MOBILE = [("standard", "phone"), ("clevertap", None), ("expertflow", None), ("braze", None)]


@pytest.mark.parametrize(("preset", "key"), MOBILE)
def test_what_is_only_guessed_is_taken_where_it_is_suggested_and_nowhere_else(preset: str, key: str | None):
    kind, target = suggested("mobile", options=PRESETS[preset].options)["mobile"]
    expected = Target.UNDECIDED if preset == "expertflow" else Target.NEW
    assert (kind, target) == ((Target.ATTRIBUTE, key) if key else (expected, "mobile" if expected == "new" else ""))


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_system_s_own_spelling_finds_what_it_is_a_spelling_of(preset):
    names = NameResolver(SCHEMA, preset.options)
    for key in ["external_id", "object_id", *SCHEMA.definitions]:
        spelled = preset.spelling(key)
        assert (names.find(spelled, exact=True) or names.find(spelled, exact=False)) == key


def test_where_spelling_counts_only_the_exact_one_is_a_built_in_attribute():
    options = Options(header_case=HeaderCase.EXACT, unknown_columns=UnknownColumns.CREATE)
    headers = "first_name", "First_name", "firstName", "Email", "external_id", "identity", "braze_id", "Appboy ID"
    found = suggested(*headers[:6], options=options) | suggested(headers[6], options=options)
    assert found == {
        "first_name": (Target.ATTRIBUTE, "first_name"), "First_name": (Target.NEW, "First_name"),
        "firstName": (Target.NEW, "firstName"), "Email": (Target.NEW, "Email"),
        "external_id": (Target.FIELD, "external_id"), "identity": (Target.NEW, "identity"),
        "braze_id": (Target.FIELD, "object_id"),
    }  # fmt: skip
    assert suggested("Appboy ID", options=options) == {"Appboy ID": (Target.FIELD, "object_id")}


def test_where_only_identifiers_count_as_spelled_all_else_may_be_alike():
    options = Options(header_case=HeaderCase.IDENTIFIERS_EXACT, unknown_columns=UnknownColumns.CREATE)
    assert suggested("identity", "Email", "PHONE", options=options) == {
        "identity": (Target.FIELD, "external_id"), "Email": (Target.ATTRIBUTE, "email"),
        "PHONE": (Target.ATTRIBUTE, "phone"),
    }  # fmt: skip
    for other in ("Identity", "IDENTITY", "objectID", "External ID"):
        assert suggested(other, options=options) == {other: (Target.NEW, other)}


def test_a_header_spelled_otherwise_is_noted_with_what_may_be_meant():
    columns = [mapped("First_name", "First_name", Target.NEW), mapped("shoe", "shoe", Target.NEW)]
    exact = Options(header_case=HeaderCase.EXACT)
    (note,) = validation.notes(columns, SCHEMA, exact)
    assert (note.code, note.column) == ("spelled_otherwise", "First_name")
    assert "if first_name is meant" in note.reason
    assert validation.notes([mapped("First_name", "first_name"), columns[1]], SCHEMA, exact) == []
    assert validation.notes(columns, SCHEMA, Options()) == []


def test_a_date_format_on_a_column_that_goes_to_no_date_is_noted():  # D-14
    column = mapped("plan <dd/MM/yyyy>", "plan")
    column.date_format = "dd/MM/yyyy"
    (note,) = validation.notes([column], SCHEMA, Options())
    assert (note.code, note.column) == ("format_not_used", "plan <dd/MM/yyyy>")
    assert "holds text: the date format in its header is not used" in note.reason
    column.target = "dob"
    assert validation.notes([column], SCHEMA, Options()) == []


def test_a_column_of_mixed_types_is_noted_where_it_becomes_text():  # AT-20
    column = mapped("shoe", "shoe", Target.NEW)
    column.type, column.statistics = "text", {"mixed": True}
    (note,) = validation.notes([column], SCHEMA, Options())
    assert (note.code, note.column) == ("mixed_types", "shoe")
    column.type = "integer"  # then its other values fail
    assert validation.notes([column], SCHEMA, Options()) == []
    assert validation.notes([mapped("shoe", "plan")], SCHEMA, Options()) == []


@pytest.mark.parametrize(
    ("headers", "key"),
    [
        (["identity", "external_id"], "external_id"),
        (["external_id", "identity"], "external_id"),
        (["objectId", "braze_id"], "object_id"),
        (["Appboy ID", "objectId"], "object_id"),
    ],
)
@pytest.mark.parametrize("preset", ["standard", "clevertap"])
def test_an_own_field_that_is_taken_is_no_new_attribute(preset: str, headers: list[str], key: str):  # HI-36
    columns = [Column(header, position) for position, header in enumerate(headers, 1)]
    column_mapping.suggest(columns, SCHEMA, PRESETS[preset].options)
    assert [c.target for c in columns] == [key, key]
    assert {fault.code for fault in validation.column_faults(columns, SCHEMA)} == {"target_twice"}


def test_where_headers_count_as_spelled_another_system_s_identifier_is_an_attribute():  # HI-37
    options = PRESETS["braze"].options
    assert suggested("external_id", "identity", options=options)["identity"] == (Target.NEW, "identity")


def faults(
    *columns: Column,
    identifier: str = "email",
    action: str = "update",
    schema: Schema = SCHEMA,
    options: Options | None = None,
) -> list[str]:
    return [fault.code for fault in validation.faults(identifier, action, columns, schema, options or Options())]


def mapped(header: str, target: str, kind: Target = Target.ATTRIBUTE) -> Column:
    return Column(header, target=target, target_kind=kind)


def test_the_selected_identifier_must_be_in_the_file():
    assert faults(mapped("plan", "plan")) == ["identifier_missing"]


def test_automatic_needs_one_of_its_identifiers():  # HI-14
    assert faults(mapped("phone", "phone"), identifier="automatic") == []
    assert faults(mapped("plan", "plan"), identifier="automatic") == ["identifier_missing"]


def test_an_attribute_that_nobody_is_found_by_is_no_identifier():
    assert faults(mapped("plan", "plan"), identifier="plan") == ["unknown_identifier"]


EMAIL, LABEL, NAME, EXTERNAL = (
    mapped("email", "email"),
    mapped("label", "alias_label", Target.FIELD),
    mapped("name", "alias_name", Target.FIELD),
    mapped("id", "external_id", Target.FIELD),
)


@pytest.mark.parametrize("half", [LABEL, NAME])
def test_an_alias_needs_both_of_its_columns(half: Column):  # HI-15, HI-17
    for identifier in ("alias", "email", "automatic"):
        assert faults(half, EMAIL, identifier=identifier) == ["alias_incomplete"]
        assert faults(LABEL, NAME, EMAIL, identifier=identifier) == []
    assert faults(EMAIL, identifier="alias") == ["identifier_missing"]


def test_external_ids_and_aliases_share_a_file_only_where_the_option_says_so():  # FF-18
    for identifier in ("alias", "external_id", "automatic"):
        assert faults(LABEL, NAME, EXTERNAL, identifier=identifier) == ["alias_with_external_id"]
        allowed = Options(alias_with_external_id=True)
        assert faults(LABEL, NAME, EXTERNAL, identifier=identifier, options=allowed) == []


def test_no_attribute_takes_the_name_that_stands_for_both_parts_of_an_alias():
    assert faults(EMAIL, mapped("alias", "alias", Target.NEW)) == ["reserved_name"]


@pytest.mark.parametrize("name", ["alias", "Alias", "alias_name", "user_alias_label"])
def test_the_alias_is_named_as_identifier_by_any_of_its_names(name: str):
    assert column_mapping.resolve_identifier(name, SCHEMA) == "alias"


def test_an_identifier_and_an_action_must_be_chosen():
    assert faults(mapped("email", "email"), identifier="", action="") == ["no_identifier", "no_action"]


def test_two_columns_on_one_single_value_are_refused_and_on_a_list_are_not():
    city = [mapped("city", "home_city"), mapped("town", "home_city")]
    assert faults(mapped("email", "email"), *city) == ["target_twice", "target_twice"]
    assert faults(mapped("a", "email"), mapped("b", "email")) == []


def test_a_column_must_be_decided():
    assert faults(mapped("email", "email"), Column("mobility")) == ["undecided"]


def test_a_skipped_column_goes_nowhere():
    column = Column("plan")
    column_mapping.skip(column)
    assert column_mapping.layout([mapped("email", "email"), column], SCHEMA)[0].header == "email"
    assert len(column_mapping.layout([mapped("email", "email"), column], SCHEMA)) == 1


@pytest.mark.parametrize(
    ("name", "refused"), [("a" * 120, False), ("a" * 121, True), ("é" * 60, False), ("é" * 61, True)]
)
def test_a_key_of_more_than_120_bytes_is_refused(name: str, refused: bool):  # AT-10
    found = faults(mapped("email", "email"), mapped("long", name, Target.NEW))
    assert found == (["key_too_long"] if refused else [])


def test_a_mandatory_attribute_needs_a_column():
    schema = Schema.of([*SCHEMA.definitions.values(), Definition("tier", "Tier", ValueType.TEXT, mandatory=True)])
    assert faults(mapped("email", "email"), schema=schema) == ["mandatory_column"]
    assert faults(mapped("email", "email"), mapped("tier", "tier"), schema=schema) == []


def test_the_version_changes_with_what_the_mapping_depends_on_and_with_nothing_else():
    columns = [mapped("email", "email"), mapped("plan", "plan")]
    before = column_mapping.schema_version(columns, SCHEMA)
    unrelated = Schema.of([*SCHEMA.definitions.values(), Definition("shoe", "Shoe", ValueType.INTEGER)])
    assert column_mapping.schema_version(columns, unrelated) == before
    changed = Schema.of([*SCHEMA.definitions.values(), Definition("plan", "Plan", ValueType.INTEGER)])
    assert column_mapping.schema_version(columns, changed) != before


def test_the_version_changes_when_people_were_not_found_by_an_identifier_for_a_while_and_not_when_they_are_again():
    def version(**index: Any) -> str:
        card = Definition("card", "Card", ValueType.TEXT, identifier=True, **index)
        return column_mapping.schema_version([mapped("card", "card")], Schema.of([card]))

    assert version(turn=1, indexing=True) == version(turn=1) != version(turn=3)


def test_somebody_elses_new_attribute_of_the_same_type_changes_nothing():
    columns = [mapped("email", "email"), Column("shoe", target="shoe", target_kind=Target.NEW, type="integer")]
    before = column_mapping.schema_version(columns, SCHEMA)
    same = Schema.of([*SCHEMA.definitions.values(), Definition("shoe", "Shoe size", ValueType.INTEGER)])
    other = Schema.of([*SCHEMA.definitions.values(), Definition("shoe", "Shoe size", ValueType.TEXT)])
    assert column_mapping.schema_version(columns, same) == before
    assert column_mapping.schema_version(columns, other) != before


def test_several_mandatory_attributes_are_named_as_the_system_of_the_file_spells_them():
    schema = Schema.of([*SCHEMA.definitions.values(), Definition("tier", "Tier", ValueType.TEXT, mandatory=True)])
    columns = [mapped("email", "email")]
    (fault,) = validation.faults("email", "update", columns, schema, Options(), {"tier": "Tier!"}.__getitem__)
    assert fault.reason == "The file has no column for Tier!, which the schema makes mandatory; add it"
