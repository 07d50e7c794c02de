"""Rebuild the index of an identifier in the background after a change of the schema (design section 4).

From the commit of a change on, every writer keeps the index of an attribute that the schema calls an identifier
(``store``), but people are found by it only when it is complete. Until then, the old values are removed from the index,
and then the values of all people are added, page by page. No value is missed, and no outdated one is left:

* A change of the schema holds the schema lock exclusively (``lock``), so no import is writing: writers before the
  change have committed, and those after it know of it.
* A page locks the rows of its people until their values are in the index. It waits for writers that changed a person
  before; writers that change a person later find those values in the index, and remove the ones that the person loses.

Only ``store`` and this module write ``Identifier``, and this module only for an attribute as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
from django.db import OperationalError, connection, transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Now

from profiles.merging.actions import as_list
from profiles.models import Attribute, Identifier, IndexWork, Profile
from profiles.values.parsers import matching_form
from profiles.values.types import InvalidValue, ValueType

PAGE_SIZE = 2_000
"""The number of people in a page; nobody waits for more than one page."""

CLEAR_BATCH = 10_000
"""The number of values that are removed in one statement."""

LOCK_TIMEOUT = "3s"
"""How long one attempt waits for other writers of the last people of a page."""


class _WorkChanged(Exception):
    """Another worker did the same work, or the attribute has changed."""


def start_rebuild(attribute: Attribute, *, is_new: bool) -> None:
    """Start the work that the attribute needs now. The caller holds the schema lock exclusively and queues the work.

    ``is_new``: nobody has values of the attribute, so people can be found by it at once.
    """
    if has_values(attribute.key):
        work = IndexWork.CLEARING
    elif attribute.identifier and not is_new:
        work = IndexWork.FILLING
    else:
        work = IndexWork.NONE
    _row(attribute).update(index_work=work, index_turn=F("index_turn") + 1, index_position=0, index_seen=Now())
    attribute.refresh_from_db(fields=Attribute.INDEX_FIELDS)


def continue_rebuild(attribute_id: int, seconds: float) -> bool:
    """Do the current work on the index of an attribute for about a number of seconds, at least one page.

    May be called at any time, repeatedly and concurrently. Each page is committed, and people can be read and written
    meanwhile. Returns whether there is more to do.
    """
    deadline, has_started = time.monotonic() + seconds, False
    while attribute := Attribute.objects.filter(pk=attribute_id).exclude(index_work=IndexWork.NONE).first():
        if has_started and time.monotonic() > deadline:
            return True
        has_started = True
        try:
            (_clear if attribute.index_work == IndexWork.CLEARING else _fill)(attribute)
        except _WorkChanged:
            continue
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in _RETRIED:
                raise
    return False


def has_values(key: str) -> bool:
    """Return whether the index has values of a kind, current or outdated."""
    return Identifier.objects.filter(kind=key).exists()


def progress_percent(attributes: Iterable[Attribute]) -> dict[int, int]:
    """Return how much of the work is done, by primary key, for the attributes with work left; at most one query."""
    unfinished = [attribute for attribute in attributes if attribute.index_work]
    last = Profile.objects.aggregate(last=Max("pk"))["last"] if unfinished else None
    return {each.pk: min(99, 100 * each.index_position // (last or 1)) for each in unfinished}


def _clear(attribute: Attribute) -> None:
    """Remove a batch of values, current or not; when none is left, start the next work.

    This may remove a value that a writer has just added; filling happens later, and adds it again.
    """
    with _locked(attribute) as cursor:
        cursor.execute(_CLEAR, [attribute.key, CLEAR_BATCH])
        is_empty = cursor.fetchone()[0] < CLEAR_BATCH
        work = IndexWork.FILLING if attribute.identifier else IndexWork.NONE
        _save_progress(attribute, work if is_empty else IndexWork.CLEARING, 0)


def _fill(attribute: Attribute) -> None:
    """Add the values of the next page of people; after the last page the index is complete.

    People who others are writing are added in a second step, so that the others of the page need not wait for them.
    """
    with _locked(attribute) as cursor:
        cursor.execute(_PAGE, {"key": attribute.key, "last": attribute.index_position, "size": PAGE_SIZE})
        end, people = cursor.fetchone()
        if end is None:
            _save_progress(attribute, IndexWork.NONE, 0)
            return
        skipped = sorted({*people} - _add(cursor, attribute, people, _SKIP_LOCKED))
        _save_progress(attribute, IndexWork.FILLING, attribute.index_position if skipped else end)
    if skipped:
        with transaction.atomic():
            _lock_people(attribute, skipped)
            with _locked(attribute) as cursor:
                _add(cursor, attribute, skipped)
                _save_progress(attribute, IndexWork.FILLING, end)


@contextmanager
def _locked(attribute: Attribute) -> Iterator[Any]:
    """Open a transaction in which nobody else does the same work or changes it. Raises ``_WorkChanged``."""
    with transaction.atomic(), connection.cursor() as cursor:
        same = {name: getattr(attribute, name) for name in ("index_work", "index_turn", "index_position")}
        if not _row(attribute).select_for_update(no_key=True).filter(**same).values_list("pk"):
            raise _WorkChanged
        cursor.execute(_PIN)
        yield cursor


def _save_progress(attribute: Attribute, work: IndexWork, position: int) -> None:
    """Record the work and its position, in the transaction of the page."""
    _row(attribute).update(index_work=work, index_position=position, index_seen=Now())


def _row(attribute: Attribute) -> QuerySet[Attribute]:
    return Attribute.objects.filter(pk=attribute.pk)


def _lock_people(attribute: Attribute, people: list[int]) -> None:
    """Lock people before the attribute, so that a change of the attribute never waits for an import that writes them.

    The lock timeout is shorter than the time in which a worker must show a sign of life (``index_seen``); after a
    timeout the page starts again.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{_PIN}; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(_LOCKED_VALUES, {"key": attribute.key, "people": people})


