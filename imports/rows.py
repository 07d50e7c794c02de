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

from imports.mapping import AUTOMATIC, Column, looked_up_kinds
from imports.presets import OnInvalid, Options
from imports.source import Batch, Ragged
from profiles import values
from profiles.people import Link
from profiles.schema import EXTERNAL_ID, OBJECT_ID, OWN_FIELDS, Definition
from profiles.values import InvalidValue, ValueType

LONGEST_OWN_FIELD = {EXTERNAL_ID: 1024, OBJECT_ID: 64}


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

    ``links`` are JSON already: a list of kinds and values in matching form. ``values`` by attribute key hold no blank.
    ``ties`` are the links by which a row may concern rows that look up something else; None where there are none.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    keys: Sequence[Link]
    links: Sequence[str]
    values: Sequence[dict[str, Any]]
    ties: Sequence[list[Link]] | None

    def only(self, kept: Sequence[bool]) -> Checked:
        """The rows that are kept."""
        return Checked(
            list(compress(self.numbers, kept)),
            list(compress(self.lines, kept)),
            list(compress(self.keys, kept)),
            list(compress(self.links, kept)),
            list(compress(self.values, kept)),
            None if self.ties is None else list(compress(self.ties, kept)),
        )


@dataclass(slots=True)
class _Texts:
    """What the texts of one column in one batch mean: ``values`` row by row, None for a blank or bad one."""

    values: Sequence[Any]
    forms: dict[str, str] | None
    bad: dict[str, InvalidValue]
    blank: bool


