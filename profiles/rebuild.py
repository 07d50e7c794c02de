"""Makes the look-up index of one identifier anew when the schema changes what people are found by.

Beside ``store`` the only place that writes ``Identifier``, and only for an attribute as a whole: its caller holds the
schema alone (``schema_lock``), so that nobody writes values of it meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from django.db import connection

from profiles import holders
from profiles.holders import Holder
from profiles.merge import as_list
from profiles.schema import Definition
from profiles.values import matching_form


def rebuild(definition: Definition) -> None:
    """Let people be found by their values of the attribute if it is an identifier, and by none of them if not."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM profiles_identifier WHERE kind = %s", [definition.key])
        if definition.identifier:
            for page in holders.pages(definition.key):
                cursor.execute(_INSERT, [definition.key, orjson.dumps(_links(definition, page)).decode()])


def _links(definition: Definition, page: Iterable[Holder]) -> list[tuple[str, int]]:
    """Values in matching form and who holds them, in the order of the index, which takes them faster so."""
    return sorted(
        {(matching_form(definition.type, value), holder.person) for holder in page for value in as_list(holder.value)}
    )


_INSERT = """
INSERT INTO profiles_identifier (kind, value, profile_id)
SELECT %s, link->>0, (link->>1)::bigint FROM json_array_elements(%s) AS l(link)
"""
