"""The texts of one column and what they mean. Each distinct one of a batch is read once, since columns repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from imports.mapping.column_mapping import DATES, Column
from imports.presets import Options
from profiles.merging.consent import GROUP_ID, GROUP_ID_BYTES, GROUP_STATE, group_of
from profiles.schema import LONGEST_OWN_FIELD, OWN_FIELDS, Definition
from profiles.values import formula_escapes, parsers
from profiles.values.types import InvalidValue, ValueType

_LONGEST = LONGEST_OWN_FIELD | {GROUP_ID: GROUP_ID_BYTES}
_NOT_STRINGS = {ValueType.BOOLEAN, ValueType.INTEGER, ValueType.NUMBER}


@dataclass(slots=True)
class ParsedCells:
    """What the texts of one column in one batch mean.

    ``values`` of the good ones; None where each that is not blank is its own value. ``forms``: what the good ones match
    by, where the column identifies people. ``bad``: what is wrong with the others. ``blank``: those that are blank.
    """

    values: dict[str, Any] | None
    forms: dict[str, str] | None
    bad: dict[str, InvalidValue]
    blank: set[str]

    def has(self, text: str) -> bool:
        """Whether a text has a value."""
        return text in self.values if self.values is not None else text not in self.blank

    @property
    def gaps(self) -> bool:
        """Whether there may be texts without a value."""
        return bool(self.blank or self.bad)


class ColumnReader:
    """Reads the texts of one column: one object per column, job and process."""

    def __init__(self, column: Column, options: Options) -> None:
        self.column = column
        self.form = _form(column.definition)
        self.keeps_text = _keeps_text(column, options)
        """Whether a bad value stays text: a date under a header that declares a format (DT-07, DT-17)."""
        self._unknown = parsers.blank_words(column.definition.type, options.values)
        self._parse = _parser(column, options)
        self._quick = parsers.quick_parser(column.definition.type, options.values)
        self._is_text = column.definition.type is ValueType.TEXT and column.definition.key != GROUP_ID
        self._are_strings = column.definition.type not in _NOT_STRINGS

    def read(self, texts: Iterable[str]) -> ParsedCells:
        """What the texts mean."""
        distinct = set(texts)
        blank = {text for text in distinct if parsers.is_blank(text)} if _any_blank(distinct) else set()
        if self._unknown:
            blank |= {text for text in distinct if text.strip().lower() in self._unknown}
        distinct -= blank
        if not formula_escapes.may_be_escaped(distinct):
            return self._read(distinct, blank)
        meant = {text: formula_escapes.unescape(text) for text in distinct}
        return _as_written(self._read(set(meant.values()), blank), meant)

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
        """The value of each text as JSON, between two other pieces of JSON."""
        if cells.values is None:
            if cells.blank - {""}:
                texts = ["" if text in cells.blank else text for text in texts]
            return strings(texts, None, start, end)
        if self._are_strings:
            return strings(texts, cells.values, start, end)
        shown = to_json(list(cells.values.values()))[1:-1].split(",")  # no number and no boolean has a comma
        known = dict(zip(cells.values, shown, strict=False))
        return JsonFragment(start, [known.get(text, "") for text in texts], end)

    def several(self, columns: Sequence[Sequence[str]], cells: Sequence[ParsedCells], start: str) -> JsonFragment:
        """The values of several columns as one list, without blanks and repetition (AT-09)."""
        form, lists = self.form, []
        for row in zip(*(map(_meaning(one), texts) for one, texts in zip(cells, columns, strict=True)), strict=True):
            found: dict[Any, Any] = {}
            for value in row:
                if value is not None:
                    found.setdefault(form(value) if form else value, value)
            lists.append(to_json(list(found.values())) if found else "")
        return JsonFragment(start, lists, "")


@dataclass(frozen=True, slots=True)
class JsonFragment:
    """A part of each row's JSON: a text that differs from row to row, empty where the row has no such part."""

    start: str
    texts: Sequence[str]
    end: str


