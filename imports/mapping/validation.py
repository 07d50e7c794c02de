"""Why a mapping cannot be imported, or what a person should know of it (requirements section 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from imports.mapping import header_rules
from imports.mapping.column_mapping import AUTOMATIC, DATES, MappedColumn, Target, lookup_kinds
from imports.mapping.synonyms import NameResolver
from imports.presets import HeaderCase, Options
from profiles.merging.consent import GROUP, is_reserved
from profiles.schema import ALIAS, EXTERNAL_ID, KEY_BYTES, OBJECT_ID, OWN_FIELDS, OWN_IDENTIFIERS, Schema, fields_of
from profiles.values.types import ValueType

HEADERS_LISTED = 30
"""How many of a file's headers a message names."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a mapping cannot be imported: one sentence, and the column it is about, if it is about one."""

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
    """Everything that keeps a job from being checked; empty when it may be.

    ``spelling``: how the file's system calls what goes to a key, for the messages.
    """
    found = header_faults(columns, options)
    found += [*identifier_faults(identifier, columns, schema, spelling), *column_faults(columns, schema)]
    found += alias_faults(columns, options)
    if not action:
        found.append(Fault("no_action", "Choose what happens to people who are known already"))
    if options.enforce_mandatory and columns:
        missing = missing_mandatory(columns, schema, spelling)
        if missing:
            what, those = ("column for", "it") if len(missing) == 1 else ("columns for", "them")
            reason = f"The file has no {what} {listed(missing)}, which the schema makes mandatory; add {those}"
            found.append(Fault("mandatory_column", reason))
    return found


def missing_mandatory(columns: Iterable[MappedColumn], schema: Schema, spelling: Callable[[str], str]) -> list[str]:
    """The mandatory attributes to which no column goes (AT-02), as the file's system spells them."""
    mapped = {column.target for column in columns}
    return [spelling(d.key) for d in schema.definitions.values() if d.mandatory and d.key not in mapped]


NOTES = ("spelled_otherwise", "appboy_id", "mixed_types", "format_not_used")


