"""Cells into incoming values, or problems (requirements PS-27). No database.

Works on a batch of rows by column: each distinct text of a column is read once per batch, since columns repeat.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import orjson

from imports.presets import OnInvalid, Options
from imports.source import Batch, Ragged
from profiles import values
from profiles.people import Link
from profiles.schema import EXTERNAL_ID, OBJECT_ID, OWN_FIELDS, Definition
from profiles.values import InvalidValue, ValueType

AUTOMATIC = "automatic"
AUTOMATIC_ORDER = (EXTERNAL_ID, OBJECT_ID, "email", "phone")
"""What a row is looked up by under Automatic: the first that is not blank (D-03)."""

LONGEST_OWN_FIELD = {EXTERNAL_ID: 1024, OBJECT_ID: 64}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the file that goes somewhere. ``position`` counts from 0."""

    position: int
    header: str
    definition: Definition
    date_format: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one row, or one value of it."""

    row: int
    line: int
    code: str
    reason: str
    column: str = ""
    value: str = ""
    warning: bool = False
    raw: Sequence[str] | None = None


@dataclass(slots=True)
class Checked:
    """Rows that can be applied, column by column: what each is looked up by, what identifies it, and its values.

    ``links`` and ``documents`` are JSON already: a list of kinds and values in matching form, and values by attribute
    key. ``ties`` are the links by which a row may concern rows that look up something else; None where there are none.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    keys: Sequence[Link]
    links: Sequence[str]
    documents: Sequence[str]
    ties: Sequence[list[Link]] | None

    def only(self, kept: Sequence[bool]) -> Checked:
        """The rows that are kept."""
        columns = (self.numbers, self.lines, self.keys, self.links, self.documents)
        numbers, lines, keys, links, documents = (list(compress(column, kept)) for column in columns)
        return Checked(numbers, lines, keys, links, documents, self.ties and list(compress(self.ties, kept)))


@dataclass(slots=True)
class _Texts:
    """What the texts of one column in one batch mean. ``values`` may be asked for by distinct text."""

    meaning: dict[str, Any]
    forms: dict[str, str] | None
    bad: dict[str, InvalidValue]
    blank: bool


