"""Write the events of people; no other module does (design rule 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from profiles.models import ChangeSet


def write(
    cursor: Any, source: str, values: Mapping[str, Any], change_set: ChangeSet, created: Mapping[int, int]
) -> None:
    """Write events in the caller's transaction, which has written their people.

    ``source``: a query for person, name, time, properties (jsonb) and row_no, with its parameters ``values``. A
    negative person is minus the number of the row that created them; ``created`` maps these rows to primary keys.
    """
    more = {"change_set": change_set.pk, "rows": list(created), "people": list(created.values())}
    # The plans of a work unit are pinned to index look-ups, but this statement joins two lists.
    cursor.execute("SET LOCAL enable_hashjoin = on")
    cursor.execute(_INSERT.format(source=source), {**values, **more})


# In order of time, as three of the indexes are: they take ordered rows in half the time.
_INSERT = """
INSERT INTO profiles_event (profile_id, name, time, properties, change_set_id, "row")
SELECT coalesce(m.person, e.person), e.name, e.time, e.properties, %(change_set)s, e.row_no
FROM ({source}) AS e
LEFT JOIN unnest(%(rows)s::int[], %(people)s::bigint[]) AS m(row_no, person) ON m.row_no = -e.person
ORDER BY e.time, e.row_no
"""
