"""What pages call people and subscription groups."""

from __future__ import annotations

from profiles.merging.actions import as_list
from profiles.models import Profile, SubscriptionGroup


def person_label(person: Profile) -> str:
    """What a person is called on their page: a name, else the first thing that they can be found by."""
    known = person.attributes
    names = [str(known[key]) for key in ("first_name", "last_name") if known.get(key)]
    others = (known.get("name"), person.external_id, *as_list(known.get("email")), person.object_id)
    return " ".join(names) or str(next(other for other in others if other))


def group_label(group: SubscriptionGroup) -> str:
    """`Newsletter (E-mail)`."""
    return f"{group.name} ({group.get_channel_display()})" if group.channel else group.name
