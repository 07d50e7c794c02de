"""The history of a person: change sets, newest first, and the change set that last wrote each current value (D-27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from profiles.models import Change, ChangeSet, Profile
from profiles.schema import ALIAS, EXTERNAL_ID


def changes_of(person: Profile) -> QuerySet[Change]:
    """Return the changes to a person, newest first, each with its change set and that set's user."""
    return person.history.select_related("change_set__actor").order_by("-change_set_id")


@dataclass(frozen=True, slots=True)
class Provenance:
    """The writers of a person's values.

    ``writers``: the change set that last wrote each value, by attribute key or own field. ``import_owned``: those of
    language and country that an import ever wrote, so that code which captures such values by itself does not
    overwrite them (AT-13).
    """

    writers: dict[str, ChangeSet]
    import_owned: set[str]


def load_provenance(person: Profile) -> Provenance:
    """Return who wrote the values that a person has.

    The alias is one value. A value without a later change was written when the person was created. A value that is
    older than the history is left out. Two queries for any number of change sets.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"person": person.pk, "keys": list(CAPTURED_KEYS), "kinds": list(IMPORT_KINDS)}
        cursor.execute(f"{_LAST_WRITERS} UNION ALL {_IMPORT_OWNED}", values)
        rows = cursor.fetchall()
    last_writers: dict[str | None, int] = {key: number for key, number in rows if number is not None}
    own = {EXTERNAL_ID: person.external_id, ALIAS: person.alias_name}
    keys = [*person.attributes, *(key for key, value in own.items() if value is not None)]
    writers = {key: last_writers.get(key, last_writers.get(None)) for key in keys}
    change_sets = ChangeSet.objects.select_related("actor").in_bulk({pk for pk in writers.values() if pk is not None})
    return Provenance(
        {key: change_sets[pk] for key, pk in writers.items() if pk in change_sets},
        {key for key, number in rows if key is not None and number is None},
    )


CAPTURED_KEYS = ("language", "country")
IMPORT_KINDS = (ChangeSet.Kind.IMPORT.value, ChangeSet.Kind.COMMAND.value, ChangeSet.Kind.INBOX.value)

# The values that a person was created with are not in the changes: each is the old value of its first change, or the
# current value if it never changed.
_IMPORT_OWNED = """
SELECT k.key, NULL FROM unnest(%(keys)s::text[]) AS k(key)
WHERE EXISTS (
    SELECT FROM profiles_change c JOIN profiles_changeset s ON s.id = c.change_set_id
    WHERE c.profile_id = %(person)s AND s.kind = ANY(%(kinds)s) AND (
        jsonb_typeof(c.changes -> k.key -> 1) <> 'null'
        OR c.outcome = 'imported' AND jsonb_typeof(coalesce(
            (SELECT f.changes -> k.key -> 0 FROM profiles_change f WHERE f.profile_id = %(person)s AND f.changes ? k.key
             ORDER BY f.change_set_id LIMIT 1),
            (SELECT p.attributes -> k.key FROM profiles_profile p WHERE p.id = %(person)s))) <> 'null'))
"""

# Two change sets that run at the same time may write one value in another order than they started in; then the one
# that wrote the current value is the last.
_LAST_WRITERS = f"""
SELECT NULL, change_set_id FROM profiles_change WHERE profile_id = %(person)s AND outcome = 'imported'
UNION ALL
(SELECT DISTINCT ON (e.key) e.key, c.change_set_id
FROM profiles_change c JOIN profiles_profile p ON p.id = c.profile_id
CROSS JOIN LATERAL jsonb_each(c.changes) AS e(key, change)
WHERE c.profile_id = %(person)s
ORDER BY e.key, coalesce(e.change->1 = CASE e.key WHEN '{EXTERNAL_ID}' THEN to_jsonb(p.external_id)
    WHEN '{ALIAS}' THEN jsonb_build_array(p.alias_label, p.alias_name)
    ELSE p.attributes->e.key END, false) DESC, c.change_set_id DESC)
"""