def notes(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> list[Fault]:
    """What a person should know of columns that can be imported, as they are mapped: nothing of it is in the way."""
    return [*_spelled_otherwise(columns, schema, options), *_mixed_types(columns), *_formats_not_used(columns, schema)]


def _spelled_otherwise(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> Iterator[Fault]:
    """What the spelling of a header makes of its column (HI-20, HI-37)."""
    if options.header_case is not HeaderCase.EXACT:
        return
    names = NameResolver(schema)
    for column in columns:
        meant = names.find(column.name, exact=False)
        if column.target_kind == Target.NEW and column.target == column.name and meant not in (None, column.name):
            reason = f"Column {column.header} becomes an attribute of its own, since its spelling counts"
            remedy = f"if {meant} is meant, rename it so, or choose that for it"
            yield Fault("spelled_otherwise", f"{reason}; {remedy}", column.header)
        elif column.name == "Appboy ID" and column.target == OBJECT_ID:
            yield Fault("appboy_id", "Column Appboy ID is taken for braze_id, the Object ID", column.header)


def _mixed_types(columns: Sequence[MappedColumn]) -> Iterator[Fault]:
    """Columns of values of several types that become text for it (AT-20)."""
    for column in columns:
        is_new_text = column.target_kind in (Target.NEW, Target.PROPERTY) and column.type == ValueType.TEXT
        if is_new_text and column.statistics.get("mixed"):
            reason = f"Column {column.header} has values of mixed types; it becomes text"
            yield Fault("mixed_types", reason, column.header)


def _formats_not_used(columns: Sequence[MappedColumn], schema: Schema) -> Iterator[Fault]:
    """Columns whose headers declare a date format though they go to something else than a date (D-14)."""
    for column in columns:
        known = schema.definitions.get(column.target) if column.target_kind == Target.ATTRIBUTE else None
        if column.date_format and known is not None and known.type not in DATES:
            holds = f"Column {column.header} goes to {known.key}, which holds {known.type.value.replace('_', ' ')}"
            reason = f"{holds}: the date format in its header is not used, and its values stay as they are written"
            yield Fault("format_not_used", reason, column.header)


def listed(headers: Sequence[str]) -> str:
    """Headers for a sentence; of many, the first ones."""
    more = f" and {len(headers) - HEADERS_LISTED} more" if len(headers) > HEADERS_LISTED else ""
    return ", ".join(headers[:HEADERS_LISTED]) + more


def header_faults(columns: Sequence[MappedColumn], options: Options) -> list[Fault]:
    """What in the header row refuses the file as the options are now; they may have changed since it was read."""
    found = header_rules.faults([column.header for column in columns], options)
    return [Fault(fault.code, fault.reason, fault.column) for fault in found]


def identifier_faults(
    identifier: str, columns: Sequence[MappedColumn], schema: Schema, spelling: Callable[[str], str] = str
) -> list[Fault]:
    """Why people cannot be found by what was chosen (HI-34)."""
    if not identifier:
        return [Fault("no_identifier", "Choose what people are found by")]
    if identifier in schema.identifiers and identifier not in schema.found_by:
        return [
            Fault("identifier_not_ready", f"{index_pending_reason(spelling(identifier))}, or choose another identifier")
        ]
    if identifier != AUTOMATIC and identifier not in OWN_IDENTIFIERS and identifier not in schema.found_by:
        names = ", ".join([AUTOMATIC, *OWN_IDENTIFIERS, *schema.found_by])
        return [Fault("unknown_identifier", f"{identifier} is not an identifier; choose one of {names}")]
    half = identifier == ALIAS and any(column.target in fields_of(ALIAS) for column in _of_people(columns))
    if has_identifier_columns(identifier, columns) or half:  # a half is told of by itself
        return []
    headers = listed([c.header for c in columns])
    if identifier == ALIAS:
        both = " and ".join(map(spelling, fields_of(ALIAS)))
        reason = f"The selected identifier {identifier} takes two columns, {both}; map columns to both ({headers})"
    else:
        name = spelling(identifier)
        reason = f"The selected identifier {name} is not in the file; map one of its columns to it ({headers})"
    return [Fault("identifier_missing", reason)]


def index_pending_reason(name: str) -> str:
    """Why nobody is found by an identifier of this name as long as there is work on its index."""
    return f"People cannot be found by {name} yet: what they have of it is still being gathered. Try again in a minute"


def has_identifier_columns(identifier: str, columns: Iterable[MappedColumn]) -> bool:
    """Whether columns go to all that people are found by; under Automatic to one of several (HI-15, HI-34)."""
    mapped = {column.target for column in _of_people(columns)}
    return any(mapped.issuperset(fields_of(kind)) for kind in lookup_kinds(identifier))


def _of_people(columns: Iterable[MappedColumn]) -> list[MappedColumn]:
    """The columns that say who it is about; a property of an event may have any name."""
    return [column for column in columns if column.target_kind not in (Target.EVENT, Target.PROPERTY)]


def alias_faults(columns: Sequence[MappedColumn], options: Options) -> list[Fault]:
    """What keeps a file with aliases out: half of one (HI-15, HI-17), or external ids beside them (FF-18)."""
    columns = _of_people(columns)
    given = {column.target: column for column in columns if column.target in fields_of(ALIAS)}
    if not given:
        return []
    found = []
    missing = [OWN_FIELDS[field] for field in fields_of(ALIAS) if field not in given]
    if missing:
        (column,) = given.values()
        reason = f"Column {column.header} is one half of an alias; map another column to {missing[0]}, or skip it"
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
    """What keeps single columns from being imported."""
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
            reason = f"Column {column.header} goes to {column.target}, which is no attribute any more; choose another"
            found.append(Fault("attribute_gone", reason, column.header))
        elif len(used.get(column.target, ())) > 1 and not names.is_multi_valued(column.target):
            several = listed(used[column.target])
            reason = f"Several columns go to {column.target}, which holds one value: {several}; skip all but one"
            found.append(Fault("target_twice", reason, column.header))
        elif len(column.target.encode()) > KEY_BYTES:
            reason = f"The name of column {column.position} is longer than {KEY_BYTES} bytes; shorten it"
            found.append(Fault("key_too_long", reason, column.header))
        elif reserved := _why_reserved(column):
            found.append(
                Fault("reserved_name", f"Column {column.header} cannot become an attribute: {reserved}", column.header)
            )
        elif "\0" in column.target:
            found.append(
                Fault("nul_in_header", f"The name of column {column.position} holds a NUL character; remove it")
            )
    return found


def _why_reserved(column: MappedColumn) -> str:
    """Why no attribute can have the name that the column asks for; blank where one can."""
    if column.target_kind != Target.NEW:
        return ""
    if column.target == ALIAS:
        parts = " and ".join(OWN_FIELDS[field] for field in fields_of(ALIAS))
        return f"{ALIAS} stands for {parts} together; map it to one of them, or choose another name"
    if is_reserved(column.target):
        return (
            f"names that begin with {GROUP} are for subscription groups. Write the ID of the group behind {GROUP}, or "
            "choose another name"
        )
    return ""
