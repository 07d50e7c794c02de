"""People as the serial lane of a preview leaves them from bucket to bucket, beside the real ones (design section 5.5).

Only rows that must follow one another need it. Two things are kept in one table of the job: each person with a link
of theirs, once per link. A person who is here hides the stored one.
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
    """Everybody who holds one of the links by now: stored people, unless earlier rows changed or made them."""
    wanted = list(links)
    stored = lookup.load_people(wanted)
    changed = _hidden(job, {person.ref for _, person in stored})
    found = [(link, person) for link, person in stored if person.ref not in changed]
    people: dict[int, Person] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LOAD.format(table=JobTables(job.pk).simulation), [orjson.dumps(wanted).decode()])
        for kind, value, ref, object_id, external_id, form, attributes, recency, version in cursor.fetchall():
            person = Person(ref, object_id, external_id, attributes, recency, version, alias=form)
            person = people.setdefault(ref, person)
            found.append(((kind, value), person))
    return found


def save(job: ImportJob, people: WorkingSet) -> None:
    """Keep those who were made or changed."""
    moved = [person for person in people.affected.values() if person.recency != person.version]
    lines = [line for person in moved for line in _lines(person, people)]
    table = JobTables(job.pk).simulation
    with connection.cursor() as cursor:
        refs = [person.ref for person in moved]
        cursor.execute(f"DELETE FROM {table} WHERE ref = ANY(%s)", [refs])
        copy_format.copy_lines(cursor, table, "".join(lines).encode())


def _hidden(job: ImportJob, refs: set[int]) -> set[int]:
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
    yield from (link for link in people.links(person) if link[0] in people.rules.linked)


_LOAD = """
SELECT o.kind, o.value, o.ref, o.object_id, o.external_id, o.alias, o.attributes, o.recency, o.version
FROM json_array_elements(%s) AS l JOIN {table} o ON o.kind = l->>0 AND o.value = l->>1
"""
