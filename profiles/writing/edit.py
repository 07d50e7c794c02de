"""Save, create and delete one person for a user at a form (design rules 2, 3 and 12).

Each is one transaction: take the value locks of all identifiers that the person has or will have, so that no import
that finds the person by one of them is writing; read the person again; write through ``store`` under a new change set.
A form that shows an older version of the person than the stored one is refused, so that nobody overwrites values that
they never saw.
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
from profiles.merging.person import IncomingRow, Link, Person
from profiles.merging.rules import Refusal, Rules
from profiles.merging.working_set import WorkingSet
from profiles.models import Change, ChangeSet, Profile, load_schema
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, Schema, identifier_fields
from profiles.writing import lookup, store, value_locks
from profiles.writing.errors import GONE, EditRefused, ErrorKind, FormError
from profiles.writing.form_changes import alias_form, check_mandatory, combine_alias, find_changes, given_values
from profiles.writing.retry import write_with_retries


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """The person that the page showed: the primary key, and ``Profile.updated`` in microseconds."""

    number: int
    version: int


def save(seen: SeenVersion, values: Mapping[str, Any], actor: AbstractBaseUser | None) -> Changes:
    """Set the values of a person, by attribute key, ``external_id``, or ``alias_label`` and ``alias_name`` together.

    Each value is one that a parser of ``profiles.values`` returned; None or an empty list removes the value. Returns
    the changes as a ``Change`` holds them; without changes nothing is written. Raises ``EditRefused``.
    """
    paired = combine_alias(values)
    return write_with_retries(lambda: _save(seen, paired, actor))


def create(values: Mapping[str, Any], actor: AbstractBaseUser | None, *, shared: bool = False) -> int:
    """Create a person from values as for ``save``, and return the new primary key. Raises ``EditRefused``.

    ``shared``: allow that somebody else has one of the addresses or numbers (AC-21); otherwise that is refused, since
    it may be the same person.
    """
    paired = combine_alias(values)
    return write_with_retries(lambda: _create(paired, actor, shared))


def delete(seen: SeenVersion, actor: AbstractBaseUser | None) -> None:
    """Delete a person with their identifiers, history and events. Raises ``EditRefused``."""
    write_with_retries(lambda: _delete(seen, actor))


def _save(seen: SeenVersion, values: Mapping[str, Any], actor: AbstractBaseUser | None) -> Changes:
    schema, change_set = load_schema(), _change_set(actor, "changed in the admin")
    people = _working_set(schema, change_set)
    person, own = _lock_and_read(seen, people, values)
    changes = find_changes(person, values, schema)
    if not changes:
        return {}
    check_mandatory(schema, {key: new for key, (_, new) in changes.items()})
    refusal = people.edit(person, changes)
    if refusal is not None:
        raise EditRefused(_form_error(refusal, people, own))
    change_set.save()
    store.write(people, change_set)
    return changes


def _create(values: Mapping[str, Any], actor: AbstractBaseUser | None, shared: bool) -> int:
    schema, change_set = load_schema(), _change_set(actor, "created in the admin")
    people = _working_set(schema, change_set)
    given = dict(given_values(values, schema.lists))
    external_id, form = given.pop(EXTERNAL_ID, None), alias_form(given.pop(ALIAS, None))
    check_mandatory(schema, {key: given.get(key) for key in schema.definitions})
    new_person = Person(0, "", external_id, given, 0, alias=form)
    links = [link for link in _all_links(people, new_person) if link[0] != OBJECT_ID]
    if not links:
        raise EditRefused(FormError(ErrorKind.MISSING, _NO_IDENTIFIER, EXTERNAL_ID))
    _lock_exclusively(links)
    if not shared:
        _check_not_shared(link for link in links if link[0] in schema.lookup_identifiers)
    people.add(lookup.load_people(own := _unique_links(new_person)))
    key = next((link for link in links if link not in own), links[0])
    row = IncomingRow(1, key, links, orjson.dumps(given).decode(), external_id, alias=form)
    refusal = people.check_unique(external_id, form) or people.apply(row).refusal
    if refusal is not None:
        raise EditRefused(_form_error(refusal, people, own))
    change_set.save()
    store.write(people, change_set)
    return Change.objects.get(change_set=change_set).profile_id


_NO_IDENTIFIER = (
    "Nobody could find this person again without an identifier. Enter an External ID, an e-mail address, a phone number"
    " or another identifier."
)


def _delete(seen: SeenVersion, actor: AbstractBaseUser | None) -> None:
    change_set = _change_set(actor, "")
    people = _working_set(load_schema(), change_set)
    person, _ = _lock_and_read(seen, people, {})
    change_set.source = f"deleted {person.object_id} in the admin"
    change_set.save()
    store.delete(person, people.links(person), change_set)


def _change_set(actor: AbstractBaseUser | None, source: str) -> ChangeSet:
    """Return an unsaved change set, since there may be nothing to write."""
    pk = None if actor is None else actor.pk
    return ChangeSet(kind=ChangeSet.Kind.PERSON, actor_id=pk, source=source, when=timezone.now())


def _working_set(schema: Schema, change_set: ChangeSet) -> WorkingSet:
    """Return an empty working set for one person."""
    rules = Rules.of(schema, Action.OVERWRITE, (), settings.IMPORTS_MAX_IDENTIFIER_VALUES)
    return WorkingSet(rules, store.to_microseconds(change_set.when))


def _lock_and_read(seen: SeenVersion, people: WorkingSet, values: Mapping[str, Any]) -> tuple[Person, list[Link]]:
    """Take the value locks of a person's old and new identifiers, and read the person.

    Returns the person, and the new identifiers that only one person may have; people who have one of these already are
    added to the working set. Raises ``EditRefused`` if the person is not the version that the form showed.
    """
    before = _read(seen)
    external_id = values.get(EXTERNAL_ID, before.external_id)
    form = alias_form(values[ALIAS]) if ALIAS in values else before.alias
    after = Person(0, before.object_id, external_id, dict(given_values(values, people.rules.lists)), 0, alias=form)
    new = [link for link in _unique_links(after) if link not in _unique_links(before)]
    links = [*_all_links(people, before), *_all_links(people, after)]
    value_locks.lock_slots(value_locks.slots_of_links(new), value_locks.slots_of_links(links))
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
            FormError(ErrorKind.CHANGED, "This person was changed after you opened the page. Nothing is saved yet.")
        )
    return person


def _lock_exclusively(links: list[Link]) -> None:
    """Take the value locks of a new person exclusively, so that nobody else creates the same person meanwhile."""
    value_locks.lock_slots(value_locks.slots_of_links(links), set())


def _check_not_shared(links: Iterable[Link]) -> None:
    """Raise ``EditRefused`` if somebody already has one of these addresses and numbers."""
    found = lookup.load_people(links)
    if found:
        (kind, value), person = found[0]
        raise EditRefused(FormError(ErrorKind.SHARED, f"Another person already has {value}.", kind, person.ref))


def _unique_links(person: Person) -> list[Link]:
    """Return the identifiers of a person that only one person may have: external ID and alias."""
    links = [] if person.external_id is None else [(EXTERNAL_ID, person.external_id)]
    return [*links, *([person.alias_link] if person.alias_link else [])]


def _all_links(people: WorkingSet, person: Person) -> list[Link]:
    """Return all identifiers of a person."""
    return [*people.links(person), *_unique_links(person), (OBJECT_ID, person.object_id)]


def _form_error(refusal: Refusal, people: WorkingSet, own: Iterable[Link]) -> FormError:
    """Return the error of a refusal. ``own``: new identifiers that only one person may have, and somebody may have."""
    taken = [link for link in own if link[0] == refusal.column]
    owner = next((person for link in taken for person in people.people_by_link.get(link, ())), None)
    if owner is None:
        return FormError(ErrorKind.LIMIT, f"{refusal.reason}.", refusal.column)
    return FormError(ErrorKind.TAKEN, f"{refusal.reason}.", identifier_fields(refusal.column)[-1], owner.ref)
