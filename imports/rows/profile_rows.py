"""Check rows of people, and convert their cells to incoming values or problems (requirements PS-27). No database.

A batch of rows is checked by column: each distinct text of a column is read once per batch, since values repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from imports.files.batches import MALFORMED, Batch, RaggedRow
from imports.mapping.column_mapping import AUTOMATIC, Column, lookup_kinds
from imports.presets import OnInvalid, Options
from imports.rows import subscription_groups
from imports.rows.cells import ColumnReader, JsonFragment, ParsedCells, build_documents, string_fragment, to_json
from imports.rows.clevertap_codes import published_code
from imports.rows.results import CheckedRows, Problem
from profiles.merging import alias
from profiles.merging.consent import GROUP_FIELDS
from profiles.merging.person import Link
from profiles.schema import ALIAS, OWN_FIELDS, OWN_IDENTIFIERS, identifier_fields, identifier_of


@dataclass(frozen=True, slots=True)
class IdentifierColumns:
    """The columns of one identifier: one column, or two for an alias. ``columns`` are indexes of mapped columns."""

    kind: str
    columns: tuple[int, ...]


class RowChecker:
    """Checker of rows against the mapping: one object per job and process."""

    def __init__(self, columns: Sequence[Column], identifier: str, options: Options, marks: int | None = None) -> None:
        """``marks``: the position of the column with the problems of rows to correct, if the file has one (RP-12)."""
        self.columns = columns
        self.options = options
        self.automatic = identifier == AUTOMATIC
        kinds = lookup_kinds(identifier)
        self.key_kinds = frozenset(kinds)
        linked = _identifier_columns(columns, self.key_kinds | OWN_IDENTIFIERS.keys())
        self.lookup_identifiers = [source for kind in kinds for source in linked if source.kind == kind]
        self.lookup_columns = [i for source in self.lookup_identifiers for i in source.columns]
        self._lookup_headers = " or ".join(
            " and ".join(columns[i].header for i in source.columns) for source in self.lookup_identifiers
        )
        self._linked = linked
        self._alias = next((source.columns for source in linked if source.kind == ALIAS), ())
        self.mandatory = [i for i, c in enumerate(columns) if c.definition.mandatory and options.enforce_mandatory]
        self._readers = [ColumnReader(column, options) for column in columns]
        self._targets = _targets(columns)
        self._groups = subscription_groups.find_group_columns(columns)
        self._marks = marks
        kinds_of_columns = [column.definition.key for column in columns]
        self._repeats_kinds = len(set(kinds_of_columns)) < len(kinds_of_columns)

    def check(self, batch: Batch) -> tuple[CheckedRows, list[Problem]]:
        """Return the rows that can be applied, in file order, and all problems including warnings."""
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
        """Return the key that each row is looked up by: the first identifier that is not blank."""
        first, *others = (links[source] for source in self.lookup_identifiers)
        keys = first
        for more in others:
            keys = [key or link for key, link in zip(keys, more, strict=True)]
        return keys

    def _links_of(
        self, source: IdentifierColumns, texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]
    ) -> list[Link | None]:
        """Return one identifier of each row, None if it is blank or invalid; an alias needs both parts."""
        forms = [cells[i].forms or {} for i in source.columns]
        if source.kind == ALIAS:
            parts = (map(form.get, texts[i]) for form, i in zip(forms, source.columns, strict=True))
            pairs = zip(*parts, strict=True)
            return [None if None in pair else (ALIAS, alias.matching_form(pair)) for pair in pairs]
        links = {text: (source.kind, form) for text, form in forms[0].items()}
        return list(map(links.get, texts[source.columns[0]]))

    def _ties(
        self, links: Mapping[IdentifierColumns, list[Link | None]], keys: Sequence[Link | None]
    ) -> list[list[Link]] | None:
        """Return the further links of each row: values that rows are looked up by, or that only one person can have."""
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
        """Return all identifiers of each row, in matching form, as JSON."""
        fields = [
            string_fragment(texts[i], forms, f"[{to_json(column.definition.key)},", "]")
            for i, column in enumerate(self.columns)
            if (forms := cells[i].forms) is not None and i not in self._alias
        ]
        fields += [
            string_fragment([link[1] if link else "" for link in aliases], None, f"[{to_json(ALIAS)},", "]")
            for source, aliases in links.items()
            if source.kind == ALIAS
        ]
        return build_documents("[", fields, "]", repeats=self._repeats_kinds)

    def _documents(self, texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]) -> list[str]:
        """Return the values of each row by attribute key, without blanks, as JSON."""
        fields = [self._target(key, sources, texts, cells) for key, sources in self._targets]
        if self._groups.is_pair:
            fields.append(subscription_groups.membership_fragment(self._groups, texts, cells))
        return build_documents("{", fields, "}") if fields else ["{}"] * len(texts[0])

    def _target(
        self, key: str, sources: Sequence[int], texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]
    ) -> JsonFragment:
        """Return one attribute of each row with its key; several columns make one list."""
        first, start = sources[0], f"{to_json(key)}:"
        if len(sources) > 1:
            return self._readers[first].several([texts[i] for i in sources], [cells[i] for i in sources], start)
        if self.columns[first].definition.multi_valued:
            return self._readers[first].field(texts[first], cells[first], f"{start}[", "]")
        return self._readers[first].field(texts[first], cells[first], start, "")

    def _failures(self, batch: Batch, cells: Sequence[ParsedCells], problems: list[Problem]) -> set[int]:
        """Return the rows that fail. Checks are in the order of PS-27: identifier, mandatory values, formats."""
        failed: set[int] = set()
        flawed: dict[int, list[Problem]] = {}
        self._check_marks(batch, flawed, failed)
        self._check_identifier(batch, cells, flawed, failed)
        self._check_alias(batch, cells, flawed, failed)
        for i in self.lookup_columns:
            self._check_values(batch, i, cells[i], flawed, failed)
        for i in self.mandatory:
            if cells[i].has_gaps:
                self._check_mandatory(batch, i, cells, flawed, failed)
        for i in sorted(set(range(len(cells))) - set(self.lookup_columns)):
            self._check_values(batch, i, cells[i], flawed, failed)
        for index, flaw in subscription_groups.find_problems(self._groups, batch, cells) if self._groups.any else ():
            self._note(batch, index, flawed, flaw.code, flaw.reason, flaw.header, flaw.value, warning=True)
        for index in sorted(flawed):
            problems.extend(flawed[index])
        return failed

    def _check_marks(self, batch: Batch, flawed: dict[int, list[Problem]], failed: set[int]) -> None:
        """Fail rows that are still marked as malformed: their values may be in the wrong columns."""
        if self._marks is None:
            return
        for index, row in enumerate(batch.rows):
            if row[self._marks].startswith(MALFORMED):
                self._note(batch, index, flawed, "malformed_row", _STILL_MALFORMED, "")
                failed.add(index)

    def _check_identifier(
        self, batch: Batch, cells: Sequence[ParsedCells], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not any(cells[i].has_gaps for i in self.lookup_columns):
            return
        for index, row in enumerate(batch.rows):
            if any(self._has(source, row, cells) for source in self.lookup_identifiers) or self._has_half(row, cells):
                continue
            if any(row[self.columns[i].position] in cells[i].bad and not self._drops(i) for i in self.lookup_columns):
                continue  # not blank but malformed: reported as an invalid format
            names = self._lookup_headers
            is_bad = any(row[self.columns[i].position] in cells[i].bad for i in self.lookup_columns)
            reason = f"The identifier is {'not valid: correct' if is_bad else 'blank: fill in'} {names}"
            self._note(batch, index, flawed, self._code("blank_identifier"), reason, names)
            failed.add(index)

    def _has(self, source: IdentifierColumns, row: Sequence[str], cells: Sequence[ParsedCells]) -> bool:
        return all(cells[i].has(row[self.columns[i].position]) for i in source.columns)

    def _has_half(self, row: Sequence[str], cells: Sequence[ParsedCells]) -> bool:
        """Return whether a row has one part of an alias without the other."""
        return len({row[self.columns[i].position] in cells[i].blank for i in self._alias}) > 1

    def _check_alias(
        self, batch: Batch, cells: Sequence[ParsedCells], flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        """Fail rows with a label but no name, or a name but no label, which identify nobody (HI-17)."""
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
        self, batch: Batch, i: int, parsed: ParsedCells, flawed: dict[int, list[Problem]], failed: set[int]
    ) -> None:
        if not parsed.bad:
            return
        column, drops = self.columns[i], self._drops(i)
        for index, row in enumerate(batch.rows):
            text = row[column.position]
            problem = parsed.bad.get(text)
            if problem is not None:
                code = self._code(problem.code, column.definition.key)
                self._note(batch, index, flawed, code, problem.reason, column.header, text, warning=drops)
                if not drops:
                    failed.add(index)

    def _drops(self, i: int) -> bool:
        """Return whether an invalid value is left out without failing its row (D-17); never an identifier (HI-39)."""
        if self._readers[i].keeps_text:
            return True
        identifies = identifier_of(self.columns[i].definition.key) in self.key_kinds and not self.automatic
        return self.options.on_invalid_value is OnInvalid.DROP_VALUE and not identifies

    def _code(self, code: str, key: str = "") -> str:
        """Return the code of a problem with a value of an attribute."""
        return published_code(code, key) if self.options.published_codes else code

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


_STILL_MALFORMED = f"{MALFORMED}, not corrected yet: put each value into its column, then clear the row's problem"


def _malformed(ragged: RaggedRow) -> Problem:
    return Problem(ragged.number, ragged.line, "malformed_row", ragged.reason, raw=ragged.cells)


def _targets(columns: Sequence[Column]) -> list[tuple[str, list[int]]]:
    """Return the attribute keys, and the columns that are mapped to each."""
    targets: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        if column.definition.key not in OWN_FIELDS | GROUP_FIELDS:
            targets.setdefault(column.definition.key, []).append(index)
    return list(targets.items())


def _identifier_columns(columns: Sequence[Column], kinds: Collection[str]) -> list[IdentifierColumns]:
    """Return the identifiers of some kinds in a file, in file order; an alias only if both parts are mapped."""
    places: dict[str, list[int]] = {}
    for index, column in enumerate(columns):
        places.setdefault(column.definition.key, []).append(index)
    found = [IdentifierColumns(key, (index,)) for key in places if key in kinds for index in places[key]]
    if all(field in places for field in identifier_fields(ALIAS)):
        found.append(IdentifierColumns(ALIAS, tuple(places[field][0] for field in identifier_fields(ALIAS))))
    return found
