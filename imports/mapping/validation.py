"""Validate a mapping: faults that prevent the import, and notes for the user (requirements section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from imports.mapping import header_rules
from imports.mapping.column_mapping import AUTOMATIC, DATES, MappedColumn, Target, lookup_kinds
from imports.mapping.synonyms import NameResolver
from imports.presets import HeaderCase, Options
from profiles.merging.consent import GROUP_PREFIX, is_reserved
from profiles.schema import (
    ALIAS,
    EXTERNAL_ID,
    MAX_KEY_BYTES,
    OBJECT_ID,
    OWN_FIELDS,
    OWN_IDENTIFIERS,
    Schema,
    identifier_fields,
)
from profiles.values.types import ValueType

MAX_HEADERS_LISTED = 30
"""Maximum number of headers that a message names."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a mapping cannot be imported: one sentence, and the column that it concerns, if any."""

    code: str
    reason: str
    column: str = ""


def faults(
    identifier: str,
    action: str,
    columns: Sequence[MappedColumn],
    schema: Schema,
    options: Options,
    spelling: Callable[[str], str] = str,
) -> list[Fault]:
    """Return all faults that prevent the check of a job.

    ``spelling``: returns the header for a key in the file's system, for the messages.
    """
    found = header_faults(columns, options)
    found += [*identifier_faults(identifier, columns, schema, spelling), *column_faults(columns, schema)]
    found += alias_faults(columns, options)
    if not action:
        found.append(Fault("no_action", "Choose what happens to existing people"))
    if options.enforce_mandatory and columns:
        missing = missing_mandatory(columns, schema, spelling)
        if missing:
            noun, pronoun = ("column for", "it") if len(missing) == 1 else ("columns for", "them")
            reason = f"The file has no {noun} {join_headers(missing)}, which the schema makes mandatory; add {pronoun}"
            found.append(Fault("mandatory_column", reason))
    return found


def missing_mandatory(columns: Iterable[MappedColumn], schema: Schema, spelling: Callable[[str], str]) -> list[str]:
    """Return the headers, in the file's system, of the mandatory attributes that no column is mapped to (AT-02)."""
    mapped = {column.target for column in columns}
    return [spelling(d.key) for d in schema.definitions.values() if d.mandatory and d.key not in mapped]


NOTE_CODES = ("spelled_otherwise", "appboy_id", "mixed_types", "format_not_used")


