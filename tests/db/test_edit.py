"""People changed one at a time: under the same rules as by an import, never over what nobody saw (rules 2, 3, 12)."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from imports.engine import driver
from imports.jobs import lifecycle, queue
from imports.jobs.transitions import Actor, Transition
from imports.models import ImportJob
from imports.states import Step
from profiles import history
from profiles.models import Attribute, Change, ChangeSet, Event, Identifier, Profile, WriteMark
from profiles.writing import edit, retry, store, value_locks
from profiles.writing.edit import SeenVersion
from profiles.writing.errors import EditRefused, ErrorKind
from tests.oracle import drive
from tests.oracle.conftest import crew
from tests.oracle.drive import Crew
from tests.oracle.test_examples import case

__all__ = ["crew"]

pytestmark = pytest.mark.django_db


def made(**values: Any) -> Profile:
    return Profile.objects.get(pk=edit.create(values, None, shared=True))


def seen(person: Profile) -> SeenVersion:
    return SeenVersion(person.pk, store.to_microseconds(person.updated))


def faults(*arguments: Any, act: Any = edit.save) -> list[tuple[ErrorKind, str]]:
    """Why an act is refused; nothing may have been written."""
    before = (list(Profile.objects.values()), ChangeSet.objects.count(), WriteMark.objects.count())
    with pytest.raises(EditRefused) as refused:
        act(*arguments, None)
    assert (list(Profile.objects.values()), ChangeSet.objects.count(), WriteMark.objects.count()) == before
    return [(fault.kind, fault.field) for fault in refused.value.faults]


def links(person: Profile) -> list[tuple[str, str]]:
    return sorted(Identifier.objects.filter(profile=person).values_list("kind", "value"))


def test_a_person_is_made_found_by_their_identifiers_and_in_the_history():
    person = made(external_id="a1", email=["Ann@x.co", "ann@X.co", "b@x.co"], plan=None, first_name="Ann")
    assert person.external_id == "a1"
    assert person.attributes == {"email": ["Ann@x.co", "b@x.co"], "first_name": "Ann"}
    assert links(person) == [("email", "ann@x.co"), ("email", "b@x.co")]
    change = Change.objects.get(profile=person)
    assert (change.outcome, change.changes, change.change_set.kind) == ("imported", {}, "person")
    assert WriteMark.objects.get().people == 1


def test_what_is_saved_is_recorded_with_old_and_new():
    person = made(email=["a@x.co"], first_name="Ann", home_city="Oslo")
    changes = edit.save(seen(person), {"email": ["b@x.co", "a@x.co"], "home_city": None, "first_name": "Ann"}, None)
    assert changes == {"email": [["a@x.co"], ["b@x.co", "a@x.co"]], "home_city": ["Oslo", None]}
    person.refresh_from_db()
    assert person.attributes == {"email": ["b@x.co", "a@x.co"], "first_name": "Ann"}
    assert links(person) == [("email", "a@x.co"), ("email", "b@x.co")]
    assert person.history.latest("change_set_id").changes == changes
    edit.save(seen(person), {"email": ["a@x.co"]}, None)
    assert links(person) == [("email", "a@x.co")]


def test_a_save_that_changes_nothing_writes_nothing():
    person = made(email=["a@x.co"])
    assert edit.save(seen(person), {"email": ["a@x.co"], "home_city": None, "external_id": None}, None) == {}
    assert (ChangeSet.objects.count(), WriteMark.objects.count()) == (1, 1)
    assert Profile.objects.get().updated == person.updated


def test_an_external_id_is_given_changed_and_taken_away():  # HI-28
    person = made(email=["a@x.co"])
    for old, new in ((None, "e1"), ("e1", "e2"), ("e2", None)):
        assert edit.save(seen(person), {"external_id": new}, None) == {"external_id": [old, new]}
        person.refresh_from_db()
        assert person.external_id == new
        assert person.history.latest("change_set_id").changes == {"external_id": [old, new]}
    assert person.attributes == {"email": ["a@x.co"]}


def test_an_external_id_has_one_owner():  # HI-28
    owner, other = made(external_id="e1"), made(email=["a@x.co"])
    assert faults(seen(other), {"external_id": "e1"}) == [(ErrorKind.TAKEN, "external_id")]
    assert faults({"external_id": "e1"}, act=edit.create) == [(ErrorKind.TAKEN, "external_id")]
    assert faults({"external_id": "e1", "email": ["c@x.co"]}, act=edit.create) == [(ErrorKind.TAKEN, "external_id")]
    with pytest.raises(EditRefused) as refused:
        edit.save(seen(other), {"external_id": "e1"}, None)
    assert refused.value.faults[0].person == owner.pk
    edit.save(seen(owner), {"external_id": "e1", "home_city": "Oslo"}, None)


CRM_1 = {"alias_label": "crm", "alias_name": "1"}
NO_ALIAS = {"alias_label": None, "alias_name": None}


def test_an_alias_is_given_changed_and_taken_away_as_one_value():
    person = made(email=["a@x.co"])
    for old, new in pairwise([None, ["crm", "1"], ["crm", "crm"], None]):
        parts = dict(zip(CRM_1, new, strict=True)) if new else NO_ALIAS
        assert edit.save(seen(person), parts, None) == {"alias": [old, new]}
        person.refresh_from_db()
        assert (person.alias_label, person.alias_name) == tuple(new or (None, None))
        assert person.history.latest("change_set_id").changes == {"alias": [old, new]}
        if new:
            assert history.load_provenance(person).writers["alias"] == ChangeSet.objects.latest("pk")
    assert faults(seen(person), CRM_1 | {"alias_label": None}) == [(ErrorKind.MISSING, "alias_label")]
    assert edit.save(seen(person), CRM_1 | {"alias_name": "2", "home_city": "Oslo"}, None).keys() == {
        "alias",
        "home_city",
    }
    assert faults(CRM_1 | {"alias_name": None, "email": ["b@x.co"]}, act=edit.create) == [
        (ErrorKind.MISSING, "alias_name")
    ]


def test_an_alias_has_one_owner_among_those_without_an_external_id():  # HI-19, rule 12
    owner, other = made(**CRM_1), made(email=["a@x.co"])
    assert faults(seen(other), CRM_1) == [(ErrorKind.TAKEN, "alias_name")]
    assert faults(CRM_1, act=edit.create) == [(ErrorKind.TAKEN, "alias_name")]
    assert faults(CRM_1 | {"email": ["c@x.co"]}, act=edit.create) == [(ErrorKind.TAKEN, "alias_name")]
    with pytest.raises(EditRefused) as refused:
        edit.save(seen(other), CRM_1, None)
    assert refused.value.faults[0].person == owner.pk
    edit.save(seen(other), CRM_1 | {"external_id": "e1"}, None)
    other.refresh_from_db()
    assert faults(seen(other), {"external_id": None}) == [(ErrorKind.TAKEN, "alias_name")]
    assert made(external_id="e2", **CRM_1).alias_name == "1"
    edit.save(seen(owner), NO_ALIAS | {"email": ["b@x.co"]}, None)
    assert edit.save(seen(other), {"external_id": None}, None) == {"external_id": ["e1", None]}


def test_an_older_page_does_not_overwrite_what_was_saved_meanwhile():
    person = made(email=["a@x.co"])
    page = seen(person)
    edit.save(page, {"home_city": "Oslo"}, None)
    assert faults(page, {"home_city": "Rome"}) == [(ErrorKind.CHANGED, "")]
    assert faults(page, act=edit.delete) == [(ErrorKind.CHANGED, "")]


def test_the_limits_of_an_import_hold_here_too(settings: Any):
    settings.IMPORTS_MAX_IDENTIFIER_VALUES = 2
    Attribute.objects.bulk_create(Attribute(key=f"c{n}", label=f"c{n}", type="integer") for n in range(257))
    person = made(email=["a@x.co", "b@x.co"], **{f"c{n}": n for n in range(256)})
    assert faults(seen(person), {"email": ["a@x.co", "b@x.co", "c@x.co"]}) == [(ErrorKind.LIMIT, "email")]
    assert faults(seen(person), {"c256": 1}) == [(ErrorKind.LIMIT, "")]
    assert edit.save(seen(person), {"c256": 1, "c0": None}, None)


def test_mandatory_attributes_stay_filled():
    Attribute.objects.filter(key="first_name").update(mandatory=True)
    assert faults({"email": ["a@x.co"]}, act=edit.create) == [(ErrorKind.MISSING, "first_name")]
    person = made(email=["a@x.co"], first_name="Ann")
    assert faults(seen(person), {"first_name": None}) == [(ErrorKind.MISSING, "first_name")]


def test_nobody_is_made_who_cannot_be_found_again():
    assert faults({"first_name": "Ann"}, act=edit.create) == [(ErrorKind.MISSING, "external_id")]


def test_somebody_with_an_address_that_somebody_has_is_made_only_when_that_is_meant():
    ann = made(email=["a@x.co"])
    assert faults({"email": ["b@x.co", "A@x.co"]}, act=edit.create) == [(ErrorKind.SHARED, "email")]
    with pytest.raises(EditRefused) as refused:
        edit.create({"email": ["a@x.co"]}, None)
    assert refused.value.faults[0].person == ann.pk
    edit.create({"email": ["a@x.co"]}, None, shared=True)
    assert Profile.objects.count() == 2


def test_who_is_deleted_leaves_nothing_but_the_act():  # HI-28
    person, other = made(external_id="e1", email=["a@x.co"]), made(email=["a@x.co"])
    for each in (person, other):
        now = timezone.now()
        Event.objects.create(profile=each, name="visit", time=now, change_set=ChangeSet.objects.earliest("pk"))
    edit.delete(seen(person), None)
    assert [row.pk for row in Profile.objects.all()] == [other.pk]
    assert links(other) == [("email", "a@x.co")]
    for model in (Identifier, Change, Event):
        assert set(model.objects.values_list("profile_id", flat=True)) == {other.pk}
    act = ChangeSet.objects.latest("pk")
    assert (act.kind, act.source) == ("person", f"deleted {person.object_id} in the admin")
    assert WriteMark.objects.filter(change_set=act).count() == 1
    assert faults(seen(person), {"home_city": "Oslo"}) == [(ErrorKind.GONE, "")]
    assert faults(seen(person), act=edit.delete) == [(ErrorKind.GONE, "")]


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("act", ["edited", "deleted", "given the address"])
@pytest.mark.parametrize("when", [Step.IDLE, Step.APPLY])
def test_who_is_changed_between_preview_and_import_is_imported_as_they_are_then(when: str, act: str, crew: Crew):
    asked = case([], "email|city|external_id", ["a@x.co|Oslo|e1", "b@x.co|Rome|"], "email", "update")
    drive.reset(asked)
    person = made(email=["a@x.co", "c@x.co"])
    with drive.options(asked):
        job = drive.upload(asked)
        drive.check(job, asked, crew)
        if when == Step.APPLY:
            with queue.run_inline():
                lifecycle.transition(job, Transition.START, Actor.command())
                while ImportJob.objects.get(pk=job.pk).step != Step.APPLY:
                    driver.run_units(job.pk, 0)
        if act == "edited":
            edit.save(seen(person), {"home_city": "Bonn"}, None)
        elif act == "deleted":
            edit.delete(seen(person), None)
        else:
            edit.save(seen(person), {"email": ["a@x.co", "b@x.co"]}, None)
        if when == Step.APPLY:
            driver.run_until_idle(job)
            job.refresh_from_db()
        else:
            drive.apply(job, asked, crew)
    assert (job.status, job.not_run, job.failed) == ("completed", 0, 0)
    people = {profile.attributes["email"][0]: profile for profile in Profile.objects.all()}
    if act == "edited":
        assert people["a@x.co"].attributes["home_city"] == "Bonn"
        assert history.load_provenance(people["a@x.co"]).writers["home_city"].kind == "person"
        assert (job.imported, job.updated) == (1, 1)
    elif act == "deleted":
        assert people["a@x.co"].pk != person.pk
        assert (job.imported, job.updated) == (2, 0)
    else:
        assert people["a@x.co"].attributes["home_city"] == "Oslo"
        assert (job.imported, job.updated) == (0, 2)
    held = {profile.pk for profile in people.values()}
    assert set(Identifier.objects.values_list("profile_id", flat=True)) == held
    assert set(Change.objects.values_list("profile_id", flat=True)) <= held


ACTS: dict[str, Callable[[Profile], object]] = {
    "deleted": lambda person: edit.delete(seen(person), None),
    "changed": lambda person: edit.save(seen(person), {"home_city": "Oslo"}, None),
    "without the address": lambda person: edit.save(seen(person), {"email": ["b@x.co"]}, None),
    "beside another": lambda person: edit.create({"email": ["a@x.co"]}, None, shared=True),
}


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("act", ACTS)
def test_an_import_that_looks_somebody_up_is_waited_for(act: str):
    person = made(email=["a@x.co"])
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            value_locks.lock_slots(value_locks.slots_of_links([("email", "a@x.co")]), set())
            done = pool.submit(_apart, lambda: ACTS[act](person))
            while not (done.done() or _somebody_waits()):
                time.sleep(0.01)
            assert not done.done()
        done.result()
    assert ChangeSet.objects.count() == 2


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("act", ACTS)
def test_nobody_waits_for_an_import_for_ever(act: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retry, "LOCK_TIMEOUT", "20ms")
    person = made(email=["a@x.co"])
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        value_locks.lock_slots(value_locks.slots_of_links([("email", "a@x.co")]), set())
        done: Future[Any] = pool.submit(_apart, lambda: ACTS[act](person))
        with pytest.raises(EditRefused) as refused:
            done.result()
    assert refused.value.faults[0].kind is ErrorKind.BUSY
    assert ChangeSet.objects.count() == 1


def _apart(act: Callable[[], object]) -> None:
    """Over a connection of its own."""
    try:
        act()
    finally:
        connection.close()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database"
            " WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()"
        )
        return cursor.fetchone() is not None


def test_each_value_has_its_last_writer():
    person = made(email=["a@x.co"], first_name="Ann", home_city="Oslo")
    edit.save(seen(person), {"home_city": "Rome", "external_id": "e1"}, None)
    person.refresh_from_db()
    first, second = ChangeSet.objects.order_by("pk")
    writers = history.load_provenance(person).writers
    assert writers == {"email": first, "first_name": first, "home_city": second, "external_id": second}
    # An import that began earlier may write later.
    Change.objects.filter(change_set=second).update(changes={"home_city": ["Oslo", "Bonn"]})
    early = ChangeSet.objects.create(pk=first.pk - 1, kind="import", when=timezone.now())
    Change.objects.create(profile=person, change_set=early, outcome="updated", changes={"home_city": ["Bonn", "Rome"]})
    assert history.load_provenance(person).writers["home_city"] == early
