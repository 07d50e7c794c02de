"""Consent on a person's page: the status of each channel with its reason, and subscription groups (SB-02)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from profiles.admin.choices import choices
from profiles.admin.labels import group_label
from profiles.merging import consent
from profiles.merging.actions import as_list
from profiles.merging.consent import Channel
from profiles.merging.person import Link
from profiles.models import Profile, SubscriptionGroup
from profiles.schema import Definition, Schema
from profiles.search import reach
from profiles.values.types import InvalidValue, ValueType

MAX_GROUPS = 200
"""Groups that can be chosen on the page, in addition to those that the person is in or left."""


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel: its status, the reason, and the person's suppressed addresses."""

    channel: str
    state: str
    reason: str
    suppressed: list[str]


def with_groups(schema: Schema, person: Profile | None) -> Schema:
    """Return the schema with subscription groups as attributes: those that the person is in or left, and up to
    `MAX_GROUPS` others to choose from."""
    own = [group_id for key in (person.attributes if person else ()) if (group_id := consent.group_of(key))]
    others = Q(pk__in=SubscriptionGroup.objects.values("pk")[:MAX_GROUPS])
    groups = SubscriptionGroup.objects.filter(Q(group_id__in=own) | others)
    labels = dict.fromkeys(own, "") | {group.group_id: group_label(group) for group in groups}
    definitions = (
        Definition(consent.group_key(group_id), f"Group {label or group_id}", ValueType.SUBSCRIPTION)
        for group_id, label in labels.items()
    )
    return Schema.of([*schema.definitions.values(), *definitions])


def channel_lines(person: Profile, schema: Schema) -> list[ChannelLine]:
    """Return the status of each channel (one query)."""
    addresses = {kind: list(_addresses(person, kind, schema)) for kind in consent.DND.values()}
    links = {link for of_kind in addresses.values() for _, link in of_kind}
    suppressed = reach.suppressed_addresses(links) if links else set()
    return [_line(channel, person.attributes, addresses, suppressed) for channel in Channel]


def _addresses(person: Profile, kind: str, schema: Schema) -> Iterator[tuple[str, Link]]:
    """Yield the addresses of a kind as shown, with their matching form."""
    for value in as_list(person.attributes.get(kind)):
        try:
            yield str(value), (kind, schema.identifiers[kind](value))
        except InvalidValue:
            continue  # stored under other rules, so it cannot be suppressed


def _line(
    channel: Channel, values: dict[str, Any], addresses: dict[str, list[tuple[str, Link]]], suppressed: set[Link]
) -> ChannelLine:
    of_channel = addresses[consent.DND[channel.dnd]] if channel.dnd else []
    suppressed_texts = [text for text, link in of_channel if link in suppressed]
    effective = consent.effective_consent(channel, values, len(of_channel), len(suppressed_texts))
    names = choices(ValueType.SUBSCRIPTION) or {}
    return ChannelLine(channel.label, names[effective.state], effective.reason, suppressed_texts)
