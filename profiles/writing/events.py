"""The one place that writes what people did (design rule 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from profiles.models import ChangeSet


def write(cursor: Any, source: str, values: Mapping[str, Any], change_set: ChangeSet, made: Mapping[int, int]) -> None:
    """Write events in the caller's transaction, which has written their people.

    ``source``: a query for person, name, time, properties (jsonb) and row_no, with its ``values``; a person below zero
    is the one whom that row made, as ``made`` tells.
    """
    more = {"change_set": change_set.pk, "rows": list(made), "people": list(made.values())}
    # The plans of a bucket are pinned to look-ups; here is one list to be compared with another.
    cursor.execute("SET LOCAL enable_hashjoin = on")
    cursor.execute(_INSERT.format(source=source), {**values, **more})


# By time, which three of the indexes are ordered by: they take rows in order in half the time.
_INSERT = """
INSERT INTO profiles_event (profile_id, name, time, properties, change_set_id, "row")
SELECT coalesce(m.person, e.person), e.name, e.time, e.properties, %(change_set)s, e.row_no
FROM ({source}) AS e
LEFT JOIN unnest(%(rows)s::int[], %(people)s::bigint[]) AS m(row_no, person) ON m.row_no = -e.person
ORDER BY e.time, e.row_no
"""
