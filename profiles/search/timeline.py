"""Read events for pages: newest first, page by page, fast with a million events (requirements section 16)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from profiles.models import Event

MAX_NAMES = 100


def filter_events(
    name: str = "", first: datetime | None = None, last: datetime | None = None, change_set: int | None = None
) -> QuerySet[Event]:
    """Return the query of events by name, from ``first`` on, before ``last``, and of one change set; by default all."""
    events = Event.objects.all()
    if name:
        events = events.filter(name=name)
    if first:
        events = events.filter(time__gte=first)
    if last:
        events = events.filter(time__lt=last)
    return events if change_set is None else events.filter(change_set=change_set)


def page(events: QuerySet[Event], number: int, size: int) -> list[Event]:
    """Return a page of events, newest first, and one more if another page follows, with their people and change sets.

    ``number`` starts at 1. Of the events before the page only the keys are read, not the rows.
    """
    first = (number - 1) * size
    keys = events.order_by("-time", "-id").values("pk")[first : first + size + 1]
    page_events = Event.objects.filter(pk__in=keys).select_related("profile", "change_set__actor")
    return list(page_events.order_by("-time", "-id"))


def event_names() -> list[str]:
    """Return the first ``MAX_NAMES`` names of events; the index gives one after another, for any number of events."""
    with connection.cursor() as cursor:
        cursor.execute(_NAMES, [MAX_NAMES])
        return [name for (name,) in cursor.fetchall()]


_NAMES = """
WITH RECURSIVE names AS (
    (SELECT name FROM profiles_event ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (SELECT e.name FROM profiles_event e WHERE e.name > n.name ORDER BY e.name LIMIT 1)
    FROM names n WHERE n.name IS NOT NULL
)
SELECT name FROM names WHERE name IS NOT NULL LIMIT %s
"""
