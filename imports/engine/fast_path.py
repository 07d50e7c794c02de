"""The plain rows of a hash bucket: one statement settles most of them, the others come back with whom they found.

A row is plain if no other row of its bucket has its place and it is tied to nothing, so that only who holds its key now
concerns it. If nobody does, it makes somebody new; if one person does, values are replaced or filled in. That much of
the matrix (requirements 8.0) needs no way to Python, which takes twice as long. All else is decided there, in
``People``: lists that grow, identifiers that change, values that are cleared, limits, several rows or holders, and what
is said about addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from imports.engine import staging
from imports.job_tables import JobTables
from imports.models import Bucket, ImportJob
from profiles.merging.actions import Action
from profiles.merging.person import Incoming, Person
from profiles.merging.rules import Rules
from profiles.schema import ALIAS, EXTERNAL_ID
from profiles.writing import lookup

CHUNK_ROWS = 500
"""Rows that are worked on together: few enough to stay in the processor's cache from one step to the next."""


@dataclass(slots=True)
class RemainingRows:
    """Rows that were not settled and whom they found, as far as that is known: ``unknown`` are those where it is not.

    Rows that may concern the same person are together, in file order.
    """

    rows: list[Incoming]
    found: list[tuple[Incoming, Person]]
    unresolved: list[Incoming]


@dataclass(frozen=True, slots=True)
class ResolvedCounts:
    """How many rows were settled: they make somebody new, change somebody, or leave whom they found as they are."""

    imported: int
    changed: int
    kept: int


def resolve_plain_rows(job: ImportJob, bucket: Bucket, rules: Rules) -> tuple[ResolvedCounts, Iterator[RemainingRows]]:
    """Note what the plain rows of a hash bucket do where that is plain to see; return the rows that are left."""
    tables = JobTables(job.pk)
    names = {
        "staged": tables.staged,
        "inserted": tables.inserted,
        "updated": tables.updated,
        "eligible": "true" if job.identifier in _HOLDERS else "kind NOT IN ('external_id', 'object_id', 'alias')",
        "holder": _HOLDERS.get(job.identifier, _HOLDER_OF_CHANNEL),
        "different": _DIFFERENT.get(rules.action, "false"),
        "same": _SAME.get(rules.action, "s.delta IS NULL"),
        "keep": (_IGNORE if rules.action is Action.IGNORE else _KEEP).format(
            results=tables.results, updated=tables.updated
        ),
        "version": lookup.VERSION,
    }
    if rules.dnd:
        names["eligible"] += " AND NOT raw::jsonb ?| %(dnd)s"
    values: dict[str, Any] = {
        "dnd": sorted(rules.dnd),
        "bucket": bucket.number,
        "first": bucket.first,
        "last": bucket.last,
        "make": not rules.may_exceed_limits,
        "careful": [*rules.identifiers, *(rules.lists if rules.action is Action.APPEND else ())],
        "most": rules.max_custom_attributes,
    }
    cursor = connection.cursor()
    cursor.execute(_SETTLE.format(**names), values)
    lines = cursor.fetchmany(CHUNK_ROWS)
    return ResolvedCounts(*lines[0][:3]), _left(cursor, lines)


def _left(cursor: Any, lines: list[tuple[Any, ...]]) -> Iterator[RemainingRows]:
    """The rows, chunk by chunk; last of all, together, those whose place others have too."""
    crowd: list[Incoming] = []
    with cursor:
        while lines:
            left = RemainingRows([], [], [])
            for _, _, _, alone, known, row, kind, key, links, raw, *person in lines:
                if row is None:
                    continue
                incoming = staging.build_row(row, kind, key, links, raw)
                if not alone:
                    crowd.append(incoming)
                    continue
                left.rows.append(incoming)
                if not known:
                    left.unresolved.append(incoming)
                elif person[0] is not None:
                    left.found.append((incoming, lookup.build_person(*person)))
            yield left
            lines = cursor.fetchmany(CHUNK_ROWS)
    crowd.sort(key=lambda row: row.row)
    yield RemainingRows(crowd, [], crowd)


_HOLDER_OF_CHANNEL = """
SELECT min(profile_id) AS id, count(*) AS holders FROM profiles_identifier
WHERE m.plain AND kind = m.kind AND value = m.key
"""

_HOLDERS = {
    EXTERNAL_ID: """
SELECT min(id) AS id, count(*) AS holders FROM profiles_profile WHERE m.plain AND external_id = m.key
""",
    ALIAS: """
SELECT min(id) AS id, count(*) AS holders FROM profiles_profile
WHERE m.plain AND alias_label = m.key::json->>0 AND alias_name = m.key::json->>1 AND external_id IS NULL
""",
}
"""For files whose rows are all looked up by one of these."""

