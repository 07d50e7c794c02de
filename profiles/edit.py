"""People as somebody at a form changes them, one at a time: saved, made, deleted (design rules 2, 3 and 12).

Each is one transaction: take the slots of all values that the person holds or is to hold, so that no import that finds
the person by one of them is at work; read the person again; write through ``store`` under a change set of its own. A
form that shows an older person than the one stored is refused, so that nobody overwrites what they never saw.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from profiles import alias, schema_lock, slots, store
from profiles.merge import Action, Changes, Form, same
from profiles.models import Change, ChangeSet, Profile, load_schema
from profiles.people import People
from profiles.person import Incoming, Link, Person
from profiles.rules import Refusal, Rules
from profiles.schema import ALIAS, ALIAS_FIELDS, EXTERNAL_ID, OBJECT_ID, Schema, fields_of

Done = TypeVar("Done")

ATTEMPTS = 5
PATIENCE = "10s"
"""How long a person at a form waits for an import that is writing the same people."""


class Why(enum.StrEnum):
    """Why a form is refused."""

    CHANGED = "changed"
    GONE = "gone"
    TAKEN = "taken"
    SHARED = "shared"
    LIMIT = "limit"
    MISSING = "missing"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Fault:
    """A reason for a refusal. ``field``: the key it is about, empty for none. ``person``: whom else it concerns."""

    why: Why
    reason: str
    field: str = ""
    person: int | None = None


GONE = Fault(Why.GONE, "Somebody deleted this person meanwhile. Nothing was saved.")


class Refused(Exception):
    """Nothing was written."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(*(fault.why for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Seen:
    """Who was on the page: a primary key, and ``Profile.updated`` in microseconds."""

    number: int
    version: int


@contextmanager
def schema_held() -> Iterator[Schema]:
    """The schema, which nobody changes as long as the context lasts: what is read by it is written by it.

    Raises ``Refused`` where somebody else has been changing it for too long.
    """
    with transaction.atomic():
        _be_patient()
        try:
            schema_lock.share()
        except DatabaseError as error:
            if _code(error) != _TOO_LONG:
                raise
            raise Refused(Fault(Why.BUSY, "The schema is being changed just now. Try again in a moment.")) from None
        yield load_schema()


def save(seen: Seen, wanted: Mapping[str, Any], actor: AbstractBaseUser | None) -> Changes:
    """Give a person the values of ``wanted``, by attribute key, ``external_id``, or ``alias_label`` and ``alias_name``
    together; None or an empty list is none.

    Values are as ``values`` gave them. Returns what changed, as a ``Change`` holds it; where nothing does, nothing is
    written. Raises ``Refused``.
    """
    paired = _paired(wanted)
    return _until_done(lambda: _save(seen, paired, actor))


def create(wanted: Mapping[str, Any], actor: AbstractBaseUser | None, *, shared: bool = False) -> int:
    """Make a person of values as for ``save``; the new primary key. Raises ``Refused``.

    ``shared``: somebody else may hold an address or number of theirs (AC-21); else that is refused, since they may
    well be the same person.
    """
    paired = _paired(wanted)
    return _until_done(lambda: _create(paired, actor, shared))


def delete(seen: Seen, actor: AbstractBaseUser | None) -> None:
    """Delete a person with their identifiers, history and events. Raises ``Refused``."""
    _until_done(lambda: _delete(seen, actor))


def _paired(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the alias as one value. Raises ``Refused`` where it is half of one (HI-17)."""
    paired = {key: value for key, value in wanted.items() if key not in ALIAS_FIELDS}
    if paired.keys() == wanted.keys():
        return paired
    blank = [field for field in ALIAS_FIELDS if wanted.get(field) is None]
    if len(blank) == 1:
        reason = "An alias needs its label and its name. Fill in both, or leave both empty."
        raise Refused(Fault(Why.MISSING, reason, blank[0]))
    return paired | {ALIAS: None if blank else [wanted[field] for field in ALIAS_FIELDS]}


def _until_done(write: Callable[[], Done]) -> Done:
    """Write in one transaction, again while others are in the way."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                _be_patient()
                schema_lock.share()
                return write()
        except store.Moved:
            continue
        except DatabaseError as error:
            if _code(error) == _TOO_LONG:
                break
            if _code(error) not in _CONFLICTS:
                raise
    raise Refused(Fault(Why.BUSY, "An import is writing the same people just now. Try again in a moment."))


_CONFLICTS = {"23505", "40001", "40P01"}  # not unique, not serializable, deadlock
_TOO_LONG = "55P03"  # waited for a lock


def _code(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "sqlstate", ""))


def _save(seen: Seen, wanted: Mapping[str, Any], actor: AbstractBaseUser | None) -> Changes:
    schema, change_set = load_schema(), _change_set(actor, "changed in the admin")
    people = _people(schema, change_set)
    person, own = _locked(seen, people, wanted)
    changes = _changes(person, wanted, schema)
    if not changes:
        return {}
    _check_mandatory(schema, {key: new for key, (_, new) in changes.items()})
    refusal = people.edit(person, changes)
    if refusal is not None:
        raise Refused(_fault(refusal, people, own))
    change_set.save()
    store.write(people, change_set)
    return changes


