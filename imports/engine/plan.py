"""Which rows must run together (design section 5.7): rows that can touch the same person run in file order.

A row's *key* is what it is looked up by, and ``place`` stands for the key here: keys that share a place share a
bucket anyway. A key is *tangled* if another key's rows bring one of the values that its rows bring, or if somebody
who holds one of them also holds one of another key's. Tangled rows form one serial lane in file order; so do the rows
of a key with more rows than a bucket may hold. All others go to the hash lane and may run in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db import connection

from imports.engine.staging import LOW_BITS
from imports.job_tables import JobTables
from imports.mapping.column_mapping import lookup_kinds
from imports.models import Bucket, ImportJob
from imports.states import Step
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, OWN_IDENTIFIERS, identifier_of

FULL_SCAN_RATIO = 1.0
"""All identifiers are looked through, instead of looking up those of the file, when they take less space than so many
times its rows."""


def create_buckets(job: ImportJob, step: Step) -> None:
    """Mark the tangled rows as things stand now, and cut all rows into the buckets of a step; earlier ones go."""
    job.buckets.filter(step=step).delete()
    with connection.cursor() as cursor:
        buckets = _hash_buckets(job, step, _mark_tangled(cursor, job))
        Bucket.objects.bulk_create(buckets)
        cursor.execute(
            _SERIAL.format(rows=JobTables(job.pk).staged), [job.pk, step, len(buckets), settings.IMPORTS_BUCKET_ROWS]
        )


def copy_buckets(job: ImportJob, source: Step, target: Step) -> None:
    """Use the buckets of one step for another: nothing has changed that they depend on."""
    for bucket in job.buckets.filter(step=source):
        Bucket.objects.create(
            job=job, step=target, number=bucket.number, lane=bucket.lane,
            first=bucket.first, last=bucket.last, rows=bucket.rows, size=bucket.size,
        )  # fmt: skip


def _mark_tangled(cursor: Any, job: ImportJob) -> dict[int, int]:
    """Mark the rows of the serial lane; returns how many other rows each slot has."""
    table, most = JobTables(job.pk).staged, settings.IMPORTS_BUCKET_ROWS
    cursor.execute(f"UPDATE {table} SET place = -place - 1 WHERE place < 0")
    cursor.execute("CREATE TEMPORARY TABLE tangled (place int) ON COMMIT DROP")
    tied = any(counts.get("tied") for counts in job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True))
    if tied:
        cursor.execute(_SHARED_VALUES.format(rows=table))
    looked_up = set(lookup_kinds(job.identifier))
    if tied or looked_up - OWN_IDENTIFIERS.keys():
        given = {identifier_of(column.target) for column in job.columns.all()} if tied else set()
        _find_shared_people(cursor, table, looked_up | given & OWN_IDENTIFIERS.keys(), tied)
    slots = _slots(cursor, table)
    full = [slot for slot, rows in slots.items() if rows > most]
    if full:
        cursor.execute(_CROWDED.format(rows=table, low_bits=LOW_BITS), [full, max(1, most)])
    cursor.execute(f"UPDATE {table} SET place = -place - 1 WHERE place IN (SELECT place FROM tangled)")
    marked = cursor.rowcount
    cursor.execute("DROP TABLE tangled")
    return _slots(cursor, table) if marked else slots


def _find_shared_people(cursor: Any, table: str, kinds: set[str], tied: bool) -> None:
    """Mark the keys of people who hold values of several."""
    links = f"SELECT place, kind, key AS value FROM {table}"
    if tied:
        links += (
            f" UNION ALL SELECT place, l->>0, l->>1 FROM {table},"
            " json_array_elements(links::json) AS l WHERE ties IS NOT NULL"
        )
    holders = [_HOLDERS.get(kind, _CHANNEL_HOLDERS) for kind in sorted(kinds)]
    holdings = " UNION ALL ".join(holder.format(links=links) for holder in dict.fromkeys(holders))
    # A large file is compared with all identifiers there are: in memory, and by several processes of the database,
    # which would otherwise rather not hand each other so many rows.
    cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL parallel_tuple_cost = 0.01")
    if kinds.isdisjoint(OWN_IDENTIFIERS) and _is_large(cursor, table):
        cursor.execute(_PEOPLE_WITH_SEVERAL, [sorted(kinds)])
        holdings = f"SELECT h.* FROM ({holdings}) AS h JOIN several USING (person)"
    cursor.execute(_SHARED_PEOPLE.format(holdings=holdings))
    if cursor.rowcount:
        cursor.execute(f"INSERT INTO tangled SELECT DISTINCT place FROM ({holdings}) AS h JOIN shared USING (person)")
    cursor.execute("DROP TABLE IF EXISTS pg_temp.shared, pg_temp.several")


def _is_large(cursor: Any, table: str) -> bool:
    """Whether it is less work to look through all identifiers than to look up the file's."""
    values = [table, FULL_SCAN_RATIO]
    cursor.execute("SELECT pg_relation_size('profiles_identifier') < pg_relation_size(%s) * %s", values)
    return bool(cursor.fetchone()[0])


