"""Cells into incoming values, or problems (requirements PS-27). No database.

Works on a batch of rows by column: each distinct text of a column is read once per batch, since columns repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from imports.files.batches import MALFORMED, Batch, RaggedRow
from imports.mapping.column_mapping import AUTOMATIC, Column, lookup_kinds
from imports.presets import OnInvalid, Options
from imports.rows import subscription_groups
from imports.rows.cells import ColumnReader, JsonFragment, ParsedCells, documents, strings, to_json
from imports.rows.clevertap_codes import published
from imports.rows.results import CheckedRows, Problem
from profiles.merging import alias
from profiles.merging.consent import GROUP_FIELDS
from profiles.merging.person import Link
from profiles.schema import ALIAS, OWN_FIELDS, OWN_IDENTIFIERS, fields_of, identifier_of


@dataclass(frozen=True, slots=True)
class IdentifierColumns:
    """Columns that make up one identifier: one of them, or the two of the alias."""

    kind: str
    columns: tuple[int, ...]


class RowChecker:
    """Checks rows against the mapping: one object per job and process."""

    def __init__(self, columns: Sequence[Column], identifier: str, options: Options, marks: int | None = None) -> None:
        """``marks``: the position of the column that says what was wrong with rows, where the file has one (RP-12)."""
        self.columns = columns
        self.options = options
        self.automatic = identifier == AUTOMATIC
        kinds = lookup_kinds(identifier)
        self.looked_up = frozenset(kinds)
        linked = _sources(columns, self.looked_up | OWN_IDENTIFIERS.keys())
        self.lookup_identifiers = [source for kind in kinds for source in linked if source.kind == kind]
        self.lookups = [i for source in self.lookup_identifiers for i in source.columns]
        self._linked = linked
        self._alias = next((source.columns for source in linked if source.kind == ALIAS), ())
        self.mandatory = [i for i, c in enumerate(columns) if c.definition.mandatory and options.enforce_mandatory]
        self._readers = [ColumnReader(column, options) for column in columns]
        self._targets = _targets(columns)
        self._groups = subscription_groups.columns_of(columns)
        self._marks = marks
        kinds_of_columns = [column.definition.key for column in columns]
        self._repeats_kinds = len(set(kinds_of_columns)) < len(kinds_of_columns)

    def check(self, batch: Batch) -> tuple[CheckedRows, list[Problem]]:
        """The rows that can be applied, in file order, and the problems of the others (and warnings)."""
        problems = [_malformed(ragged) for ragged in batch.ragged]
        if not batch.rows:
            return CheckedRows([], [], [], [], [], None), problems
        columns = list(zip(*batch.rows, strict=True))
        texts = [columns[column.position] for column in self.columns]
        cells = [reader.read(column) for reader, column in zip(self._readers, texts, strict=True)]
        failed = self._failures(batch, cells, problems)
        links = {source: self._links_of(source, texts, cells) for source in self._linked}
        keys = self._keys(links)
        checked = CheckedRows(
            batch.numbers,
            batch.lines,
            keys,  # type: ignore[arg-type]  # a row without a key has failed
            self._links(texts, cells, links),
            self._documents(texts, cells),
            self._ties(links, keys),
        )
        return checked.only([index not in failed for index in range(len(keys))]) if failed else checked, problems

    def _keys(self, links: Mapping[IdentifierColumns, list[Link | None]]) -> list[Link | None]:
        """What each row is looked up by: of several identifiers the first that is not blank."""
        first, *others = (links[source] for source in self.lookup_identifiers)
        keys = first
        for more in others:
            keys = [key or link for key, link in zip(keys, more, strict=True)]
        return keys

    def _links_of(
        self, source: IdentifierColumns, texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]
    ) -> list[Link | None]:
        """One identifier of each row, None where it is blank or bad; an alias is both of its parts or nothing."""
        forms = [cells[i].forms or {} for i in source.columns]
        if source.kind == ALIAS:
            parts = (map(known.get, texts[i]) for known, i in zip(forms, source.columns, strict=True))
            pairs = zip(*parts, strict=True)
            return [None if None in pair else (ALIAS, alias.form_of(pair)) for pair in pairs]
        links = {text: (source.kind, form) for text, form in forms[0].items()}
        return list(map(links.get, texts[source.columns[0]]))

    def _ties(
        self, links: Mapping[IdentifierColumns, list[Link | None]], keys: Sequence[Link | None]
    ) -> list[list[Link]] | None:
        """By what else than its key each row may concern others: values that are looked up, or may be held once."""
        if len(links) < 2:
            return None
        rows = zip(*links.values(), strict=True)
        return [[link for link in row if link is not None and link != key] for key, row in zip(keys, rows, strict=True)]

    def _links(
        self,
        texts: Sequence[Sequence[str]],
        cells: Sequence[ParsedCells],
        links: Mapping[IdentifierColumns, list[Link | None]],
    ) -> list[str]:
        """All identifiers of each row, in matching form, as JSON."""
        fields = [
            strings(texts[i], forms, f"[{to_json(column.definition.key)},", "]")
            for i, column in enumerate(self.columns)
            if (forms := cells[i].forms) is not None and i not in self._alias
        ]
        fields += [
            strings([link[1] if link else "" for link in found], None, f"[{to_json(ALIAS)},", "]")
            for source, found in links.items()
            if source.kind == ALIAS
        ]
        return documents("[", fields, "]", repeats=self._repeats_kinds)

    def _documents(self, texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]) -> list[str]:
        """The values of each row by attribute key, without blanks, as JSON."""
        fields = [self._target(key, sources, texts, cells) for key, sources in self._targets]
        if self._groups.is_pair:
            fields.append(subscription_groups.membership_fragment(self._groups, texts, cells))
        return documents("{", fields, "}") if fields else ["{}"] * len(texts[0])

    def _target(
        self, key: str, sources: Sequence[int], texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]
    ) -> JsonFragment:
        """One attribute of each row with its key; several columns make one list."""
        first, start = sources[0], f"{to_json(key)}:"
        if len(sources) > 1:
            return self._readers[first].several([texts[i] for i in sources], [cells[i] for i in sources], start)
        if self.columns[first].definition.multi_valued:
            return self._readers[first].field(texts[first], cells[first], f"{start}[", "]")
        return self._readers[first].field(texts[first], cells[first], start, "")

    def _failures(self, batch: Batch, cells: Sequence[ParsedCells], problems: list[Problem]) -> set[int]:
        """Which rows fail. The order of checks is that of PS-27: identifier, mandatory values, formats."""
        failed: set[int] = set()
        flawed: dict[int, list[Problem]] = {}
        self._check_marks(batch, flawed, failed)
        self._check_identifier(batch, cells, flawed, failed)
        self._check_alias(batch, cells, flawed, failed)
        for i in self.lookups:
            self._check_values(batch, i, cells[i], flawed, failed)
        for i in self.mandatory:
            if cells[i].gaps:
                self._check_mandatory(batch, i, cells, flawed, failed)
        for i in sorted(set(range(len(cells))) - set(self.lookups)):
            self._check_values(batch, i, cells[i], flawed, failed)
        for index, flaw in subscription_groups.flaws(self._groups, batch, cells) if self._groups.any else ():
            self._note(batch, index, flawed, flaw.code, flaw.reason, flaw.header, flaw.value, warning=True)
        for index in sorted(flawed):
            problems.extend(flawed[index])
        return failed

    def _check_marks(self, batch: Batch, flawed: dict[int, list[Problem]], failed: set[int]) -> None:
        """A row that was malformed fails until somebody has cleared its mark: its values may stand in wrong columns."""
        if self._marks is None:
            return
        for index, row in enumerate(batch.rows):
            if row[self._marks].startswith(MALFORMED):
                self._note(batch, index, flawed, "malformed_row", _STILL_MALFORMED, "")
                failed.add(index)

    def _check_identifier(
        self, batch: Batch, cells: Sequence[ParsedCells], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not any(cells[i].gaps for i in self.lookups):
            return
        for index, row in enumerate(batch.rows):
            if any(self._has(source, row, cells) for source in self.lookup_identifiers) or self._has_half(row, cells):
                continue
            if any(row[self.columns[i].position] in cells[i].bad and not self._drops(i) for i in self.lookups):
                continue  # not blank but malformed: its format is the problem
            names = " and ".join(dict.fromkeys(self.columns[i].header for i in self.lookups))
            is_bad = any(row[self.columns[i].position] in cells[i].bad for i in self.lookups)
            reason = f"The identifier is {'no valid one: correct' if is_bad else 'blank: fill in'} {names}"
            self._note(batch, index, flawed, self._code("blank_identifier"), reason, names)
            failed.add(index)

    def _has(self, source: IdentifierColumns, row: Sequence[str], cells: Sequence[ParsedCells]) -> bool:
        return all(cells[i].has(row[self.columns[i].position]) for i in source.columns)

    def _has_half(self, row: Sequence[str], cells: Sequence[ParsedCells]) -> bool:
        """Whether a row has one part of an alias without the other."""
        return len({row[self.columns[i].position] in cells[i].blank for i in self._alias}) > 1

    def _check_alias(
        self, batch: Batch, cells: Sequence[ParsedCells], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        """A label without a name, or a name without a label, means nobody (HI-17)."""
        if not any(cells[i].blank for i in self._alias):
            return
        for index, row in enumerate(batch.rows):
            if self._has_half(row, cells):
                blank = next(i for i in self._alias if row[self.columns[i].position] in cells[i].blank)
                header = self.columns[blank].header
                reason = f"An alias needs its label and its name: fill in {header}, or leave both blank"
                self._note(batch, index, flawed, "alias_incomplete", reason, header)
                failed.add(index)

    def _check_mandatory(
        self, batch: Batch, i: int, cells: Sequence[ParsedCells], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        column = self.columns[i]
        sources = next(sources for key, sources in self._targets if key == column.definition.key)
        if i != sources[0]:
            return
        for index, row in enumerate(batch.rows):
            if all(row[self.columns[source].position] in cells[source].blank for source in sources):
                reason = f"Missing mandatory field: {column.header}"
                self._note(batch, index, flawed, "missing_mandatory", reason, column.header)
                failed.add(index)

    def _check_values(
        self, batch: Batch, i: int, found: ParsedCells, flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not found.bad:
            return
        column, drops = self.columns[i], self._drops(i)
        for index, row in enumerate(batch.rows):
            text = row[column.position]
            problem = found.bad.get(text)
            if problem is not None:
                code = self._code(problem.code, column.definition.key)
                self._note(batch, index, flawed, code, problem.reason, column.header, text, warning=drops)
                if not drops:
                    failed.add(index)

    def _drops(self, i: int) -> bool:
        """Whether a bad value of the column is left out, and not its row (D-17); never the one looked up by (HI-39)."""
        if self._readers[i].keeps_text:
            return True
        identifies = identifier_of(self.columns[i].definition.key) in self.looked_up and not self.automatic
        return self.options.on_invalid_value is OnInvalid.DROP_VALUE and not identifies

    def _code(self, code: str, key: str = "") -> str:
        """What a problem with a value of an attribute is called."""
        return published(code, key) if self.options.published_codes else code

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


_STILL_MALFORMED = f"{MALFORMED}, not corrected yet: put each value into its column, then clear what is said of the row"


def _malformed(ragged: RaggedRow) -> Problem:
    return Problem(ragged.number, ragged.line, "malformed_row", ragged.reason, raw=ragged.cells)


def _targets(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Attribute keys, and which columns each is made of."""
    targets: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        if column.definition.key not in OWN_FIELDS | GROUP_FIELDS:
            targets.setdefault(column.definition.key, []).append(index)
    return list(targets.items())


def _sources(columns: Sequence[Column], kinds: Collection[str]) -> list[IdentifierColumns]:
    """The identifiers of some kinds in a file, in the order of the columns; an alias only where it has both parts."""
    places: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        places.setdefault(column.definition.key, []).append(index)
    found = [IdentifierColumns(key, (index,)) for key in places if key in kinds for index in places[key]]
    if all(field in places for field in fields_of(ALIAS)):
        found.append(IdentifierColumns(ALIAS, tuple(places[field][0] for field in fields_of(ALIAS))))
    return found
