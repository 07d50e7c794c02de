"""Who wrote which value of a person: change sets newest first, and the last writer of what is there now (D-27)."""

from __future__ import annotations

from django.db import connection
from django.db.models import QuerySet

from profiles.models import Change, ChangeSet, Profile
from profiles.schema import ALIAS, EXTERNAL_ID


def changes_of(person: Profile) -> QuerySet[Change]:
    """What each change set did to a person, newest first; each with its change set and whose it is."""
    return person.history.select_related("change_set__actor").order_by("-change_set_id")


def last_writers(person: Profile) -> dict[str, ChangeSet]:
    """For each value that a person has, by attribute key or own field, the change set that wrote it last.

    The alias is one value. A value without a later change was written when the person was made. One that is older than
    the history is left out. Constant queries, however many change sets there are.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LAST_WRITERS, [person.pk])
        wrote: dict[str, int] = dict(cursor.fetchall())
    made = person.history.filter(outcome=Change.Outcome.IMPORTED).values_list("change_set_id", flat=True).first()
    own = {EXTERNAL_ID: person.external_id, ALIAS: person.alias_name}
    held = [*person.attributes, *(key for key, value in own.items() if value is not None)]
    writers = {key: wrote.get(key, made) for key in held}
    found = ChangeSet.objects.select_related("actor").in_bulk({pk for pk in writers.values() if pk is not None})
    return {key: found[pk] for key, pk in writers.items() if pk in found}


# Two change sets at work at the same time may write one value in another order than they began; then the one that
# wrote what is there now came last.
_LAST_WRITERS = f"""
SELECT DISTINCT ON (e.key) e.key, c.change_set_id
FROM profiles_change c JOIN profiles_profile p ON p.id = c.profile_id
CROSS JOIN LATERAL jsonb_each(c.changes) AS e(key, change)
WHERE c.profile_id = %s
ORDER BY e.key, coalesce(e.change->1 = CASE e.key WHEN '{EXTERNAL_ID}' THEN to_jsonb(p.external_id)
    WHEN '{ALIAS}' THEN jsonb_build_array(p.alias_label, p.alias_name)
    ELSE p.attributes->e.key END, false) DESC, c.change_set_id DESC
"""
