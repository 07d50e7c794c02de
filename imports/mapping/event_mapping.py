"""Map the columns of a file of events to the person, the name, the time and the properties (requirements section 16).

A property column is named ``<event>.properties.<property>``. If the job's options give one name for all events, every
other column is a property with its whole header as the name (AU-02).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imports.mapping import column_mapping, validation
from imports.mapping.column_mapping import Choice, Column, MappedColumn, Target
from imports.mapping.headers import PROBLEM_HEADER, PROPERTY_SEPARATOR, is_event_property
from imports.mapping.synonyms import NameResolver, normalize_name
from imports.mapping.validation import Fault, join_headers
from imports.presets import HeaderCase, Options
from profiles.schema import MAX_KEY_BYTES, OWN_FIELDS, Definition, Schema
from profiles.values.parsers import parser
from profiles.values.types import InvalidValue, ValueOptions, ValueType

NAME, TIME, SECONDS = "name", "time", "ts"
"""Parts of an event that a column can hold: its name, its time in ISO 8601, or its time in Unix seconds."""

EVENT_PARTS = {NAME: "Event name", TIME: "Event time", SECONDS: "Event time (Unix seconds)"}
SKIPPED_COLUMNS_CODE = "no_part_of_events"

MAX_EVENT_NAME_BYTES = 255
"""Bytes of UTF-8."""

parse_event_name = parser(ValueType.TEXT, ValueOptions(max_bytes=MAX_EVENT_NAME_BYTES))
"""Read the name of an event. Raises ``InvalidValue``."""

_SPELLINGS = {"eventname": NAME, "event": NAME, "evtname": NAME, "eventtime": TIME, "timestamp": TIME}


@dataclass(frozen=True, slots=True)
class EventProperty:
    """A column of values of one property: of the events with one name, or of all events if ``event`` is blank."""

    column: Column
    event: str
    key: str


@dataclass(frozen=True, slots=True)
class EventLayout:
    """The columns of a file of events that are read: identifiers of people, name, time, and properties.

    ``event_name``: the name of all events; with it, no column is needed for the name or the time.
    """

    people: Sequence[Column]
    name: Column | None
    time: Column | None
    properties: Sequence[EventProperty]
    event_name: str


def suggest(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> None:
    """Set a suggested target for each undecided column.

    Skip columns that are not part of an event, and the column of problems in a file of rows to correct (RP-12).
    """
    taken = {column.target for column in columns if column.target_kind == Target.EVENT}
    for column in columns:
        if column.target_kind == Target.UNDECIDED and column.name == PROBLEM_HEADER:
            _set(column, Choice(Target.SKIP))
        elif column.target_kind == Target.UNDECIDED:
            part = _part(column, columns, options)
            if part and part not in taken:
                _set(column, Choice(Target.EVENT, part))
                taken.add(part)
            elif is_event_property(column.name):
                _set(
                    column,
                    Choice(Target.PROPERTY, clean_property_name(column.name), column_mapping.detected_type(column)),
                )
    rest = [column for column in columns if column.target_kind == Target.UNDECIDED]
    column_mapping.suggest(rest, schema, options)
    for column in rest:
        if not _identifies(column, schema):
            _set(column, _fallback(column, options))


def map_to_name(column: MappedColumn, target: str, schema: Schema) -> None:
    """Map a column to what the user names: a part of the event, an identifier, or a property.

    Any other name is that of a property of all events of the file.
    """
    names, target = NameResolver(schema), target.strip()
    key = names.find(target, exact=True) or names.find(target, exact=False)
    if target in EVENT_PARTS:
        choice = Choice(Target.EVENT, target)
    elif key is not None and _is_identifier(key, schema) and not is_event_property(target):
        choice = column_mapping.choice_for(key, schema)
    else:
        choice = Choice(Target.PROPERTY, clean_property_name(target), column_mapping.detected_type(column))
    _set(column, choice)
    column.suggested = False


def apply_choice(column: MappedColumn, choice: Choice, schema: Schema) -> None:
    """Map a column to a target that the user chose from a list; one that is invalid for events leaves it undecided."""
    if choice.kind is Target.PROPERTY:
        key = clean_property_name(choice.key or column.name)
        storable = "\0" not in key and len(key.encode()) <= MAX_KEY_BYTES
        choice = (
            Choice(Target.PROPERTY, key, column_mapping.detected_type(column)) if storable else Choice(Target.UNDECIDED)
        )
    elif choice.kind is Target.EVENT:
        choice = Choice(Target.EVENT, choice.key) if choice.key in EVENT_PARTS else Choice(Target.UNDECIDED)
    elif choice.kind is not Target.SKIP:
        is_valid = _is_identifier(choice.key, schema)
        choice = column_mapping.choice_for(choice.key, schema) if is_valid else Choice(Target.UNDECIDED)
    if choice != Choice(Target(column.target_kind), column.target, column.type):
        _set(column, choice)
        column.suggested = False


def reapply_choices(columns: Sequence[MappedColumn], choices: Mapping[str, Choice], schema: Schema) -> None:
    """Apply earlier choices to the columns with the same headers, if valid for events."""
    for column in columns:
        choice = choices.get(column.header, Choice(Target.UNDECIDED))
        if choice.kind in (Target.FIELD, Target.ATTRIBUTE):
            is_valid = column_mapping.is_valid_target(choice.key, schema) and _is_identifier(choice.key, schema)
        else:
            is_valid = choice.kind in (Target.SKIP, Target.EVENT, Target.PROPERTY)
        if is_valid:
            apply_choice(column, choice, schema)
            column.suggested = False


def faults(
    identifier: str,
    columns: Sequence[MappedColumn],
    schema: Schema,
    options: Options,
    spelling: Callable[[str], str] = str,
) -> list[Fault]:
    """Return all faults that prevent a check of a file of events (EV-03); events need no action (EV-13)."""
    found = validation.header_faults(columns, options)
    found += validation.identifier_faults(identifier, columns, schema, spelling)
    found += [*_missing_columns(columns, options), *column_faults(columns, schema, options)]
    return found + validation.alias_faults(columns, options)


def column_faults(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> list[Fault]:
    """Return the faults of single columns."""
    found = validation.column_faults(columns, schema)
    times = [c.header for c in columns if c.target_kind == Target.EVENT and c.target in (TIME, SECONDS)]
    for column in columns:
        if column.target_kind == Target.EVENT and column.target != NAME and len(times) > 1:
            reason = f"Several columns hold the time of an event: {', '.join(times)}; skip all but one"
            found.append(Fault("time_twice", reason, column.header))
        elif column.target_kind == Target.NEW or (
            column.target_kind == Target.ATTRIBUTE and not _is_identifier(column.target, schema)
        ):
            reason = (
                f"Column {column.header} is mapped to {column.target}, but events do not change attributes of people; "
                "make it a property"
            )
            found.append(Fault("attribute_of_event", reason, column.header))
        elif column.target_kind == Target.PROPERTY and not (options.event_name or is_event_property(column.target)):
            reason = (
                f"Column {column.header} is not a property of any event: "
                f"rename it to EVENT{PROPERTY_SEPARATOR}PROPERTY, "
                "or enter one name for all events of the file"
            )
            found.append(Fault("property_of_nothing", reason, column.header))
        elif column.target_kind == Target.PROPERTY and split_property(column.target)[1].lstrip().startswith(
            "$"
        ):  # EV-14
            reason = f"Column {column.header} cannot be a property: its name must not begin with $; rename or skip it"
            found.append(Fault("reserved_property", reason, column.header))
    return found


def findings(columns: Iterable[MappedColumn]) -> list[dict[str, str]]:
    """Report in one finding the columns that are skipped because they are not part of an event."""
    skipped = [c.header for c in columns if c.target_kind == Target.SKIP and c.suggested and c.name != PROBLEM_HEADER]
    if not skipped:
        return []
    several = len(skipped) > 1
    reason = (
        f"{'Columns' if several else 'Column'} {join_headers(skipped)} {'are' if several else 'is'} skipped: "
        "only columns "
        f"named EVENT{PROPERTY_SEPARATOR}PROPERTY are properties, and events do not change attributes of people"
    )
    return [{"code": SKIPPED_COLUMNS_CODE, "reason": reason}]


def layout(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> EventLayout:
    """Return the columns for the reader of rows."""
    parts = {c.target: c for c in columns if c.target_kind == Target.EVENT}
    time = parts.get(TIME) or parts.get(SECONDS)
    return EventLayout(
        people=column_mapping.layout(columns, schema),
        name=_column(parts[NAME], NAME) if NAME in parts and not options.event_name else None,
        time=_column(time, time.target) if time else None,
        properties=[_property(c) for c in columns if c.target_kind == Target.PROPERTY],
        event_name=options.event_name,
    )


def event_name_error(name: str) -> str:
    """Return why a text cannot be the name of all events of a file; blank if it can."""
    try:
        parse_event_name(name)
    except InvalidValue as problem:
        return problem.reason[:1].lower() + problem.reason[1:]
    return ""


def clean_property_name(text: str) -> str:
    """Return the name of a property with its event, without a dot at its end (EV-04)."""
    return text.strip().removesuffix(".") if is_event_property(text) else text.strip()


def split_property(target: str) -> tuple[str, str]:
    """Return the event and the property of a target; the event is blank for a property of all events."""
    event, _, key = target.partition(PROPERTY_SEPARATOR)
    return (event, key) if is_event_property(target) else ("", target)


def _missing_columns(columns: Sequence[MappedColumn], options: Options) -> list[Fault]:
    """Return the faults of missing columns (EV-03); none are needed if the options give the name of all events."""
    parts = {column.target for column in columns if column.target_kind == Target.EVENT}
    if options.event_name or not columns:
        return []
    headers = join_headers([column.header for column in columns])
    found = []
    if NAME not in parts:
        reason = (
            f"The file has no column {NAME} for the names of the events; add it, map one of its columns to it "
            f"({headers}), or enter one name for all events"
        )
        found.append(Fault("event_name_missing", reason))
    if TIME not in parts:
        reason = (
            f"The file has no column {TIME} for the times of the events; add it, or map one of its columns to it "
            f"({headers})"
        )
        found.append(Fault("event_time_missing", reason))
    return found


def _part(column: MappedColumn, columns: Sequence[MappedColumn], options: Options) -> str:
    """Return the part of an event that a column holds according to its name; blank if none."""
    name = column.name
    if options.header_case is HeaderCase.ALIKE:
        spelling = normalize_name(name)
        name = spelling if spelling in EVENT_PARTS else _SPELLINGS.get(spelling, "")
    if options.event_name and name == SECONDS:
        return "" if any(other.name == TIME for other in columns) else SECONDS
    return name if name == TIME or (name == NAME and not options.event_name) else ""


def _identifies(column: MappedColumn, schema: Schema) -> bool:
    is_existing = column.target_kind in (Target.FIELD, Target.ATTRIBUTE)
    return is_existing and _is_identifier(column.target, schema)


def _is_identifier(key: str, schema: Schema) -> bool:
    return key in OWN_FIELDS or key in schema.identifiers


def _fallback(column: MappedColumn, options: Options) -> Choice:
    """Return the target of a column that is not part of an event according to its header."""
    if options.event_name:
        return Choice(Target.PROPERTY, column.name, column_mapping.detected_type(column))
    return Choice(Target.SKIP)


def _set(column: MappedColumn, choice: Choice) -> None:
    column.target_kind, column.target, column.type = choice.kind, choice.key, choice.type


def _column(column: MappedColumn, key: str) -> Column:
    return Column(column.position - 1, column.header, Definition(key, EVENT_PARTS[key], ValueType.TEXT))


def _property(column: MappedColumn) -> EventProperty:
    event, key = split_property(column.target)
    value_type = ValueType(column.type)
    date_format = column.date_format or None if value_type in column_mapping.DATES else None
    definition = Definition(column.target, key, value_type)
    return EventProperty(
        Column(column.position - 1, column.header, definition, date_format), event.strip(), key.strip()
    )
