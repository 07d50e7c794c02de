"""Find imports, segments and groups by their whole name, or by a label that is unique (SG-03, SG-08)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

MAX_MATCHES = 50
"""Objects with one name that are listed to choose from."""

_NUMBERED = re.compile(r".*, #([0-9]{1,18})", re.DOTALL).fullmatch


class Named(Protocol):
    """An import or a segment."""

    pk: Any
    name: str
    created: datetime


Thing = TypeVar("Thing", bound=Model)


def unique_label(thing: Named) -> str:
    """Return a label with day and primary key, such as `May leads, 4 May 2026, #41`."""
    day = timezone.localdate(thing.created)
    return f"{thing.name}, {day.day} {day:%B} {day.year}, #{thing.pk}"


def find_by_name(
    things: QuerySet[Thing],
    texts: Iterable[str],
    label: Callable[[Any], str] = unique_label,
    fields: Sequence[str] = ("name",),
) -> dict[str, list[Thing]]:
    """Return, by text, the objects with exactly this name or label; upper and lower case differ (one query).

    ``label``: returns the label, which ends in the primary key as that of `label` does. ``fields``: those that hold a
    name.
    """
    valid = [text for text in dict.fromkeys(texts) if text and "\0" not in text]
    numbers = [int(parts[1]) for text in valid if (parts := _NUMBERED(text))]
    if not valid:
        return {}
    condition = Q(pk__in=numbers)
    for field in fields:
        condition |= Q(**{f"{field}__in": valid})
    candidates = list(things.filter(condition)[: MAX_MATCHES * len(valid) + 1])
    names = [(each, {label(each), *(getattr(each, field) for field in fields)}) for each in candidates]
    return {text: [each for each, own_names in names if text in own_names] for text in valid}
