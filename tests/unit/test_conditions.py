"""Conditions as data: from addresses, to JSON and back, without a database."""

from __future__ import annotations

import json
from datetime import date
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.search.condition_json import from_json, to_json
from profiles.search.condition_parameters import from_parameters, to_parameters
from profiles.search.conditions import (
    AttributeCondition,
    BirthdayToday,
    ChangeSetMember,
    Condition,
    DateCondition,
    HasIdentifier,
    InvalidCondition,
    Moment,
    Operator,
    Outcome,
    When,
)
from profiles.search.query_builder import birthdays_on

TEXTS = st.text("aZ1 &=+%?#'\"\\é中🥇", min_size=1, max_size=5).filter(str.strip)
DAYS = st.dates(date(1000, 1, 1), date(9998, 12, 31))
COMPARING = st.sampled_from([operator for operator in Operator if operator.needs_value])
ATTRIBUTES = st.builds(AttributeCondition, TEXTS, COMPARING, TEXTS) | st.builds(
    AttributeCondition, TEXTS, st.sampled_from([Operator.EXISTS, Operator.MISSING])
)
MEMBERS = st.builds(ChangeSetMember, st.integers(1, 10**18 - 1), st.sampled_from([None, *Outcome]))
OTHERS = st.builds(HasIdentifier, TEXTS) | st.just(BirthdayToday())


@given(
    st.lists(
        ATTRIBUTES | MEMBERS | OTHERS | st.builds(DateCondition, st.sampled_from(Moment), st.sampled_from(When), DAYS)
    )
)
def test_conditions_come_back_from_json(conditions: list[Condition]):
    assert from_json(json.loads(json.dumps(to_json(conditions)))) == tuple(conditions)


@given(
    st.lists(ATTRIBUTES | OTHERS, unique=True),
    MEMBERS,
    st.builds(DateCondition, st.just(Moment.CREATED), st.sampled_from(When), DAYS),
)
def test_conditions_come_back_from_an_address(several: list[Condition], member: ChangeSetMember, dated: DateCondition):
    sent = parse_qs(urlencode(to_parameters([*several, member, dated])), keep_blank_values=True)
    found, wrong = from_parameters(sent)
    assert (set(found), wrong) == ({*several, member, dated}, [])


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "attribute",
                "operator",
                "value",
                "has",
                "created",
                "created_when",
                "updated",
                "birthday",
                "change_set",
                "outcome",
            ]
        ),
        st.lists(st.text("a1-٢\0é 2026", max_size=10), max_size=3),
    )
)
def test_whatever_an_address_says_is_a_condition_or_has_a_sentence(sent: dict[str, list[str]]):
    _, wrong = from_parameters(sent)
    assert all(str(each).endswith(".") for each in wrong)


def test_blank_parameters_say_nothing():
    sent = {
        "attribute": [""],
        "operator": ["equals"],
        "value": [""],
        "has": [""],
        "created": [""],
        "created_when": ["on"],
    }
    assert from_parameters(sent) == ([], [])


def test_rows_keep_together_what_belongs_together():
    sent = {"attribute": ["plan", "city"], "operator": ["exists", "contains"], "value": ["", "York"]}
    assert from_parameters(sent)[0] == [
        AttributeCondition("plan", Operator.EXISTS),
        AttributeCondition("city", Operator.CONTAINS, "York"),
    ]


@pytest.mark.parametrize(
    ("sent", "field", "sentence"),
    [
        ({"attribute": ["plan"]}, "value", "Enter a value to compare with"),
        ({"value": ["gold"]}, "attribute", "Choose the attribute"),
        ({"attribute": ["plan"], "operator": ["like"], "value": ["x"]}, "operator", "Choose one of: exists"),
        ({"attribute": ["plan"], "value": ["a\0b"]}, "value", "NUL"),
        ({"created": ["yesterday"]}, "created", "Enter a date, such as 2026-05-04."),
        ({"updated": ["0001-01-01"]}, "updated", "between the years"),
        ({"change_set": ["x"]}, "change_set", "number of a change set"),
        ({"change_set": ["1"], "outcome": ["failed"]}, "outcome", "Choose one of: imported, updated."),
    ],
)
def test_what_is_no_condition_has_a_sentence_and_a_place(sent: dict[str, list[str]], field: str, sentence: str):
    found, (wrong,) = from_parameters(sent)
    assert found == []
    assert wrong.field == field
    assert sentence in str(wrong)


@pytest.mark.parametrize(
    "stored", [{}, {"is": "magic"}, {"is": "member", "change_set": "x"}, {"is": "attribute", "key": "a"}]
)
def test_stored_conditions_of_another_shape_are_refused(stored: dict[str, str]):
    with pytest.raises(InvalidCondition):
        from_json([stored])


@pytest.mark.parametrize(
    ("today", "days"),
    [
        (date(2026, 11, 22), ["11-22"]),
        (date(2026, 2, 28), ["02-28", "02-29"]),
        (date(2028, 2, 28), ["02-28"]),
        (date(2028, 2, 29), ["02-29"]),
    ],
)
def test_a_birthday_on_the_29th_of_february_is_celebrated_each_year(today: date, days: list[str]):
    assert birthdays_on(today) == days
