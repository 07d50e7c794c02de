"""Parse the cells of one column. Each distinct text of a batch is parsed once, since values repeat within columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from imports.mapping.column_mapping import DATES, Column
from imports.presets import Options
from profiles.merging.consent import GROUP_ID, GROUP_STATE, MAX_GROUP_ID_BYTES, group_of
from profiles.schema import MAX_OWN_FIELD_BYTES, OWN_FIELDS, Definition
from profiles.values import formula_escapes, parsers
from profiles.values.types import InvalidValue, ValueType

_LONGEST = MAX_OWN_FIELD_BYTES | {GROUP_ID: MAX_GROUP_ID_BYTES}
_NOT_STRINGS = {ValueType.BOOLEAN, ValueType.INTEGER, ValueType.NUMBER}


@dataclass(slots=True)
class ParsedCells:
    """The parsed texts of one column in one batch.

    ``values``: the values of valid texts; None if each text that is not blank is its own value. ``forms``: the matching
    forms of valid texts if the column identifies people. ``bad``: the errors of invalid texts. ``blank``: blank texts.
    """

    values: dict[str, Any] | None
    forms: dict[str, str] | None
    bad: dict[str, InvalidValue]
    blank: set[str]

    def has(self, text: str) -> bool:
        """Return whether a text has a value."""
        return text in self.values if self.values is not None else text not in self.blank

    @property
    def has_gaps(self) -> bool:
        """Whether some texts have no value."""
        return bool(self.blank or self.bad)


class ColumnReader:
    """Parser of the texts of one column: one object per column, job and process."""

    def __init__(self, column: Column, options: Options) -> None:
        self.column = column
        self.form = _form(column.definition)
        self.keeps_text = _keeps_text(column, options)
        """Whether an invalid value is kept as text: a date under a header that declares a format (DT-07, DT-17)."""
        self._words_for_blank = parsers.blank_words(column.definition.type, options.values)
        self._parse = _parser(column, options)
        self._quick = parsers.quick_parser(column.definition.type, options.values)
        self._is_text = column.definition.type is ValueType.TEXT and column.definition.key != GROUP_ID
        self._are_strings = column.definition.type not in _NOT_STRINGS

    def read(self, texts: Iterable[str]) -> ParsedCells:
        """Parse the texts."""
        distinct = set(texts)
        blank = {text for text in distinct if parsers.is_blank(text)} if _any_blank(distinct) else set()
        if self._words_for_blank:
            blank |= {text for text in distinct if text.strip().lower() in self._words_for_blank}
        distinct -= blank
        if not formula_escapes.may_be_escaped(distinct):
            return self._read(distinct, blank)
        plain = {text: formula_escapes.unescape(text) for text in distinct}
        return _by_escaped_text(self._read(set(plain.values()), blank), plain)

    def _read(self, distinct: set[str], blank: set[str]) -> ParsedCells:
        if self.form is None and self._is_text and parsers.are_plain(distinct):
            return ParsedCells(None, None, {}, blank)
        found: dict[str, Any] = {}
        if self._quick is not None:
            plain = list(filter(self._quick.test, distinct))
            found = dict(zip(plain, map(self._quick.read, plain), strict=True))
            distinct -= found.keys()
        bad: dict[str, InvalidValue] = {}
        parse = self._parse
        for text in distinct:
            try:
                found[text] = parse(text)
            except InvalidValue as problem:
                bad[text] = problem
                if self.keeps_text and parsers.are_plain([text]):
                    found[text] = text
        forms = None if self.form is None else dict(zip(found, map(self.form, found.values()), strict=True))
        return ParsedCells(found, forms, bad, blank)

    def field(self, texts: Sequence[str], cells: ParsedCells, start: str, end: str) -> JsonFragment:
        """Return the value of each text as JSON, between two other pieces of JSON."""
        if cells.values is None:
            if cells.blank - {""}:
                texts = ["" if text in cells.blank else text for text in texts]
            return string_fragment(texts, None, start, end)
        if self._are_strings:
            return string_fragment(texts, cells.values, start, end)
        shown = to_json(list(cells.values.values()))[1:-1].split(",")  # no number and no boolean has a comma
        values = dict(zip(cells.values, shown, strict=False))
        return JsonFragment(start, [values.get(text, "") for text in texts], end)

    def several(self, columns: Sequence[Sequence[str]], cells: Sequence[ParsedCells], start: str) -> JsonFragment:
        """Return the values of several columns as one list of each row, without blanks and repetitions (AT-09)."""
        form, lists = self.form, []
        for row in zip(*(map(_value_of(one), texts) for one, texts in zip(cells, columns, strict=True)), strict=True):
            found: dict[Any, Any] = {}
            for value in row:
                if value is not None:
                    found.setdefault(form(value) if form else value, value)
            lists.append(to_json(list(found.values())) if found else "")
        return JsonFragment(start, lists, "")


@dataclass(frozen=True, slots=True)
class JsonFragment:
    """A part of the JSON of each row; the text of a row is empty if the row does not have this part."""

    start: str
    texts: Sequence[str]
    end: str


def string_fragment(texts: Sequence[str], values: Mapping[str, str] | None, start: str, end: str) -> JsonFragment:
    """Return the value of each text as a JSON string, blank if it has none. If ``values`` is None, texts are values."""
    shown = texts if values is None else [values.get(text, "") for text in texts]
    return JsonFragment(f'{start}"', shown if _needs_no_escape("".join(shown)) else _escaped(shown), f'"{end}')


def build_documents(opening: str, fields: Sequence[JsonFragment], closing: str, *, repeats: bool = False) -> list[str]:
    """Return the fields of each row as one JSON text. ``repeats``: whether a row can have the same field twice."""
    pattern = ",".join(f"{_literal(field.start)}%s{_literal(field.end)}" for field in fields)
    columns = [field.texts for field in fields]
    rows = list(map(f"{_literal(opening)}{pattern}{_literal(closing)}".__mod__, zip(*columns, strict=True)))
    # Nearly all rows have all fields; the others are assembled one by one.
    for row in range(len(rows)) if repeats else {row for column in columns for row in _empty(column)}:
        parts = [f"{field.start}{text}{field.end}" for field in fields if (text := field.texts[row])]
        rows[row] = f"{opening}{','.join(dict.fromkeys(parts))}{closing}"
    return rows


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _empty(texts: Sequence[str]) -> Iterator[int]:
    """Yield the indexes of empty texts."""
    row = -1
    for _ in range(texts.count("")):
        row = texts.index("", row + 1)
        yield row


def _value_of(cells: ParsedCells) -> Callable[[str], Any]:
    """Return a function that returns the value of a text, None if it has none."""
    if cells.values is not None:
        return cells.values.get
    return lambda text: None if text in cells.blank else text


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _needs_no_escape(text: str) -> bool:
    """Return whether JSON represents a text without escapes."""
    return len(orjson.dumps(text)) == len(text.encode()) + 2


def _escaped(texts: Sequence[str]) -> Sequence[str]:
    """Return texts as JSON without the outer quotes, encoded at once with a separator that JSON does not escape."""
    shown = to_json(_MARK.join(texts))[1:-1].split(_MARK)
    return shown if len(shown) == len(texts) else [to_json(text)[1:-1] for text in texts]


_MARK = "\x7f"


def _by_escaped_text(cells: ParsedCells, plain: Mapping[str, str]) -> ParsedCells:
    """Return the results of unescaped texts by the texts of the file (design rule 9)."""
    values = {text: text for text in plain.values()} if cells.values is None else cells.values
    return ParsedCells(
        {text: values[meant] for text, meant in plain.items() if meant in values},
        None if cells.forms is None else {t: cells.forms[p] for t, p in plain.items() if p in cells.forms},
        {text: cells.bad[meant] for text, meant in plain.items() if meant in cells.bad},
        cells.blank,
    )


def _any_blank(distinct: set[str]) -> bool:
    return "" in distinct or any(map(str.isspace, distinct))


def _keeps_text(column: Column, options: Options) -> bool:
    if column.date_format is not None or column.unknown_format:
        return True
    return options.other_dates_stay_text and column.definition.type in DATES


def _parser(column: Column, options: Options) -> Callable[[str], Any]:
    definition = column.definition
    key, value_options = definition.key, options.values_of(definition.key)
    if key == GROUP_STATE or group_of(key) is not None:
        return parsers.membership_parser(value_options)
    longest = _LONGEST.get(key, value_options.max_bytes)
    parse = parsers.parser(definition.type, replace(value_options, max_bytes=longest), column.date_format)
    if not (definition.identifier or key == GROUP_ID) or definition.type is not ValueType.TEXT:
        return parse
    if options.refuse_placeholders:
        return lambda cell: parse(_identity(cell))
    return lambda cell: parse(cell.strip())  # other types strip blanks themselves; other text keeps them (D-13)


def _identity(cell: str) -> str:
    """Return an identity without outer white space. Raises ``InvalidValue`` for a placeholder (HI-13)."""
    text = cell.strip()
    if parsers.is_placeholder(text):
        raise InvalidValue(
            "placeholder", "This is a placeholder, not an identity: enter the identity of the person, or leave it out"
        )
    return text


def _form(definition: Definition) -> Callable[[Any], str] | None:
    if definition.key in OWN_FIELDS:
        return str
    if not definition.identifier:
        return None
    return parsers.matcher(definition.type)
