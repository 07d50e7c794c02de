"""Lock values of identifiers, also those that nobody has yet; a lock covers a share of a kind's values, its slot
(design rule 2).

A writer that looks up a value holds its slot exclusively until commit, and a writer that gives a value to a person
holds the value's slot shared. So nobody can be given a value between another writer's look-up and commit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import orjson
from django.db import connection

from profiles.merging.person import Link

SLOT_BITS = 9
SLOT_COUNT = 1 << SLOT_BITS
"""The number of slots per kind. Large, so that the people of one slot, who are written together, fill only a small part
of each page of the table."""

Slot = tuple[str, int]
"""A kind of identifier, and one of the parts into which its values are divided."""


def link_number(link: Link) -> int:
    """Return a number of 32 bits for a value, the same on every host and for every job. Its upper bits are the slot."""
    return zlib.crc32(f"{link[0]}={link[1]}".encode())


def slot_of_number(value: int) -> int:
    """Return the slot of a value's number."""
    return value >> 32 - SLOT_BITS


def slots_of_links(links: Iterable[Link]) -> set[Slot]:
    """Return the slots of values."""
    return {(link[0], slot_of_number(link_number(link))) for link in links}


def lock_slots(alone: set[Slot], shared: set[Slot]) -> None:
    """Lock, until commit, the slots of values that are looked up (``alone``) and that people may be given (``shared``).

    All locks are taken in ascending order, so that writers never deadlock.
    """
    locks = [(_kind_number(kind), slot, True) for kind, slot in alone]
    locks += [(_kind_number(kind), slot, False) for kind, slot in shared - alone]
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SLOTS, [orjson.dumps(sorted(locks)).decode()])


def _kind_number(kind: str) -> int:
    return zlib.crc32(kind.encode()) - (1 << 31)


_LOCK_SLOTS = """
SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(kind, slot) ELSE pg_advisory_xact_lock_shared(kind, slot) END)
FROM (SELECT (e->>0)::int AS kind, (e->>1)::int AS slot, (e->>2)::boolean AS alone
      FROM json_array_elements(%s) WITH ORDINALITY AS l(e, n) ORDER BY n OFFSET 0) AS locks
"""
