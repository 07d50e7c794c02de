"""Headers onto attributes: what is suggested, what a person may choose, and whether the whole can be imported
(requirements section 9)."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from imports.names import Names, plain
from imports.presets import Options, Unknown
from profiles.schema import EXTERNAL_ID, KEY_BYTES, OBJECT_ID, OWN_FIELDS, Definition, Schema
from profiles.values import ValueType

AUTOMATIC = "automatic"
AUTOMATIC_ORDER = (EXTERNAL_ID, OBJECT_ID, "email", "phone")
"""What a row is looked up by under Automatic: the first that is not blank (D-03)."""


DATES = (ValueType.DATE, ValueType.DATETIME)

HEADERS_LISTED = 30
"""How many of a file's headers a message names."""


class Target(enum.StrEnum):
    """What kind of place a column goes to."""

    UNDECIDED = "undecided"
    SKIP = "skip"
    FIELD = "field"
    ATTRIBUTE = "attribute"
    NEW = "new"
    EVENT = "event"
    PROPERTY = "property"


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
    """A column that goes somewhere, as rows are read. ``position`` counts from 0."""

    position: int
    header: str
    definition: Definition
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a column goes."""

    kind: Target
    key: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a mapping cannot be imported: one sentence, and the column it is about, if it is about one."""

    code: str
    reason: str
    column: str = ""


def suggest(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> None:
    """Set what is suggested for each column: an own field, an attribute, or a new one of the type that was found."""
    taken: set[str] = set()
    names = Names(schema)
    for exact in (True, False):  # exact spellings have the first choice
        for column in columns:
            if column.target_kind == Target.UNDECIDED:
                key = names.find(column.name, exact=exact)
                if key and (key not in taken or names.holds_many(key)):
                    _set(column, choice_for(key, schema))
                    taken.add(key)
    if options.unknown_columns is not Unknown.REQUIRE_MAPPING:
        for column in columns:
            if column.target_kind == Target.UNDECIDED:
                _set(column, Choice(Target.NEW, column.name, type_found(column)))


def choose(column: MappedColumn, target: str, schema: Schema) -> None:
    """Map a column as a person asks: an own field or an attribute by key or spelling, or a new attribute."""
    names = Names(schema)
    key = names.find(target, exact=True) or names.find(target, exact=False)
    _set(column, choice_for(key, schema) if key else Choice(Target.NEW, target.strip(), type_found(column)))
    column.suggested = False


def decide(column: MappedColumn, choice: Choice, schema: Schema) -> None:
    """Map a column as a person chose from a list; what the list did not offer leaves it undecided.

    A new attribute without key or type gets the header's name or the type that was found. What stays as it was
    suggested stays a suggestion.
    """
    if choice.kind in (Target.FIELD, Target.ATTRIBUTE):
        known = choice.key in OWN_FIELDS or choice.key in schema.definitions
        choice = choice_for(choice.key, schema) if known else Choice(Target.UNDECIDED)
    elif choice.kind is Target.NEW:
        key = choice.key or column.name
        known = key in OWN_FIELDS or key in schema.definitions
        choice = choice_for(key, schema) if known else Choice(Target.NEW, key, choice.type or type_found(column))
        if "\0" in key or len(key) > KEY_BYTES:  # which cannot even be stored
            choice = Choice(Target.UNDECIDED)
    if choice != Choice(Target(column.target_kind), column.target, column.type):
        _set(column, choice)
        column.suggested = False


def skip(column: MappedColumn) -> None:
    """Leave a column out (MP-07)."""
    _set(column, Choice(Target.SKIP))
    column.suggested = False


def carry(columns: Sequence[MappedColumn], choices: Mapping[str, Choice], schema: Schema) -> None:
    """Send columns where a person sent those of the same headers; what is gone from the schema stays suggested."""
    for column in columns:
        choice = choices.get(column.header, Choice(Target.UNDECIDED))
        gone = choice.key not in OWN_FIELDS and choice.key not in schema.definitions
        if choice.kind is Target.UNDECIDED or (choice.kind in (Target.FIELD, Target.ATTRIBUTE) and gone):
            continue
        decide(column, choice, schema)
        column.suggested = False


def fingerprint(*parts: str | Sequence[str]) -> str:
    """The same for the same texts; the order within a list does not matter."""
    listed = [part if isinstance(part, str) else sorted(set(part)) for part in parts]
    return hashlib.sha256(repr(listed).encode(errors="surrogatepass")).hexdigest()


def choice_for(key: str, schema: Schema) -> Choice:
    """The choice of an own field or of an attribute that exists."""
    if key in OWN_FIELDS:
        return Choice(Target.FIELD, key, ValueType.TEXT)
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
        (d.key, d.type.value, d.multi_valued, d.mandatory, d.identifier)
        for d in resulting_schema(columns, schema).definitions.values()
        if d.key in targets or d.mandatory or d.identifier
    ]
    return hashlib.sha256(repr(sorted(relevant)).encode()).hexdigest()


