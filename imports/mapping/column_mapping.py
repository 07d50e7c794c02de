"""Map columns to attributes of people: suggestions, the user's choices, and the resulting layout (requirements
section 9)."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from imports.mapping import header_rules, headers
from imports.mapping.headers import PROBLEM_HEADER
from imports.mapping.synonyms import NameResolver, normalize_name
from imports.presets import Options, UnknownColumns
from profiles.merging.consent import GROUP_FIELDS, GROUP_ID, group_of
from profiles.schema import (
    ALIAS,
    EXTERNAL_ID,
    MAX_KEY_BYTES,
    OBJECT_ID,
    OWN_FIELDS,
    OWN_IDENTIFIERS,
    Definition,
    Schema,
    identifier_of,
)
from profiles.values.types import ValueType

AUTOMATIC = "automatic"
AUTOMATIC_ORDER = (EXTERNAL_ID, OBJECT_ID, ALIAS, "email", "phone")
"""The identifiers of Automatic: a row is looked up by the first that is not blank (D-03)."""

DATES = (ValueType.DATE, ValueType.DATETIME)


class Target(enum.StrEnum):
    """Kind of target that a column is mapped to."""

    UNDECIDED = "undecided"
    SKIP = "skip"
    FIELD = "field"
    ATTRIBUTE = "attribute"
    NEW = "new"
    EVENT = "event"
    PROPERTY = "property"


NON_PERSON_TARGETS = (Target.UNDECIDED, Target.EVENT, Target.PROPERTY)


class MappedColumn(Protocol):
    """A column of the file with its target, such as ``ImportColumn``. ``position`` counts from 1."""

    position: int
    header: str
    name: str
    date_format: str
    target_kind: str
    target: str
    type: str
    suggested: bool
    statistics: Any


@dataclass(frozen=True, slots=True)
class Column:
    """A mapped column, as the reader of rows needs it. ``position`` counts from 0.

    ``unknown_format``: whether the header declares an unknown date format.
    """

    position: int
    header: str
    definition: Definition
    date_format: str | None = None
    unknown_format: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A target for a column. ``date_format``: the format of its dates if the header does not declare it."""

    kind: Target
    key: str = ""
    type: str = ""
    date_format: str = ""


