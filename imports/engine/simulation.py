"""Simulate people from bucket to bucket of a preview's serial lane; real ones do not change (design section 5.5).

Only rows that must run in order need it. A table of the job holds each created or changed person once for each of
their links, and once without a link. A person in this table replaces the stored one.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson
from django.db import connection

from imports.job_tables import JobTables
from imports.models import ImportJob
from profiles.database import copy_format
from profiles.merging.person import Link, Person
from profiles.merging.working_set import WorkingSet
from profiles.schema import EXTERNAL_ID, OBJECT_ID
from profiles.writing import lookup


def load(job: ImportJob, links: Iterable[Link]) -> list[tuple[Link, Person]]:
    """Return everybody who has one of the links at this point of the preview, once per link.

    These are the stored people, with those that earlier rows changed or created in place of their stored state.
    """
    requested = list(links)
    stored = lookup.load_people(requested)
    changed = _simulated(job, {person.ref for _, person in stored})
    holdings = [(link, person) for link, person in stored if person.ref not in changed]
    people: dict[int, Person] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LOAD.format(table=JobTables(job.pk).simulation), [orjson.dumps(requested).decode()])
        for kind, value, ref, object_id, external_id, form, attributes, recency, version in cursor.fetchall():
            person = Person(ref, object_id, external_id, attributes, recency, version, alias=form)
            person = people.setdefault(ref, person)
            holdings.append(((kind, value), person))
    return holdings


def save(job: ImportJob, people: WorkingSet) -> None:
    """Store the people of a working set who were created or changed."""
    changed = [person for person in people.affected.values() if person.recency != person.version]
    lines = [line for person in changed for line in _lines(person, people)]
    table = JobTables(job.pk).simulation
    with connection.cursor() as cursor:
        refs = [person.ref for person in changed]
        cursor.execute(f"DELETE FROM {table} WHERE ref = ANY(%s)", [refs])
        copy_format.copy_lines(cursor, table, "".join(lines).encode())


def _simulated(job: ImportJob, refs: set[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ref FROM {JobTables(job.pk).simulation} WHERE ref = ANY(%s)", [list(refs)])
        return {ref for (ref,) in cursor.fetchall()}


def _lines(person: Person, people: WorkingSet) -> Iterable[str]:
    attributes = copy_format.escape(orjson.dumps(person.values()).decode())
    external_id, form = (
        r"\N" if text is None else copy_format.escape(text) for text in (person.external_id, person.alias)
    )
    version = r"\N" if person.version is None else person.version
    rest = f"{copy_format.escape(person.object_id)}\t{external_id}\t{form}\t{attributes}\t{person.recency}\t{version}\n"
    for kind, value in [*_links(person, people), ("", "")]:
        yield f"{person.ref}\t{copy_format.escape(kind)}\t{copy_format.escape(value)}\t{rest}"


def _links(person: Person, people: WorkingSet) -> Iterable[Link]:
    if person.external_id is not None:
        yield EXTERNAL_ID, person.external_id
    if person.alias_link:
        yield person.alias_link
    if person.object_id:
        yield OBJECT_ID, person.object_id
    yield from (link for link in people.links(person) if link[0] in people.rules.lookup_kinds)


_LOAD = """
SELECT o.kind, o.value, o.ref, o.object_id, o.external_id, o.alias, o.attributes, o.recency, o.version
FROM json_array_elements(%s) AS l JOIN {table} o ON o.kind = l->>0 AND o.value = l->>1
"""
