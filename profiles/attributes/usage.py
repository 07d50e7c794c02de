"""Find the people who have an attribute: their number, estimated or exact, also by value, and the values in pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from profiles.database.statement_timeout import StatementTimeout, statement_timeout

COUNT_SECONDS = 10
"""The time limit of an exact count."""

PAGE_SIZE = 5_000
SAMPLED_BLOCKS = 500
"""The number of blocks of the table that an estimate reads: about 8,000 people."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many people have each attribute, or each value; exact if the table is small enough to be read completely."""

    people: Mapping[str, int]
    exact: bool

    def of(self, key: str) -> str:
        """Return the number as pages show it."""
        number = self.people.get(key, 0)
        if self.exact:
            return f"{number:,}"
        return f"about {_rounded(number):,}" if number else "few or none"


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """A person's value: the primary key, the external or object ID, and the value as stored."""

    person: int
    name: str
    value: Any


def estimate_people() -> Estimate:
    """Estimate how many people have each attribute, by a sample of the table: two quick queries for any size."""
    return _estimate(_SAMPLE, [])


def estimate_values(key: str) -> Estimate:
    """Estimate how many people have each value of an attribute with few values, as `estimate_people` does."""
    return _estimate(_SAMPLE_OF_VALUES, [key])


def count_people(key: str, seconds: int = COUNT_SECONDS) -> int | None:
    """Count the people who have the attribute; return None if that takes more than ``seconds``."""
    rows = _within(seconds, "SELECT count(*) FROM profiles_profile WHERE attributes ? %s", [key])
    return None if rows is None else int(rows[0][0])


def count_values(key: str, seconds: int = COUNT_SECONDS) -> dict[str, int] | None:
    """Count the people by value of an attribute with few values; return None if that takes more than ``seconds``."""
    rows = _within(seconds, _COUNT_OF_VALUES, [key, key])
    return None if rows is None else dict(rows)


def iter_pages(key: str) -> Iterator[list[AttributeValue]]:
    """Yield the values of all people who have the attribute, in pages, so that memory does not grow with the number."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, {"key": key, "last": last, "size": PAGE_SIZE})
            end, people = cursor.fetchone()
        if end is None:
            return
        last = end
        yield [AttributeValue(*person) for person in orjson.loads(people)]


def _estimate(sample: str, parameters: Sequence[str]) -> Estimate:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('profiles_profile') / current_setting('block_size')::int")
        blocks = int(cursor.fetchone()[0])
        whole = blocks <= SAMPLED_BLOCKS
        cursor.execute(sample, [*parameters, 100 if whole else 100 * SAMPLED_BLOCKS / blocks])
        rows = cursor.fetchall()
    return Estimate({key: number if whole else number * blocks // seen for key, number, seen in rows}, exact=whole)


def _within(seconds: int, statement: str, parameters: Sequence[str]) -> list[tuple[Any, ...]] | None:
    try:
        with statement_timeout(seconds), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
    except StatementTimeout:
        return None
    return rows


def _rounded(number: int) -> int:
    """Round to two digits, as precise as a sample is."""
    return int(float(f"{number:.1e}"))


# The number of blocks in the sample is random, so the statement counts them. REPEATABLE reads the same ones each time.
_SAMPLE = """
WITH sample AS MATERIALIZED (
    SELECT (ctid::text::point)[0] AS block, attributes FROM profiles_profile TABLESAMPLE SYSTEM (%s) REPEATABLE (0)
)
SELECT key, count(*), (SELECT count(DISTINCT block) FROM sample) FROM sample, jsonb_object_keys(attributes) AS key
GROUP BY key
"""

_SAMPLE_OF_VALUES = """
WITH sample AS MATERIALIZED (
    SELECT (ctid::text::point)[0] AS block, attributes ->> %s AS value
    FROM profiles_profile TABLESAMPLE SYSTEM (%s) REPEATABLE (0)
)
SELECT value, count(*), (SELECT count(DISTINCT block) FROM sample) FROM sample WHERE value IS NOT NULL GROUP BY value
"""

_COUNT_OF_VALUES = "SELECT attributes ->> %s, count(*) FROM profiles_profile WHERE attributes ? %s GROUP BY 1"

# By the primary key over all people: for a page of only those who have the attribute, the planner could read the whole
# table each time.
_PAGE = """
SELECT max(id), coalesce(json_agg(json_build_array(id, name, value)) FILTER (WHERE value IS NOT NULL), '[]')::text
FROM (SELECT id, coalesce(external_id, object_id) AS name, attributes -> %(key)s AS value
      FROM profiles_profile WHERE id > %(last)s ORDER BY id LIMIT %(size)s) AS page
"""
