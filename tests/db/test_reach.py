"""Who is reached on a channel, asked of the database and reckoned person by person: the same people (SG-09)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.merging.consent import Channel, effective_consent, group_key
from profiles.models import Change, ChangeSet, Identifier, Profile, SubscriptionGroup, Suppression, load_schema
from profiles.search import query_builder
from profiles.search.conditions import ChangeSetMember, Reachable
from profiles.values.types import SubscriptionState

pytestmark = pytest.mark.django_db

START = datetime(2026, 5, 4, tzinfo=UTC)
ADDRESSES = {"email": ["Ann@x.co", "ben@x.co", "cy@x.co"], "phone": ["+15550100", "+15550101", "+15550102"]}
FORMS = {"email": str.casefold, "phone": lambda number: number.removeprefix("+")}

STATES = st.sampled_from([None, *(state.value for state in SubscriptionState)])
ANSWERS = st.sampled_from([None, True, False])
LISTS = {kind: st.lists(st.sampled_from(each), max_size=3, unique=True) for kind, each in ADDRESSES.items()}
KNOWN = st.fixed_dictionaries(
    {
        **LISTS,
        **{channel.key: STATES for channel in Channel},
        "dnd_email": ANSWERS,
        "dnd_phone": ANSWERS,
        "whatsapp": st.sampled_from([None, ["w1"]]),
        group_key("texts"): st.sampled_from([None, "subscribed", "unsubscribed"]),
    }
)
FACTS = st.tuples(
    st.sampled_from([(kind, address) for kind, each in ADDRESSES.items() for address in each]),
    st.tuples(st.integers(0, 2), st.integers(1, 2), st.integers(1, 2)),  # moment, change set, row
    st.booleans(),
)


PEOPLE = st.lists(KNOWN, max_size=6)
SAID = st.lists(FACTS, max_size=12, unique_by=lambda fact: fact[:2])


def test_whom_a_channel_reaches_is_what_counts_for_each_person():
    @settings(max_examples=settings().max_examples // 3)
    @given(PEOPLE, SAID, st.booleans())
    def is_what_counts(people: list[dict[str, Any]], facts: list[Any], has_group: bool) -> None:
        known = [{key: value for key, value in each.items() if value not in (None, [])} for each in people]
        newest = {address: suppressed for address, _, suppressed in sorted(facts, key=lambda fact: fact[1])}
        with transaction.atomic():
            change_set = _stored(known, facts, has_group)
            for channel in Channel:
                reached = [n for n, values in enumerate(known) if _is_reached(channel, values, newest, has_group)]
                assert _found([Reachable(channel)]) == reached, channel
                assert _found([Reachable(channel), ChangeSetMember(change_set)]) == reached, channel
                assert query_builder.count_reach(change_set)[1][channel] == len(reached), channel
            transaction.set_rollback(True)

    is_what_counts()


def _is_reached(channel: Channel, values: dict[str, Any], newest: dict[Any, bool], has_group: bool) -> bool:
    """One person, by what ``consent`` says of them."""
    if channel is Channel.PUSH:
        return values.get(channel.key) in ("opted_in", "subscribed")
    if channel is Channel.WHATSAPP:
        held, refused = [*values.get("whatsapp", ()), *values.get("phone", ())], 0
    else:
        kind = "email" if channel is Channel.EMAIL else "phone"
        held = values.get(kind, [])
        refused = sum(newest.get((kind, address), False) for address in held)
    if not held or (channel is Channel.SMS and has_group and values.get(group_key("texts")) != "subscribed"):
        return False
    return effective_consent(channel, values, len(held), refused).state is not SubscriptionState.UNSUBSCRIBED


def _stored(known: list[dict[str, Any]], facts: list[Any], has_group: bool) -> int:
    """People and what was said of addresses, as ``store`` leaves them; the change set that all people are of."""
    change_set = ChangeSet.objects.create(kind="import", when=START)
    people = [
        Profile(object_id=f"o{n}", external_id=str(n), attributes=values, created=START, updated=START)
        for n, values in enumerate(known)
    ]
    Profile.objects.bulk_create(people)
    Change.objects.bulk_create(Change(profile=each, change_set=change_set, outcome="imported") for each in people)
    Identifier.objects.bulk_create(
        Identifier(kind=kind, value=form(address), profile=each)
        for each in people
        for kind, form in FORMS.items()
        for address in each.attributes.get(kind, ())
    )
    Suppression.objects.bulk_create(
        Suppression(
            kind=kind,
            value=FORMS[kind](address),
            moment=START + timedelta(minutes=minute),
            change_set_id=number,
            row=row,
            suppressed=suppressed,
        )
        for (kind, address), (minute, number, row), suppressed in facts
    )
    if has_group:
        SubscriptionGroup.objects.create(group_id="texts", name="Texts", channel="sms")
    return change_set.pk


def _found(conditions: list[Any]) -> list[int]:
    found = query_builder.find_people(conditions, load_schema()).values_list("external_id", flat=True)
    return sorted(int(number or -1) for number in found)
