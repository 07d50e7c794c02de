"""A working set of people in memory, to which rows are applied one after another. Pure.

``store`` fills it from the database and writes it back; a preview fills it and writes nothing. So what a preview
says and what an import does come from the same lines (design rules 1 and 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from profiles.merging import alias
from profiles.merging.actions import Action, Attributes, Changes, as_list, combine_changes, merge, merge_value
from profiles.merging.consent import DND, is_consent
from profiles.merging.person import NOTHING, Incoming, Link, Person, apply_changes
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
    """The working set: who holds which link, and what the rows made of them."""

    def __init__(self, rules: Rules, base: int) -> None:
        """``base``: microseconds; the change of row *n* is dated *n* microseconds later, so that dates order rows."""
        self.rules = rules
        self.base = base
        self.holders: dict[Link, list[Person]] = {}
        self.affected: dict[int, Person] = {}
        self.contested: dict[int, int | None] = {}
        self.facts: list[AddressFact] = []

    def add(self, holdings: Iterable[tuple[Link, Person]]) -> None:
        """Let people in who hold links that rows will ask for."""
        for link, person in holdings:
            self.holders.setdefault(link, []).append(person)

    def apply(self, row: Incoming) -> Result:
        """Find the row's person and do what the action says; on refusal nothing changes (AC-20)."""
        person = self._found(row)
        if person is None:
            return self._create(row)
        if self.rules.action is Action.IGNORE:
            return Result(Outcome.IGNORED, person)
        return self._change(row, person)

    def meet(self, row: Incoming) -> Result:
        """Find the row's person, or make them; somebody known stays as they are, whatever it brings (EV-12, EV-13)."""
        person = self._found(row)
        if person is None:
            return self._create(row)
        self._touch(person, row.row)
        return Result(Outcome.UPDATED, person)

    def _found(self, row: Incoming) -> Person | None:
        holders = self.holders.get(row.key)
        if not holders:
            return None
        return holders[0] if len(holders) == 1 else self._most_recent(holders)

    def _touch(self, person: Person, row: int) -> None:
        if person.ref not in self.affected:
            self.affected[person.ref] = person
            person.first_row = row

    def _most_recent(self, holders: list[Person]) -> Person:
        """The winner among several who hold a value (D-04); all of them must stand still while it is written."""
        self.contested.update((person.ref, person.version) for person in holders if person.version is not None)
        return max(holders, key=lambda person: (person.recency, person.ref if person.ref > 0 else _NEWEST - person.ref))

    def _create(self, row: Incoming) -> Result:
        if row.key[0] == OBJECT_ID or row.object_id is not None:
            return Result(Outcome.FAILED, refusal=NO_SUCH_OBJECT_ID)
        refusal = self.taken(row.external_id, row.alias)
        if refusal:
            return Result(Outcome.FAILED, refusal=refusal)
        if self.rules.crowded:
            refusal = self._over_limit({}, {key: [None, value] for key, value in orjson.loads(row.raw).items()})
            if refusal:
                return Result(Outcome.FAILED, refusal=refusal)
        moment = self.base + row.row
        person = Person(-row.row, "", row.external_id, row.raw, moment, None, row.row, row.alias)
        for link in row.links:
            if link[0] in self.rules.linked and (link[0] != ALIAS or person.reached_by_alias):
                self.holders.setdefault(link, []).append(person)
        self.affected[person.ref] = person
        if self.rules.dnd:
            self._state(person, person.values(), row.row)
        return Result(Outcome.IMPORTED, person)

    def _change(self, row: Incoming, person: Person) -> Result:
        if row.object_id is not None and row.object_id != person.object_id:
            return Result(Outcome.FAILED, person, refusal=OBJECT_ID_DIFFERS)
        own = self._own_changes(row, person) if row.external_id is not None or row.alias is not None else NOTHING
        refusal = self._renamed(person, own) if own else None
        if refusal:
            return Result(Outcome.FAILED, person, refusal=refusal)
        old, incoming = person.values(), orjson.loads(row.raw)
        changes = merge(old, incoming, self.rules.action, self.rules.lists, self.rules.consent)
        if changes and (refusal := self._over_limit(old, changes)):
            return Result(Outcome.FAILED, person, refusal=refusal)
        if own:
            changes |= own
        self._touch(person, row.row)
        if changes:
            self._set(person, changes, row.row)
        if self.rules.dnd:
            self._state(person, self._let_through(old, incoming), row.row)
        return Result(Outcome.UPDATED, person, changes) if changes else Result(Outcome.UNCHANGED, person)

    def _let_through(self, old: Attributes, incoming: Attributes) -> Attributes:
        """What of a row counts under the action, whether it changes anything or not (SB-13)."""
        if self.rules.action is Action.UPDATE:
            return {key: value for key, value in incoming.items() if key not in old}
        return incoming

    def _own_changes(self, row: Incoming, person: Person) -> Changes:
        """What becomes of the person's own fields, which no action clears (D-06); the alias is one of them."""
        changes: Changes = {}
        external_id = merge_value(person.external_id, row.external_id, self.rules.action)
        if external_id != person.external_id:
            changes[EXTERNAL_ID] = [person.external_id, external_id]
        form = merge_value(person.alias, row.alias, self.rules.action)
        if form != person.alias:
            changes[ALIAS] = [None if each is None else alias.pair_of(each) for each in (person.alias, form)]
        return changes

    def edit(self, person: Person, changes: Changes) -> Refusal | None:
        """Change somebody value by value, as a person at a form decides, whatever the action; on refusal nothing."""
        refusal = self._renamed(person, changes) or self._over_limit(person.values(), changes)
        if refusal is None:
            self.affected[person.ref] = person
            person.first_row = person.first_row or 1
            self._set(person, changes, 1)
            self._state(person, {key: new is True for key, (_, new) in changes.items()}, 1)
        return refusal

    def taken(self, external_id: str | None, form: str | None, person: Person | None = None) -> Refusal | None:
        """Whether another than the person has what only one may have: the external id, or the alias where there is
        none (design rule 12, HI-19)."""
        link = (EXTERNAL_ID, external_id) if external_id is not None else (ALIAS, form) if form is not None else None
        if link is None or all(holder is person for holder in self.holders.get(link, ())):
            return None
        return EXTERNAL_ID_TAKEN if external_id is not None else ALIAS_TAKEN

    def _renamed(self, person: Person, changes: Changes) -> Refusal | None:
        """Whether changes give the person an external id or an alias that somebody else has."""
        external_id, form = _own_after(person, changes)
        if (external_id, form) == (person.external_id, person.alias):
            return None
        return self.taken(external_id, form, person)

    def links(self, person: Person) -> list[Link]:
        """Every channel identifier that a person holds, in matching form, in order."""
        values = person.values()
        forms = self.rules.identifiers
        kinds = values.keys() & forms.keys()
        return sorted({(kind, forms[kind](value)) for kind in kinds for value in as_list(values[kind])})

    def _state(self, person: Person, said: Mapping[str, Any], row: int) -> None:
        """Note what a row that brings *do not disturb* says of each address that its person has after it (SB-06)."""
        for key in self.rules.dnd & said.keys():
            kind = DND[key]
            form = self.rules.identifiers[kind]
            forms = {form(value): None for value in as_list(person.values().get(kind))}
            self.facts += [AddressFact(row, person.version, (kind, value), said[key] is True) for value in forms]

    def _kinds(self, changes: Changes) -> Iterable[str]:
        """The identifiers among the changes; mostly there are none."""
        kinds = self.rules.identifiers.keys()
        return () if kinds.isdisjoint(changes) else kinds & changes.keys()

    def _over_limit(self, old: Attributes, changes: Changes) -> Refusal | None:
        """Too many values under one channel (AT-08), or too many custom attributes (AT-12)."""
        limit = self.rules.max_identifier_values
        for key in self._kinds(changes):
            before, after = changes[key]
            if len(as_list(after)) > max(limit, len(as_list(before))):
                return Refusal("too_many_values", f"A person can have at most {limit} values of {key}", key)
        limit = self.rules.max_custom_attributes
        may_be_over = len(old) + len(changes) > limit
        if may_be_over and self._custom(apply_changes(old, changes)) > max(limit, self._custom(old)):
            return Refusal("too_many_attributes", f"A person can have at most {limit} custom attributes")
        return None

    def _custom(self, attributes: Attributes) -> int:
        known, said = self.rules.built_in, self.rules.consent
        return sum(key not in known and not is_consent(key, said) for key in attributes)

    def _set(self, person: Person, changes: Changes, row: int) -> None:
        for key in self._kinds(changes):
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
        """Let later rows find the person by the external id and the alias that they have now."""
        before = _external_id_link(person), person.reached_by_alias
        person.external_id, person.alias = _own_after(person, changes)
        after = _external_id_link(person), person.reached_by_alias
        for source, target in zip(before, after, strict=True):
            if source != target:
                self._move(person, source, target)

    def _relink(self, person: Person, kind: str, change: list[Any]) -> None:
        """Let later rows find the person by the values it has now, and no longer by those it lost."""
        form = self.rules.identifiers[kind]
        before, after = ({(kind, form(value)) for value in as_list(values)} for values in change)
        if kind in self.rules.linked:
            for link in before - after:
                self._move(person, link, None)
            for link in after - before:
                self._move(person, None, link)

    def _move(self, person: Person, source: Link | None, target: Link | None) -> None:
        if source in self.holders:
            self.holders[source] = [other for other in self.holders[source] if other is not person]
        if target is not None:
            self.holders.setdefault(target, []).append(person)


def _external_id_link(person: Person) -> Link | None:
    return None if person.external_id is None else (EXTERNAL_ID, person.external_id)


def _own_after(person: Person, changes: Changes) -> tuple[str | None, str | None]:
    """External id and alias after changes."""
    external_id, form = person.external_id, person.alias
    if EXTERNAL_ID in changes:
        external_id = changes[EXTERNAL_ID][1]
    if ALIAS in changes:
        pair = changes[ALIAS][1]
        form = None if pair is None else alias.form_of(pair)
    return external_id, form


_NEWEST = 1 << 62  # above every primary key: of two written in the same microsecond the one made last wins
