"""Write people; no other module does (design rules 2 and 3).

A writer does this in one transaction: take the value locks, ``lookup.load_people``, apply rows to the working set, save
a ``WriteSet`` of the result, ``flush`` it. Why it is safe:

* While the value locks are held, nobody else can be given a value that was looked up.
* People who are changed, or who were chosen among several, must still have the version that was read; otherwise
  ``Conflict`` is raised and the caller starts the transaction again.
* Value locks are taken before the locks of rows, both in ascending order, so that writers never deadlock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from django.db import connection

from profiles.merging.person import Link, Person
from profiles.merging.working_set import WorkingSet
from profiles.models import ChangeSet
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID
from profiles.writing import lookup
from profiles.writing.write_set import FACTS, INSERTED, UPDATED, WriteSet, WriteSetTables


class Conflict(Exception):
    """Somebody else changed a person after they were read: roll back and start again."""


def pin_query_plans() -> None:
    """Make the planner use index look-ups in this transaction, and keep a work unit in memory.

    On empty or newly filled tables it would read all identifiers for every work unit (design section 7).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
            "SET LOCAL enable_material = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_memoize = off;"
            "SET LOCAL jit = off; SET LOCAL work_mem = '32MB'"
        )


def flush(
    cursor: Any,
    tables: WriteSetTables,
    change_set: ChangeSet,
    bucket: int = 0,
    *,
    again: bool = True,
    return_created: bool = False,
) -> dict[int, int]:
    """Write the part of a write set that belongs to a work unit.

    ``again``: whether the change set may have updated some of the people before. ``return_created``: return the primary
    keys of the created people by the rows that created them; otherwise the result is empty. Raises ``Conflict``; the
    caller must also retry unique violations.
    """
    created: dict[int, int] = {}
    names = tables.names()
    values = {"bucket": bucket, "base": to_microseconds(change_set.when), "change_set": change_set.pk}
    cursor.execute(_COUNT.format(**names), values)
    changed, renamed, relinked, matched, inserted, facts = cursor.fetchone()
    if renamed:
        cursor.execute(_RELEASE_OWN_FIELDS.format(**names), values)
    if changed:
        cursor.execute(_UPDATE.format(**names), values)
        if cursor.rowcount != changed:
            raise Conflict
    if relinked:
        cursor.execute(_UNLINK.format(**names), values)
        cursor.execute(_LINK.format(**names), values)
    if matched:
        cursor.execute((_UPSERT_CHANGES if again else _INSERT_CHANGES).format(**names), values)
    if inserted:
        cursor.execute((_INSERT + (_RETURNING if return_created else "")).format(**names), values)
        created = dict(cursor.fetchall()) if return_created else created
    if facts:
        cursor.execute(_INSERT_SUPPRESSIONS.format(**names), values)
    cursor.execute(_MARK, [change_set.pk, matched + inserted])
    return created


def write(people: WorkingSet, change_set: ChangeSet) -> None:
    """Write the people of one working set, for writers of a few people. Raises ``Conflict``."""
    tables = WriteSetTables("pg_temp.inserted", "pg_temp.updated", "pg_temp.facts")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE inserted ({INSERTED}) ON COMMIT DROP")
        cursor.execute(f"CREATE TEMPORARY TABLE updated ({UPDATED}) ON COMMIT DROP")
        cursor.execute(f"CREATE TEMPORARY TABLE facts ({FACTS}) ON COMMIT DROP")
        write_set = WriteSet(tables)
        write_set.add(people)
        write_set.save(cursor)
        lock_versions(people.candidate_versions)
        flush(cursor, tables, change_set)
        cursor.execute("DROP TABLE pg_temp.inserted, pg_temp.updated, pg_temp.facts")


