"""Find the people who can be contacted on a channel, and the suppressed addresses (SB-06, SB-11, SG-09).

The test applies the rules of ``consent.effective_consent`` to many people, and also requires an address or number.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from django.db import connection
from django.db.models import BooleanField, Case, Exists, F, Func, IntegerField, OuterRef, Q, TextField, Value, When
from django.db.models.functions import Concat
from django.db.models.lookups import Exact, In

from profiles.attributes.filter_index import raw_of, text_of
from profiles.merging.consent import DND, GROUP_PREFIX, Channel
from profiles.merging.person import Link
from profiles.models import SubscriptionGroup
from profiles.values.types import SubscriptionState

REACHABLE_REQUIREMENTS = {
    Channel.EMAIL: "an e-mail address that is not suppressed",
    Channel.SMS: "a phone number that is not suppressed, and a subscription to an SMS group if there are any",
    Channel.PUSH: "the state subscribed or opted in; devices are not stored here",
    Channel.WHATSAPP: "a WhatsApp or phone number",
}
"""What people who are not unsubscribed need to be reachable on each channel."""


def reachable_filter(channel: Channel) -> Q:
    """Return the test for people who may and can be contacted on a channel (SG-09)."""
    match channel:
        case Channel.EMAIL:
            return _has("email") & _may_be_contacted(channel)
        case Channel.SMS:
            return _has("phone") & _may_be_contacted(channel) & _is_in_a_group(channel)
        case Channel.PUSH:
            subscribed = [SubscriptionState.OPTED_IN.value, SubscriptionState.SUBSCRIBED.value]
            return Q(In(text_of(channel.key), subscribed))
        case Channel.WHATSAPP:
            return (_has("whatsapp") | _has("phone")) & _may_be_contacted(channel)


def suppressed_addresses(addresses: Iterable[Link]) -> set[Link]:
    """Return the addresses, given in matching form, that are suppressed now."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESSED, [orjson.dumps(list(addresses)).decode()])
        return {(kind, value) for kind, value in cursor.fetchall()}


def _has(kind: str) -> Q:
    return Q(attributes__has_key=kind)


def _may_be_contacted(channel: Channel) -> Q:
    """Return the test for people who are not unsubscribed and, if the channel has *do not disturb*, who have an address
    that is not suppressed."""
    test = Q(_Differs(text_of(channel.key), Value(SubscriptionState.UNSUBSCRIBED.value)))
    if channel.dnd is None:
        return test
    test &= Q(_Differs(text_of(channel.dnd), Value("true")))
    kind = DND[channel.dnd]
    return test & Q(_HasAddressNotSuppressed(F("pk"), _address_count(kind), kind=f"'{kind}'"))


def _address_count(kind: str) -> Case:
    """Return the expression for how many addresses of a kind a person has. A list has each one once (AT-09)."""
    is_list = Exact(Func(raw_of(kind), function="jsonb_typeof", output_field=TextField()), Value("array"))
    length = Func(raw_of(kind), function="jsonb_array_length", output_field=IntegerField())
    return Case(When(is_list, then=length), default=Value(1))


def _is_in_a_group(channel: Channel) -> Q:
    """Return the test for people who are in one of the channel's groups, if it has any (SB-11)."""
    groups = SubscriptionGroup.objects.filter(channel=channel.value).order_by()
    key = Concat(Value(GROUP_PREFIX), F("group_id"))
    state = Func(
        OuterRef("attributes"), key, template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField()
    )
    joined = groups.filter(Exact(state, Value(SubscriptionState.SUBSCRIBED.value)))
    return Q(~Exists(groups)) | Q(Exists(joined))


class _Differs(Func):
    """Whether a text is different from another one, or NULL."""

    template = "(%(expressions)s)"
    arg_joiner = " IS DISTINCT FROM "
    output_field = BooleanField()


class _HasAddressNotSuppressed(Func):
    """Whether a person has an address of a kind that is not suppressed.

    Written so that the planner joins people, by a hash join, to those who have suppressed addresses: with ``NOT IN`` it
    would scan all of these for each person as soon as they do not fit into ``work_mem``. The descending order is the
    one in which the index is read.
    """

    template = """NOT EXISTS (SELECT FROM (
        SELECT i.profile_id, count(*) AS addresses FROM (
            SELECT DISTINCT ON (value) value, suppressed FROM profiles_suppression WHERE kind = %(kind)s
            ORDER BY value DESC, moment DESC, change_set_id DESC, "row" DESC
        ) AS newest
        JOIN profiles_identifier i ON i.kind = %(kind)s AND i.value = newest.value
        WHERE newest.suppressed GROUP BY i.profile_id
    ) AS refused WHERE refused.profile_id = %(expressions)s)"""
    arg_joiner = " AND refused.addresses >= "
    output_field = BooleanField()


_SUPPRESSED = """
SELECT l.address->>0, l.address->>1 FROM json_array_elements(%s) AS l(address)
CROSS JOIN LATERAL (
    SELECT suppressed FROM profiles_suppression WHERE kind = l.address->>0 AND value = l.address->>1
    ORDER BY moment DESC, change_set_id DESC, "row" DESC LIMIT 1
) AS newest WHERE newest.suppressed
"""