def suggest(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> None:
    """Set a suggested target for each undecided column: an own field, an attribute, or a new one of the detected type.

    Skip columns of push tokens, and the column of problems in a file of rows to correct (RP-12).
    """
    taken: set[str] = set()
    names = NameResolver(schema, options)
    for column in columns:
        if column.target_kind == Target.UNDECIDED and (
            column.name == PROBLEM_HEADER or header_rules.is_push_token(column.name)  # AT-19
        ):
            _set(column, Choice(Target.SKIP))
    for exact in (True, False):  # exact spellings take precedence
        for column in columns:
            if column.target_kind == Target.UNDECIDED:
                key = names.find(column.name, exact=exact)
                if key and (key not in taken or names.is_multi_valued(key)):
                    _set(column, choice_for(key, schema))
                    taken.add(key)
    if options.unknown_columns is not UnknownColumns.REQUIRE_MAPPING:
        for column in columns:
            if column.target_kind == Target.UNDECIDED:
                _set(column, _new_attribute(column, names))


def _new_attribute(column: MappedColumn, names: NameResolver) -> Choice:
    """Return a new attribute as target; if the name is that of an own field or an attribute, return that one.

    Another column already has that target, so both are refused (HI-36).
    """
    found = names.find(column.name, exact=True) or names.find(column.name, exact=False)
    key = found if found is not None and found in OWN_FIELDS else column.name
    if key in OWN_FIELDS or key in names.schema.definitions:
        return choice_for(key, names.schema)
    return Choice(Target.NEW, column.name, detected_type(column))


def map_to_name(column: MappedColumn, target: str, schema: Schema) -> None:
    """Map a column to the own field or attribute that the user names by key or spelling, else to a new attribute."""
    names = NameResolver(schema)
    key = names.find(target, exact=True) or names.find(target, exact=False)
    _set(column, choice_for(key, schema) if key else Choice(Target.NEW, target.strip(), detected_type(column)))
    column.suggested = False


def apply_choice(column: MappedColumn, choice: Choice, schema: Schema) -> None:
    """Map a column to a target that the user chose from a list; an invalid target leaves the column undecided.

    A new attribute without key or type gets the header's name or the detected type. An unchanged suggestion remains a
    suggestion, unless a date format is given with it.
    """
    date_format = choice.date_format
    if choice.kind in (Target.FIELD, Target.ATTRIBUTE):
        choice = choice_for(choice.key, schema) if is_valid_target(choice.key, schema) else Choice(Target.UNDECIDED)
    elif choice.kind is Target.NEW:
        key = choice.key or column.name
        choice = (
            choice_for(key, schema)
            if is_valid_target(key, schema)
            else Choice(Target.NEW, key, choice.type or detected_type(column))
        )
        if "\0" in key or len(key) > MAX_KEY_BYTES:  # cannot be stored
            choice = Choice(Target.UNDECIDED)
    if date_format:
        column.date_format, column.suggested = date_format, False
    if choice != Choice(Target(column.target_kind), column.target, column.type):
        _set(column, choice)
        column.suggested = False


def chosen_date_format(column: MappedColumn) -> str:
    """Return the date format that the user chose for a column; blank if it is the one that the header declares."""
    declared = headers.parse_header(column.position, column.header).date_format
    return "" if column.date_format == declared else column.date_format


def skip(column: MappedColumn) -> None:
    """Leave a column out (MP-07)."""
    _set(column, Choice(Target.SKIP))
    column.suggested = False


def reapply_choices(columns: Sequence[MappedColumn], choices: Mapping[str, Choice], schema: Schema) -> None:
    """Apply earlier choices to the columns with the same headers.

    Ignore choices of attributes that are no longer in the schema, and those of events: these columns keep their
    suggestions.
    """
    for column in columns:
        choice = choices.get(column.header, Choice(Target.UNDECIDED))
        is_missing = not is_valid_target(choice.key, schema)
        if choice.kind in NON_PERSON_TARGETS or (choice.kind in (Target.FIELD, Target.ATTRIBUTE) and is_missing):
            continue
        apply_choice(column, choice, schema)
        column.suggested = False


def fingerprint(*parts: str | Sequence[str]) -> str:
    """Return a digest of texts; the order within a list does not matter."""
    listed = [part if isinstance(part, str) else sorted(set(part)) for part in parts]
    return hashlib.sha256(repr(listed).encode(errors="surrogatepass")).hexdigest()


def field_definition(key: str) -> Definition | None:
    """Return the definition of a target that is not an attribute: an own field of a person, or group membership."""
    if key in OWN_FIELDS:
        return Definition(key, OWN_FIELDS[key], ValueType.TEXT, identifier=True)
    if key in GROUP_FIELDS:
        return Definition(key, GROUP_FIELDS[key], ValueType.TEXT if key == GROUP_ID else ValueType.SUBSCRIPTION)
    if group_of(key) is not None:
        return Definition(key, key, ValueType.SUBSCRIPTION)
    return None


def is_valid_target(key: str, schema: Schema) -> bool:
    """Return whether a column can be mapped to the key under the current schema."""
    return key in schema.definitions or field_definition(key) is not None


def choice_for(key: str, schema: Schema) -> Choice:
    """Return the choice of a field, or of an existing attribute."""
    if found := field_definition(key):
        return Choice(Target.FIELD, key, found.type)
    return Choice(Target.ATTRIBUTE, key, schema.definitions[key].type)


def new_definitions(columns: Sequence[MappedColumn], schema: Schema) -> list[Definition]:
    """Return the attributes that applying the mapping would create, in file order."""
    found = {c.target: c for c in columns if c.target_kind == Target.NEW and c.target not in schema.definitions}
    return [Definition(key, key, ValueType(column.type)) for key, column in found.items()]


def resulting_schema(columns: Sequence[MappedColumn], schema: Schema) -> Schema:
    """Return the schema with the attributes that applying the mapping would create."""
    return Schema.of([*schema.definitions.values(), *new_definitions(columns, schema)])


def schema_version(columns: Sequence[MappedColumn], schema: Schema) -> str:
    """Return a digest of those parts of the schema on which the result of this mapping depends."""
    targets = {column.target for column in columns}
    relevant = [
        (d.key, d.type.value, d.multi_valued, d.mandatory, d.identifier, *([d.turn] if d.turn else []))
        for d in resulting_schema(columns, schema).definitions.values()
        if d.key in targets or d.mandatory or d.identifier
    ]
    return hashlib.sha256(repr(sorted(relevant)).encode()).hexdigest()


def layout(columns: Sequence[MappedColumn], schema: Schema) -> list[Column]:
    """Return the mapped columns for the reader of rows, in file order; only dates have a date format (DT-17)."""
    definitions = resulting_schema(columns, schema).definitions
    return [
        _column(column, field_definition(column.target) or definitions[column.target])
        for column in columns
        if column.target_kind in (Target.FIELD, Target.ATTRIBUTE, Target.NEW)
    ]


def _column(column: MappedColumn, definition: Definition) -> Column:
    if definition.type not in DATES:
        return Column(column.position - 1, column.header, definition)
    unknown = column.name != column.header and not column.date_format
    return Column(column.position - 1, column.header, definition, column.date_format or None, unknown)


def holds_only_identifiers(identifier: str, columns: Sequence[MappedColumn]) -> bool:
    """Return whether only identifiers are mapped: a file that selects people without changing them (PS-24)."""
    targets = {column.target for column in columns if column.target_kind != Target.SKIP}
    return targets <= OWN_FIELDS.keys() | set(lookup_kinds(identifier))


def resolve_identifier(name: str, schema: Schema) -> str | None:
    """Return the identifier that a user names by key, label or a similar spelling; None if there is none."""
    names = NameResolver(schema)
    if normalize_name(name) in (AUTOMATIC, ALIAS):
        return normalize_name(name)
    key = identifier_of(names.find(name, exact=True) or names.find(name, exact=False) or "")
    return key if key in OWN_IDENTIFIERS or key in schema.identifiers else None


def lookup_kinds(identifier: str) -> tuple[str, ...]:
    """Return the kinds of identifiers by which rows are looked up: several under Automatic, in their order."""
    return AUTOMATIC_ORDER if identifier == AUTOMATIC else (identifier,)


def _set(column: MappedColumn, choice: Choice) -> None:
    column.target_kind, column.target, column.type = choice.kind, choice.key, choice.type


def detected_type(column: MappedColumn) -> str:
    """Return a date type if the header declares a date format, else the type that all values of the column have."""
    found = column.statistics.get("type", ValueType.TEXT.value)
    return ValueType.DATETIME.value if column.date_format else str(found)