def delete(person: Person, links: Iterable[Link], change_set: ChangeSet) -> None:
    """Delete a person with their identifiers, history and events. Raises ``Conflict``.

    ``links``: the person's channel values. The caller holds their value locks, so that no import that has found the
    person writes them after this.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [person.ref, person.version])
        if cursor.rowcount != 1:
            raise Conflict
        cursor.execute(_DELETE_LINKS, [orjson.dumps(list(links)).decode(), person.ref])
        cursor.execute("DELETE FROM profiles_change WHERE profile_id = %s", [person.ref])
        cursor.execute("DELETE FROM profiles_event WHERE profile_id = %s", [person.ref])
        cursor.execute(_MARK, [change_set.pk, 1])


def lock_versions(versions: Mapping[int, int | None]) -> None:
    """Lock people who were compared; raise ``Conflict`` if one does not have the version that was read."""
    if not versions:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_VERSIONS, [orjson.dumps(sorted(versions)).decode()])
        if dict(cursor.fetchall()) != versions:
            raise Conflict


def count_foreign_writes(snapshot: str, own: int | None = None) -> int:
    """Count the people that others wrote and that a snapshot of the database does not contain.

    ``own``: the primary key of the change set whose writes do not count.
    """
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_WRITES, {"snapshot": snapshot, "own": own or 0})
        return int(cursor.fetchone()[0])


def current_snapshot() -> str:
    """Return PostgreSQL's current snapshot as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def to_microseconds(when: datetime) -> int:
    """Return a moment as whole microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A UUIDv7 as 32 hexadecimal characters: milliseconds first, so that the index grows at one end.
_OBJECT_ID = """(
    lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
    || substr(replace(gen_random_uuid()::text, '-', ''), 14)
)"""

_LOCK_VERSIONS = f"""
SELECT p.id, {lookup.VERSION_SQL} FROM profiles_profile p
WHERE p.id IN (SELECT value::bigint FROM json_array_elements_text(%s)) ORDER BY p.id FOR NO KEY UPDATE
"""

_AT = "timestamptz 'epoch' + interval '1 microsecond' *"

_UPDATE = f"""
UPDATE profiles_profile p SET
    attributes = CASE WHEN t.removed_keys IS NULL THEN p.attributes
                      ELSE p.attributes - ARRAY(SELECT jsonb_array_elements_text(t.removed_keys)) END || t.delta,
    external_id = CASE WHEN t.removed_keys ? '{EXTERNAL_ID}' THEN NULL ELSE coalesce(t.external_id, p.external_id) END,
    alias_label = CASE WHEN t.removed_keys ? '{ALIAS}' THEN NULL ELSE coalesce(t.alias->>0, p.alias_label) END,
    alias_name = CASE WHEN t.removed_keys ? '{ALIAS}' THEN NULL ELSE coalesce(t.alias->>1, p.alias_name) END,
    updated = {_AT} greatest(t.moment + %(base)s, t.version + 1)
FROM (SELECT * FROM {{updated}} WHERE bucket = %(bucket)s AND moment IS NOT NULL ORDER BY person OFFSET 0) AS t
WHERE p.id = t.person AND p.updated = {_AT} t.version
"""

# External IDs and aliases may pass from one person to another, and the unique indexes check each single row: they are
# removed before they are assigned. A person who loses an external ID would be found by alias in between, so the alias
# is removed with it; the update restores it.
_RELEASE_OWN_FIELDS = f"""
UPDATE profiles_profile p SET external_id = NULL, alias_label = NULL, alias_name = NULL FROM {{updated}} t
WHERE t.bucket = %(bucket)s
    AND (t.external_id IS NOT NULL OR t.alias IS NOT NULL
         OR t.removed_keys ? '{EXTERNAL_ID}' OR t.removed_keys ? '{ALIAS}')
    AND p.id = t.person AND p.updated = {_AT} t.version AND CASE
        WHEN p.external_id IS NULL THEN (p.alias_label, p.alias_name) IN (
            SELECT alias->>0, alias->>1 FROM {{updated}} WHERE bucket = %(bucket)s AND alias IS NOT NULL)
        ELSE (t.external_id IS NOT NULL OR t.removed_keys ? '{EXTERNAL_ID}') AND p.external_id IN (
            SELECT external_id FROM {{updated}} WHERE bucket = %(bucket)s AND external_id IS NOT NULL) END
"""

_COUNT = """
SELECT count(moment), count(coalesce(external_id, alias::text)),
       count(*) FILTER (WHERE removed_links IS NOT NULL OR added_links IS NOT NULL), count(*),
       (SELECT count(*) FROM {inserted} WHERE bucket = %(bucket)s),
       EXISTS (SELECT FROM {facts} WHERE bucket = %(bucket)s)
