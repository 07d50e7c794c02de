"""The working set of people to which rows are applied one after another, without a database."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.merging.actions import Action
from profiles.merging.person import IncomingRow, Link, Person
from profiles.merging.rules import Outcome, Result, Rules
from profiles.merging.working_set import WorkingSet
from profiles.schema import Definition, Schema
from profiles.values.types import ValueType
from tests.oracle import cases
from tests.oracle.reference import Reference, Row, alias_form, form

BASE = 1_000_000
SCHEMA = Schema.of(
    [
        Definition("email", "Email", ValueType.EMAIL, multi_valued=True, identifier=True, built_in=True),
        Definition("phone", "Phone", ValueType.PHONE, multi_valued=True, identifier=True, built_in=True),
        Definition("card", "Card", ValueType.TEXT, identifier=True),
        Definition("labels", "Labels", ValueType.TEXT, multi_valued=True, built_in=True),
        Definition("city", "City", ValueType.TEXT, built_in=True),
    ]
)


def working_set(action: str, *people: Person, by: Sequence[str] = ("email",), **limits: int) -> WorkingSet:
    """Everybody, findable by all that they hold."""
    rules = replace(Rules.of(SCHEMA, Action(action), by), **limits)  # type: ignore[arg-type]
    found = WorkingSet(rules, BASE)
    found.add((link, person) for person in people for link in held(found, person))
    return found


def held(people: WorkingSet, person: Person) -> list[Link]:
    own = [("object_id", person.object_id), ("external_id", person.external_id), person.alias_link or ("", "")]
    return people.links(person) + [(kind, value) for kind, value in own if value]


def known(
    ref: int, updated: int = 0, external_id: str | None = None, alias: str | None = None, **attributes: Any
) -> Person:
    """Somebody who was read from the database."""
    updated = updated or ref
    return Person(ref, f"o{ref}", external_id, orjson.dumps(attributes).decode(), updated, updated, alias=alias)


def row(
    number: int,
    key: str,
    external_id: str | None = None,
    object_id: str | None = None,
    alias: str | None = None,
    **values: Any,
) -> IncomingRow:
    """A row that is looked up by its first value of ``key``."""
    own = {"external_id": external_id, "object_id": object_id, "alias": alias}
    links = [(kind, form) for kind, form in own.items() if form]
    for kind in SCHEMA.identifiers.keys() & values.keys():
        each = values[kind] if isinstance(values[kind], list) else [values[kind]]
        links += [(kind, SCHEMA.identifiers[kind](value)) for value in each]
    found = next(link for link in links if link[0] == key)
    return IncomingRow(number, found, links, orjson.dumps(values).decode(), external_id, object_id, alias)


def email(number: int, address: str | list[str], **more: Any) -> IncomingRow:
    return row(number, "email", email=[address] if isinstance(address, str) else address, **more)


def code(result: Result) -> str | None:
    assert (result.outcome is Outcome.FAILED) == (result.refusal is not None)
    return result.refusal.code if result.refusal else None


def test_a_row_without_a_match_makes_somebody_whom_later_rows_find():  # AC-12, AC-18, D-08
    people = working_set("append")
    outcomes = [people.apply(email(n, "a@x.co", phone=[f"100000{n}"])) for n in (1, 2)]
    assert [result.outcome for result in outcomes] == [Outcome.IMPORTED, Outcome.UPDATED]
    assert outcomes[0].person is outcomes[1].person
    assert [person.values()["phone"] for person in people.affected.values()] == [["1000001", "1000002"]]


@pytest.mark.parametrize("action", Action)
def test_every_action_makes_people_who_are_not_known(action: Action):  # AC-12, HI-11
    assert working_set(action).apply(email(1, "a@x.co")).outcome is Outcome.IMPORTED


def test_ignore_touches_nobody_even_where_the_row_could_not_be_applied():  # AC-02
    people = working_set("ignore", known(1, email=["a@x.co"]), known(2, external_id="e2"))
    assert people.apply(email(1, "a@x.co", external_id="e2", object_id="other")).outcome is Outcome.IGNORED
    assert not people.affected


def test_of_several_the_most_recently_updated_is_found():  # D-04, HI-24
    people = working_set("overwrite", known(1, 50, email=["a@x.co"]), known(2, 40, email=["a@x.co"]))
    assert people.apply(email(1, "a@x.co")).person.ref == 1  # type: ignore[union-attr]
    assert people.candidate_versions == {1: 50, 2: 40}, "nobody may change them meanwhile"


def test_of_several_as_recent_the_newest_is_found():  # D-04
    people = working_set("overwrite", known(7, 50, email=["a@x.co"]), known(8, 50, email=["a@x.co"]))
    assert people.apply(email(1, "a@x.co")).person.ref == 8  # type: ignore[union-attr]


def test_a_change_makes_somebody_the_most_recent_and_a_row_that_changes_nothing_does_not():  # rule 1
    one, two = known(1, 10, email=["a@x.co", "b@x.co"]), known(2, 20, email=["a@x.co", "c@x.co"])
    people = working_set("append", one, two)
    people.apply(email(1, "b@x.co"))
    assert people.apply(email(2, "a@x.co")).person is two
    people.apply(email(3, "b@x.co", city="Oslo"))
    assert people.apply(email(4, "a@x.co")).person is one


def test_changes_are_dated_by_their_rows_and_never_backwards():  # rule 1
    person = known(1, BASE + 500, email=["a@x.co"])
    people = working_set("overwrite", person)
    people.apply(email(7, "a@x.co", city="Oslo"))
    assert person.recency == BASE + 501
    new = people.apply(email(9, "new@x.co")).person
    assert new is not None
    assert new.recency == BASE + 9


def test_somebody_is_no_longer_found_by_a_value_that_was_overwritten_but_by_the_new_one():  # rule 1
    people = working_set("overwrite", known(1, email=["a@x.co", "b@x.co"]))
    assert people.apply(email(1, ["a@x.co", "c@x.co"])).outcome is Outcome.UPDATED
    assert people.apply(email(2, "c@x.co", city="Oslo")).person.ref == 1  # type: ignore[union-attr]
    assert people.apply(email(3, "b@x.co")).outcome is Outcome.IMPORTED


def test_an_identifier_may_be_a_single_value():
    people = working_set("overwrite", known(1, card="c1", email=["a@x.co"]), by=("card", "email"))
    assert people.apply(row(1, "email", email=["a@x.co"], card="c2")).outcome is Outcome.UPDATED
    assert people.apply(row(2, "card", card="c2")).person.ref == 1  # type: ignore[union-attr]
    assert people.apply(row(3, "card", card="c1")).outcome is Outcome.IMPORTED
    assert people.apply(row(4, "card", card="a card of more than ten letters")).outcome is Outcome.IMPORTED


def test_an_external_id_of_somebody_else_fails_the_row_and_changes_nothing():  # rule 12, AC-20
    person = known(1, email=["a@x.co"])
    people = working_set("overwrite", person, known(2, external_id="e2"))
    assert code(people.apply(email(1, "a@x.co", external_id="e2", city="Oslo"))) == "external_id_taken"
    assert code(people.apply(email(2, "new@x.co", external_id="e2"))) == "external_id_taken"
    assert "city" not in person.values()
    assert not people.affected


def test_an_external_id_is_only_refused_where_it_would_be_set():  # rule 12, D-06
    people = working_set("update", known(1, external_id="e1", email=["a@x.co"]), known(2, external_id="e2"))
    assert people.apply(email(1, "a@x.co", external_id="e2", city="Oslo")).changes == {"city": [None, "Oslo"]}


def test_an_external_id_that_was_given_up_is_free():  # rule 1
    people = working_set("overwrite", known(1, external_id="e1", email=["a@x.co"]), known(2, email=["b@x.co"]))
    assert people.apply(email(1, "a@x.co", external_id="e3")).changes == {"external_id": ["e1", "e3"]}
    assert people.apply(email(2, "b@x.co", external_id="e1")).outcome is Outcome.UPDATED
    assert code(people.apply(email(3, "a@x.co", external_id="e1"))) == "external_id_taken"


CRM_1, CRM_2 = '["crm","1"]', '["crm","2"]'


def test_who_has_an_external_id_is_not_found_by_alias():  # HI-19
    person = known(1, external_id="e1", alias=CRM_1)
    people = working_set("overwrite", person, by=["alias"])
    assert people.apply(row(1, "alias", alias=CRM_1)).outcome is Outcome.IMPORTED
    assert people.apply(row(2, "alias", alias=CRM_1, city="Oslo")).outcome is Outcome.UPDATED
    assert not person.changes


def test_who_comes_to_have_an_external_id_is_no_longer_found_by_alias():  # HI-19
    people = working_set("overwrite", known(1, alias=CRM_1), by=["alias"])
    assert people.apply(row(1, "alias", alias=CRM_1, external_id="e1")).outcome is Outcome.UPDATED
    assert people.apply(row(2, "alias", alias=CRM_1)).outcome is Outcome.IMPORTED


def test_an_alias_of_somebody_else_fails_the_row_unless_one_of_the_two_has_an_external_id():  # rule 12, HI-19
    person = known(1, email=["a@x.co"])
    people = working_set("overwrite", person, known(2, alias=CRM_1), known(3, external_id="e3", alias=CRM_2))
    assert code(people.apply(email(1, "a@x.co", alias=CRM_1, city="Oslo"))) == "alias_taken"
    assert code(people.apply(email(2, "new@x.co", alias=CRM_1))) == "alias_taken"
    assert person.values() == {"email": ["a@x.co"]}
    assert people.apply(email(3, "a@x.co", alias=CRM_2)).changes == {"alias": [None, ["crm", "2"]]}
    assert people.apply(email(4, "new@x.co", alias=CRM_1, external_id="e4")).outcome is Outcome.IMPORTED


@pytest.mark.parametrize(
    ("action", "after"),
    [("update", CRM_1), ("append", CRM_2), ("overwrite", CRM_2), ("replace", CRM_2), ("ignore", CRM_1)],
)
def test_an_alias_is_one_value_that_no_action_clears(action: str, after: str):  # D-06, requirements 8.0
    person = known(1, alias=CRM_1, email=["a@x.co"])
    people = working_set(action, person)
    people.apply(email(1, "a@x.co"))
    assert person.alias == CRM_1
    people.apply(email(2, "a@x.co", alias=CRM_2))
    assert person.alias == after


def test_replace_keeps_the_external_id_unless_the_row_has_one():  # D-06
    person = known(1, external_id="e1", email=["a@x.co"], city="Oslo")
    working_set("replace", person).apply(email(1, "a@x.co"))
    assert (person.external_id, person.values()) == ("e1", {"email": ["a@x.co"]})


def test_an_object_id_never_makes_anybody_and_never_changes():  # D-20, HI-21, HI-22
    people = working_set("overwrite", known(1, email=["a@x.co"]), by=("object_id", "email"))
    assert code(people.apply(row(1, "object_id", object_id="unknown"))) == "no_such_profile"
    assert code(people.apply(email(2, "new@x.co", object_id="unknown"))) == "no_such_profile"
    assert code(people.apply(email(3, "a@x.co", object_id="o2"))) == "object_id_differs"
    assert people.apply(email(4, "a@x.co", object_id="o1", city="Oslo")).outcome is Outcome.UPDATED


def test_a_person_has_at_most_so_many_values_of_a_channel():  # AT-08
    people = working_set("append", known(1, email=["a@x.co", "b@x.co"]), max_identifier_values=2)
    assert code(people.apply(email(1, ["a@x.co", "c@x.co"]))) == "too_many_values"
    assert people.apply(email(2, ["a@x.co", "b@x.co"])).outcome is Outcome.UNCHANGED
    assert code(people.apply(email(3, ["x@x.co", "y@x.co", "z@x.co"]))) == "too_many_values", "somebody new neither"
    assert people.apply(email(4, "a@x.co", labels=["l1", "l2", "l3"])).outcome is Outcome.UPDATED, (
        "labels are no channel"
    )


def test_a_list_that_is_too_long_already_may_stay_but_not_grow():  # AT-08
    people = working_set("append", known(1, email=["a@x.co", "b@x.co", "c@x.co"]), max_identifier_values=2)
    assert people.apply(email(1, "a@x.co", city="Oslo")).outcome is Outcome.UPDATED
    assert code(people.apply(email(2, ["a@x.co", "d@x.co"]))) == "too_many_values"


def test_a_person_has_at_most_256_custom_attributes():  # AT-12
    crowd: dict[str, Any] = {f"custom {number}": number for number in range(256)}
    people = working_set("overwrite", known(1, email=["a@x.co"], **crowd))
    assert code(people.apply(email(1, "a@x.co", **{"one more": 1}))) == "too_many_attributes"
    assert people.apply(email(2, "a@x.co", city="Oslo", **{"custom 7": 0})).outcome is Outcome.UPDATED
    assert code(people.apply(email(3, "new@x.co", **crowd, **{"one more": 1}))) == "too_many_attributes"
    assert people.apply(email(4, "new@x.co", **crowd)).outcome is Outcome.IMPORTED


def test_a_matched_row_that_changes_nothing_belongs_to_the_set():  # D-30, PS-24
    person = known(1, 77, email=["a@x.co"])
    people = working_set("overwrite", person)
    assert people.apply(email(3, "a@x.co")).outcome is Outcome.UNCHANGED
    assert people.affected == {1: person}
    assert (person.first_row, person.recency, person.changes) == (3, 77, {})


def test_the_changes_of_several_rows_add_up():
    person = known(1, email=["a@x.co"], city="Oslo")
    people = working_set("overwrite", person)
    for number, city in enumerate(["Rome", "Bonn"], 1):
        people.apply(email(number, "a@x.co", city=city))
    assert (person.first_row, person.changes) == (1, {"city": ["Oslo", "Bonn"]})
    people.apply(email(3, "a@x.co", city="Oslo"))
    assert person.changes == {}


@given(st.sampled_from(cases.IDENTIFIERS).flatmap(cases.cases))
def test_rows_come_out_as_those_of_the_reference(case: cases.Case):  # rule 1
    order = case.order()
    reference = Reference(case.starting(), order)
    people = _people_of(case)
    for number, cells in enumerate(case.rows, 1):
        expected = reference.apply_row(number, cells)
        if expected.sound:
            result = people.apply(_incoming(reference, expected, cells))
            assert (result.outcome, code(result)) == (expected.outcome, next(iter(expected.codes), None))
            assert (result.changes or {}) == ({} if expected.outcome == "imported" else expected.changes)
    assert {ref: (p.external_id, p.alias, p.values(), p.first_row) for ref, p in people.affected.items()} == {
        -(p.made_by or 0) or p.number: (p.external_id, p.alias and alias_form(p.alias), p.attributes, p.first_row)
        for p in reference.people
        if p.first_row
    }
    assert {fact.address: fact.suppressed for fact in people.facts} == reference.suppressed


def _people_of(case: cases.Case) -> WorkingSet:
    schema = Schema.of(
        Definition(f.key, f.key, _TYPES.get(f.kind) or ValueType(f.kind), f.many, False, f.channel, not f.custom)
        for f in cases.SCHEMA.values()
        if f.kind != "membership"
    )
    rules = Rules.of(schema, Action(case.action), cases.kinds(case.identifier), case.most_values)
    people = WorkingSet(rules, BASE)
    for start in case.starting():
        stored = orjson.dumps(start.attributes).decode()
        person = Person(start.number, start.object_id, start.external_id, stored, start.updated, start.updated)
        person.alias = start.alias and alias_form(start.alias)
        people.add((link, person) for link in held(people, person))
    return people


_TYPES = {"state": ValueType.SUBSCRIPTION, "flag": ValueType.BOOLEAN}


def _incoming(reference: Reference, row: Row, cells: Sequence[str]) -> IncomingRow:
    """A sound row as staging hands it over."""
    values, _ = reference.read_row(cells, Row(row.number, ""))
    pairs = list(zip(reference.order.fields, values, strict=True))
    links = [
        (column.key, form(column, value))
        for column, value in pairs
        if value is not None and (column.channel or column.key in ("external_id", "object_id"))
    ]
    pair = reference.alias(values)
    links += [("alias", alias_form(pair))] if pair else []
    assert row.key is not None
    raw = orjson.dumps(reference.supplied(values)).decode()
    external_id, object_id = (reference.own(values, key) for key in ("external_id", "object_id"))
    alias = pair and alias_form(pair)
    return IncomingRow(row.number, row.key, list(dict.fromkeys(links)), raw, external_id, object_id, alias)
