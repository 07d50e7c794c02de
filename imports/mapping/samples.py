"""Sample files: a header with every attribute of the schema, and rows that can be imported as they are
(FF-12 to FF-15). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from imports.files.errors import Limits
from imports.mapping import examples, headers
from imports.mapping.column_mapping import AUTOMATIC, lookup_kinds
from imports.mapping.headers import HeaderError
from imports.presets import ForbiddenCharacters, Options, Preset
from profiles.merging.rules import MAX_CUSTOM_ATTRIBUTES
from profiles.schema import ALIAS, ALIAS_LABEL, OBJECT_ID, OWN_FIELDS, Definition, Schema, fields_of
from profiles.values import formula_escapes, parsers
from profiles.values.types import InvalidValue, ValueType

ROWS = 3


def sample(schema: Schema, preset: Preset, identifier: str, options: Options) -> str:
    """A file of people as CSV: the columns that they are found by first, then all others of the schema (FF-13, FF-14).

    Its last row leaves blank what may be, to show that it may. Unknown Object IDs are never created, so these have to
    be replaced by those of people who are there. ``options``: the preset's, as they are on this site.
    """
    columns = [column for column in _columns(schema, identifier) if _is_header(preset.spelling(column.key), options)]
    full = _fillable(columns)
    needed = {column.key for column in columns if column.mandatory} | set(_found_by(identifier))
    header = [formula_escapes.escape(preset.spelling(column.key)) for column in columns]
    return _csv(header, ([_value(c, row, options) if c.key in filled else "" for c in columns]
                for row in range(ROWS)
                for filled in [full if row < ROWS - 1 else full & needed]))  # fmt: skip


def sample_of_events(schema: Schema, preset: Preset, identifier: str, options: Options) -> str:
    """A file of events as CSV: who did what and when, and the properties of it (FF-14, EV-04, EV-05)."""
    known = _known(schema)
    columns = [known[key] for key in _found_by(identifier)]
    header = [*(preset.spelling(column.key) for column in columns), *("name", "time"), *examples.EVENT_PROPERTIES]
    people = [[_value(column, row, options) for column in columns] for row in range(ROWS)]
    return _csv(header, ([*who, *event] for who, event in zip(people, examples.EVENTS, strict=True)))


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _known(schema: Schema) -> dict[str, Definition]:
    """Own fields and attributes by key."""
    own = {key: Definition(key, label, ValueType.TEXT, identifier=True) for key, label in OWN_FIELDS.items()}
    return own | dict(schema.definitions)


def _columns(schema: Schema, identifier: str) -> list[Definition]:
    """What the file has columns for, as many as a file may have."""
    known = _known(schema)
    rest = sorted(schema.definitions.values(), key=lambda definition: not definition.mandatory)
    return list(dict.fromkeys([*(known[key] for key in _found_by(identifier)), *rest]))[: Limits.max_columns]


def _found_by(identifier: str) -> Iterator[str]:
    """The columns of an identifier; an alias begins with its name. Under Automatic neither ids that only exist here nor
    aliases, which stand in files of their own."""
    for kind in lookup_kinds(identifier):
        if kind not in (OBJECT_ID, ALIAS) or identifier != AUTOMATIC:
            yield from reversed(fields_of(kind))


def _is_header(name: str, options: Options) -> bool:
    """Whether a header can say it: in angle brackets it would be the format of a date, and some refuse characters."""
    try:
        header = headers.parse([formula_escapes.escape(name)])[0]
    except HeaderError:
        return False
    return header.name == name and not (header.forbidden and options.forbidden_characters is ForbiddenCharacters.REJECT)


def _fillable(columns: Sequence[Definition]) -> set[str]:
    """As much as one person can have (AT-12)."""
    custom = [column.key for column in columns if not column.built_in and column.key not in OWN_FIELDS]
    return {column.key for column in columns} - set(custom[MAX_CUSTOM_ATTRIBUTES:])


def _value(column: Definition, row: int, options: Options) -> str:
    """A value for the person of a row, one that the options take."""
    if column.key == OBJECT_ID:
        return f"{row + 1:032x}"
    if column.key == ALIAS_LABEL:
        return "crm"
    if column.identifier and column.type is ValueType.TEXT:
        return f"{column.key}-{row + 1001}"
    suited = examples.ATTRIBUTES.get(column.key, ()) if column.built_in else ()
    look = examples.TYPES[column.type]
    fitting = [text for text in suited or (*look.examples, *look.others) if _fits(text, column, options)]
    return fitting[row % len(fitting)] if fitting else ""


def _fits(text: str, column: Definition, options: Options) -> bool:
    try:
        parsers.parser(column.type, options.values_of(column.key))(text)
    except InvalidValue:
        return False
    return True
