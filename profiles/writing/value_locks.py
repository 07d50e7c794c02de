"""Locks for values that nobody may hold yet: the values of a kind are divided into slots (design rule 2).

Whoever looks up a value holds its slot alone until commit, and whoever gives a value to somebody holds that value's
slot shared. So nobody can come to hold a value between somebody's look-up and commit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import orjson
from django.db import connection

from profiles.merging.person import Link

SLOT_BITS = 9
SLOTS = 1 << SLOT_BITS
"""Many, so that the people of one slot, who are written together, fill only a small part of a page of the table."""

Slot = tuple[str, int]
"""A kind of identifier, and one of the parts into which its values are divided."""


def link_number(link: Link) -> int:
    """A number of 32 bits for a value: the same on every host, for every job. Its upper bits are the slot."""
    return zlib.crc32(f"{link[0]}={link[1]}".encode())


def slot_of_number(value: int) -> int:
    """The slot of a value's number."""
    return value >> 32 - SLOT_BITS


def slots_of_links(links: Iterable[Link]) -> set[Slot]:
    """Where values stand among the locks."""
    return {(link[0], slot_of_number(link_number(link))) for link in links}


def lock_slots(alone: set[Slot], shared: set[Slot]) -> None:
    """Take the slots of values that are looked up (alone) and that people may be given (shared), until commit."""
    wanted = [(_kind_number(kind), place, True) for kind, place in alone]
    wanted += [(_kind_number(kind), place, False) for kind, place in shared - alone]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SLOTS, [orjson.dumps(sorted(wanted)).decode()])


def _kind_number(kind: str) -> int:
    return zlib.crc32(kind.encode()) - (1 << 31)


_LOCK_SLOTS = """
SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(kind, slot) ELSE pg_advisory_xact_lock_shared(kind, slot) END)
FROM (SELECT (e->>0)::int AS kind, (e->>1)::int AS slot, (e->>2)::boolean AS alone
      FROM json_array_elements(%s) WITH ORDINALITY AS l(e, n) ORDER BY n OFFSET 0) AS wanted
"""
