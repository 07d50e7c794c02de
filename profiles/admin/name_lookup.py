"""Things whose names may be alike, found by their whole name or told apart by day and number (SG-03, SG-08)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

MAX_MATCHES = 50
"""So many of one name are told apart."""

_NUMBERED = re.compile(r".*, #([0-9]{1,18})", re.DOTALL).fullmatch


class Named(Protocol):
    """An import, or a segment."""

    pk: Any
    name: str
    created: datetime


Thing = TypeVar("Thing", bound=Model)


def unique_label(thing: Named) -> str:
    """`May leads, 4 May 2026, #41`."""
    day = timezone.localdate(thing.created)
    return f"{thing.name}, {day.day} {day:%B} {day.year}, #{thing.pk}"


def find_by_name(
    things: QuerySet[Thing],
    texts: Iterable[str],
    label: Callable[[Any], str] = unique_label,
    fields: Sequence[str] = ("name",),
) -> dict[str, list[Thing]]:
    """By text, all things whose whole name, or label, it is, letter for letter; one query for all texts.

    ``label``: the name with the primary key at its end, as `label` has it. ``fields``: what counts as a name.
    """
    sound = [text for text in dict.fromkeys(texts) if text and "\0" not in text]
    numbers = [int(parts[1]) for text in sound if (parts := _NUMBERED(text))]
    if not sound:
        return {}
    wanted = Q(pk__in=numbers)
    for field in fields:
        wanted |= Q(**{f"{field}__in": sound})
    alike = list(things.filter(wanted)[: MAX_MATCHES * len(sound) + 1])
    names = [(each, {label(each), *(getattr(each, field) for field in fields)}) for each in alike]
    return {text: [each for each, known_as in names if text in known_as] for text in sound}