def notes(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> list[Fault]:
    """Return what the user should know about mapped columns that can be imported."""
    return [*_spelled_otherwise(columns, schema, options), *_mixed_types(columns), *_formats_not_used(columns, schema)]


def _spelled_otherwise(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> Iterator[Fault]:
    """Report columns whose target depends on the exact spelling of the header (HI-20, HI-37)."""
    if options.header_case is not HeaderCase.EXACT:
        return
    names = NameResolver(schema)
    for column in columns:
        similar = names.find(column.name, exact=False)
        if column.target_kind == Target.NEW and column.target == column.name and similar not in (None, column.name):
            reason = f"Column {column.header} becomes a new attribute, since it is not spelled exactly {similar}"
            remedy = f"if {similar} is meant, rename the column or map it to {similar}"
            yield Fault("spelled_otherwise", f"{reason}; {remedy}", column.header)
        elif column.name == "Appboy ID" and column.target == OBJECT_ID:
            yield Fault("appboy_id", "Column Appboy ID is read as braze_id, the Object ID", column.header)


def _mixed_types(columns: Sequence[MappedColumn]) -> Iterator[Fault]:
    """Report new text columns whose values have several types (AT-20)."""
    for column in columns:
        is_new_text = column.target_kind in (Target.NEW, Target.PROPERTY) and column.type == ValueType.TEXT
        if is_new_text and column.statistics.get("mixed"):
            reason = f"Column {column.header} has values of mixed types; it becomes text"
            yield Fault("mixed_types", reason, column.header)


def _formats_not_used(columns: Sequence[MappedColumn], schema: Schema) -> Iterator[Fault]:
    """Report columns whose headers declare a date format but whose attributes are not dates (D-14)."""
    for column in columns:
        definition = schema.definitions.get(column.target) if column.target_kind == Target.ATTRIBUTE else None
        if column.date_format and definition is not None and definition.type not in DATES:
            type_name = definition.type.value.replace("_", " ")
            target = f"Column {column.header} is mapped to {definition.key}, which holds {type_name}"
            reason = f"{target}: the date format in its header is not used, and its values are not converted"
            yield Fault("format_not_used", reason, column.header)


def join_headers(headers: Sequence[str]) -> str:
    """Return headers for a sentence; of many only the first ones."""
    more = f" and {len(headers) - MAX_HEADERS_LISTED} more" if len(headers) > MAX_HEADERS_LISTED else ""
    return ", ".join(headers[:MAX_HEADERS_LISTED]) + more


def header_faults(columns: Sequence[MappedColumn], options: Options) -> list[Fault]:
    """Return the faults of the header row under the current options, which may have changed since it was read."""
    found = header_rules.faults([column.header for column in columns], options)
    return [Fault(fault.code, fault.reason, fault.column) for fault in found]


def identifier_faults(
    identifier: str, columns: Sequence[MappedColumn], schema: Schema, spelling: Callable[[str], str] = str
) -> list[Fault]:
    """Return why people cannot be matched by the chosen identifier (HI-34)."""
    if not identifier:
        return [Fault("no_identifier", "Choose what to match people by")]
    if identifier in schema.identifiers and identifier not in schema.lookup_identifiers:
        return [
            Fault("identifier_not_ready", f"{index_pending_reason(spelling(identifier))}, or choose another identifier")
        ]
    if identifier != AUTOMATIC and identifier not in OWN_IDENTIFIERS and identifier not in schema.lookup_identifiers:
        names = ", ".join([AUTOMATIC, *OWN_IDENTIFIERS, *schema.lookup_identifiers])
        return [Fault("unknown_identifier", f"{identifier} is not an identifier; choose one of {names}")]
    half = identifier == ALIAS and any(column.target in identifier_fields(ALIAS) for column in _of_people(columns))
    if has_identifier_columns(identifier, columns) or half:  # alias_faults reports half an alias
        return []
    headers = join_headers([c.header for c in columns])
    if identifier == ALIAS:
        both = " and ".join(map(spelling, identifier_fields(ALIAS)))
        reason = f"The selected identifier {identifier} needs two columns, {both}; map columns to both ({headers})"
    else:
        name = spelling(identifier)
        reason = f"The selected identifier {name} is not in the file; map one of its columns to it ({headers})"
    return [Fault("identifier_missing", reason)]


def index_pending_reason(name: str) -> str:
    """Return why people cannot be matched by an identifier while its index is being built."""
    return f"People cannot be matched by {name} yet: its values are still being indexed. Try again in a minute"


def has_identifier_columns(identifier: str, columns: Iterable[MappedColumn]) -> bool:
    """Return whether all columns of the identifier are mapped, or those of one under Automatic (HI-15, HI-34)."""
    mapped = {column.target for column in _of_people(columns)}
    return any(mapped.issuperset(identifier_fields(kind)) for kind in lookup_kinds(identifier))


def _of_people(columns: Iterable[MappedColumn]) -> list[MappedColumn]:
    """Return the columns about people, without those of events: a property may have the key of an own field."""
    return [column for column in columns if column.target_kind not in (Target.EVENT, Target.PROPERTY)]


def alias_faults(columns: Sequence[MappedColumn], options: Options) -> list[Fault]:
    """Return the faults of alias columns: only half an alias (HI-15, HI-17), or external IDs in the file (FF-18)."""
    columns = _of_people(columns)
    given = {column.target: column for column in columns if column.target in identifier_fields(ALIAS)}
    if not given:
        return []
    found = []
    missing = [OWN_FIELDS[field] for field in identifier_fields(ALIAS) if field not in given]
    if missing:
        (column,) = given.values()
        reason = (
            f"Column {column.header} is one half of an alias; map another column to {missing[0]}, "
            f"or skip {column.header}"
        )
        found.append(Fault("alias_incomplete", reason, column.header))
    external = next((column for column in columns if column.target == EXTERNAL_ID), None)
    if external is not None and not options.alias_with_external_id:
        aliases = " and ".join(column.header for column in given.values())
        reason = (
            f"External IDs and aliases cannot share a file: make two files, or skip {external.header}, or {aliases}"
        )
        found.append(Fault("alias_with_external_id", reason, external.header))
    return found


def column_faults(columns: Sequence[MappedColumn], schema: Schema) -> list[Fault]:
    """Return the faults of single columns."""
    found = []
    names = NameResolver(schema)
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
            reason = (
                f"Column {column.header} is mapped to {column.target}, which no longer exists; choose another attribute"
            )
            found.append(Fault("attribute_gone", reason, column.header))
        elif len(used.get(column.target, ())) > 1 and not names.is_multi_valued(column.target):
            several = join_headers(used[column.target])
            reason = (
                f"Several columns are mapped to {column.target}, which holds one value: {several}; skip all but one"
            )
            found.append(Fault("target_twice", reason, column.header))
        elif len(column.target.encode()) > MAX_KEY_BYTES:
            reason = f"The name of column {column.position} is longer than {MAX_KEY_BYTES} bytes; shorten it"
            found.append(Fault("key_too_long", reason, column.header))
        elif reserved := _why_reserved(column):
            found.append(
                Fault("reserved_name", f"Column {column.header} cannot become an attribute: {reserved}", column.header)
            )
        elif "\0" in column.target:
            found.append(
                Fault("nul_in_header", f"The name of column {column.position} contains a NUL character; remove it")
            )
    return found


def _why_reserved(column: MappedColumn) -> str:
    """Return why a new attribute cannot have the name of the column; blank if it can."""
    if column.target_kind != Target.NEW:
        return ""
    if column.target == ALIAS:
        parts = " and ".join(OWN_FIELDS[field] for field in identifier_fields(ALIAS))
        return f"{ALIAS} stands for {parts} together; map it to one of them, or choose another name"
    if is_reserved(column.target):
        return (
            f"names that begin with {GROUP_PREFIX} are for subscription groups. "
            f"Write the ID of the group after {GROUP_PREFIX}, or "
            "choose another name"
        )
    return ""
