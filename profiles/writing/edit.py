"""People as somebody at a form changes them, one at a time: saved, made, deleted (design rules 2, 3 and 12).

Each is one transaction: take the slots of all values that the person holds or is to hold, so that no import that finds
the person by one of them is at work; read the person again; write through ``store`` under a change set of its own. A
form that shows an older person than the one stored is refused, so that nobody overwrites what they never saw.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from profiles.merging.actions import Action, Changes
from profiles.merging.person import Incoming, Link, Person
from profiles.merging.rules import Refusal, Rules
from profiles.merging.working_set import WorkingSet
from profiles.models import Change, ChangeSet, Profile, load_schema
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, Schema, fields_of
from profiles.writing import lookup, store, value_locks
from profiles.writing.errors import GONE, EditRefused, ErrorKind, FormError
from profiles.writing.form_changes import alias_form, check_mandatory, combine_alias, find_changes, given_values
from profiles.writing.retry import write_with_retries


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """Who was on the page: a primary key, and ``Profile.updated`` in microseconds."""

    number: int
    version: int


def save(seen: SeenVersion, wanted: Mapping[str, Any], actor: AbstractBaseUser | None) -> Changes:
    """Give a person the values of ``wanted``, by attribute key, ``external_id``, or ``alias_label`` and ``alias_name``
    together; None or an empty list is none.

    Values are as ``values`` gave them. Returns what changed, as a ``Change`` holds it; where nothing does, nothing is
    written. Raises ``Refused``.
    """
    paired = combine_alias(wanted)
    return write_with_retries(lambda: _save(seen, paired, actor))


def create(wanted: Mapping[str, Any], actor: AbstractBaseUser | None, *, shared: bool = False) -> int:
    """Make a person of values as for ``save``; the new primary key. Raises ``Refused``.

    ``shared``: somebody else may hold an address or number of theirs (AC-21); else that is refused, since they may
    well be the same person.
    """
    paired = combine_alias(wanted)
    return write_with_retries(lambda: _create(paired, actor, shared))


def delete(seen: SeenVersion, actor: AbstractBaseUser | None) -> None:
    """Delete a person with their identifiers, history and events. Raises ``Refused``."""
    write_with_retries(lambda: _delete(seen, actor))


def _save(seen: SeenVersion, wanted: Mapping[str, Any], actor: AbstractBaseUser | None) -> Changes:
    schema, change_set = load_schema(), _change_set(actor, "changed in the admin")
    people = _people(schema, change_set)
    person, own = _locked(seen, people, wanted)
    changes = find_changes(person, wanted, schema)
    if not changes:
        return {}
    check_mandatory(schema, {key: new for key, (_, new) in changes.items()})
    refusal = people.edit(person, changes)
    if refusal is not None:
        raise EditRefused(_fault(refusal, people, own))
    change_set.save()
    store.write(people, change_set)
    return changes


def _create(wanted: Mapping[str, Any], actor: AbstractBaseUser | None, shared: bool) -> int:
    schema, change_set = load_schema(), _change_set(actor, "made in the admin")
    people = _people(schema, change_set)
    given = dict(given_values(wanted, schema.lists))
    external_id, form = given.pop(EXTERNAL_ID, None), alias_form(given.pop(ALIAS, None))
    check_mandatory(schema, {key: given.get(key) for key in schema.definitions})
    newcomer = Person(0, "", external_id, given, 0, alias=form)
    links = [link for link in _held(people, newcomer) if link[0] != OBJECT_ID]
    if not links:
        raise EditRefused(FormError(ErrorKind.MISSING, _NOTHING_TO_FIND_BY, EXTERNAL_ID))
    _lock_alone(links)
    if not shared:
        _check_shared(link for link in links if link[0] in schema.found_by)
    people.add(lookup.load_people(own := _own(newcomer)))
    key = next((link for link in links if link not in own), links[0])
    row = Incoming(1, key, links, orjson.dumps(given).decode(), external_id, alias=form)
    refusal = people.taken(external_id, form) or people.apply(row).refusal
    if refusal is not None:
        raise EditRefused(_fault(refusal, people, own))
    change_set.save()
    store.write(people, change_set)
    return Change.objects.get(change_set=change_set).profile_id


_NOTHING_TO_FIND_BY = (
    "Nobody could find this person again. Give an External ID, an e-mail address, a phone number or another identifier."
)


def _delete(seen: SeenVersion, actor: AbstractBaseUser | None) -> None:
    change_set = _change_set(actor, "")
    people = _people(load_schema(), change_set)
    person, _ = _locked(seen, people, {})
    change_set.source = f"deleted {person.object_id} in the admin"
    change_set.save()
    store.delete(person, people.links(person), change_set)


def _change_set(actor: AbstractBaseUser | None, source: str) -> ChangeSet:
    """What the act is recorded under; not saved, since nothing may come of it."""
    pk = None if actor is None else actor.pk
    return ChangeSet(kind=ChangeSet.Kind.PERSON, actor_id=pk, source=source, when=timezone.now())


def _people(schema: Schema, change_set: ChangeSet) -> WorkingSet:
    """A working set for one person."""
    rules = Rules.of(schema, Action.OVERWRITE, (), settings.IMPORTS_MAX_IDENTIFIER_VALUES)
    return WorkingSet(rules, store.to_microseconds(change_set.when))


def _locked(seen: SeenVersion, people: WorkingSet, wanted: Mapping[str, Any]) -> tuple[Person, list[Link]]:
    """The person as they are, with all their values' slots taken, and what only they may come to be found by: whoever
    has that already is in the working set.

    Raises ``Refused`` where it is not whom the form showed.
    """
    before = _read(seen)
    external_id = wanted.get(EXTERNAL_ID, before.external_id)
    form = alias_form(wanted[ALIAS]) if ALIAS in wanted else before.alias
    after = Person(0, before.object_id, external_id, dict(given_values(wanted, people.rules.lists)), 0, alias=form)
    new = [link for link in _own(after) if link not in _own(before)]
    value_locks.lock_slots(
        value_locks.slots_of_links(new), value_locks.slots_of_links([*_held(people, before), *_held(people, after)])
    )
    people.add(lookup.load_people(new))
    return _read(seen), new


def _read(seen: SeenVersion) -> Person:
    object_id = Profile.objects.filter(pk=seen.number).values_list("object_id", flat=True).first()
    found = lookup.load_people([(OBJECT_ID, object_id)]) if object_id is not None else []
    if not found:
        raise EditRefused(GONE)
    person = found[0][1]
    if person.version != seen.version:
        raise EditRefused(
            FormError(ErrorKind.CHANGED, "This person was changed after you opened the page. Nothing was saved yet.")
        )
    return person


def _lock_alone(held: list[Link]) -> None:
    """Keep everybody else from all that somebody new is to be found by: nobody makes the same person meanwhile."""
    value_locks.lock_slots(value_locks.slots_of_links(held), set())


def _check_shared(links: Iterable[Link]) -> None:
    """See that nobody holds one of these addresses and numbers already."""
    found = lookup.load_people(links)
    if found:
        (kind, value), person = found[0]
        raise EditRefused(FormError(ErrorKind.SHARED, f"Somebody has {value} already.", kind, person.ref))


def _own(person: Person) -> list[Link]:
    """What somebody can be found by that only one person may have."""
    own = [] if person.external_id is None else [(EXTERNAL_ID, person.external_id)]
    return [*own, *([person.reached_by_alias] if person.reached_by_alias else [])]


def _held(people: WorkingSet, person: Person) -> list[Link]:
    """All that a person can be found by."""
    return [*people.links(person), *_own(person), (OBJECT_ID, person.object_id)]


def _fault(refusal: Refusal, people: WorkingSet, own: Iterable[Link]) -> FormError:
    """``own``: what only one person may have, and somebody else may have already."""
    taken = [link for link in own if link[0] == refusal.column]
    owner = next((person for link in taken for person in people.holders.get(link, ())), None)
    if owner is None:
        return FormError(ErrorKind.LIMIT, f"{refusal.reason}.", refusal.column)
    return FormError(ErrorKind.TAKEN, f"{refusal.reason}.", fields_of(refusal.column)[-1], owner.ref)
