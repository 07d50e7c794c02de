"""The names of people and subscription groups on pages."""

from __future__ import annotations

from profiles.merging.actions import as_list
from profiles.models import Profile, SubscriptionGroup


def person_label(person: Profile) -> str:
    """Return the name of a person for their page, else their first identifier."""
    values = person.attributes
    names = [str(values[key]) for key in ("first_name", "last_name") if values.get(key)]
    others = (values.get("name"), person.external_id, *as_list(values.get("email")), person.object_id)
    return " ".join(names) or str(next(other for other in others if other))


def group_label(group: SubscriptionGroup) -> str:
    """Return a label such as `Newsletter (E-mail)`."""
    return f"{group.name} ({group.get_channel_display()})" if group.channel else group.name