def _add(cursor: Any, attribute: Attribute, people: Sequence[int], locking: str = "") -> set[int]:
    """Lock people and add their values to the index; return the people who had any.

    ``locking``: ``SKIP LOCKED``, to leave out people that others have locked.
    """
    cursor.execute(_LOCKED_VALUES + locking, {"key": attribute.key, "people": people})
    values_of = [(person, as_list(orjson.loads(value))) for person, value in cursor.fetchall()]
    type_ = ValueType(attribute.type)
    links = sorted({link for person, values in values_of for link in _links(type_, person, values)})
    cursor.execute(_INSERT, [attribute.key, orjson.dumps(links).decode()])
    return {person for person, _ in values_of}


def _links(type_: ValueType, person: int, values: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """Yield the values of a person in matching form, each with the person."""
    for value in values:
        try:
            yield matching_form(type_, value), person
        except InvalidValue:
            continue  # stored under other rules; no row can look it up


_RETRIED = {"40P01", "55P03"}  # deadlock, lock timeout

# Pages use indexes, also where the planner has no statistics of the tables yet. Work that a crash loses is done again.
_PIN = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL synchronous_commit = off"

# In the order of the index. Values that somebody else deletes meanwhile count as deleted.
_CLEAR = """
WITH found AS MATERIALIZED (
    SELECT ctid FROM profiles_identifier WHERE kind = %s ORDER BY value, profile_id LIMIT %s
), gone AS (DELETE FROM profiles_identifier WHERE ctid = ANY(ARRAY(SELECT ctid FROM found)))
SELECT count(*) FROM found
"""

# By the primary key over all people: a page of only those who have the attribute could have to read the whole table.
_PAGE = """
SELECT max(id), coalesce(array_agg(id ORDER BY id) FILTER (WHERE holds), '{}')
FROM (SELECT id, attributes ? %(key)s AS holds FROM profiles_profile WHERE id > %(last)s ORDER BY id LIMIT %(size)s)
    AS page
"""

# The values at the time of the lock, not those at the start of the page.
_LOCKED_VALUES = """
SELECT id, (attributes -> %(key)s)::text FROM profiles_profile
WHERE id = ANY(%(people)s) AND attributes ? %(key)s ORDER BY id FOR SHARE
"""

_SKIP_LOCKED = "SKIP LOCKED"

# Sorted, since the index takes values faster in its own order.
_INSERT = """
INSERT INTO profiles_identifier (kind, value, profile_id)
SELECT %s, link->>0, (link->>1)::bigint FROM json_array_elements(%s) AS l(link) ON CONFLICT DO NOTHING
"""