def strings(texts: Sequence[str], meaning: Mapping[str, str] | None, start: str, end: str) -> JsonFragment:
    """For each text the string that it means as JSON, None for itself; blank where it means nothing."""
    shown = texts if meaning is None else [meaning.get(text, "") for text in texts]
    return JsonFragment(f'{start}"', shown if _needs_no_escape("".join(shown)) else _escaped(shown), f'"{end}')


def documents(opening: str, fields: Sequence[JsonFragment], closing: str, *, repeats: bool = False) -> list[str]:
    """Each row's fields as one JSON text. ``repeats``: whether one row may have the same field twice."""
    pattern = ",".join(f"{_literal(field.start)}%s{_literal(field.end)}" for field in fields)
    columns = [field.texts for field in fields]
    rows = list(map(f"{_literal(opening)}{pattern}{_literal(closing)}".__mod__, zip(*columns, strict=True)))
    # Nearly all rows have all fields; the others are put together one by one.
    for row in range(len(rows)) if repeats else {row for column in columns for row in _empty(column)}:
        parts = [f"{field.start}{text}{field.end}" for field in fields if (text := field.texts[row])]
        rows[row] = f"{opening}{','.join(dict.fromkeys(parts))}{closing}"
    return rows


def _literal(text: str) -> str:
    return text.replace("%", "%%")


def _empty(texts: Sequence[str]) -> Iterator[int]:
    """Where texts are empty."""
    row = -1
    for _ in range(texts.count("")):
        row = texts.index("", row + 1)
        yield row


def _meaning(cells: ParsedCells) -> Callable[[str], Any]:
    """What a text means, None for nothing."""
    if cells.values is not None:
        return cells.values.get
    return lambda text: None if text in cells.blank else text


def to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _needs_no_escape(text: str) -> bool:
    """Whether JSON writes a text as it is."""
    return len(orjson.dumps(text)) == len(text.encode()) + 2


def _escaped(texts: Sequence[str]) -> Sequence[str]:
    """Texts as JSON writes them, without the quotes around them: all at once, between marks that it leaves as is."""
    shown = to_json(_MARK.join(texts))[1:-1].split(_MARK)
    return shown if len(shown) == len(texts) else [to_json(text)[1:-1] for text in texts]


_MARK = "\x7f"


def _as_written(cells: ParsedCells, meant: Mapping[str, str]) -> ParsedCells:
    """What is known of texts as they were meant, for the same texts as they stand in the file (design rule 9)."""
    values = {text: text for text in meant.values()} if cells.values is None else cells.values
    return ParsedCells(
        {text: values[plain] for text, plain in meant.items() if plain in values},
        None if cells.forms is None else {t: cells.forms[p] for t, p in meant.items() if p in cells.forms},
        {text: cells.bad[plain] for text, plain in meant.items() if plain in cells.bad},
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
    key, chosen = definition.key, options.values_of(definition.key)
    if key == GROUP_STATE or group_of(key) is not None:
        return parsers.membership_parser(chosen)
    longest = _LONGEST.get(key, chosen.max_bytes)
    parse = parsers.parser(definition.type, replace(chosen, max_bytes=longest), column.date_format)
    if not (definition.identifier or key == GROUP_ID) or definition.type is not ValueType.TEXT:
        return parse
    if options.refuse_placeholders:
        return lambda cell: parse(_identity(cell))
    return lambda cell: parse(cell.strip())  # other types do so themselves; text keeps its blanks elsewhere (D-13)


def _identity(cell: str) -> str:
    """An identity without outer white space. Raises ``InvalidValue`` where a word stands for none (HI-13)."""
    text = cell.strip()
    if parsers.is_placeholder(text):
        raise InvalidValue(
            "placeholder", "This is no identity but a word for none: give the person's own, or leave it out"
        )
    return text


def _form(definition: Definition) -> Callable[[Any], str] | None:
    if definition.key in OWN_FIELDS:
        return str
    if not definition.identifier:
        return None
    return parsers.matcher(definition.type)
