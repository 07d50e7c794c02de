"""Headers of a file of events onto who did something, what, when, and its properties (requirements section 16).

A property column is named ``<event>.properties.<property>``. Where all rows are events of one name, which the job's
options say, every other column is a property of it by its whole header (AU-02).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from imports.mapping import column_mapping, validation
from imports.mapping.column_mapping import Choice, Column, MappedColumn, Target
from imports.mapping.headers import EVENT_MARK, PROBLEM, is_event_property
from imports.mapping.synonyms import NameResolver, normalize_name
from imports.mapping.validation import Fault, listed
from imports.presets import HeaderCase, Options
from profiles.schema import KEY_BYTES, OWN_FIELDS, Definition, Schema
from profiles.values.parsers import parser
from profiles.values.types import InvalidValue, ValueOptions, ValueType

NAME, TIME, SECONDS = "name", "time", "ts"
"""What a column tells of an event: its name, its time in ISO 8601, or its time in Unix seconds."""

PARTS = {NAME: "Name of the event", TIME: "Time of the event", SECONDS: "Time of the event, Unix seconds"}
SKIPPED = "no_part_of_events"

LONGEST_EVENT_NAME = 255
"""Bytes of UTF-8."""

read_name = parser(ValueType.TEXT, ValueOptions(max_bytes=LONGEST_EVENT_NAME))
"""Reads the name of an event. Raises ``InvalidValue``."""

_SPELLINGS = {"eventname": NAME, "event": NAME, "evtname": NAME, "eventtime": TIME, "timestamp": TIME}


@dataclass(frozen=True, slots=True)
class Property:
    """A column of values for one property: of the events of one name, or of all where ``event`` is blank."""

    column: Column
    event: str
    key: str


@dataclass(frozen=True, slots=True)
class EventLayout:
    """The columns of a file of events that are read: whose they are, what, when, and its properties.

    ``event_name``: that of all rows; then no column is needed for it, nor for the time.
    """

    people: Sequence[Column]
    name: Column | None
    time: Column | None
    properties: Sequence[Property]
    event_name: str


def suggest(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> None:
    """Set what is suggested for each column that is undecided; what is no part of an event is left out, and so is what
    a file of rows to correct says of their problems (RP-12)."""
    taken = {column.target for column in columns if column.target_kind == Target.EVENT}
    for column in columns:
        if column.target_kind == Target.UNDECIDED and column.name == PROBLEM:
            _set(column, Choice(Target.SKIP))
        elif column.target_kind == Target.UNDECIDED:
            part = _part(column, columns, options)
            if part and part not in taken:
                _set(column, Choice(Target.EVENT, part))
                taken.add(part)
            elif is_event_property(column.name):
                _set(column, Choice(Target.PROPERTY, property_name(column.name), column_mapping.detected_type(column)))
    rest = [column for column in columns if column.target_kind == Target.UNDECIDED]
    column_mapping.suggest(rest, schema, options)
    for column in rest:
        if not _identifies(column, schema):
            _set(column, _otherwise(column, options))


def map_to_name(column: MappedColumn, target: str, schema: Schema) -> None:
    """Map a column as a person asks: a part of the event, a property, or what people are found by.

    Anything else is a property of all events of the file.
    """
    names, target = NameResolver(schema), target.strip()
    key = names.find(target, exact=True) or names.find(target, exact=False)
    if target in PARTS:
        choice = Choice(Target.EVENT, target)
    elif key is not None and _is_identifier(key, schema) and not is_event_property(target):
        choice = column_mapping.choice_for(key, schema)
    else:
        choice = Choice(Target.PROPERTY, property_name(target), column_mapping.detected_type(column))
    _set(column, choice)
    column.suggested = False


def apply_choice(column: MappedColumn, choice: Choice, schema: Schema) -> None:
    """Map a column as a person chose from a list; what the list does not offer for events leaves it undecided."""
    if choice.kind is Target.PROPERTY:
        key = property_name(choice.key or column.name)
        storable = "\0" not in key and len(key.encode()) <= KEY_BYTES
        choice = (
            Choice(Target.PROPERTY, key, column_mapping.detected_type(column)) if storable else Choice(Target.UNDECIDED)
        )
    elif choice.kind is Target.EVENT:
        choice = Choice(Target.EVENT, choice.key) if choice.key in PARTS else Choice(Target.UNDECIDED)
    elif choice.kind is not Target.SKIP:
        known = _is_identifier(choice.key, schema)
        choice = column_mapping.choice_for(choice.key, schema) if known else Choice(Target.UNDECIDED)
    if choice != Choice(Target(column.target_kind), column.target, column.type):
        _set(column, choice)
        column.suggested = False


def reapply_choices(columns: Sequence[MappedColumn], choices: Mapping[str, Choice], schema: Schema) -> None:
    """Send columns where a person sent those of the same headers, as far as that is something for events."""
    for column in columns:
        choice = choices.get(column.header, Choice(Target.UNDECIDED))
        if choice.kind in (Target.FIELD, Target.ATTRIBUTE):
            fits = column_mapping.is_valid_target(choice.key, schema) and _is_identifier(choice.key, schema)
        else:
            fits = choice.kind in (Target.SKIP, Target.EVENT, Target.PROPERTY)
        if fits:
            apply_choice(column, choice, schema)
            column.suggested = False


def faults(
    identifier: str,
    columns: Sequence[MappedColumn],
    schema: Schema,
    options: Options,
    spelling: Callable[[str], str] = str,
) -> list[Fault]:
    """Everything that keeps a file of events from being checked (EV-03); the action does not matter (EV-13)."""
    found = validation.header_faults(columns, options)
    found += validation.identifier_faults(identifier, columns, schema, spelling)
    found += [*_missing(columns, options), *column_faults(columns, schema, options)]
    return found + validation.alias_faults(columns, options)


def column_faults(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> list[Fault]:
    """What keeps single columns from being imported."""
    found = validation.column_faults(columns, schema)
    times = [c.header for c in columns if c.target_kind == Target.EVENT and c.target in (TIME, SECONDS)]
    for column in columns:
        if column.target_kind == Target.EVENT and column.target != NAME and len(times) > 1:
            reason = f"Several columns hold the time of an event: {', '.join(times)}; skip all but one"
            found.append(Fault("time_twice", reason, column.header))
        elif column.target_kind == Target.NEW or (
            column.target_kind == Target.ATTRIBUTE and not _is_identifier(column.target, schema)
        ):
            reason = f"Column {column.header} goes to {column.target}, but events change nobody; make it a property"
            found.append(Fault("attribute_of_event", reason, column.header))
        elif column.target_kind == Target.PROPERTY and not (options.event_name or is_event_property(column.target)):
            reason = (
                f"Column {column.header} is a property of no event: name it EVENT{EVENT_MARK}PROPERTY, "
                "or say that all events of the file have one name"
            )
            found.append(Fault("property_of_nothing", reason, column.header))
        elif column.target_kind == Target.PROPERTY and split_property(column.target)[1].lstrip().startswith(
            "$"
        ):  # EV-14
            reason = f"Column {column.header} cannot be a property: its name may not begin with $; rename or skip it"
            found.append(Fault("reserved_property", reason, column.header))
    return found


def findings(columns: Iterable[MappedColumn]) -> list[dict[str, str]]:
    """Which columns are left out because they are no part of an event, in one finding."""
    left = [c.header for c in columns if c.target_kind == Target.SKIP and c.suggested and c.name != PROBLEM]
    if not left:
        return []
    reason = (
        f"{'Columns' if len(left) > 1 else 'Column'} {listed(left)} {'are' if len(left) > 1 else 'is'} left "
        f"out: properties are columns named EVENT{EVENT_MARK}PROPERTY, and events change nothing else about people"
    )
    return [{"code": SKIPPED, "reason": reason}]


def layout(columns: Sequence[MappedColumn], schema: Schema, options: Options) -> EventLayout:
    """The columns as rows are read."""
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
    """What is wrong with a name for all events of a file; blank if nothing is."""
    try:
        read_name(name)
    except InvalidValue as problem:
        return problem.reason[:1].lower() + problem.reason[1:]
    return ""


def property_name(text: str) -> str:
    """A property with its event, without the stray dot at its end (EV-04)."""
    return text.strip().removesuffix(".") if is_event_property(text) else text.strip()


def split_property(target: str) -> tuple[str, str]:
    """The event and the property that a target names; a blank event where it is a property of all."""
    event, _, key = target.partition(EVENT_MARK)
    return (event, key) if is_event_property(target) else ("", target)


def _missing(columns: Sequence[MappedColumn], options: Options) -> list[Fault]:
    """The columns that events need (EV-03); none where the job says their name."""
    parts = {column.target for column in columns if column.target_kind == Target.EVENT}
    if options.event_name or not columns:
        return []
    headers = listed([column.header for column in columns])
    found = []
    if NAME not in parts:
        reason = f"The file has no column {NAME} for the names of events; add it, or give one name for all ({headers})"
        found.append(Fault("event_name_missing", reason))
    if TIME not in parts:
        reason = f"The file has no column {TIME} for the times of events; add it, or map one of its columns ({headers})"
        found.append(Fault("event_time_missing", reason))
    return found


def _part(column: MappedColumn, columns: Sequence[MappedColumn], options: Options) -> str:
    """What a column tells of an event by its name; blank if nothing."""
    name = column.name
    if options.header_case is HeaderCase.ALIKE:
        spelling = normalize_name(name)
        name = spelling if spelling in PARTS else _SPELLINGS.get(spelling, "")
    if options.event_name and name == SECONDS:
        return "" if any(other.name == TIME for other in columns) else SECONDS
    return name if name == TIME or (name == NAME and not options.event_name) else ""


def _identifies(column: MappedColumn, schema: Schema) -> bool:
    known = column.target_kind in (Target.FIELD, Target.ATTRIBUTE)
    return known and _is_identifier(column.target, schema)


def _is_identifier(key: str, schema: Schema) -> bool:
    return key in OWN_FIELDS or key in schema.identifiers


def _otherwise(column: MappedColumn, options: Options) -> Choice:
    """What becomes of a column that is no part of an event by its header."""
    if options.event_name:
        return Choice(Target.PROPERTY, column.name, column_mapping.detected_type(column))
    return Choice(Target.SKIP)


def _set(column: MappedColumn, choice: Choice) -> None:
    column.target_kind, column.target, column.type = choice.kind, choice.key, choice.type


def _column(column: MappedColumn, key: str) -> Column:
    return Column(column.position - 1, column.header, Definition(key, PARTS[key], ValueType.TEXT))


def _property(column: MappedColumn) -> Property:
    event, key = split_property(column.target)
    value_type = ValueType(column.type)
    date_format = column.date_format or None if value_type in column_mapping.DATES else None
    definition = Definition(column.target, key, value_type)
    return Property(Column(column.position - 1, column.header, definition, date_format), event.strip(), key.strip())
