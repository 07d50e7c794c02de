"""Cells into incoming values, or problems (requirements PS-27). No database.

Works on a batch of rows by column: each distinct text of a column is read once per batch, since columns repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Checked:
    """A row that can be applied: what it is looked up by, what identifies it, and its values."""

    row: int
    line: int
    key: Link
    links: list[Link]
    values: dict[str, Any]


@dataclass(slots=True)
class _Texts:
    """What the texts of one column in one batch mean."""

    values: list[Any]
    forms: list[str | None] | None
    blank: bool
    bad: dict[str, InvalidValue] = field(default_factory=dict)


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

    def check(self, batch: Batch) -> tuple[list[Checked], list[Problem]]:
        """The rows that can be applied, in file order, and the problems of the others (and warnings)."""
        problems = [_malformed(ragged) for ragged in batch.ragged]
        if not batch.rows:
            return [], problems
        cells = list(zip(*batch.rows, strict=True))
        texts = [self._read(i, cells[column.position]) for i, column in enumerate(self.columns)]
        failed = self._failures(batch, texts, problems)
        keys = self._keys(texts, len(batch.rows))
        links = self._links(texts, keys)
        documents = self._documents(texts, len(batch.rows))
        rows = zip(batch.numbers, batch.lines, keys, links, documents, strict=True)
        if not failed:
            return [Checked(*row) for row in rows], problems  # type: ignore[arg-type]
        return [Checked(*row) for index, row in enumerate(rows) if index not in failed], problems  # type: ignore[arg-type]

    def _read(self, index: int, texts: Sequence[str]) -> _Texts:
        reader, form = self._readers[index], self._forms[index]
        meaning: dict[str, Any] = {}
        forms: dict[str, str | None] = {}
        bad: dict[str, InvalidValue] = {}
        for text in set(texts):
            meaning[text] = forms[text] = None
            if not text or text.isspace():
                continue
            try:
                value = reader(text)
                if form is not None:
                    forms[text] = form(value)
                meaning[text] = value
            except InvalidValue as problem:
                bad[text] = problem
        return _Texts(
            values=[meaning[text] for text in texts],
            forms=None if form is None else [forms[text] for text in texts],
            blank=None in meaning.values(),
            bad=bad,
        )

    def _keys(self, texts: Sequence[_Texts], count: int) -> list[Link | None]:
        """What each row is looked up by: of several columns the first that is not blank."""
        keys: list[Link | None] = [None] * count
        for i in reversed(self.lookups):
            kind = self.columns[i].definition.key
            forms = texts[i].forms or ()
            keys = [key if form is None else (kind, form) for key, form in zip(keys, forms, strict=True)]
        return keys

    def _links(self, texts: Sequence[_Texts], keys: Sequence[Link | None]) -> list[list[Link]]:
        columns = [
            [None if form is None else (column.definition.key, form) for form in found.forms]
            for column, found in zip(self.columns, texts, strict=True)
            if found.forms is not None
        ]
        if len(columns) == 1:
            return [[] if link is None else [link] for link in columns[0]]
        return [list(dict.fromkeys(link for link in row if link)) for row in zip(*columns, strict=True)]

    def _documents(self, texts: Sequence[_Texts], count: int) -> list[dict[str, Any]]:
        """The values of each row by attribute key, without blanks."""
        names = [key for key, _ in self._targets]
        if not names:
            return [{} for _ in range(count)]
        columns = [self._target(texts, sources) for _, sources in self._targets]
        rows = zip(*columns, strict=True)
        if any(texts[i].blank for _, sources in self._targets for i in sources):
            return [{k: v for k, v in zip(names, row, strict=True) if v is not None} for row in rows]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _target(self, texts: Sequence[_Texts], sources: Sequence[int]) -> Sequence[Any]:
        """One attribute of each row; several columns make one list, without repetition (AT-09)."""
        first = self.columns[sources[0]].definition
        if not first.multi_valued:
            return texts[sources[0]].values
        if len(sources) == 1:
            return [None if value is None else [value] for value in texts[sources[0]].values]
        pairs = [zip(texts[i].forms or texts[i].values, texts[i].values, strict=True) for i in sources]
        return [_distinct(row) for row in zip(*pairs, strict=True)]

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
        if not any(texts[i].blank for i in self.lookups):
            return
        for index in range(len(batch.rows)):
            if any(texts[i].values[index] is not None for i in self.lookups):
                continue
            cells = [(batch.rows[index][self.columns[i].position], i) for i in self.lookups]
            if any(cell in texts[i].bad and not self._drops(i) for cell, i in cells):
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


def _distinct(pairs: Iterable[tuple[Any, Any]]) -> list[Any] | None:
    found: dict[Any, Any] = {}
    for form, value in pairs:
        if value is not None:
            found.setdefault(form, value)
    return list(found.values()) or None