def _create(wanted: Mapping[str, Any], actor: AbstractBaseUser | None, shared: bool) -> int:
    schema, change_set = load_schema(), _change_set(actor, "made in the admin")
    people = _people(schema, change_set)
    given = dict(_given(wanted, schema.lists))
    external_id, form = given.pop(EXTERNAL_ID, None), _form(given.pop(ALIAS, None))
    _check_mandatory(schema, {key: given.get(key) for key in schema.definitions})
    newcomer = Person(0, "", external_id, given, 0, alias=form)
    links = [link for link in _held(people, newcomer) if link[0] != OBJECT_ID]
    if not links:
        raise Refused(Fault(Why.MISSING, _NOTHING_TO_FIND_BY, EXTERNAL_ID))
    _lock_alone(links)
    if not shared:
        _check_shared(link for link in links if link[0] in schema.found_by)
    people.add(store.load(own := _own(newcomer)))
    key = next((link for link in links if link not in own), links[0])
    row = Incoming(1, key, links, orjson.dumps(given).decode(), external_id, alias=form)
    refusal = people.taken(external_id, form) or people.apply(row).refusal
    if refusal is not None:
        raise Refused(_fault(refusal, people, own))
    change_set.save()
    store.write(people, change_set)
    return Change.objects.get(change_set=change_set).profile_id


_NOTHING_TO_FIND_BY = (
    "Nobody could find this person again. Give an External ID, an e-mail address, a phone number or another identifier."
)


def _delete(seen: Seen, actor: AbstractBaseUser | None) -> None:
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


def _people(schema: Schema, change_set: ChangeSet) -> People:
    """A working set for one person."""
    rules = Rules.of(schema, Action.OVERWRITE, (), settings.IMPORTS_MAX_IDENTIFIER_VALUES)
    return People(rules, store.microseconds(change_set.when))


def _locked(seen: Seen, people: People, wanted: Mapping[str, Any]) -> tuple[Person, list[Link]]:
    """The person as they are, with all their values' slots taken, and what only they may come to be found by: whoever
    has that already is in the working set.

    Raises ``Refused`` where it is not whom the form showed.
    """
    before = _read(seen)
    external_id = wanted.get(EXTERNAL_ID, before.external_id)
    form = _form(wanted[ALIAS]) if ALIAS in wanted else before.alias
    after = Person(0, before.object_id, external_id, dict(_given(wanted, people.rules.lists)), 0, alias=form)
    new = [link for link in _own(after) if link not in _own(before)]
    slots.lock_slots(slots.slots_of(new), slots.slots_of([*_held(people, before), *_held(people, after)]))
    people.add(store.load(new))
    return _read(seen), new


def _read(seen: Seen) -> Person:
    object_id = Profile.objects.filter(pk=seen.number).values_list("object_id", flat=True).first()
    found = store.load([(OBJECT_ID, object_id)]) if object_id is not None else []
    if not found:
        raise Refused(GONE)
    person = found[0][1]
    if person.version != seen.version:
        raise Refused(Fault(Why.CHANGED, "This person was changed after you opened the page. Nothing was saved yet."))
    return person


def _be_patient() -> None:
    """Wait for nobody longer than people wait for a page."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")


def _lock_alone(held: list[Link]) -> None:
    """Keep everybody else from all that somebody new is to be found by: nobody makes the same person meanwhile."""
    slots.lock_slots(slots.slots_of(held), set())


def _check_shared(links: Iterable[Link]) -> None:
    """See that nobody holds one of these addresses and numbers already."""
    found = store.load(links)
    if found:
        (kind, value), person = found[0]
        raise Refused(Fault(Why.SHARED, f"Somebody has {value} already.", kind, person.ref))


def _own(person: Person) -> list[Link]:
    """What somebody can be found by that only one person may have."""
    own = [] if person.external_id is None else [(EXTERNAL_ID, person.external_id)]
    return [*own, *([person.reached_by_alias] if person.reached_by_alias else [])]


def _form(pair: list[str] | None) -> str | None:
    return None if pair is None else alias.form_of(pair)


def _held(people: People, person: Person) -> list[Link]:
    """All that a person can be found by."""
    return [*people.links(person), *_own(person), (OBJECT_ID, person.object_id)]


def _given(wanted: Mapping[str, Any], lists: Mapping[str, Form]) -> Iterator[tuple[str, Any]]:
    """Values that are there, each once in a list (AT-09)."""
    for key, value in wanted.items():
        if isinstance(value, list) and key != ALIAS:
            value = _once(value, lists.get(key, str))
        if value is not None and value != []:
            yield key, value


def _once(items: list[Any], form: Form) -> list[Any]:
    found: dict[Any, Any] = {}
    for item in items:
        found.setdefault(form(item), item)
    return list(found.values())


def _changes(person: Person, wanted: Mapping[str, Any], schema: Schema) -> Changes:
    pair = None if person.alias is None else alias.pair_of(person.alias)
    before = person.values() | {EXTERNAL_ID: person.external_id, ALIAS: pair}
    after = dict(_given(wanted, schema.lists))
    return {key: [before.get(key), after.get(key)] for key in wanted if not same(before.get(key), after.get(key))}


def _check_mandatory(schema: Schema, after: Mapping[str, Any]) -> None:
    """See that no mandatory attribute is left without a value (AT-03)."""
    missing = [
        Fault(Why.MISSING, f"Missing mandatory field: {schema.definitions[key].label}", key)
        for key, value in after.items()
        if value is None and key in schema.definitions and schema.definitions[key].mandatory
    ]
    if missing:
        raise Refused(*missing)


def _fault(refusal: Refusal, people: People, own: Iterable[Link]) -> Fault:
    """``own``: what only one person may have, and somebody else may have already."""
    taken = [link for link in own if link[0] == refusal.column]
    owner = next((person for link in taken for person in people.holders.get(link, ())), None)
    if owner is None:
        return Fault(Why.LIMIT, f"{refusal.reason}.", refusal.column)
    return Fault(Why.TAKEN, f"{refusal.reason}.", fields_of(refusal.column)[-1], owner.ref)
