"""Create sample files: a header with every attribute of the schema, and rows that can be imported unchanged
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
from profiles.schema import ALIAS, ALIAS_LABEL, OBJECT_ID, OWN_FIELDS, Definition, Schema, identifier_fields
from profiles.values import formula_escapes, parsers
from profiles.values.types import InvalidValue, ValueType

ROWS = 3


def build_people_sample(schema: Schema, preset: Preset, identifier: str, options: Options) -> str:
    """Return a file of people as CSV: the identifier columns, then all others of the schema (FF-13, FF-14).

    In the last row all optional values are blank, to show that they are optional. Object IDs have to be replaced by
    those of existing people, since an unknown one never creates a person. ``options``: the preset's, with the defaults
    of this site.
    """
    columns = [column for column in _columns(schema, identifier) if _is_header(preset.spelling(column.key), options)]
    full = _fillable(columns)
    required = {column.key for column in columns if column.mandatory} | set(_identifier_keys(identifier))
    header = [formula_escapes.escape(preset.spelling(column.key)) for column in columns]
    return _csv(header, ([_value(c, row, options) if c.key in filled else "" for c in columns]
                for row in range(ROWS)
                for filled in [full if row < ROWS - 1 else full & required]))  # fmt: skip


def build_event_sample(schema: Schema, preset: Preset, identifier: str, options: Options) -> str:
    """Return a file of events as CSV: person, name, time, and properties (FF-14, EV-04, EV-05)."""
    definitions = _definitions(schema)
    columns = [definitions[key] for key in _identifier_keys(identifier)]
    header = [*(preset.spelling(column.key) for column in columns), *("name", "time"), *examples.EVENT_PROPERTIES]
    people = [[_value(column, row, options) for column in columns] for row in range(ROWS)]
    return _csv(header, ([*person, *event] for person, event in zip(people, examples.EVENTS, strict=True)))


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def _definitions(schema: Schema) -> dict[str, Definition]:
    """Return own fields and attributes by key."""
    own = {key: Definition(key, label, ValueType.TEXT, identifier=True) for key, label in OWN_FIELDS.items()}
    return own | dict(schema.definitions)


def _columns(schema: Schema, identifier: str) -> list[Definition]:
    """Return the definitions of the columns, at most as many as a file can have."""
    definitions = _definitions(schema)
    rest = sorted(schema.definitions.values(), key=lambda definition: not definition.mandatory)
    first = [definitions[key] for key in _identifier_keys(identifier)]
    return list(dict.fromkeys([*first, *rest]))[: Limits.max_columns]


def _identifier_keys(identifier: str) -> Iterator[str]:
    """Yield the keys of an identifier's columns, for an alias its name first.

    Automatic omits Object IDs, which exist only here, and aliases, which need files of their own.
    """
    for kind in lookup_kinds(identifier):
        if kind not in (OBJECT_ID, ALIAS) or identifier != AUTOMATIC:
            yield from reversed(identifier_fields(kind))


def _is_header(name: str, options: Options) -> bool:
    """Return whether a name can be a header: no date format in angle brackets, no forbidden characters."""
    try:
        header = headers.parse_header_row([formula_escapes.escape(name)])[0]
    except HeaderError:
        return False
    return header.name == name and not (header.forbidden and options.forbidden_characters is ForbiddenCharacters.REJECT)


def _fillable(columns: Sequence[Definition]) -> set[str]:
    """Return the keys that one person can have, limited by the number of custom attributes (AT-12)."""
    custom = [column.key for column in columns if not column.built_in and column.key not in OWN_FIELDS]
    return {column.key for column in columns} - set(custom[MAX_CUSTOM_ATTRIBUTES:])


def _value(column: Definition, row: int, options: Options) -> str:
    """Return a value for the person of a row that is valid under the options; blank if there is none."""
    if column.key == OBJECT_ID:
        return f"{row + 1:032x}"
    if column.key == ALIAS_LABEL:
        return "crm"
    if column.identifier and column.type is ValueType.TEXT:
        return f"{column.key}-{row + 1001}"
    specific = examples.ATTRIBUTES.get(column.key, ()) if column.built_in else ()
    general = examples.TYPES[column.type]
    valid = [text for text in specific or (*general.examples, *general.others) if _is_valid(text, column, options)]
    return valid[row % len(valid)] if valid else ""


def _is_valid(text: str, column: Definition, options: Options) -> bool:
    try:
        parsers.parser(column.type, options.values_of(column.key))(text)
    except InvalidValue:
        return False
    return True