def layout(columns: Sequence[MappedColumn], schema: Schema) -> list[Column]:
    """The columns that go somewhere, as ``rows`` reads them; a date format matters to dates only (DT-17)."""
    own = {key: Definition(key, label, ValueType.TEXT, identifier=True) for key, label in OWN_FIELDS.items()}
    known = own | dict(resulting_schema(columns, schema).definitions)
    return [
        Column(
            c.position - 1, c.header, known[c.target], c.date_format or None if known[c.target].type in DATES else None
        )
        for c in columns
        if c.target_kind in (Target.FIELD, Target.ATTRIBUTE, Target.NEW)
    ]


def identifier_named(name: str, schema: Schema) -> str | None:
    """The identifier that a person means by a key, a label or a spelling alike; None if there is none."""
    names = Names(schema)
    key = AUTOMATIC if plain(name) == AUTOMATIC else names.find(name, exact=True) or names.find(name, exact=False)
    return key if key == AUTOMATIC or key in OWN_FIELDS or key in schema.identifiers else None


def looked_up_kinds(identifier: str) -> tuple[str, ...]:
    return AUTOMATIC_ORDER if identifier == AUTOMATIC else (identifier,)


def faults(
    identifier: str, action: str, columns: Sequence[MappedColumn], schema: Schema, options: Options
) -> list[Fault]:
    """Everything that keeps a job from being checked; empty when it may be."""
    found = [*identifier_faults(identifier, columns, schema), *column_faults(columns, schema)]
    if not action:
        found.append(Fault("no_action", "Choose what happens to people who are known already"))
    if options.enforce_mandatory:
        missing = [d.key for d in schema.definitions.values() if d.mandatory] if columns else []
        lacking = [key for key in missing if key not in {c.target for c in columns}]
        if lacking:
            reason = f"The file has no column for {', '.join(lacking)}, which the schema makes mandatory; add it"
            found.append(Fault("mandatory_column", reason))
    return found


def listed(headers: Sequence[str]) -> str:
    """Headers for a sentence; of many, the first ones."""
    more = f" and {len(headers) - HEADERS_LISTED} more" if len(headers) > HEADERS_LISTED else ""
    return ", ".join(headers[:HEADERS_LISTED]) + more


def identifier_faults(identifier: str, columns: Sequence[MappedColumn], schema: Schema) -> list[Fault]:
    """Why people cannot be found by what was chosen (HI-34)."""
    if not identifier:
        return [Fault("no_identifier", "Choose what people are found by")]
    if identifier != AUTOMATIC and identifier not in OWN_FIELDS and identifier not in schema.identifiers:
        names = ", ".join([AUTOMATIC, *OWN_FIELDS, *schema.identifiers])
        return [Fault("unknown_identifier", f"{identifier} is not an identifier; choose one of {names}")]
    targets = {c.target for c in columns if c.target_kind not in (Target.EVENT, Target.PROPERTY)}
    if not targets & set(looked_up_kinds(identifier)):
        headers = listed([c.header for c in columns])
        reason = f"The selected identifier {identifier} is not in the file; map one of its columns to it ({headers})"
        return [Fault("identifier_missing", reason)]
    return []


def column_faults(columns: Sequence[MappedColumn], schema: Schema) -> list[Fault]:
    """What keeps single columns from being imported."""
    found = []
    names = Names(schema)
    used: dict[str, list[str]] = {}
    for column in columns:
        if column.target:
            used.setdefault(column.target, []).append(column.header)
    for column in columns:
        if column.target_kind == Target.UNDECIDED:
            found.append(
                Fault("undecided", f"Column {column.header} needs a mapping, or must be skipped", column.header)
            )
        elif column.target_kind == Target.ATTRIBUTE and column.target not in schema.definitions:
            reason = f"Column {column.header} goes to {column.target}, which is no attribute any more; choose another"
            found.append(Fault("attribute_gone", reason, column.header))
        elif len(used.get(column.target, ())) > 1 and not names.holds_many(column.target):
            several = listed(used[column.target])
            reason = f"Several columns go to {column.target}, which holds one value: {several}; skip all but one"
            found.append(Fault("target_twice", reason, column.header))
        elif len(column.target.encode()) > KEY_BYTES:
            reason = f"The name of column {column.position} is longer than {KEY_BYTES} bytes; shorten it"
            found.append(Fault("key_too_long", reason, column.header))
        elif "\0" in column.target:
            found.append(
                Fault("nul_in_header", f"The name of column {column.position} holds a NUL character; remove it")
            )
    return found


def _set(column: MappedColumn, choice: Choice) -> None:
    column.target_kind, column.target, column.type = choice.kind, choice.key, choice.type


def type_found(column: MappedColumn) -> str:
    """A header with a date format declares a date column; else the type is that of all values in the file."""
    found = column.statistics.get("type", ValueType.TEXT.value)
    return ValueType.DATETIME.value if column.date_format else str(found)
