"""Apply rows one after another to people in memory. Pure.

``lookup`` fills a working set from the database and ``store`` writes its changes; a preview fills one and writes no
people. So a preview and an import have their results from the same code (design rules 1 and 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from profiles.merging import alias
from profiles.merging.actions import Action, Attributes, Changes, as_list, combine_changes, merge, merge_value
from profiles.merging.consent import DND, is_consent
from profiles.merging.person import NO_CHANGES, IncomingRow, Link, Person, apply_changes
from profiles.merging.rules import (
    ALIAS_TAKEN,
    EXTERNAL_ID_TAKEN,
    NO_SUCH_OBJECT_ID,
    OBJECT_ID_DIFFERS,
    AddressFact,
    Outcome,
    Refusal,
    Result,
    Rules,
)
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID


class WorkingSet:
    """People by their identifiers, and what the rows so far changed about them."""

    def __init__(self, rules: Rules, base: int) -> None:
        """``base``: a moment in microseconds. The change of row *n* is dated *n* microseconds later, so that the dates
        are in the order of the rows."""
        self.rules = rules
        self.base = base
        self.people_by_link: dict[Link, list[Person]] = {}
        self.affected: dict[int, Person] = {}
        self.candidate_versions: dict[int, int | None] = {}
        self.facts: list[AddressFact] = []

    def add(self, holdings: Iterable[tuple[Link, Person]]) -> None:
        """Add people, each with an identifier that rows will be looked up by."""
        for link, person in holdings:
            self.people_by_link.setdefault(link, []).append(person)

    def apply(self, row: IncomingRow) -> Result:
        """Create the row's person, or find and change them by the action; a refused row changes nothing (AC-20)."""
        person = self._find(row)
        if person is None:
            return self._create(row)
        if self.rules.action is Action.IGNORE:
            return Result(Outcome.IGNORED, person)
        return self._change(row, person)

    def find_or_create(self, row: IncomingRow) -> Result:
        """Find the row's person or create them; a matched person is not changed by the row (EV-12, EV-13)."""
        person = self._find(row)
        if person is None:
            return self._create(row)
        self._mark_affected(person, row.row)
        return Result(Outcome.UPDATED, person)

    def _find(self, row: IncomingRow) -> Person | None:
        people = self.people_by_link.get(row.key)
        if not people:
            return None
        return people[0] if len(people) == 1 else self._most_recent(people)

    def _mark_affected(self, person: Person, row: int) -> None:
        if person.ref not in self.affected:
            self.affected[person.ref] = person
            person.first_row = row

    def _most_recent(self, people: list[Person]) -> Person:
        """Choose among several people with one value (D-04); none of them may change until the result is written."""
        self.candidate_versions.update((person.ref, person.version) for person in people if person.version is not None)
        return max(people, key=lambda person: (person.recency, person.ref if person.ref > 0 else _NEWEST - person.ref))

    def _create(self, row: IncomingRow) -> Result:
        if row.key[0] == OBJECT_ID or row.object_id is not None:
            return Result(Outcome.FAILED, refusal=NO_SUCH_OBJECT_ID)
        refusal = self.check_unique(row.external_id, row.alias)
        if refusal:
            return Result(Outcome.FAILED, refusal=refusal)
        if self.rules.may_exceed_limits:
            refusal = self._check_limits({}, {key: [None, value] for key, value in orjson.loads(row.raw).items()})
            if refusal:
                return Result(Outcome.FAILED, refusal=refusal)
        moment = self.base + row.row
        person = Person(-row.row, "", row.external_id, row.raw, moment, None, row.row, row.alias)
        for link in row.links:
            if link[0] in self.rules.lookup_kinds and (link[0] != ALIAS or person.alias_link):
                self.people_by_link.setdefault(link, []).append(person)
        self.affected[person.ref] = person
        if self.rules.dnd:
            self._note_suppressions(person, person.values(), row.row)
        return Result(Outcome.IMPORTED, person)

    def _change(self, row: IncomingRow, person: Person) -> Result:
        if row.object_id is not None and row.object_id != person.object_id:
            return Result(Outcome.FAILED, person, refusal=OBJECT_ID_DIFFERS)
        own = self._own_changes(row, person) if row.external_id is not None or row.alias is not None else NO_CHANGES
        refusal = self._check_renaming(person, own) if own else None
        if refusal:
            return Result(Outcome.FAILED, person, refusal=refusal)
        old, incoming = person.values(), orjson.loads(row.raw)
        changes = merge(old, incoming, self.rules.action, self.rules.lists, self.rules.consent)
        if changes and (refusal := self._check_limits(old, changes)):
            return Result(Outcome.FAILED, person, refusal=refusal)
        if own:
            changes |= own
        self._mark_affected(person, row.row)
        if changes:
            self._apply_changes(person, changes, row.row)
        if self.rules.dnd:
            self._note_suppressions(person, self._applicable(old, incoming), row.row)
        return Result(Outcome.UPDATED, person, changes) if changes else Result(Outcome.UNCHANGED, person)

    def _applicable(self, old: Attributes, incoming: Attributes) -> Attributes:
        """Return the values of a row that the action lets apply, whether they change anything or not (SB-13)."""
        if self.rules.action is Action.UPDATE:
            return {key: value for key, value in incoming.items() if key not in old}
        return incoming

    def _own_changes(self, row: IncomingRow, person: Person) -> Changes:
        """Return the changes of the person's own fields, which no action clears (D-06); the alias is one of them."""
        changes: Changes = {}
        external_id = merge_value(person.external_id, row.external_id, self.rules.action)
        if external_id != person.external_id:
            changes[EXTERNAL_ID] = [person.external_id, external_id]
        form = merge_value(person.alias, row.alias, self.rules.action)
        if form != person.alias:
            changes[ALIAS] = [
                None if each is None else alias.parse_matching_form(each) for each in (person.alias, form)
            ]
        return changes

    def edit(self, person: Person, changes: Changes) -> Refusal | None:
        """Change a person by the changes of a form, whatever the action; a refused form changes nothing."""
        refusal = self._check_renaming(person, changes) or self._check_limits(person.values(), changes)
        if refusal is None:
            self.affected[person.ref] = person
            person.first_row = person.first_row or 1
            self._apply_changes(person, changes, 1)
            self._note_suppressions(person, {key: new is True for key, (_, new) in changes.items()}, 1)
        return refusal

    def check_unique(self, external_id: str | None, form: str | None, person: Person | None = None) -> Refusal | None:
        """Return a refusal if somebody other than ``person`` has this external ID, or this alias if there is no
        external ID, which only one person may have (design rule 12, HI-19). ``form``: the alias in matching form."""
        link = (EXTERNAL_ID, external_id) if external_id is not None else (ALIAS, form) if form is not None else None
        if link is None or all(other is person for other in self.people_by_link.get(link, ())):
            return None
        return EXTERNAL_ID_TAKEN if external_id is not None else ALIAS_TAKEN

    def _check_renaming(self, person: Person, changes: Changes) -> Refusal | None:
        """Return a refusal if changes give the person an external ID or an alias that somebody else has."""
        external_id, form = _own_after(person, changes)
        if (external_id, form) == (person.external_id, person.alias):
            return None
        return self.check_unique(external_id, form, person)

    def links(self, person: Person) -> list[Link]:
        """Return every channel identifier of a person, in matching form, sorted."""
        values = person.values()
        forms = self.rules.identifiers
        kinds = values.keys() & forms.keys()
        return sorted({(kind, forms[kind](value)) for kind in kinds for value in as_list(values[kind])})

    def _note_suppressions(self, person: Person, values: Mapping[str, Any], row: int) -> None:
        """Note the *do not disturb* values of a row for each address that its person has after the row (SB-06)."""
        for key in self.rules.dnd & values.keys():
            kind = DND[key]
            form = self.rules.identifiers[kind]
            forms = {form(value): None for value in as_list(person.values().get(kind))}
            self.facts += [AddressFact(row, person.version, (kind, value), values[key] is True) for value in forms]

    def _changed_identifiers(self, changes: Changes) -> Iterable[str]:
        """Return the identifiers among the changes, usually none."""
        kinds = self.rules.identifiers.keys()
        return () if kinds.isdisjoint(changes) else kinds & changes.keys()

    def _check_limits(self, old: Attributes, changes: Changes) -> Refusal | None:
        """Refuse too many values of one channel identifier (AT-08), or too many custom attributes (AT-12)."""
        limit = self.rules.max_identifier_values
        for key in self._changed_identifiers(changes):
            before, after = changes[key]
            if len(as_list(after)) > max(limit, len(as_list(before))):
                return Refusal("too_many_values", f"A person can have at most {limit} values of {key}", key)
        limit = self.rules.max_custom_attributes
        may_be_over = len(old) + len(changes) > limit
        if may_be_over and self._count_custom(apply_changes(old, changes)) > max(limit, self._count_custom(old)):
            return Refusal("too_many_attributes", f"A person can have at most {limit} custom attributes")
        return None

    def _count_custom(self, attributes: Attributes) -> int:
        built_in, consent = self.rules.built_in, self.rules.consent
        return sum(key not in built_in and not is_consent(key, consent) for key in attributes)

    def _apply_changes(self, person: Person, changes: Changes, row: int) -> None:
        for key in self._changed_identifiers(changes):
            self._relink(person, key, changes[key])
        if EXTERNAL_ID in changes or ALIAS in changes:
            self._rename(person, changes)
        if person.version is None:
            person.attributes = apply_changes(person.values(), changes)
        else:
            person.changes = combine_changes(person.changes, changes) if person.changes else changes
        person.last_row = row
        person.recency = max(self.base + row, person.recency + 1)

    def _rename(self, person: Person, changes: Changes) -> None:
        """Set the person's external ID and alias, and let later rows find the person by them."""
        before = _external_id_link(person), person.alias_link
        person.external_id, person.alias = _own_after(person, changes)
        after = _external_id_link(person), person.alias_link
        for source, target in zip(before, after, strict=True):
            if source != target:
                self._replace_link(person, source, target)

    def _relink(self, person: Person, kind: str, change: list[Any]) -> None:
        """Let later rows find the person by the new values of an identifier, and not by the removed ones."""
        form = self.rules.identifiers[kind]
        before, after = ({(kind, form(value)) for value in as_list(values)} for values in change)
        if kind in self.rules.lookup_kinds:
            for link in before - after:
                self._replace_link(person, link, None)
            for link in after - before:
                self._replace_link(person, None, link)

    def _replace_link(self, person: Person, source: Link | None, target: Link | None) -> None:
        if source in self.people_by_link:
            self.people_by_link[source] = [other for other in self.people_by_link[source] if other is not person]
        if target is not None:
            self.people_by_link.setdefault(target, []).append(person)


def _external_id_link(person: Person) -> Link | None:
    return None if person.external_id is None else (EXTERNAL_ID, person.external_id)


def _own_after(person: Person, changes: Changes) -> tuple[str | None, str | None]:
    """Return a person's external ID and alias, in matching form, after changes."""
    external_id, form = person.external_id, person.alias
    if EXTERNAL_ID in changes:
        external_id = changes[EXTERNAL_ID][1]
    if ALIAS in changes:
        pair = changes[ALIAS][1]
        form = None if pair is None else alias.matching_form(pair)
    return external_id, form


_NEWEST = 1 << 62  # above every primary key: of two people written in the same microsecond, the newest wins
