"""Who wrote which value of a person: change sets newest first, and the last writer of what is there now (D-27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from profiles.models import Change, ChangeSet, Profile
from profiles.schema import ALIAS, EXTERNAL_ID


def changes_of(person: Profile) -> QuerySet[Change]:
    """What each change set did to a person, newest first; each with its change set and whose it is."""
    return person.history.select_related("change_set__actor").order_by("-change_set_id")


@dataclass(frozen=True, slots=True)
class Written:
    """``writers``: for each value that a person has, by attribute key or own field, the change set that wrote it last.
    ``import_owned``: those of their language and country that an import ever wrote, so that whoever captures such
    values by themselves leaves them alone (AT-13)."""

    writers: dict[str, ChangeSet]
    import_owned: set[str]


def written(person: Profile) -> Written:
    """Who wrote what a person has.

    The alias is one value. A value without a later change was written when the person was made. One that is older than
    the history is left out. Two queries, however many change sets there are.
    """
    with connection.cursor() as cursor:
        values: dict[str, Any] = {"person": person.pk, "keys": list(CAPTURED), "kinds": list(IMPORTS)}
        cursor.execute(f"{_LAST_WRITERS} UNION ALL {_IMPORT_OWNED}", values)
        told = cursor.fetchall()
    wrote: dict[str | None, int] = {key: number for key, number in told if number is not None}
    own = {EXTERNAL_ID: person.external_id, ALIAS: person.alias_name}
    held = [*person.attributes, *(key for key, value in own.items() if value is not None)]
    writers = {key: wrote.get(key, wrote.get(None)) for key in held}
    found = ChangeSet.objects.select_related("actor").in_bulk({pk for pk in writers.values() if pk is not None})
    return Written(
        {key: found[pk] for key, pk in writers.items() if pk in found},
        {key for key, number in told if key is not None and number is None},
    )


CAPTURED = ("language", "country")
IMPORTS = (ChangeSet.Kind.IMPORT.value, ChangeSet.Kind.COMMAND.value, ChangeSet.Kind.INBOX.value)

# What a person was made with is not among the changes: it is what the first change found, or what is there still.
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

# Two change sets at work at the same time may write one value in another order than they began; then the one that
# wrote what is there now came last.
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
