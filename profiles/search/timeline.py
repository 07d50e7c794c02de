"""Events as pages read them: newest first, page by page, fast at a million (requirements section 16)."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models import QuerySet

from profiles.models import Event

MAX_NAMES = 100


def filter_events(
    name: str = "", first: datetime | None = None, last: datetime | None = None, change_set: int | None = None
) -> QuerySet[Event]:
    """Events by name, from a moment on, before a moment, of one import; all of them where nothing is asked for."""
    found = Event.objects.all()
    if name:
        found = found.filter(name=name)
    if first:
        found = found.filter(time__gte=first)
    if last:
        found = found.filter(time__lt=last)
    return found if change_set is None else found.filter(change_set=change_set)


def page(events: QuerySet[Event], number: int, size: int) -> list[Event]:
    """A page of them, newest first, and one more if another page follows; each with its person and its change set.

    What comes before the page is read by its key alone, not by the row.
    """
    first = (number - 1) * size
    keys = events.order_by("-time", "-id").values("pk")[first : first + size + 1]
    found = Event.objects.filter(pk__in=keys).select_related("profile", "change_set__actor")
    return list(found.order_by("-time", "-id"))


def event_names() -> list[str]:
    """The first names of events there are, read by the index from one to the next, however many events have them."""
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
