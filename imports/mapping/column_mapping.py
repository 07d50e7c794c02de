"""Headers onto attributes: what is suggested, what a person may choose, and whether the whole can be imported
(requirements section 9)."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from imports.mapping import header_rules, headers
from imports.mapping.headers import PROBLEM
from imports.mapping.synonyms import NameResolver, normalize_name
from imports.presets import Options, UnknownColumns
from profiles.merging.consent import GROUP_FIELDS, GROUP_ID, group_of
from profiles.schema import (
    ALIAS,
    EXTERNAL_ID,
    KEY_BYTES,
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
"""What a row is looked up by under Automatic: the first that is not blank (D-03)."""

DATES = (ValueType.DATE, ValueType.DATETIME)


class Target(enum.StrEnum):
    """What kind of place a column goes to."""

    UNDECIDED = "undecided"
    SKIP = "skip"
    FIELD = "field"
    ATTRIBUTE = "attribute"
    NEW = "new"
    EVENT = "event"
    PROPERTY = "property"


NOT_OF_PEOPLE = (Target.UNDECIDED, Target.EVENT, Target.PROPERTY)


class MappedColumn(Protocol):
    """A column of the file and where it goes; ``ImportColumn`` is one. ``position`` counts from 1."""

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
    """A column that goes somewhere, as rows are read. ``position`` counts from 0.

    ``unknown_format``: whether its header declares a date format that is not known.
    """

    position: int
    header: str
    definition: Definition
    date_format: str | None = None
    unknown_format: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a column goes. ``date_format``: that of its dates, where its header does not declare it."""

    kind: Target
    key: str = ""
    type: str = ""
    date_format: str = ""


