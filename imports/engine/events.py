"""Match rows of events to people (requirements section 16): one statement resolves most keys of a hash bucket.

All rows of a key match the same person, and change nobody. So a key whose rows have no ties need not be read into
Python if no more than one person has its value. The other rows are returned, to be resolved by the working set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from imports.job_tables import JobTables
from imports.models import Bucket, ImportJob
from profiles.merging.rules import Rules
from profiles.models import ChangeSet
from profiles.schema import EXTERNAL_ID, OBJECT_ID
from profiles.writing import events


@dataclass(frozen=True, slots=True)
class ResolvedEvents:
    """Counts of resolved rows, those that create a person and those that match one, the number of these people, and the
    numbers of the remaining rows."""

    imported: int
    updated: int
    people: int
    remaining: list[int]


def resolve_plain_keys(job: ImportJob, bucket: Bucket, rules: Rules) -> ResolvedEvents:
    """Store the people that rows of a hash bucket match or create, for the keys that one statement can resolve."""
    tables = JobTables(job.pk)
    names = {"staged": tables.staged, "inserted": tables.inserted, "updated": tables.updated, "results": tables.results}
    values: dict[str, Any] = {
        "bucket": bucket.number,
        "first": bucket.first,
        "last": bucket.last,
        "make": not rules.may_exceed_limits,
        "kinds": [EXTERNAL_ID, OBJECT_ID, *rules.identifiers],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESOLVE.format(**names), values)
        rows, created, matched, remaining = cursor.fetchone()
    return ResolvedEvents(created, rows - created, created + matched, remaining or [])


def write(cursor: Any, job: ImportJob, bucket: Bucket, change_set: ChangeSet, created: Mapping[int, int]) -> None:
    """Write the events of a bucket after its people. ``created``: primary keys of new people, by their first row."""
    tables = JobTables(job.pk)
    source = _MATCHED_EVENTS.format(staged=tables.staged, results=tables.results)
    events.write(cursor, source, {"bucket": bucket.number}, change_set, created)


_MATCHED_EVENTS = """
SELECT r.person, s.* FROM (
    SELECT row_no, person FROM {results}
    WHERE bucket = %(bucket)s AND outcome IN ('imported', 'updated') OFFSET 0
) AS r CROSS JOIN LATERAL (SELECT name, time, properties, row_no FROM {staged} WHERE row_no = r.row_no OFFSET 0) AS s
"""

# Keys of kinds that are not listed are left to the working set. The first row of a key creates its new person.
_RESOLVE = """
WITH keys AS (
    SELECT kind, key, array_agg(row_no) AS rows, min(row_no) AS first_row, bool_or(ties IS NOT NULL) AS tied
    FROM {staged} WHERE place BETWEEN %(first)s AND %(last)s GROUP BY kind, key
), met AS MATERIALIZED (
    SELECT k.*, h.person, (NOT k.tied AND k.kind = ANY(%(kinds)s) AND (
        h.holders = 1 OR h.holders = 0 AND %(make)s AND k.kind <> 'object_id'
    )) IS TRUE AS settled
    FROM (SELECT * FROM keys ORDER BY key OFFSET 0) AS k CROSS JOIN LATERAL (
        SELECT min(id) AS person, count(*) AS holders FROM (
            SELECT id FROM profiles_profile WHERE NOT k.tied AND k.kind = 'external_id' AND external_id = k.key
            UNION ALL SELECT id FROM profiles_profile WHERE NOT k.tied AND k.kind = 'object_id' AND object_id = k.key
            UNION ALL SELECT profile_id FROM profiles_identifier
                WHERE NOT k.tied AND k.kind NOT IN ('external_id', 'object_id') AND kind = k.kind AND value = k.key
        ) AS holder
    ) AS h
), inserted AS (
    INSERT INTO {inserted} (bucket, first_row, moment, external_id)
    SELECT %(bucket)s, first_row, first_row, CASE WHEN kind = 'external_id' THEN key END
    FROM met WHERE settled AND person IS NULL RETURNING 1
), known AS (
    INSERT INTO {updated} (bucket, person, version, first_row)
    SELECT %(bucket)s, person, 0, first_row FROM met WHERE settled AND person IS NOT NULL RETURNING 1
), results AS (
    INSERT INTO {results} (bucket, row_no, outcome, person)
    SELECT %(bucket)s, row_no, CASE WHEN person IS NULL AND row_no = first_row THEN 'imported' ELSE 'updated' END,
        coalesce(person, -first_row)
    FROM met CROSS JOIN LATERAL unnest(rows) AS row_no WHERE settled RETURNING 1
)
SELECT (SELECT count(*) FROM results), (SELECT count(*) FROM inserted), (SELECT count(*) FROM known),
    (SELECT array_agg(row_no) FROM met CROSS JOIN LATERAL unnest(rows) AS row_no WHERE NOT settled)
"""
