"""States of subscriptions as texts, what counts in the end, and which keys are consent (section 15)."""

from __future__ import annotations

import pytest

from profiles.merging import consent
from profiles.merging.consent import Channel
from profiles.schema import Definition, Schema
from profiles.search import condition_json
from profiles.search.conditions import Reachable
from profiles.values.parsers import membership_parser, parser
from profiles.values.types import InvalidValue, ValueOptions, ValueType

READ = parser(ValueType.SUBSCRIPTION, ValueOptions())
EXACT = parser(ValueType.SUBSCRIPTION, ValueOptions(exact_states=True))


@pytest.mark.parametrize(
    ("text", "state"),
    [("opted_in", "opted_in"), (" Unsubscribed ", "unsubscribed"), ("TRUE", "subscribed"), ("false", "unsubscribed")],
)
def test_states_are_read_in_any_case_and_as_flags(text: str, state: str):
    assert READ(text) == state


@pytest.mark.parametrize("text", ["1", "yes", "opted in", "ſubscribed"])
def test_other_texts_are_no_states(text: str):
    with pytest.raises(InvalidValue, match="opted_in, subscribed, unsubscribed, true or false expected"):
        READ(text)


@pytest.mark.parametrize("text", ["Unsubscribed", "subscribed ", "true", "OPTED_IN"])
def test_exact_states_have_one_spelling(text: str):
    assert EXACT("unsubscribed") == "unsubscribed"
    with pytest.raises(InvalidValue, match="opted_in, subscribed or unsubscribed expected, in lower case"):
        EXACT(text)


def test_nobody_is_opted_into_a_group():
    assert membership_parser(ValueOptions())("True") == "subscribed"
    with pytest.raises(InvalidValue, match="state: subscribed, unsubscribed, true or false expected"):
        membership_parser(ValueOptions())("opted_in")


@pytest.mark.parametrize(
    ("values", "addresses", "suppressed", "state"),
    [
        ({}, 1, 0, "subscribed"),
        ({"email_subscribe": "opted_in"}, 2, 1, "opted_in"),
        ({"email_subscribe": "opted_in"}, 2, 2, "unsubscribed"),
        ({"email_subscribe": "subscribed", "dnd_email": True}, 1, 0, "unsubscribed"),
        ({"email_subscribe": "unsubscribed", "dnd_email": False}, 1, 0, "unsubscribed"),
        ({"email_subscribe": "subscribed"}, 0, 0, "subscribed"),
    ],
)
def test_the_stricter_of_all_that_was_said_counts(
    values: dict[str, object], addresses: int, suppressed: int, state: str
):
    assert consent.effective_consent(Channel.EMAIL, values, addresses, suppressed).state == state


def test_which_columns_cost_no_data_points():
    schema = Schema.of(
        [
            Definition("email_subscribe", "", ValueType.SUBSCRIPTION),
            Definition("dnd_email", "", ValueType.BOOLEAN),
            Definition("plan", "", ValueType.TEXT),
        ]
    )
    keys = ("email_subscribe", "subscription_group_id", "subscription_state", "group:news", "dnd_email", "plan")
    assert [key for key in keys if consent.is_free_of_data_points(key, schema)] == list(keys[:4])


def test_a_filter_by_reach_is_kept_as_json():
    wanted = (Reachable(Channel.SMS),)
    assert condition_json.to_json(wanted) == [{"is": "reachable", "channel": "sms"}]
    assert condition_json.from_json(condition_json.to_json(wanted)) == wanted
