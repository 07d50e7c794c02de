"""Who has values of an attribute: about how many people and exactly how many, by value too, and the values themselves,
page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from profiles.database.statement_timeout import StatementTimeout, statement_timeout

SECONDS = 10
"""How long an exact count may take."""

PAGE = 5_000
SAMPLED_BLOCKS = 500
"""Pages of the table that an estimate looks at: about 8,000 people."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """In how many profiles each attribute is, or each value; exact where the table is small enough to be read whole."""

    people: Mapping[str, int]
    exact: bool

    def of(self, key: str) -> str:
        """The number as it is shown."""
        number = self.people.get(key, 0)
        if self.exact:
            return f"{number:,}"
        return f"about {_rounded(number):,}" if number else "few or none"


@dataclass(frozen=True, slots=True)
class AttributeValue:
    """Somebody who has a value: primary key, what they are called by, and the value as it is stored."""

    person: int
    name: str
    value: Any


def estimate_people() -> Estimate:
    """In how many profiles each attribute is, by a sample of the table: two quick queries, whatever its size."""
    return _estimate(_SAMPLE, [])


def estimate_values(key: str) -> Estimate:
    """How many people have each value of an attribute that has few, by a sample as for `estimate`."""
    return _estimate(_SAMPLE_OF_VALUES, [key])


def count_people(key: str, seconds: int = SECONDS) -> int | None:
    """How many people have the attribute; None if that takes too long to find out."""
    found = _within(seconds, "SELECT count(*) FROM profiles_profile WHERE attributes ? %s", [key])
    return None if found is None else int(found[0][0])


def count_values(key: str, seconds: int = SECONDS) -> dict[str, int] | None:
    """How many people have each value of an attribute that has few; None if that takes too long to find out."""
    found = _within(seconds, _COUNT_OF_VALUES, [key, key])
    return None if found is None else dict(found)


def iter_pages(key: str) -> Iterator[list[AttributeValue]]:
    """Everybody who has the attribute, in memory that does not grow with their number."""
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_PAGE, {"key": key, "last": last, "size": PAGE})
            end, found = cursor.fetchone()
        if end is None:
            return
        last = end
        yield [AttributeValue(*holder) for holder in orjson.loads(found)]


def _estimate(sample: str, parameters: Sequence[str]) -> Estimate:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('profiles_profile') / current_setting('block_size')::int")
        blocks = int(cursor.fetchone()[0])
        whole = blocks <= SAMPLED_BLOCKS
        cursor.execute(sample, [*parameters, 100 if whole else 100 * SAMPLED_BLOCKS / blocks])
        found = cursor.fetchall()
    return Estimate({key: number if whole else number * blocks // seen for key, number, seen in found}, exact=whole)


def _within(seconds: int, statement: str, parameters: Sequence[str]) -> list[tuple[Any, ...]] | None:
    try:
        with statement_timeout(seconds), connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found: list[tuple[Any, ...]] = cursor.fetchall()
    except StatementTimeout:
        return None
    return found


def _rounded(number: int) -> int:
    """Two digits are all that a sample tells."""
    return int(float(f"{number:.1e}"))


# How many pages came into the sample is left to chance, so they are counted; the same ones come into it next time.
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

# By the primary key over all people: a page that looked for the attribute's holders alone could make the planner read
# the whole table for each.
_PAGE = """
SELECT max(id), coalesce(json_agg(json_build_array(id, name, value)) FILTER (WHERE value IS NOT NULL), '[]')::text
FROM (SELECT id, coalesce(external_id, object_id) AS name, attributes -> %(key)s AS value
      FROM profiles_profile WHERE id > %(last)s ORDER BY id LIMIT %(size)s) AS page
"""
