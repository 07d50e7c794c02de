"""Read the people who have the identifiers that rows are looked up by (design rules 2 and 3).

A caller that writes these people has taken the value locks of the identifiers, and writes through ``store``.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from django.db import connection

from profiles.merging import alias
from profiles.merging.person import Link, Person
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID


def load_people(links: Iterable[Link]) -> list[tuple[Link, Person]]:
    """Return all people who have one of the identifiers, once per identifier; one query per kind."""
    by_kind: dict[str, list[str]] = {}
    for kind, value in links:
        by_kind.setdefault(kind, []).append(value)
    people: dict[int, Person] = {}
    found: list[tuple[Link, Person]] = []
    with connection.cursor() as cursor:
        for kind, values in by_kind.items():
            cursor.execute(_LOAD.get(kind, _LOAD_BY_CHANNEL), {"kind": kind, "values": orjson.dumps(values).decode()})
            for value, ref, *rest in cursor.fetchall():
                person = people.get(ref)
                if person is None:
                    person = people[ref] = build_person(ref, *rest)
                found.append(((kind, value), person))
    return found


def build_person(
    ref: int,
    object_id: str,
    external_id: str | None,
    label: str | None,
    name: str | None,
    attributes: str,
    version: int,
) -> Person:
    """Return a person from the columns of ``PERSON``. ``version``: microseconds since 1970."""
    form = None if label is None or name is None else alias.matching_form([label, name])
    return Person(ref, object_id, external_id, attributes, version, version, alias=form)


# Microseconds since 1970; a double holds them exactly until the year 2106, and is far faster than extract's numeric.
VERSION_SQL = "round(date_part('epoch', p.updated) * 1000000)::bigint"
PERSON_COLUMNS = f"p.id, p.object_id, p.external_id, p.alias_label, p.alias_name, p.attributes::text, {VERSION_SQL}"
"""The columns of a person, for ``build_person``."""

# OFFSET 0 keeps the planner from changing the order: value, identifier, person, each by an index. On tables that were
# empty when they were last analyzed it would instead read one of them completely.
_LOAD_BY_CHANNEL = f"""
SELECT l.value, p.* FROM json_array_elements_text(%(values)s) AS l(value)
CROSS JOIN LATERAL (
    SELECT profile_id FROM profiles_identifier WHERE kind = %(kind)s AND value = l.value OFFSET 0
) AS i
CROSS JOIN LATERAL (SELECT {PERSON_COLUMNS} FROM profiles_profile p WHERE p.id = i.profile_id OFFSET 0) AS p
"""

_LOAD = {
    field: f"""
SELECT l.value, p.* FROM json_array_elements_text(%(values)s) AS l(value)
CROSS JOIN LATERAL (SELECT {PERSON_COLUMNS} FROM profiles_profile p WHERE p.{field} = l.value OFFSET 0) AS p
"""
    for field in (EXTERNAL_ID, OBJECT_ID)
}

# A person with an external ID is not found by alias (HI-19), and is not in its index.
_LOAD[ALIAS] = f"""
SELECT l.value, p.* FROM json_array_elements_text(%(values)s) AS l(value)
CROSS JOIN LATERAL (
    SELECT {PERSON_COLUMNS} FROM profiles_profile p
    WHERE p.alias_label = l.value::json->>0 AND p.alias_name = l.value::json->>1 AND p.external_id IS NULL OFFSET 0
) AS p
"""
