"""Consent to being contacted: channels, subscription groups, and suppressed addresses (section 15). Pure.

Consent is stored among a person's attributes, as single values under keys that nothing else may use. Merging, history,
filters and undo need no special code for it, except that *Replace* does not clear it (D-06).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from profiles.schema import Schema
from profiles.values.types import SubscriptionState, ValueType

GROUP_PREFIX = "group:"
"""The prefix of a membership's key; the ID of the subscription group follows (SB-09)."""

GROUP_ID, GROUP_STATE = "subscription_group_id", "subscription_state"
GROUP_FIELDS = {GROUP_ID: "Subscription group ID", GROUP_STATE: "Subscription state"}
"""The two columns of a file that state one membership per row (AT-49, AT-50)."""

MAX_GROUP_ID_BYTES = 255

DND = {"dnd_email": "email", "dnd_phone": "phone"}
"""The *do not disturb* attributes, and the identifier whose values each one suppresses (SB-06)."""


class Channel(enum.StrEnum):
    """A way to contact people."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WHATSAPP = "whatsapp"

    @property
    def label(self) -> str:
        return {"email": "E-mail", "sms": "SMS", "push": "Push", "whatsapp": "WhatsApp"}[self.value]

    @property
    def key(self) -> str:
        """The key of the attribute that holds a person's consent on the channel."""
        return f"{self.value}_subscribe"

    @property
    def dnd(self) -> str | None:
        """The key of *do not disturb*, which concerns the address; None for the two channels without it."""
        return {"email": "dnd_email", "sms": "dnd_phone"}.get(self.value)


@dataclass(frozen=True, slots=True)
class EffectiveConsent:
    """The consent in force on a channel, and the reason for it."""

    state: SubscriptionState
    reason: str


def group_key(group_id: str) -> str:
    """Return the key of a membership in a group."""
    return GROUP_PREFIX + group_id


def group_of(key: str) -> str | None:
    """Return the ID of the group whose membership a key holds; None for all other keys."""
    group_id = key.removeprefix(GROUP_PREFIX)
    return group_id if group_id != key and group_id and group_id == group_id.strip() else None


def is_reserved(key: str) -> bool:
    """Return whether a key may not be the key of an attribute."""
    return key.startswith(GROUP_PREFIX) or key in GROUP_FIELDS


def consent_keys(schema: Schema) -> frozenset[str]:
    """Return the keys of the attributes that hold consent. Group memberships are not in the schema."""
    states = (d.key for d in schema.definitions.values() if d.type is ValueType.SUBSCRIPTION)
    return frozenset([*DND, *states])


def is_consent(key: str, attributes: Collection[str]) -> bool:
    """Return whether a key of a person holds consent. ``attributes``: the result of ``consent_keys``."""
    return key in attributes or key.startswith(GROUP_PREFIX)


def is_free_of_data_points(key: str, schema: Schema) -> bool:
    """Return whether values of an attribute, or of a column's target, cost no data points (SB-12, DP-03)."""
    definition = schema.definitions.get(key)
    return is_reserved(key) or (definition is not None and definition.type is ValueType.SUBSCRIPTION)


def effective_consent(channel: Channel, values: Mapping[str, Any], addresses: int, suppressed: int) -> EffectiveConsent:
    """Return the stricter of a person's consent on the channel and the suppression of their addresses.

    ``addresses``: the number of addresses the person has for the channel; ``suppressed``: how many of them are
    suppressed (SB-06, section 19).
    """
    answer = values.get(channel.key)
    state = SubscriptionState(answer) if answer in set(SubscriptionState) else SubscriptionState.SUBSCRIBED
    if state is SubscriptionState.UNSUBSCRIBED:
        return EffectiveConsent(state, "set for this person")
    if channel.dnd is not None:
        if values.get(channel.dnd) is True:
            return EffectiveConsent(SubscriptionState.UNSUBSCRIBED, "this person asked not to be disturbed")
        if addresses and suppressed >= addresses:
            subject = "the address is" if addresses == 1 else "all addresses are"
            return EffectiveConsent(SubscriptionState.UNSUBSCRIBED, f"{subject} suppressed, for everybody who has it")
    return EffectiveConsent(state, "no preference recorded" if answer is None else "set for this person")
