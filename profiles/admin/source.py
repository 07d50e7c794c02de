"""Where values came from, as pages name it."""

from __future__ import annotations

from dataclasses import dataclass

from profiles.models import ChangeSet


@dataclass(frozen=True, slots=True)
class Source:
    """Where values came from: the name of an import, or whoever wrote them, and the page about it, if there is one."""

    name: str
    link: str = ""


def source_of(change_set: ChangeSet) -> Source:
    """Where a change set comes from that no import made."""
    if change_set.kind == ChangeSet.Kind.PERSON:
        return Source(change_set.actor.get_username() if change_set.actor else "somebody whose account is gone")
    return Source(change_set.source or change_set.get_kind_display())