FROM {updated} WHERE bucket = %(bucket)s
"""

_UNLINK = """
DELETE FROM profiles_identifier i USING {updated} t, jsonb_array_elements(t.removed_links) AS g(link)
WHERE t.bucket = %(bucket)s AND i.kind = g.link->>0 AND i.value = g.link->>1 AND i.profile_id = t.person
"""

# The index may already have a value that is new to a person: an outdated one from a time when the attribute's index was
# not kept (``identifier_index``).
_LINK = """
INSERT INTO profiles_identifier (kind, value, profile_id)
SELECT c.link->>0, c.link->>1, t.person FROM {updated} t, jsonb_array_elements(t.added_links) AS c(link)
WHERE t.bucket = %(bucket)s ORDER BY (c.link->>0) COLLATE "C", (c.link->>1) COLLATE "C" ON CONFLICT DO NOTHING
"""

_DELETE = f"DELETE FROM profiles_profile p WHERE p.id = %s AND p.updated = {_AT} %s"

_DELETE_LINKS = """
DELETE FROM profiles_identifier i USING json_array_elements(%s) AS l(link)
WHERE i.kind = l.link->>0 AND i.value = l.link->>1 AND i.profile_id = %s
"""

_INSERT_CHANGES = """
INSERT INTO profiles_change AS c (profile_id, change_set_id, first_row, outcome, changes)
SELECT person, %(change_set)s, first_row, 'updated', coalesce(changes, '{{}}') FROM {updated} WHERE bucket = %(bucket)s
"""

# For a person that the same change set updated before, a change holds the old value of the first update and the new
# value of the last one, and is left out if they are equal; for a person that it created, all are left out. But where
# others wrote a value between two updates, the second update overwrote it, and the change is kept; otherwise the value
# would seem to be theirs. This takes twice as long.
_UPSERT_CHANGES = f"""{_INSERT_CHANGES}
ON CONFLICT (profile_id, change_set_id) DO UPDATE SET changes = (
    SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(old, new)), '{{{{}}}}') FROM (
        SELECT key, coalesce(a.value->0, b.value->0) AS old, coalesce(b.value->1, a.value->1) AS new,
            a.value->1 IS DISTINCT FROM b.value->0 AND b.value IS NOT NULL AS between, a.value IS NOT NULL AS told
        FROM jsonb_each(c.changes) a FULL JOIN jsonb_each(excluded.changes) b USING (key)
    ) AS both_times
    WHERE CASE WHEN told THEN old IS DISTINCT FROM new OR between
               ELSE c.outcome <> 'imported' OR EXISTS (
                   SELECT FROM profiles_change o WHERE o.profile_id = c.profile_id
                       AND o.change_set_id <> c.change_set_id AND o.changes ? key) END)
"""

# Identifiers are inserted in sorted order: unsorted ones take their index 1.8 times as long.
_INSERT = f"""
WITH inserted AS MATERIALIZED (
    SELECT nextval('profiles_profile_id_seq') AS id, {_OBJECT_ID} AS object_id, b.first_row, b.external_id, b.alias,
        {{attributes}} AS attributes, {{links}} AS links, {_AT} (b.moment + %(base)s) AS at
    FROM {{inserted_rows}} WHERE b.bucket = %(bucket)s
), people AS (
    INSERT INTO profiles_profile (id, object_id, external_id, alias_label, alias_name, attributes, created, updated)
    SELECT id, object_id, external_id, alias->>0, alias->>1, attributes::jsonb, at, at FROM inserted
), identifiers AS (
    INSERT INTO profiles_identifier (kind, value, profile_id)
    SELECT l.link->>0, l.link->>1, id FROM inserted, json_array_elements(links::json) AS l(link)
    WHERE l.link->>0 NOT IN ('{EXTERNAL_ID}', '{OBJECT_ID}', '{ALIAS}')
    ORDER BY (l.link->>0) COLLATE "C", (l.link->>1) COLLATE "C"
)
INSERT INTO profiles_change (profile_id, change_set_id, first_row, outcome, changes)
SELECT id, %(change_set)s, first_row, 'imported', '{{{{}}}}' FROM inserted
"""

# Dated by the row, so that the newest statement about an address is that of the last row, in whatever order work units
# run; but later than what somebody else wrote about the person meanwhile, since the row was applied after that.
_INSERT_SUPPRESSIONS = f"""
INSERT INTO profiles_suppression (kind, value, moment, change_set_id, "row", suppressed)
SELECT kind, value, {_AT} greatest(row_no + %(base)s, version + 1), %(change_set)s, row_no, suppressed
FROM {{facts}} WHERE bucket = %(bucket)s ORDER BY kind COLLATE "C", value COLLATE "C"
"""
_RETURNING = "RETURNING first_row, profile_id"

_FOREIGN_WRITES = """
SELECT coalesce(sum(people), 0) FROM profiles_writemark
WHERE transaction >= pg_snapshot_xmin(%(snapshot)s::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(transaction::text::xid8, %(snapshot)s::pg_snapshot) AND change_set_id <> %(own)s
"""

_MARK = """
INSERT INTO profiles_writemark (change_set_id, transaction, people)
VALUES (%s, pg_current_xact_id()::text::bigint, %s)
"""