def _slots(cursor: Any, table: str) -> dict[int, int]:
    """How many rows each slot has, in order."""
    cursor.execute(f"SELECT place >> {LOW_BITS}, count(*) FROM {table} WHERE place >= 0 GROUP BY 1 ORDER BY 1")
    return dict(cursor.fetchall())


def _hash_buckets(job: ImportJob, step: Step, slots: Mapping[int, int]) -> list[Bucket]:
    """Ranges of places with about as many rows as a bucket should have; whole slots where they are not too full."""
    most = settings.IMPORTS_BUCKET_ROWS
    ranges: list[tuple[int, int, int]] = []
    first, rows, end = 0, 0, 0
    for slot, count in slots.items():
        if rows and rows + count > most:
            ranges.append((first, end - 1, rows))
            first, rows = end, 0
        start, end = slot << LOW_BITS, (slot + 1) << LOW_BITS
        pieces = -(-count // most)
        if pieces > 1:
            cuts = [start + (piece << LOW_BITS) // pieces for piece in range(pieces + 1)]
            ranges += [(low, high - 1, count // pieces) for low, high in pairwise(cuts)]
            first = end
        else:
            rows += count
    if rows:
        ranges.append((first, end - 1, rows))
    return [
        Bucket(job=job, step=step, number=number, lane=Bucket.Lane.HASH, first=low, last=high, size=size)
        for number, (low, high, size) in enumerate(ranges, 1)
    ]


_SHARED_VALUES = """
INSERT INTO tangled SELECT DISTINCT place FROM (SELECT place, unnest(ties) AS value FROM {rows}
                                                UNION ALL SELECT place, place FROM {rows}) AS l
WHERE value IN (SELECT value FROM (SELECT place, unnest(ties) AS value FROM {rows}
                                   UNION ALL SELECT place, place FROM {rows}) AS m
                GROUP BY value HAVING min(place) <> max(place))
"""

_CHANNEL_HOLDERS = """
SELECT l.place, i.profile_id AS person FROM ({links}) AS l
JOIN profiles_identifier i ON i.kind = l.kind AND i.value = l.value
"""

_HOLDERS = {
    field: f"""
SELECT l.place, p.id AS person FROM ({{links}}) AS l
JOIN profiles_profile p ON p.{field} = l.value WHERE l.kind = '{field}'
"""
    for field in (EXTERNAL_ID, OBJECT_ID)
}

# Read as JSON only where it is: the rows of other kinds may be dropped later than that.
_HOLDERS[ALIAS] = f"""
SELECT l.place, p.id AS person FROM (
    SELECT place, CASE kind WHEN '{ALIAS}' THEN value::json END AS pair FROM ({{links}}) AS l WHERE kind = '{ALIAS}'
) AS l
JOIN profiles_profile p ON p.alias_label = l.pair->>0 AND p.alias_name = l.pair->>1 AND p.external_id IS NULL
"""

_PEOPLE_WITH_SEVERAL = """
CREATE TEMPORARY TABLE several ON COMMIT DROP AS
SELECT profile_id AS person FROM profiles_identifier WHERE kind = ANY(%s) GROUP BY profile_id HAVING count(*) > 1
"""

# Only CREATE TABLE AS may use several processes.
_SHARED_PEOPLE = """
CREATE TEMPORARY TABLE shared ON COMMIT DROP AS
SELECT person FROM ({holdings}) AS h GROUP BY person HAVING min(place) <> max(place)
"""

_CROWDED = """
INSERT INTO tangled SELECT place FROM {rows} WHERE place >> {low_bits} = ANY(%s)
GROUP BY place HAVING count(*) > %s
"""

_SERIAL = """
INSERT INTO imports_bucket (job_id, step, number, lane, first, last, rows, size, owner, attempts, error, counts)
SELECT %s, %s, %s + 1 + piece, 'serial', min(row_no), max(row_no), array_agg(row_no ORDER BY row_no), count(*),
    '', 0, '', '{{}}'
FROM (SELECT row_no, (row_number() OVER (ORDER BY row_no) - 1) / %s AS piece FROM {rows} WHERE place < 0) AS serial
GROUP BY piece
"""
