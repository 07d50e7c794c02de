"""What an action makes of the value a person has and the value a row brings: requirements 8.0, cell by cell."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles.merging.actions import (
    Action,
    Attributes,
    Changes,
    KeyFunction,
    as_list,
    combine_changes,
    is_same_json,
    merge,
    merge_value,
)

LISTS: dict[str, KeyFunction] = {"emails": str.casefold, "labels": str}
KEYS = {"single": "city", "multi": "labels"}

# kind, existing, cell, and what is there afterwards under: ignore, update, append, overwrite, replace
MATRIX: list[tuple[str, Any, Any, list[Any]]] = [
    ("single", None, "B", [None, "B", "B", "B", "B"]),
    ("single", "A", "B", ["A", "A", "B", "B", "B"]),
    ("single", "A", None, ["A", "A", "A", "A", None]),
    ("multi", None, ["b"], [None, ["b"], ["b"], ["b"], ["b"]]),
    ("multi", ["a"], ["b"], [["a"], ["a"], ["a", "b"], ["b"], ["b"]]),
    ("multi", ["a"], ["a"], [["a"], ["a"], ["a"], ["a"], ["a"]]),
    ("multi", ["a", "c"], None, [["a", "c"], ["a", "c"], ["a", "c"], ["a", "c"], None]),
]
ACTIONS = [Action.IGNORE, Action.UPDATE, Action.APPEND, Action.OVERWRITE, Action.REPLACE]
CELLS = [
    pytest.param(kind, old, cell, action, after, id=f"{kind} {old or 'blank'} + {cell or 'blank'}, {action}: {after}")
    for kind, old, cell, results in MATRIX
    for action, after in zip(ACTIONS, results, strict=True)
]


def after(old: Attributes, changes: Changes) -> Attributes:
    """The attributes when the changes are made; each change must start from what is there."""
    new = dict(old)
    for key, (before, value) in changes.items():
        assert old.get(key) == before
        new[key] = value
    return {key: value for key, value in new.items() if value is not None}


@pytest.mark.parametrize(("kind", "old", "cell", "action", "expected"), CELLS)
def test_the_matrix(kind: str, old: Any, cell: Any, action: Action, expected: Any) -> None:
    key = KEYS[kind]
    existing = {} if old is None else {key: old}
    incoming = {} if cell is None else {key: cell}
    changes = merge(existing, incoming, action, LISTS)
    assert after(existing, changes).get(key) == expected
    assert changes == ({} if expected == old else {key: [old, expected]})


@pytest.mark.parametrize("action", [Action.UPDATE, Action.APPEND, Action.OVERWRITE])
def test_columns_left_out_leave_their_attributes_alone(action: Action) -> None:  # AC-11
    assert "plan" not in merge({"plan": "gold", "city": "NY"}, {"city": "Boston"}, action, LISTS)


def test_replace_clears_what_the_row_does_not_supply() -> None:  # AC-05
    changes = merge({"plan": "gold", "city": "NY"}, {"name": "Ann"}, Action.REPLACE, LISTS)
    assert changes == {"plan": ["gold", None], "city": ["NY", None], "name": [None, "Ann"]}


def test_a_list_grows_at_its_end_and_keeps_the_spelling_that_was_there() -> None:  # AC-07, AT-09, D-28
    old = {"emails": ["A@x.co", "b@x.co"]}
    changes = merge(old, {"emails": ["c@x.co", "a@x.co"]}, Action.APPEND, LISTS)
    assert changes == {"emails": [["A@x.co", "b@x.co"], ["A@x.co", "b@x.co", "c@x.co"]]}


def test_another_spelling_is_a_change_where_the_row_wins() -> None:  # D-28: stored as given
    assert merge({"emails": ["A@x.co"]}, {"emails": ["a@x.co"]}, Action.OVERWRITE, LISTS)
    assert not merge({"emails": ["A@x.co"]}, {"emails": ["a@x.co"]}, Action.APPEND, LISTS)


def test_values_that_only_python_takes_for_equal_differ() -> None:
    assert merge({"flag": 1}, {"flag": True}, Action.OVERWRITE, LISTS) == {"flag": [1, True]}
    assert not is_same_json(0, False)
    assert is_same_json("a", "a")


@pytest.mark.parametrize(
    ("old", "value", "action", "expected"),
    [
        (None, "B", Action.UPDATE, "B"),
        ("A", "B", Action.UPDATE, "A"),
        ("A", "B", Action.APPEND, "B"),
        ("A", "B", Action.OVERWRITE, "B"),
        ("A", "B", Action.REPLACE, "B"),
        ("A", "B", Action.IGNORE, "A"),
        ("A", None, Action.REPLACE, "A"),
        (None, None, Action.REPLACE, None),
    ],
)
def test_an_own_field_is_never_cleared(old: Any, value: Any, action: Action, expected: Any) -> None:  # D-06
    assert merge_value(old, value, action) == expected


def test_an_attribute_has_its_values_whether_it_is_a_list_or_not() -> None:
    assert [as_list(value) for value in (None, "a", ["a", "b"], 0)] == [[], ["a"], ["a", "b"], [0]]


texts = st.sampled_from(["a", "A", "b", "c"])
emails = st.lists(texts, min_size=1, max_size=3, unique_by=str.casefold)
people = st.fixed_dictionaries(
    {}, optional={"city": texts, "plan": texts, "age": st.integers(0, 2), "emails": emails, "labels": emails}
)


@given(people, people, st.sampled_from(ACTIONS))
def test_a_row_that_comes_again_changes_nothing(old: Attributes, row: Attributes, action: Action) -> None:  # AC-18
    before = copy.deepcopy((old, row))
    once = after(old, merge(old, row, action, LISTS))
    assert merge(once, row, action, LISTS) == {}
    assert (old, row) == before, "what is given stays as it is"


@given(people, people)
def test_update_only_fills_what_is_empty(old: Attributes, row: Attributes) -> None:  # AC-06
    assert after(old, merge(old, row, Action.UPDATE, LISTS)) == row | old


@given(people, people)
def test_overwrite_takes_all_that_the_row_supplies(old: Attributes, row: Attributes) -> None:  # AC-09
    assert after(old, merge(old, row, Action.OVERWRITE, LISTS)) == old | row


@given(people, people)
def test_replace_leaves_the_row_alone(old: Attributes, row: Attributes) -> None:  # AC-04
    assert after(old, merge(old, row, Action.REPLACE, LISTS)) == row


@given(people, people)
def test_append_loses_no_value_of_a_list_and_repeats_none(old: Attributes, row: Attributes) -> None:  # AC-07, AT-09
    new = after(old, merge(old, row, Action.APPEND, LISTS))
    for key in LISTS.keys() & new.keys():
        assert new[key][: len(old.get(key, []))] == old.get(key, [])
        forms = [LISTS[key](value) for value in new[key]]
        assert len(forms) == len(set(forms))
        assert set(forms) == {LISTS[key](value) for value in old.get(key, []) + row.get(key, [])}


@given(st.lists(st.tuples(people, st.sampled_from(ACTIONS)), min_size=1, max_size=4), people)
def test_changes_one_after_another_add_up_to_the_difference(rows: list[tuple[Attributes, Action]], old: Attributes):
    new, total = old, Changes()
    for row, action in rows:
        changes = merge(new, row, action, LISTS)
        new, total = after(new, changes), combine_changes(total, changes)
    assert after(old, total) == new
    assert all(not is_same_json(*change) for change in total.values())
