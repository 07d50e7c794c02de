"""What ``profiles.writing.store`` writes beyond what imports ask of it: an external id given up, somebody deleted."""

from __future__ import annotations

import pytest
from django.utils import timezone

from profiles.history import load_provenance
from profiles.merging.actions import Action
from profiles.merging.person import IncomingRow, Person
from profiles.merging.rules import Rules
from profiles.merging.working_set import WorkingSet
from profiles.models import ChangeSet, Identifier, Profile, WriteMark, load_schema
from profiles.schema import EXTERNAL_ID
from profiles.writing import lookup, store

pytestmark = pytest.mark.django_db


def stored(external_id: str, email: str) -> Person:
    now = timezone.now()
    person = Profile.objects.create(
        object_id=external_id, external_id=external_id, attributes={"email": [email]}, created=now, updated=now
    )
    Identifier.objects.create(kind="email", value=email, profile=person)
    return lookup.load_people([("external_id", external_id)])[0][1]


def act() -> ChangeSet:
    return ChangeSet.objects.create(kind="person", when=timezone.now())


@pytest.mark.parametrize("takes_first", [True, False])
def test_an_external_id_can_be_given_up_and_taken_in_one_write(takes_first: bool):
    one, other = stored("e1", "a@x.co"), stored("e2", "b@x.co")
    taker, giver = (one, other) if takes_first else (other, one)
    change_set, freed = act(), giver.external_id
    people = WorkingSet(Rules.of(load_schema(), Action.OVERWRITE, ()), store.to_microseconds(change_set.when))
    assert people.edit(giver, {"external_id": [freed, None]}) is None
    assert people.edit(taker, {"external_id": [taker.external_id, freed]}) is None
    store.write(people, change_set)
    assert Profile.objects.get(pk=taker.ref).external_id == freed
    left = Profile.objects.get(pk=giver.ref)
    assert (left.external_id, left.attributes) == (None, giver.values())
    assert left.history.get().changes == {"external_id": [freed, None]}


def changed(change_set: ChangeSet, external_id: str, city: str) -> None:
    """One more row of a change set gives somebody a city."""
    people = WorkingSet(
        Rules.of(load_schema(), Action.OVERWRITE, (EXTERNAL_ID,)), store.to_microseconds(timezone.now())
    )
    people.add(lookup.load_people([(EXTERNAL_ID, external_id)]))
    row = IncomingRow(
        1, (EXTERNAL_ID, external_id), [(EXTERNAL_ID, external_id)], f'{{"home_city":"{city}"}}', external_id
    )
    assert people.apply(row).refusal is None
    store.write(people, change_set)


def told(change_set: ChangeSet) -> dict[str, list[str | None]]:
    found: dict[str, list[str | None]] = change_set.members.get().changes
    return found


@pytest.mark.parametrize("known", [True, False])
def test_what_others_wrote_between_two_touches_of_a_change_set_is_not_taken_for_what_they_left(known: bool):
    first, one, other = act(), act(), act()
    if known:
        changed(first, "e1", "Oslo")
    changed(one, "e1", "Bonn")
    changed(other, "e1", "Rome")
    changed(one, "e1", "Oslo")
    assert told(one) == {"home_city": ["Oslo" if known else "Rome", "Oslo"]}
    person = Profile.objects.get()
    assert person.attributes == {"home_city": "Oslo"}
    assert load_provenance(person).writers["home_city"] == one


def test_touches_of_one_change_set_are_told_as_one():
    first, one = act(), act()
    changed(first, "e1", "Oslo")
    changed(first, "e1", "Bonn")
    assert told(first) == {}
    for city in ("Rome", "Paris"):
        changed(one, "e1", city)
    assert told(one) == {"home_city": ["Bonn", "Paris"]}
    changed(one, "e1", "Bonn")
    assert told(one) == {}


def test_who_changed_meanwhile_is_not_deleted():
    person = stored("e1", "a@x.co")
    Profile.objects.update(updated=timezone.now())
    with pytest.raises(store.Conflict):
        store.delete(person, [("email", "a@x.co")], act())
    assert (Profile.objects.count(), Identifier.objects.count(), WriteMark.objects.count()) == (1, 1, 0)
