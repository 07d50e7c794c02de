"""The one place that writes people (design rules 2 and 3).

A writer works in one transaction: lock the ``slots``, ``lookup.load``, apply rows to the working set, make ``notes`` of
what is to be written, ``flush`` them. Why it is safe:

* While the slots are locked nobody else can come to hold a value that was looked up.
* People who are changed, or who were chosen among several, must still be the version that was read; else ``Conflict``
  is raised and the caller starts the transaction again.
* Slots are taken before rows, both in ascending order, so that writers never wait for each other in a circle.
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
    """Somebody else changed a person after we read them: roll back and start again."""


def pin_query_plans() -> None:
    """Keep the planner on index look-ups in this transaction, and a bucket in memory.

    On empty or freshly filled tables it would read all identifiers for every bucket (design section 7).
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
    tell: bool = False,
) -> dict[int, int]:
    """Write what a bucket's lines in the tables say. Raises ``Conflict``; unique violations are the caller's to retry.

    ``again``: whether the change set may have updated some of the people before. ``tell``: return the primary keys of
    the people who were made, by the rows that made them.
    """
    made: dict[int, int] = {}
    names = tables.names()
    values = {"bucket": bucket, "base": to_microseconds(change_set.when), "change_set": change_set.pk}
    cursor.execute(_COUNT.format(**names), values)
    changed, renamed, relinked, known, inserted, facts = cursor.fetchone()
    if renamed:
        cursor.execute(_FREE.format(**names), values)
    if changed:
        cursor.execute(_UPDATE.format(**names), values)
        if cursor.rowcount != changed:
            raise Conflict
    if relinked:
        cursor.execute(_UNLINK.format(**names), values)
        cursor.execute(_LINK.format(**names), values)
    if known:
        cursor.execute((_UPSERT_CHANGES if again else _INSERT_CHANGES).format(**names), values)
    if inserted:
        cursor.execute((_INSERT + (_TELL if tell else "")).format(**names), values)
        made = dict(cursor.fetchall()) if tell else made
    if facts:
        cursor.execute(_STATE.format(**names), values)
    cursor.execute(_MARK, [change_set.pk, known + inserted])
    return made


def write(people: WorkingSet, change_set: ChangeSet) -> None:
    """Note and flush in one, for writers of a few people. Raises ``Conflict``."""
    tables = WriteSetTables("pg_temp.inserted", "pg_temp.updated", "pg_temp.facts")
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE inserted ({INSERTED}) ON COMMIT DROP")
        cursor.execute(f"CREATE TEMPORARY TABLE updated ({UPDATED}) ON COMMIT DROP")
        cursor.execute(f"CREATE TEMPORARY TABLE facts ({FACTS}) ON COMMIT DROP")
        written = WriteSet(tables)
        written.add(people)
        written.save(cursor)
        lock_versions(people.contested)
        flush(cursor, tables, change_set)
        cursor.execute("DROP TABLE pg_temp.inserted, pg_temp.updated, pg_temp.facts")


def delete(person: Person, links: Iterable[Link], change_set: ChangeSet) -> None:
    """Take somebody out with all that is about them alone: identifiers, history, events. Raises ``Conflict``.

    ``links``: the channel values that they hold. The caller has locked their slots, so that no import that has found
    the person notes them down after this.
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
    """Lock people who were compared, and see that they are as they were read; else raise ``Conflict``."""
    if not versions:
        return
    with connection.cursor() as cursor:
        cursor.execute(_STAND_STILL, [orjson.dumps(sorted(versions)).decode()])
        if dict(cursor.fetchall()) != versions:
            raise Conflict


def count_foreign_writes(snapshot: str, own: int | None = None) -> int:
    """How many people others wrote that this snapshot of the database could not see; ``own`` is a change set."""
    with connection.cursor() as cursor:
        cursor.execute(_FOREIGN_WRITES, {"snapshot": snapshot, "own": own or 0})
        return int(cursor.fetchone()[0])


def current_snapshot() -> str:
    """What the database has committed by now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_snapshot()::text")
        return str(cursor.fetchone()[0])


def to_microseconds(when: datetime) -> int:
    """A moment as whole microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A UUIDv7 as 32 hex characters: milliseconds first, so that the index grows at one end.
_OBJECT_ID = """(
    lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
    || substr(replace(gen_random_uuid()::text, '-', ''), 14)
)"""

_STAND_STILL = f"""
SELECT p.id, {lookup.VERSION} FROM profiles_profile p
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

# External ids and aliases may go from hand to hand, and the indexes look at each person on the way: let go before
# taking. Who lets go of an external id would come to be reached by alias on the way, so that goes with it for a while.
_FREE = f"""
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

# A value that its holder did not have may stand there from a time when nobody kept it (``identifier_index``).
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

# Of a person whom the same change set updated before, the old values of the first touch and the new ones of the last
# one count, and nothing where the two are equal; of one whom it created, nothing. But what others wrote between two
# touches is overwritten by the second one, and that is told, or it would be taken for what they left. Takes twice as
# long.
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

# Identifiers go in in sorted order: their index takes unsorted ones 1.8 times as slowly.
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

# Dated by the row, so that the newest fact about an address is that of the last row, in whatever order buckets run; or
# later than what somebody else wrote about the person meanwhile, which the row came after.
_STATE = f"""
INSERT INTO profiles_suppression (kind, value, moment, change_set_id, "row", suppressed)
SELECT kind, value, {_AT} greatest(row_no + %(base)s, version + 1), %(change_set)s, row_no, suppressed
FROM {{facts}} WHERE bucket = %(bucket)s ORDER BY kind COLLATE "C", value COLLATE "C"
"""
_TELL = "RETURNING first_row, profile_id"

_FOREIGN_WRITES = """
SELECT coalesce(sum(people), 0) FROM profiles_writemark
WHERE transaction >= pg_snapshot_xmin(%(snapshot)s::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(transaction::text::xid8, %(snapshot)s::pg_snapshot) AND change_set_id <> %(own)s
"""

_MARK = """
INSERT INTO profiles_writemark (change_set_id, transaction, people)
VALUES (%s, pg_current_xact_id()::text::bigint, %s)
"""
