"""The source of values and events, as shown on pages."""

from __future__ import annotations

from dataclasses import dataclass

from profiles.models import ChangeSet


@dataclass(frozen=True, slots=True)
class Source:
    """The source of values: the name of an import or of a user, and the URL of its page, empty if there is none."""

    name: str
    link: str = ""


def source_of(change_set: ChangeSet) -> Source:
    """Return the source of a change set as far as it is known without the imports."""
    if change_set.kind == ChangeSet.Kind.PERSON:
        return Source(change_set.actor.get_username() if change_set.actor else "a deleted user")
    return Source(change_set.source or change_set.get_kind_display())
