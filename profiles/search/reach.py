"""Who can be written to on a channel, as a test that PostgreSQL makes; and which addresses nobody may write to
(SB-06, SB-11, SG-09).

It says of many people what ``consent.effective`` says of one, and asks besides for something to write to.
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
    Channel.SMS: "a phone number that is not suppressed, and a subscription to an SMS group where there are any",
    Channel.PUSH: "an answer that says subscribed or opted in; devices are not known here",
    Channel.WHATSAPP: "a WhatsApp or phone number",
}
"""What somebody must have to be reachable, unless they said no."""


def reachable_filter(channel: Channel) -> Q:
    """Who may be written to on a channel and can be (SG-09)."""
    match channel:
        case Channel.EMAIL:
            return _has("email") & _may_be_written_to(channel)
        case Channel.SMS:
            return _has("phone") & _may_be_written_to(channel) & _is_in_a_group(channel)
        case Channel.PUSH:
            said_yes = [SubscriptionState.OPTED_IN.value, SubscriptionState.SUBSCRIBED.value]
            return Q(In(text_of(channel.key), said_yes))
        case Channel.WHATSAPP:
            return (_has("whatsapp") | _has("phone")) & _may_be_written_to(channel)


def suppressed_addresses(addresses: Iterable[Link]) -> set[Link]:
    """Those of the addresses, in matching form, at which nobody may be contacted now."""
    with connection.cursor() as cursor:
        cursor.execute(_SUPPRESSED, [orjson.dumps(list(addresses)).decode()])
        return {(kind, value) for kind, value in cursor.fetchall()}


def _has(kind: str) -> Q:
    return Q(attributes__has_key=kind)


def _may_be_written_to(channel: Channel) -> Q:
    """Nothing forbids it: neither an answer nor, where the channel knows that, the address."""
    may = Q(_Differs(text_of(channel.key), Value(SubscriptionState.UNSUBSCRIBED.value)))
    if channel.dnd is None:
        return may
    may &= Q(_Differs(text_of(channel.dnd), Value("true")))
    kind = DND[channel.dnd]
    return may & Q(_HasOneNotSuppressed(F("pk"), _number_of(kind), kind=f"'{kind}'"))


def _number_of(kind: str) -> Case:
    """How many addresses of a kind a person has. A list holds none twice (AT-09)."""
    is_list = Exact(Func(raw_of(kind), function="jsonb_typeof", output_field=TextField()), Value("array"))
    length = Func(raw_of(kind), function="jsonb_array_length", output_field=IntegerField())
    return Case(When(is_list, then=length), default=Value(1))


def _is_in_a_group(channel: Channel) -> Q:
    """In one of the channel's groups, or there are none (SB-11)."""
    groups = SubscriptionGroup.objects.filter(channel=channel.value).order_by()
    key = Concat(Value(GROUP_PREFIX), F("group_id"))
    state = Func(
        OuterRef("attributes"), key, template="(%(expressions)s)", arg_joiner=" ->> ", output_field=TextField()
    )
    joined = groups.filter(Exact(state, Value(SubscriptionState.SUBSCRIBED.value)))
    return Q(~Exists(groups)) | Q(Exists(joined))


class _Differs(Func):
    """Whether a text is another one, or none."""

    template = "(%(expressions)s)"
    arg_joiner = " IS DISTINCT FROM "
    output_field = BooleanField()


class _HasOneNotSuppressed(Func):
    """Whether a person has another address of a kind than those at which nobody may be contacted.

    Written so that the planner joins people to those who have suppressed addresses, by hashing: with ``NOT IN`` it
    looks through all of them for each person as soon as they do not fit into its memory. Backwards is the order of
    the index.
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
