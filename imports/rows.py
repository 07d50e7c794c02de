"""Cells into incoming values, or problems (requirements PS-27). No database.

Works on a batch of rows by column: each distinct text of a column is read once per batch, since columns repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

from imports.cells import Cells, ColumnReader, Field, documents, json_of, strings
from imports.mapping import AUTOMATIC, Column, looked_up_kinds
from imports.presets import OnInvalid, Options
from imports.source import Batch, Ragged
from profiles import values
from profiles.people import Link
from profiles.schema import OWN_FIELDS


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
class Events:
    """What rows of events say beside whom they are about: names, times in UTC, properties as JSON, none blank."""

    names: Sequence[str]
    times: Sequence[str]
    properties: Sequence[str]

    def only(self, kept: Sequence[bool]) -> Events:
        """Those that are kept."""
        return Events(*(list(compress(column, kept)) for column in (self.names, self.times, self.properties)))

    def at(self, places: Sequence[int]) -> Events:
        """Those at some places."""
        return Events(*([column[place] for place in places] for column in (self.names, self.times, self.properties)))


@dataclass(slots=True)
class Checked:
    """Rows that can be applied, column by column: what each is looked up by, what identifies it, and its values.

    ``links`` are JSON: a list of kinds and values in matching form. So are the ``documents``: values by attribute key,
    none blank.
    ``ties`` are the links by which a row may concern rows that look up something else; None where there are none.
    ``events``: None where the rows are people.
    """

    numbers: Sequence[int]
    lines: Sequence[int]
    keys: Sequence[Link]
    links: Sequence[str]
    documents: Sequence[str]
    ties: Sequence[list[Link]] | None
    events: Events | None = None

    def only(self, kept: Sequence[bool]) -> Checked:
        """The rows that are kept."""
        return Checked(
            list(compress(self.numbers, kept)),
            list(compress(self.lines, kept)),
            list(compress(self.keys, kept)),
            list(compress(self.links, kept)),
            list(compress(self.documents, kept)),
            None if self.ties is None else list(compress(self.ties, kept)),
            None if self.events is None else self.events.only(kept),
        )


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
        self._readers = [ColumnReader(column, options) for column in columns]
        self._targets = _targets(columns)
        kinds_of_columns = [column.definition.key for column in columns]
        self._repeats_kinds = len(set(kinds_of_columns)) < len(kinds_of_columns)

    def check(self, batch: Batch) -> tuple[Checked, list[Problem]]:
        """The rows that can be applied, in file order, and the problems of the others (and warnings)."""
        problems = [_malformed(ragged) for ragged in batch.ragged]
        if not batch.rows:
            return Checked([], [], [], [], [], None), problems
        columns = list(zip(*batch.rows, strict=True))
        texts = [columns[column.position] for column in self.columns]
        cells = [reader.read(column) for reader, column in zip(self._readers, texts, strict=True)]
        failed = self._failures(batch, cells, problems)
        keys = self._keys(texts, cells)
        checked = Checked(
            batch.numbers,
            batch.lines,
            keys,  # type: ignore[arg-type]  # a row without a key has failed
            self._links(texts, cells),
            self._documents(texts, cells),
            self._ties(texts, cells, keys),
        )
        return checked.only([index not in failed for index in range(len(keys))]) if failed else checked, problems

    def _keys(self, texts: Sequence[Sequence[str]], cells: Sequence[Cells]) -> list[Link | None]:
        """What each row is looked up by: of several columns the first that is not blank."""
        first, *others = (map(self._links_of(i, cells).get, texts[i]) for i in self.lookups)
        keys = list(first)
        for more in others:
            keys = [key or link for key, link in zip(keys, more, strict=True)]
        return keys

    def _links_of(self, i: int, cells: Sequence[Cells]) -> dict[str, Link]:
        kind = self.columns[i].definition.key
        return {text: (kind, form) for text, form in (cells[i].forms or {}).items()}

    def _ties(
        self, texts: Sequence[Sequence[str]], cells: Sequence[Cells], keys: Sequence[Link | None]
    ) -> list[list[Link]] | None:
        """By what else than its key each row may concern others: values that are looked up, or may be held once."""
        linked = [i for i, c in enumerate(self.columns) if c.definition.key in self.looked_up | OWN_FIELDS.keys()]
        if len(linked) < 2:
            return None
        rows = zip(*(map(self._links_of(i, cells).get, texts[i]) for i in linked), strict=True)
        return [
            [link for link in links if link is not None and link != key] for key, links in zip(keys, rows, strict=True)
        ]

    def _links(self, texts: Sequence[Sequence[str]], cells: Sequence[Cells]) -> list[str]:
        """All identifiers of each row, in matching form, as JSON."""
        fields = [
            strings(texts[i], forms, f"[{json_of(column.definition.key)},", "]")
            for i, column in enumerate(self.columns)
            if (forms := cells[i].forms) is not None
        ]
        return documents("[", fields, "]", repeats=self._repeats_kinds)

    def _documents(self, texts: Sequence[Sequence[str]], cells: Sequence[Cells]) -> list[str]:
        """The values of each row by attribute key, without blanks, as JSON."""
        if not self._targets:
            return ["{}"] * len(texts[0])
        return documents("{", [self._target(key, sources, texts, cells) for key, sources in self._targets], "}")

    def _target(
        self, key: str, sources: Sequence[int], texts: Sequence[Sequence[str]], cells: Sequence[Cells]
    ) -> Field:
        """One attribute of each row with its key; several columns make one list."""
        first, start = sources[0], f"{json_of(key)}:"
        if len(sources) > 1:
            return self._readers[first].several([texts[i] for i in sources], [cells[i] for i in sources], start)
        if self.columns[first].definition.multi_valued:
            return self._readers[first].field(texts[first], cells[first], f"{start}[", "]")
        return self._readers[first].field(texts[first], cells[first], start, "")

    def _failures(self, batch: Batch, cells: Sequence[Cells], problems: list[Problem]) -> set[int]:
        """Which rows fail. The order of checks is that of PS-27: identifier, mandatory values, formats."""
        failed: set[int] = set()
        flawed: dict[int, list[Problem]] = {}
        self._check_identifier(batch, cells, flawed, failed)
        for i in self.lookups:
            self._check_values(batch, i, cells[i], flawed, failed)
        for i in self.mandatory:
            if cells[i].gaps:
                self._check_mandatory(batch, i, flawed, failed)
        for i in sorted(set(range(len(cells))) - set(self.lookups)):
            self._check_values(batch, i, cells[i], flawed, failed)
        for index in sorted(flawed):
            problems.extend(flawed[index])
        return failed

    def _check_identifier(
        self, batch: Batch, cells: Sequence[Cells], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not any(cells[i].gaps for i in self.lookups):
            return
        for index, row in enumerate(batch.rows):
            if any(cells[i].has(row[self.columns[i].position]) for i in self.lookups):
                continue
            if any(row[self.columns[i].position] in cells[i].bad and not self._drops(i) for i in self.lookups):
                continue  # not blank but malformed: its format is the problem
            names = " and ".join(dict.fromkeys(self.columns[i].header for i in self.lookups))
            reason = f"The identifier is blank: fill in {names}"
            self._note(batch, index, flawed, "blank_identifier", reason, names)
            failed.add(index)

    def _check_mandatory(self, batch: Batch, i: int, flawed: dict[int, list[Problem]], failed: set[int]) -> None:
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
        self, batch: Batch, i: int, found: Cells, flawed: dict[int, list[Problem]], failed: set[int]
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

    def _drops(self, i: int) -> bool:
        """Whether a bad value of the column is left out, and not its row (D-17); never the one looked up by (HI-39)."""
        if self._readers[i].keeps_text:
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


def _targets(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Attribute keys, and which columns each is made of."""
    targets: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        if column.definition.key not in OWN_FIELDS:
            targets.setdefault(column.definition.key, []).append(index)
    return list(targets.items())
