"""Sample files: a header with every attribute of the schema, and rows that can be imported as they are
(FF-12, FF-13, FF-15). Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from imports import examples, headers
from imports.headers import HeaderError
from imports.mapping import AUTOMATIC, looked_up_kinds
from imports.presets import Options
from imports.refusal import Limits
from profiles import values
from profiles.people import MAX_CUSTOM_ATTRIBUTES
from profiles.schema import ALIAS, ALIAS_LABEL, OBJECT_ID, OWN_FIELDS, Definition, Schema, fields_of
from profiles.values import InvalidValue, ValueType

ROWS = 3


def sample(schema: Schema, identifier: str, options: Options) -> str:
    """A file as CSV: the columns that people are found by first, then all others of the schema.

    Its last row leaves blank what may be, to show that it may. Unknown Object IDs are never created, so these have to
    be replaced by those of people who are there.
    """
    columns = _columns(schema, identifier)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_harmless(column.key) for column in columns])
    full = _fillable(columns)
    needed = {column.key for column in columns if column.mandatory} | set(_found_by(identifier))
    for row in range(ROWS):
        filled = full if row < ROWS - 1 else full & needed
        writer.writerow([_value(column, row, options) if column.key in filled else "" for column in columns])
    return out.getvalue()


def _columns(schema: Schema, identifier: str) -> list[Definition]:
    """What the file has columns for, as many as a file may have."""
    own = {key: Definition(key, label, ValueType.TEXT, identifier=True) for key, label in OWN_FIELDS.items()}
    known = own | dict(schema.definitions)
    rest = sorted(schema.definitions.values(), key=lambda definition: not definition.mandatory)
    columns = [*(known[key] for key in _found_by(identifier)), *(column for column in rest if _is_header(column.key))]
    return list(dict.fromkeys(columns))[: Limits.max_columns]


def _found_by(identifier: str) -> Iterator[str]:
    """Its columns. Under Automatic neither ids that only exist here nor aliases, which stand in files of their own."""
    for kind in looked_up_kinds(identifier):
        if kind not in (OBJECT_ID, ALIAS) or identifier != AUTOMATIC:
            yield from fields_of(kind)


def _is_header(key: str) -> bool:
    """Whether a header can name the attribute: one in angle brackets would be the format of a date."""
    try:
        return headers.parse([key])[0].name == key
    except HeaderError:
        return False


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
        values.parser(column.type, options.values)(text)
    except InvalidValue:
        return False
    return True


def _harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula (design rule 9)."""
    return f"'{text}" if text.startswith(("'", "=", "+", "-", "@", "\t", "\r")) else text
