"""Divide the rows of an import into buckets, so that rows that can change the same person run in file order (design
section 5.7).

The *key* of a row is the value it is looked up by; ``place`` stands for the key here, since keys that share a place
share a bucket anyway. A key is *tangled* if its rows share an identifier value with the rows of another key, or if a
person has a value of both. Tangled rows form one serial lane in file order; so do the rows of a key with more rows
than a bucket may hold. All other rows go to the hash lane and may run in any order.
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
"""Scan the whole table of identifiers, instead of looking up those of the file, when it is smaller than this multiple
of the size of the job's staged rows."""


def create_buckets(job: ImportJob, step: Step) -> None:
    """Mark the rows that are tangled at present, and replace the buckets of a step by a division of all rows."""
    job.buckets.filter(step=step).delete()
    with connection.cursor() as cursor:
        buckets = _hash_buckets(job, step, _mark_tangled(cursor, job))
        Bucket.objects.bulk_create(buckets)
        cursor.execute(
            _SERIAL.format(rows=JobTables(job.pk).staged), [job.pk, step, len(buckets), settings.IMPORTS_BUCKET_ROWS]
        )


def copy_buckets(job: ImportJob, source: Step, target: Step) -> None:
    """Copy the buckets of one step to another. The caller ensures that nothing they depend on has changed."""
    for bucket in job.buckets.filter(step=source):
        Bucket.objects.create(
            job=job, step=target, number=bucket.number, lane=bucket.lane,
            first=bucket.first, last=bucket.last, rows=bucket.rows, size=bucket.size,
        )  # fmt: skip


def _mark_tangled(cursor: Any, job: ImportJob) -> dict[int, int]:
    """Mark the rows of the serial lane. Return the number of other rows by slot, in ascending order."""
    table, most = JobTables(job.pk).staged, settings.IMPORTS_BUCKET_ROWS
    cursor.execute(f"UPDATE {table} SET place = -place - 1 WHERE place < 0")
    cursor.execute("CREATE TEMPORARY TABLE tangled (place int) ON COMMIT DROP")
    tied = any(counts.get("tied") for counts in job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True))
    if tied:
        cursor.execute(_SHARED_VALUES.format(rows=table))
    looked_up = set(lookup_kinds(job.identifier))
    if tied or looked_up - OWN_IDENTIFIERS.keys():
        mapped = {identifier_of(column.target) for column in job.columns.all()} if tied else set()
        _mark_keys_of_shared_people(cursor, table, looked_up | mapped & OWN_IDENTIFIERS.keys(), tied)
    slots = _slots(cursor, table)
    full = [slot for slot, rows in slots.items() if rows > most]
    if full:
        cursor.execute(_CROWDED.format(rows=table, low_bits=LOW_BITS), [full, max(1, most)])
    cursor.execute(f"UPDATE {table} SET place = -place - 1 WHERE place IN (SELECT place FROM tangled)")
    marked = cursor.rowcount
    cursor.execute("DROP TABLE tangled")
    return _slots(cursor, table) if marked else slots


def _mark_keys_of_shared_people(cursor: Any, table: str, kinds: set[str], tied: bool) -> None:
    """Mark as tangled the keys of each person who has identifier values of several keys."""
    links = f"SELECT place, kind, key AS value FROM {table}"
    if tied:
        links += (
            f" UNION ALL SELECT place, l->>0, l->>1 FROM {table},"
            " json_array_elements(links::json) AS l WHERE ties IS NOT NULL"
        )
    queries = [_PEOPLE_BY_OWN_FIELD.get(kind, _PEOPLE_BY_CHANNEL) for kind in sorted(kinds)]
    holdings = " UNION ALL ".join(query.format(links=links) for query in dict.fromkeys(queries))
    # A large file is compared with the whole table of identifiers, in memory and by parallel workers of the database.
    # At the default cost of a tuple the planner would not use workers for that many rows.
    cursor.execute("SET LOCAL work_mem = '128MB'; SET LOCAL parallel_tuple_cost = 0.01")
    if kinds.isdisjoint(OWN_IDENTIFIERS) and _is_large(cursor, table):
        cursor.execute(_PEOPLE_WITH_SEVERAL, [sorted(kinds)])
        holdings = f"SELECT h.* FROM ({holdings}) AS h JOIN several USING (person)"
    cursor.execute(_SHARED_PEOPLE.format(holdings=holdings))
    if cursor.rowcount:
        cursor.execute(f"INSERT INTO tangled SELECT DISTINCT place FROM ({holdings}) AS h JOIN shared USING (person)")
    cursor.execute("DROP TABLE IF EXISTS pg_temp.shared, pg_temp.several")


def _is_large(cursor: Any, table: str) -> bool:
    """Whether scanning all identifiers is less work than looking up those of the file."""
    values = [table, FULL_SCAN_RATIO]
    cursor.execute("SELECT pg_relation_size('profiles_identifier') < pg_relation_size(%s) * %s", values)
    return bool(cursor.fetchone()[0])


def _slots(cursor: Any, table: str) -> dict[int, int]:
    """Return the number of rows that are not tangled by slot, in ascending order."""
    cursor.execute(f"SELECT place >> {LOW_BITS}, count(*) FROM {table} WHERE place >= 0 GROUP BY 1 ORDER BY 1")
    return dict(cursor.fetchall())


def _hash_buckets(job: ImportJob, step: Step, slots: Mapping[int, int]) -> list[Bucket]:
    """Return the buckets of the hash lane: ranges of places with about ``IMPORTS_BUCKET_ROWS`` rows.

    A range consists of whole slots; a slot with more rows than that is split into several ranges.
    """
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

_PEOPLE_BY_CHANNEL = """
SELECT l.place, i.profile_id AS person FROM ({links}) AS l
JOIN profiles_identifier i ON i.kind = l.kind AND i.value = l.value
"""

_PEOPLE_BY_OWN_FIELD = {
    field: f"""
SELECT l.place, p.id AS person FROM ({{links}}) AS l
JOIN profiles_profile p ON p.{field} = l.value WHERE l.kind = '{field}'
"""
    for field in (EXTERNAL_ID, OBJECT_ID)
}

# The CASE converts only aliases to JSON: the planner may apply the filter on the kind after the conversion.
_PEOPLE_BY_OWN_FIELD[ALIAS] = f"""
SELECT l.place, p.id AS person FROM (
    SELECT place, CASE kind WHEN '{ALIAS}' THEN value::json END AS pair FROM ({{links}}) AS l WHERE kind = '{ALIAS}'
) AS l
JOIN profiles_profile p ON p.alias_label = l.pair->>0 AND p.alias_name = l.pair->>1 AND p.external_id IS NULL
"""

_PEOPLE_WITH_SEVERAL = """
CREATE TEMPORARY TABLE several ON COMMIT DROP AS
SELECT profile_id AS person FROM profiles_identifier WHERE kind = ANY(%s) GROUP BY profile_id HAVING count(*) > 1
"""

# CREATE TABLE AS may use parallel workers; INSERT may not.
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