# Values of the row that the action would write; neither side has nulls.
_DIFFERENT = {
    Action.UPDATE: "NOT p.attributes ? r.key",
    Action.APPEND: "r.value IS DISTINCT FROM p.attributes -> r.key",
    Action.OVERWRITE: "r.value IS DISTINCT FROM p.attributes -> r.key",
}

# Whether the row leaves the person as they are, where that is not told by its having nothing to write.
_SAME = {Action.IGNORE: "true", Action.REPLACE: "p.attributes = row.attributes"}

_KEEP = """
INSERT INTO {updated} (bucket, person, version, first_row)
SELECT %(bucket)s, person, version, row_no FROM found WHERE settled AND same
"""

_IGNORE = """
INSERT INTO {results} (bucket, row_no, outcome, person)
SELECT %(bucket)s, row_no, 'ignored', person FROM found WHERE settled AND same
"""

# Looked up in the order of the index, then of the table, which keeps the processor's cache: a fifth less for those two.
# Comparing bytes first tells of most unchanged people, at a fifth of the time of comparing value by value. What was
# read for a settled row is not kept, so that a bucket's rows stay in the processor's cache.
_SETTLE = """
WITH mine AS (
    SELECT *, alone AND ties IS NULL AND {eligible} AS plain FROM (
        SELECT *, count(*) OVER (PARTITION BY place) = 1 AS alone
        FROM {staged} WHERE place BETWEEN %(first)s AND %(last)s
    ) AS placed
), met AS (
    SELECT m.row_no, m.kind, m.key, m.links, m.ties, m.raw, m.alone, m.plain, m.holders, p.*,
        (m.plain AND (m.holders = 0 AND %(make)s OR m.holders = 1 AND (p.same OR p.easy))) IS TRUE AS settled
    FROM (
        SELECT m.*, h.* FROM (SELECT * FROM mine ORDER BY key OFFSET 0) AS m
        CROSS JOIN LATERAL ({holder}) AS h ORDER BY id OFFSET 0
    ) AS m
    LEFT JOIN LATERAL (
        SELECT p.id AS person, p.object_id, p.external_id, p.alias_label, p.alias_name, p.attributes,
            {version} AS version, {same} AS same,
            s.delta, s.changes, s.delta IS NOT NULL AND NOT s.careful AND (s.added = 0 OR s.added + (
                SELECT count(*) FROM jsonb_object_keys(p.attributes)
            ) <= %(most)s) AS easy
        FROM profiles_profile p
        CROSS JOIN (SELECT m.raw::jsonb AS attributes OFFSET 0) AS row
        CROSS JOIN LATERAL (
            SELECT jsonb_object_agg(r.key, r.value) AS delta,
                jsonb_object_agg(r.key, jsonb_build_array(p.attributes -> r.key, r.value)) AS changes,
                bool_or(r.key = ANY(%(careful)s)) AS careful,
                count(*) FILTER (WHERE NOT p.attributes ? r.key) AS added
            FROM jsonb_each(row.attributes) AS r
            WHERE NOT record_image_eq(ROW(p.attributes), ROW(row.attributes)) AND {different}
        ) AS s
        WHERE m.holders = 1 AND p.id = m.id OFFSET 0
    ) AS p ON true
    OFFSET 0
), found AS MATERIALIZED (
    SELECT row_no, kind, key, alone, plain, holders, settled, same, delta, changes, version,
        person, object_id, external_id, alias_label, alias_name,
        CASE WHEN NOT settled AND ties IS NOT NULL THEN links END AS links, CASE WHEN NOT settled THEN raw END AS raw,
        CASE WHEN NOT settled THEN attributes::text END AS attributes
    FROM met
), inserted AS (
    INSERT INTO {inserted} (bucket, first_row, moment, external_id, alias)
    SELECT %(bucket)s, row_no, row_no, CASE WHEN kind = 'external_id' THEN key END,
        CASE WHEN kind = 'alias' THEN key::json END
    FROM found WHERE settled AND holders = 0 RETURNING 1
), changed AS (
    INSERT INTO {updated} (bucket, person, version, first_row, moment, delta, changes)
    SELECT %(bucket)s, person, version, row_no, row_no, delta, changes
    FROM found WHERE settled AND NOT same RETURNING 1
), kept AS ({keep} RETURNING 1)
SELECT counts.*, l.*
FROM (SELECT (SELECT count(*) FROM inserted), (SELECT count(*) FROM changed), (SELECT count(*) FROM kept)) AS counts
LEFT JOIN (
    SELECT alone, plain AND (holders = 0 OR person IS NOT NULL) AS known, row_no, kind, key, links, raw,
           person, object_id, external_id, alias_label, alias_name, attributes, version
    FROM found WHERE NOT settled
) AS l ON true
"""
