"""What a person's page says of being written to: what counts for each channel and why, and their groups (SB-02)."""

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
"""Groups that can be chosen on the page, beside those that the person is in or left."""


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel: what counts, why, and at which of the person's addresses nobody may be contacted."""

    channel: str
    state: str
    reason: str
    suppressed: list[str]


def with_groups(schema: Schema, person: Profile | None) -> Schema:
    """The schema with subscription groups as what may be known about this person: those they have an answer for, and
    others to choose from."""
    held = [group_id for key in (person.attributes if person else ()) if (group_id := consent.group_of(key))]
    others = Q(pk__in=SubscriptionGroup.objects.values("pk")[:MAX_GROUPS])
    groups = SubscriptionGroup.objects.filter(Q(group_id__in=held) | others)
    labels = dict.fromkeys(held, "") | {group.group_id: group_label(group) for group in groups}
    found = (
        Definition(consent.group_key(group_id), f"Group {label or group_id}", ValueType.SUBSCRIPTION)
        for group_id, label in labels.items()
    )
    return Schema.of([*schema.definitions.values(), *found])


def channel_lines(person: Profile, schema: Schema) -> list[ChannelLine]:
    """What counts for each channel (one query)."""
    addresses = {kind: list(_addresses(person, kind, schema)) for kind in consent.DND.values()}
    links = {link for of_kind in addresses.values() for _, link in of_kind}
    suppressed = reach.suppressed_addresses(links) if links else set()
    return [_line(channel, person.attributes, addresses, suppressed) for channel in Channel]


def _addresses(person: Profile, kind: str, schema: Schema) -> Iterator[tuple[str, Link]]:
    """The addresses of a kind as they are shown, and as they are compared."""
    for value in as_list(person.attributes.get(kind)):
        try:
            yield str(value), (kind, schema.identifiers[kind](value))
        except InvalidValue:
            continue  # stored under other rules, and nothing is said about it


def _line(
    channel: Channel, known: dict[str, Any], addresses: dict[str, list[tuple[str, Link]]], suppressed: set[Link]
) -> ChannelLine:
    of_channel = addresses[consent.DND[channel.dnd]] if channel.dnd else []
    refused = [text for text, link in of_channel if link in suppressed]
    counts = consent.effective_consent(channel, known, len(of_channel), len(refused))
    names = choices(ValueType.SUBSCRIPTION) or {}
    return ChannelLine(channel.label, names[counts.state], counts.reason, refused)
