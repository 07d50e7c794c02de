"""What people said about being written to: channels, subscription groups, addresses that are suppressed (section 15).
Pure.

Consent is kept among a person's attributes, as single values under keys that nothing else may use. Merging, history,
filters and undo need nothing of their own for it; only *Replace* does not clear it (D-06).
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from profiles.schema import Schema
from profiles.values.types import SubscriptionState, ValueType

GROUP = "group:"
"""What the key of a membership begins with; the id of the subscription group follows (SB-09)."""

GROUP_ID, GROUP_STATE = "subscription_group_id", "subscription_state"
GROUP_FIELDS = {GROUP_ID: "Subscription group ID", GROUP_STATE: "Subscription state"}
"""Two columns of a file that make one membership per row (AT-49, AT-50)."""

GROUP_ID_BYTES = 255

DND = {"dnd_email": "email", "dnd_phone": "phone"}
"""Answers about an address, and of which kind the addresses are (SB-06)."""


class Channel(enum.StrEnum):
    """A way to people."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WHATSAPP = "whatsapp"

    @property
    def label(self) -> str:
        return {"email": "E-mail", "sms": "SMS", "push": "Push", "whatsapp": "WhatsApp"}[self.value]

    @property
    def key(self) -> str:
        """Where a person's own answer is kept."""
        return f"{self.value}_subscribe"

    @property
    def dnd(self) -> str | None:
        """Where *do not disturb* is kept, which speaks of the address; two channels have none."""
        return {"email": "dnd_email", "sms": "dnd_phone"}.get(self.value)


@dataclass(frozen=True, slots=True)
class EffectiveConsent:
    """What counts for a channel in the end, and why."""

    state: SubscriptionState
    reason: str


def group_key(group_id: str) -> str:
    """Where the membership of a group is kept."""
    return GROUP + group_id


def group_of(key: str) -> str | None:
    """The id of the group whose membership a key holds; None for all other keys."""
    group_id = key.removeprefix(GROUP)
    return group_id if group_id != key and group_id and group_id == group_id.strip() else None


def is_reserved(key: str) -> bool:
    """Whether no attribute may be called so."""
    return key.startswith(GROUP) or key in GROUP_FIELDS


def consent_keys(schema: Schema) -> frozenset[str]:
    """The attributes that hold consent; memberships of groups are none of the schema's."""
    states = (d.key for d in schema.definitions.values() if d.type is ValueType.SUBSCRIPTION)
    return frozenset([*DND, *states])


def is_consent(key: str, known: Collection[str]) -> bool:
    """Whether a key of a person holds consent. ``known``: see `keys`."""
    return key in known or key.startswith(GROUP)


def is_free_of_data_points(key: str, schema: Schema) -> bool:
    """Whether values of an attribute, or of a target of a column, are no data points (SB-12, DP-03)."""
    definition = schema.definitions.get(key)
    return is_reserved(key) or (definition is not None and definition.type is ValueType.SUBSCRIPTION)


def effective_consent(channel: Channel, values: Mapping[str, Any], addresses: int, suppressed: int) -> EffectiveConsent:
    """What counts: the stricter of what a person said about the channel, and what was said about their addresses.

    ``addresses``: how many the person has for the channel; ``suppressed``: how many of them are (SB-06, section 19).
    """
    answer = values.get(channel.key)
    state = SubscriptionState(answer) if answer in set(SubscriptionState) else SubscriptionState.SUBSCRIBED
    if state is SubscriptionState.UNSUBSCRIBED:
        return EffectiveConsent(state, "their own answer")
    if channel.dnd is not None:
        if values.get(channel.dnd) is True:
            return EffectiveConsent(SubscriptionState.UNSUBSCRIBED, "they asked not to be disturbed")
        if addresses and suppressed >= addresses:
            whose = "the address is" if addresses == 1 else "all addresses are"
            return EffectiveConsent(SubscriptionState.UNSUBSCRIBED, f"{whose} suppressed, for everybody who has it")
    return EffectiveConsent(state, "nothing was said" if answer is None else "their own answer")