class RowChecker:
    """Checks rows against the mapping: one object per job and process."""

    def __init__(self, columns: Sequence[Column], identifier: str, options: Options) -> None:
        self.columns = columns
        self.options = options
        self.automatic = identifier == AUTOMATIC
        kinds = looked_up_kinds(identifier)
        self.lookups = [i for kind in kinds for i, column in enumerate(columns) if column.definition.key == kind]
        self.looked_up = frozenset(kinds)
        self.mandatory = [i for i, c in enumerate(columns) if c.definition.mandatory and options.enforce_mandatory]
        self._readers = [_reader(column, options) for column in columns]
        self._forms = [_form(column.definition) for column in columns]
        self._is_text = [column.definition.type is ValueType.TEXT for column in columns]
        self._targets = _targets(columns)
        kinds_of_columns = [column.definition.key for column in columns]
        self._repeats_kinds = len(set(kinds_of_columns)) < len(kinds_of_columns)

    def check(self, batch: Batch) -> tuple[Checked, list[Problem]]:
        """The rows that can be applied, in file order, and the problems of the others (and warnings)."""
        problems = [_malformed(ragged) for ragged in batch.ragged]
        if not batch.rows:
            return Checked([], [], [], [], [], None), problems
        cells = list(zip(*batch.rows, strict=True))
        texts = [self._read(i, cells[column.position]) for i, column in enumerate(self.columns)]
        failed = self._failures(batch, texts, problems)
        keys = self._keys(cells, texts)
        checked = Checked(
            batch.numbers,
            batch.lines,
            keys,  # type: ignore[arg-type]  # a row without a key has failed
            self._links(cells, texts),
            self._values(texts, len(keys)),
            self._ties(cells, texts, keys),
        )
        return checked.only([index not in failed for index in range(len(keys))]) if failed else checked, problems

    def _read(self, index: int, texts: Sequence[str]) -> _Texts:
        """What the texts of a column mean; each distinct one is read once."""
        reader, form = self._readers[index], self._forms[index]
        distinct = set(texts)
        blank = {text for text in distinct if not text or text.isspace()} if _any_blank(distinct) else set()
        if form is None and self._is_text[index] and values.are_plain(distinct):
            return _Texts(_without(texts, blank), None, {}, bool(blank))
        meaning: dict[str, Any] = {}
        forms: dict[str, str] = {}
        bad: dict[str, InvalidValue] = {}
        for text in distinct - blank if blank else distinct:
            try:
                value = reader(text)
                if form is not None:
                    forms[text] = form(value)
                meaning[text] = value
            except InvalidValue as problem:
                bad[text] = problem
                if self._keeps_text(index) and values.are_plain([text]):
                    meaning[text] = text
        found = list(map(meaning.get, texts))
        return _Texts(found, None if form is None else forms, bad, len(meaning) < len(distinct))

    def _keys(self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts]) -> list[Link | None]:
        """What each row is looked up by: of several columns the first that is not blank."""
        keys: list[Link | None] = [None] * len(cells[0])
        for i in reversed(self.lookups):
            column = self.columns[i]
            links = {text: (column.definition.key, form) for text, form in (texts[i].forms or {}).items()}
            found = map(links.get, cells[column.position])
            keys = (
                list(found) if i == self.lookups[-1] else [link or key for link, key in zip(found, keys, strict=True)]
            )
        return keys

    def _ties(
        self, cells: Sequence[Sequence[str]], texts: Sequence[_Texts], keys: Sequence[Link | None]
    ) -> list[list[Link]] | None:
        """By what else than its key each row may concern others: values that are looked up, or may be held once."""
        linked = [i for i, c in enumerate(self.columns) if c.definition.key in self.looked_up | OWN_FIELDS.keys()]
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

    def _values(self, texts: Sequence[_Texts], count: int) -> list[dict[str, Any]]:
        """The values of each row by attribute key, without blanks."""
        if not self._targets:
            return [{} for _ in range(count)]
        names = [key for key, _ in self._targets]
        rows = zip(*(self._target(texts, sources) for _, sources in self._targets), strict=True)
        if any(texts[i].blank for _, sources in self._targets for i in sources):
            return [{k: v for k, v in zip(names, row, strict=False) if v is not None} for row in rows]
        return [dict(zip(names, row, strict=False)) for row in rows]

    def _target(self, texts: Sequence[_Texts], sources: Sequence[int]) -> Iterable[Any]:
        """One attribute of each row; several columns make one list, without repetition (AT-09)."""
        found = texts[sources[0]].values
        if not self.columns[sources[0]].definition.multi_valued:
            return found
        if len(sources) == 1:
            return [None if value is None else [value] for value in found]
        form = self._forms[sources[0]] or _itself
        return [_distinct(row, form) for row in zip(*(texts[i].values for i in sources), strict=True)]

    def _failures(self, batch: Batch, texts: Sequence[_Texts], problems: list[Problem]) -> set[int]:
        """Which rows fail. The order of checks is that of PS-27: identifier, mandatory values, formats."""
        failed: set[int] = set()
        flawed: dict[int, list[Problem]] = {}
        self._check_identifier(batch, texts, flawed, failed)
        for i in self.lookups:
            self._check_values(batch, i, texts[i], flawed, failed)
        for i in self.mandatory:
            if texts[i].blank:
                self._check_mandatory(batch, texts, i, flawed, failed)
        for i in sorted(set(range(len(texts))) - set(self.lookups)):
            self._check_values(batch, i, texts[i], flawed, failed)
        for index in sorted(flawed):
            problems.extend(flawed[index])
        return failed

    def _check_identifier(
        self, batch: Batch, texts: Sequence[_Texts], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not any(texts[i].blank or texts[i].bad for i in self.lookups):
            return
        for index, row in enumerate(batch.rows):
            if any(texts[i].values[index] is not None for i in self.lookups):
                continue
            if any(row[self.columns[i].position] in texts[i].bad and not self._drops(i) for i in self.lookups):
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
        if not found.bad:
            return
        column, drops = self.columns[i], self._drops(i)
        for index, row in enumerate(batch.rows):
            text = row[column.position]
            problem = found.bad.get(text)
            if problem is not None:
                self._note(batch, index, flawed, problem.code, problem.reason, column.header, text, warning=drops)
                if not drops:
                    failed.add(index)

    def _keeps_text(self, i: int) -> bool:
        """Whether a bad value of the column stays text: where its header declares a date format (DT-17)."""
        return self.columns[i].date_format is not None

    def _drops(self, i: int) -> bool:
        """Whether a bad value of the column is left out, and not its row (D-17); never the one looked up by (HI-39)."""
        if self._keeps_text(i):
            return True
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
    longest = LONGEST_OWN_FIELD.get(column.definition.key, options.values.max_bytes)
    read = values.parser(column.definition.type, replace(options.values, max_bytes=longest), column.date_format)
    if not column.definition.identifier or column.definition.type is not ValueType.TEXT:
        return read
    return lambda cell: read(cell.strip())  # other types do so themselves; text keeps its blanks elsewhere (D-13)


def _form(definition: Definition) -> Callable[[Any], str] | None:
    if definition.key in OWN_FIELDS:
        return str
    if not definition.identifier:
        return None
    return values.matcher(definition.type)


def _targets(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Attribute keys, and which columns each is made of."""
    targets: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        if column.definition.key not in OWN_FIELDS:
            targets.setdefault(column.definition.key, []).append(index)
    return list(targets.items())


def json_of(value: Any) -> str:
    return orjson.dumps(value).decode()


def _fragments(meaning: Mapping[str, str], start: str, end: str) -> dict[str, str]:
    """Each text as JSON between two others. Most have nothing to escape, and are made in one go."""
    if not _SPECIAL("".join(meaning.values())):
        start, end = f'{start}"', f'"{end}'
        return {text: f"{start}{value}{end}" for text, value in meaning.items()}
    return {text: f"{start}{json_of(value)}{end}" for text, value in meaning.items()}


_SPECIAL = re.compile(r'["\\\x00-\x1f]').search


def _any_blank(distinct: set[str]) -> bool:
    return "" in distinct or any(map(str.isspace, distinct))


def _without(texts: Sequence[str], blank: set[str]) -> Sequence[str | None]:
    return [None if text in blank else text for text in texts] if blank else texts


def _distinct(row: Iterable[Any], form: Callable[[Any], Any]) -> list[Any] | None:
    found: dict[Any, Any] = {}
    for value in row:
        if value is not None:
            found.setdefault(form(value), value)
    return list(found.values()) or None


def _itself(value: Any) -> Any:
    return value