class RowChecker:
    """Checks rows against the mapping: one object per job and process."""

    def __init__(self, columns: Sequence[Column], identifier: str, options: Options) -> None:
        self.columns = columns
        self.options = options
        self.automatic = identifier == AUTOMATIC
        kinds = AUTOMATIC_ORDER if self.automatic else (identifier,)
        self.lookups = [i for kind in kinds for i, column in enumerate(columns) if column.definition.key == kind]
        self.looked_up = frozenset(kinds)
        self.mandatory = [i for i, c in enumerate(columns) if c.definition.mandatory and options.enforce_mandatory]
        self._readers = [_reader(column, options) for column in columns]
        self._forms = [_form(column.definition) for column in columns]
        self._targets = _targets(columns)
        kinds_of_columns = [column.definition.key for column in columns]
        self._repeats_kinds = len(set(kinds_of_columns)) < len(kinds_of_columns)

    def check(self, batch: Batch) -> tuple[Checked, list[Problem]]:
        """The rows that can be applied, in file order, and the problems of the others (and warnings)."""
        problems = [_malformed(ragged) for ragged in batch.ragged]
        if not batch.rows:
            return Checked([], [], [], [], [], None), problems
        cells = list(zip(*batch.rows, strict=True))
        texts = [self._read(i, set(cells[column.position])) for i, column in enumerate(self.columns)]
        failed = self._failures(batch, texts, problems)
        keys = self._keys(cells, texts)
        checked = Checked(
            batch.numbers,
            batch.lines,
            keys,  # type: ignore[arg-type]  # a row without a key has failed
            self._links(cells, texts),
            self._documents(cells, texts),
            self._ties(cells, texts, keys),
        )
        return checked.only([index not in failed for index in range(len(keys))]) if failed else checked, problems

    def _read(self, index: int, distinct: set[str]) -> _Texts:
        """What each distinct text of a column means; a blank one and a bad one mean nothing."""
        reader, form = self._readers[index], self._forms[index]
        meaning: dict[str, Any] = {}
        forms: dict[str, str] = {}
        bad: dict[str, InvalidValue] = {}
        count = len(distinct)
        for text in distinct:
            if not text or text.isspace():
                count -= 1
                continue
            try:
                value = reader(text)
                if form is not None:
                    forms[text] = form(value)
                meaning[text] = value
            except InvalidValue as problem:
                bad[text] = problem
        return _Texts(meaning, None if form is None else forms, bad, count < len(distinct))

    def _keys(self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts]) -> list[Link | None]:
        """What each row is looked up by: of several columns the first that is not blank."""
        keys: list[Link | None] = [None] * len(cells[0])
        for i in reversed(self.lookups):
            column = self.columns[i]
            links = {text: (column.definition.key, form) for text, form in (texts[i].forms or {}).items()}
            found = map(links.get, cells[column.position])
            keys = list(found) if i == self.lookups[-1] else [link or key for link, key in zip(found, keys, strict=True)]
        return keys

    def _ties(
        self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts], keys: Sequence[Link | None]
    ) -> list[list[Link]] | None:
        """By what else than its key each row may concern others: values that are looked up, or may be held once."""
        linked = [i for i, c in enumerate(self.columns) if c.definition.key in self.looked_up | {EXTERNAL_ID}]
        if len(linked) < 2:
            return None
        columns = []
        for i in linked:
            column = self.columns[i]
            links = {text: (column.definition.key, form) for text, form in (texts[i].forms or {}).items()}
            columns.append(map(links.get, cells[column.position]))
        rows = zip(keys, zip(*columns, strict=True), strict=True)
        return [[link for link in links if link is not None and link != key] for key, links in rows]

    def _links(self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts]) -> list[str]:
        """All identifiers of each row, in matching form, as JSON."""
        columns = []
        for column, found in zip(self.columns, texts, strict=True):
            if found.forms is not None:
                start = f"[{json_of(column.definition.key)},"
                fragments = _fragments(found.forms, start, "]")
                columns.append(map(fragments.get, cells[column.position]))
        if self._repeats_kinds:
            return [f"[{','.join(dict.fromkeys(filter(None, row)))}]" for row in zip(*columns, strict=True)]
        return [f"[{','.join(filter(None, row))}]" for row in zip(*columns, strict=True)]

    def _documents(self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts]) -> list[str]:
        """The values of each row by attribute key, without blanks, as JSON."""
        if not self._targets:
            return ["{}"] * len(cells[0])
        columns = [self._target(cells, texts, key, sources) for key, sources in self._targets]
        return [f"{{{','.join(filter(None, row))}}}" for row in zip(*columns, strict=True)]

    def _target(
        self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts], key: str, sources: Sequence[int]
    ) -> Iterable[str | None]:
        """One attribute of each row as ``"key":value``; several columns make one list, without repetition (AT-09)."""
        column = self.columns[sources[0]]
        start = f"{json_of(key)}:"
        if len(sources) > 1:
            return self._list(cells, texts, start, sources)
        many = column.definition.multi_valued
        fragments = _fragments(texts[sources[0]].meaning, start + "[" * many, "]" * many)
        return map(fragments.get, cells[column.position])

    def _list(
        self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts], start: str, sources: Sequence[int]
    ) -> Iterable[str | None]:
        columns = []
        for i in sources:
            forms = texts[i].forms or texts[i].meaning
            pairs = {text: (forms[text], value) for text, value in texts[i].meaning.items()}
            columns.append(map(pairs.get, cells[self.columns[i].position]))
        for row in zip(*columns, strict=True):
            found: dict[Any, Any] = {}
            for pair in row:
                if pair is not None:
                    found.setdefault(*pair)
            yield start + json_of(list(found.values())) if found else None

    def _failures(self, batch: Batch, texts: Sequence[_Texts], problems: list[Problem]) -> set[int]:
        """Which rows fail. The order of checks is that of PS-27: identifier, mandatory values, formats."""
        failed: set[int] = set()
        flawed: dict[int, list[Problem]] = {}
        self._check_identifier(batch, texts, flawed, failed)
        for i in self.mandatory:
            if texts[i].blank:
                self._check_mandatory(batch, texts, i, flawed, failed)
        for i, found in enumerate(texts):
            if found.bad:
                self._check_values(batch, i, found, flawed, failed)
        for index in sorted(flawed):
            problems.extend(flawed[index])
        return failed

    def _check_identifier(
        self, batch: Batch, texts: Sequence[_Texts], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not any(texts[i].blank or texts[i].bad for i in self.lookups):
            return
        for index, row in enumerate(batch.rows):
            cells = [(row[self.columns[i].position], texts[i], i) for i in self.lookups]
            if any(cell in found.meaning for cell, found, _ in cells):
                continue
            if any(cell in found.bad and not self._drops(i) for cell, found, i in cells):
                continue  # not blank but malformed: its format is the problem
            names = " and ".join(dict.fromkeys(self.columns[i].header for i in self.lookups))
            reason = f"The identifier is blank: fill in {names}"
            self._note(batch, index, flawed, "blank_identifier", reason, names)
            failed.add(index)

    def _check_mandatory(
        self, batch: Batch, texts: Sequence[_Texts], i: int, flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        column = self.columns[i]
        sources = next(sources for key, sources in self._targets if key == column.definition.key)
        if i != sources[0]:
            return
        for index, row in enumerate(batch.rows):
            if all(values.is_blank(row[self.columns[source].position]) for source in sources):
                reason = f"Missing mandatory field: {column.definition.key}"
                self._note(batch, index, flawed, "missing_mandatory", reason, column.header)
                failed.add(index)

    def _check_values(
        self, batch: Batch, i: int, found: _Texts, flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        column = self.columns[i]
        drops = self._drops(i)
        for index, row in enumerate(batch.rows):
            text = row[column.position]
            problem = found.bad.get(text)
            if problem is not None:
                self._note(batch, index, flawed, problem.code, problem.reason, column.header, text, warning=drops)
                if not drops:
                    failed.add(index)

    def _drops(self, i: int) -> bool:
        """Whether a bad value of the column is left out, and not its row (D-17); never the one looked up by (HI-39)."""
        identifies = self.columns[i].definition.key in self.looked_up and not self.automatic
        return self.options.on_invalid_value is OnInvalid.DROP_VALUE and not identifies

    def _note(
        self,
        batch: Batch,
        index: int,
        flawed: dict[int, list[Problem]],
        code: str,
        reason: str,
        column: str,
        value: str = "",
        *,
        warning: bool = False,
    ) -> None:
        problem = Problem(
            batch.numbers[index], batch.lines[index], code, reason, column, value, warning, batch.rows[index]
        )
        flawed.setdefault(index, []).append(problem)


def _malformed(ragged: Ragged) -> Problem:
    return Problem(ragged.number, ragged.line, "malformed_row", ragged.reason, raw=ragged.cells)


def _reader(column: Column, options: Options) -> Callable[[str], Any]:
    if column.definition.key not in OWN_FIELDS:
        return values.parser(column.definition.type, options.values, column.date_format)
    longest = replace(options.values, max_bytes=LONGEST_OWN_FIELD[column.definition.key])
    text = values.parser(ValueType.TEXT, longest)
    return lambda cell: text(cell.strip())


def _form(definition: Definition) -> Callable[[Any], str] | None:
    if definition.key in OWN_FIELDS:
        return str
    if not definition.identifier:
        return None
    return lambda value: values.matching_form(definition.type, value)


def _targets(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Attribute keys, and which columns each is made of."""
    targets: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        if column.definition.key not in OWN_FIELDS:
            targets.setdefault(column.definition.key, []).append(index)
    return list(targets.items())


def json_of(value: Any) -> str:
    return orjson.dumps(value).decode()


_SPECIAL = re.compile(r'["\\\x00-\x1f]').search


def _fragments(meaning: Mapping[str, Any], start: str, end: str) -> dict[str, str]:
    """Each meaning as JSON between two texts. Most are texts without anything to escape, and made in one go."""
    if all(type(value) is str for value in meaning.values()) and not _SPECIAL("".join(meaning.values())):
        start, end = f'{start}"', f'"{end}'
        return {text: f"{start}{value}{end}" for text, value in meaning.items()}
    return {text: f"{start}{json_of(value)}{end}" for text, value in meaning.items()}