def suggest(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> None:
    """Set what is suggested for each column: an own field, an attribute, or a new one of the type that was found.

    What a file of rows to correct says of their problems is skipped (RP-12).
    """
    taken: set[str] = set()
    names = NameResolver(schema, options)
    for column in columns:
        if column.target_kind == Target.UNDECIDED and (
            column.name == PROBLEM or header_rules.is_push_token(column.name)  # AT-19
        ):
            _set(column, Choice(Target.SKIP))
    for exact in (True, False):  # exact spellings have the first choice
        for column in columns:
            if column.target_kind == Target.UNDECIDED:
                key = names.find(column.name, exact=exact)
                if key and (key not in taken or names.is_multi_valued(key)):
                    _set(column, choice_for(key, schema))
                    taken.add(key)
    if options.unknown_columns is not UnknownColumns.REQUIRE_MAPPING:
        for column in columns:
            if column.target_kind == Target.UNDECIDED:
                _set(column, _otherwise(column, names))


def _otherwise(column: MappedColumn, names: NameResolver) -> Choice:
    """A new attribute; the same place as that of another column where both mean an own field or have its name, so that
    they are refused (HI-36)."""
    meant = names.find(column.name, exact=True) or names.find(column.name, exact=False)
    key = meant if meant is not None and meant in OWN_FIELDS else column.name
    if key in OWN_FIELDS or key in names.schema.definitions:
        return choice_for(key, names.schema)
    return Choice(Target.NEW, column.name, detected_type(column))


def map_to_name(column: MappedColumn, target: str, schema: Schema) -> None:
    """Map a column as a person asks: an own field or an attribute by key or spelling, or a new attribute."""
    names = NameResolver(schema)
    key = names.find(target, exact=True) or names.find(target, exact=False)
    _set(column, choice_for(key, schema) if key else Choice(Target.NEW, target.strip(), detected_type(column)))
    column.suggested = False


def apply_choice(column: MappedColumn, choice: Choice, schema: Schema) -> None:
    """Map a column as a person chose from a list; what the list did not offer leaves it undecided.

    A new attribute without key or type gets the header's name or the type that was found. What stays as it was
    suggested stays a suggestion, unless a date format is said with it.
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
        if "\0" in key or len(key) > KEY_BYTES:  # which cannot even be stored
            choice = Choice(Target.UNDECIDED)
    if date_format:
        column.date_format, column.suggested = date_format, False
    if choice != Choice(Target(column.target_kind), column.target, column.type):
        _set(column, choice)
        column.suggested = False


def chosen_date_format(column: MappedColumn) -> str:
    """The date format that somebody said of a column; blank where it is what the header declares."""
    declared = headers.parse_header(column.position, column.header).date_format
    return "" if column.date_format == declared else column.date_format


def skip(column: MappedColumn) -> None:
    """Leave a column out (MP-07)."""
    _set(column, Choice(Target.SKIP))
    column.suggested = False


def reapply_choices(columns: Sequence[MappedColumn], choices: Mapping[str, Choice], schema: Schema) -> None:
    """Send columns where a person sent those of the same headers; what is gone from the schema stays suggested, and so
    does what they chose while the file was one of events."""
    for column in columns:
        choice = choices.get(column.header, Choice(Target.UNDECIDED))
        gone = not is_valid_target(choice.key, schema)
        if choice.kind in NOT_OF_PEOPLE or (choice.kind in (Target.FIELD, Target.ATTRIBUTE) and gone):
            continue
        apply_choice(column, choice, schema)
        column.suggested = False


def fingerprint(*parts: str | Sequence[str]) -> str:
    """The same for the same texts; the order within a list does not matter."""
    listed = [part if isinstance(part, str) else sorted(set(part)) for part in parts]
    return hashlib.sha256(repr(listed).encode(errors="surrogatepass")).hexdigest()


def field_definition(key: str) -> Definition | None:
    """A place for a column that is no attribute: an own field of a person, or what makes them a member of a group."""
    if key in OWN_FIELDS:
        return Definition(key, OWN_FIELDS[key], ValueType.TEXT, identifier=True)
    if key in GROUP_FIELDS:
        return Definition(key, GROUP_FIELDS[key], ValueType.TEXT if key == GROUP_ID else ValueType.SUBSCRIPTION)
    if group_of(key) is not None:
        return Definition(key, key, ValueType.SUBSCRIPTION)
    return None


def is_valid_target(key: str, schema: Schema) -> bool:
    """Whether a column can go there as things are."""
    return key in schema.definitions or field_definition(key) is not None


def choice_for(key: str, schema: Schema) -> Choice:
    """The choice of a field, or of an attribute that exists."""
    if found := field_definition(key):
        return Choice(Target.FIELD, key, found.type)
    return Choice(Target.ATTRIBUTE, key, schema.definitions[key].type)


def new_definitions(columns: Sequence[MappedColumn], schema: Schema) -> list[Definition]:
    """The attributes that applying the mapping would create, in the order of their columns."""
    found = {c.target: c for c in columns if c.target_kind == Target.NEW and c.target not in schema.definitions}
    return [Definition(key, key, ValueType(column.type)) for key, column in found.items()]


def resulting_schema(columns: Sequence[MappedColumn], schema: Schema) -> Schema:
    """The schema with the attributes that applying the mapping would create."""
    return Schema.of([*schema.definitions.values(), *new_definitions(columns, schema)])


def schema_version(columns: Sequence[MappedColumn], schema: Schema) -> str:
    """Changes when anything in the schema does that the outcome of this mapping depends on."""
    targets = {column.target for column in columns}
    relevant = [
        (d.key, d.type.value, d.multi_valued, d.mandatory, d.identifier, *([d.turn] if d.turn else []))
        for d in resulting_schema(columns, schema).definitions.values()
        if d.key in targets or d.mandatory or d.identifier
    ]
    return hashlib.sha256(repr(sorted(relevant)).encode()).hexdigest()


def layout(columns: Sequence[MappedColumn], schema: Schema) -> list[Column]:
    """The columns that go somewhere, as ``rows`` reads them; a date format matters to dates only (DT-17)."""
    known = resulting_schema(columns, schema).definitions
    return [
        _column(column, field_definition(column.target) or known[column.target])
        for column in columns
        if column.target_kind in (Target.FIELD, Target.ATTRIBUTE, Target.NEW)
    ]


def _column(column: MappedColumn, definition: Definition) -> Column:
    if definition.type not in DATES:
        return Column(column.position - 1, column.header, definition)
    unknown = column.name != column.header and not column.date_format
    return Column(column.position - 1, column.header, definition, column.date_format or None, unknown)


def holds_only_identifiers(identifier: str, columns: Sequence[MappedColumn]) -> bool:
    """Whether a mapping brings nothing but what people are told apart by: a file that marks people (PS-24)."""
    targets = {column.target for column in columns if column.target_kind != Target.SKIP}
    return targets <= OWN_FIELDS.keys() | set(lookup_kinds(identifier))


def resolve_identifier(name: str, schema: Schema) -> str | None:
    """The identifier that a person means by a key, a label or a spelling alike; None if there is none."""
    names = NameResolver(schema)
    if normalize_name(name) in (AUTOMATIC, ALIAS):
        return normalize_name(name)
    key = identifier_of(names.find(name, exact=True) or names.find(name, exact=False) or "")
    return key if key in OWN_IDENTIFIERS or key in schema.identifiers else None


def lookup_kinds(identifier: str) -> tuple[str, ...]:
    return AUTOMATIC_ORDER if identifier == AUTOMATIC else (identifier,)


def _set(column: MappedColumn, choice: Choice) -> None:
    column.target_kind, column.target, column.type = choice.kind, choice.key, choice.type


def detected_type(column: MappedColumn) -> str:
    """A header with a date format declares a date column; else the type is that of all values in the file."""
    found = column.statistics.get("type", ValueType.TEXT.value)
    return ValueType.DATETIME.value if column.date_format else str(found)
