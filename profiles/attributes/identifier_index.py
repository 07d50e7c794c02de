"""Makes the look-up index of an identifier follow what the schema asks for, in the background (design section 4).

From the commit of a change on, every writer keeps the index of what the schema calls an identifier (``store``); nobody
is found by it before it is whole. Meanwhile what others left in it is cleared away, and then everybody is looked
through, page by page, and what is missing is added. Why nothing is missed, and nothing too much is left:

* Whoever changes the schema holds it alone (``schema_lock``), and no import is writing: writers before the change have
  committed, and those after it know of it.
* Of somebody whom a page looks at, the row is locked until what they have is in the index. Whoever changes them before
  is waited for; whoever changes them later finds those values there, and takes out what goes.

Beside ``store`` the only place that writes ``Identifier``, and only for an attribute as a whole.
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

PAGE = 2_000
"""People who are looked at together; nobody waits for more than that."""

CLEAR_BATCH = 10_000
"""Values that are cleared away together."""

LOCK_TIMEOUT = "3s"
"""How long others who write the last people of a page are waited for at a time."""


class _Moved(Exception):
    """Another worker was faster, or something else is asked for now."""


def start_rebuild(attribute: Attribute, *, is_new: bool) -> None:
    """Begin anew, as the attribute stands now; the caller holds the schema alone and has the work queued.

    ``is_new``: nobody can have values of it, so that people can be found by it at once.
    """
    if is_filled(attribute.key):
        work = IndexWork.CLEARING
    elif attribute.identifier and not is_new:
        work = IndexWork.FILLING
    else:
        work = IndexWork.NONE
    _row(attribute).update(index_work=work, index_turn=F("index_turn") + 1, index_position=0, index_seen=Now())
    attribute.refresh_from_db(fields=Attribute.INDEX)


def update_index(attribute_id: int, seconds: float) -> bool:
    """Work on the index of an attribute for about so many seconds, as the attribute asks for it now.

    Safe to call at any time, again, and by several at once; what is done is committed page by page, and people are
    read and written meanwhile. Returns whether there is more to do.
    """
    until, begun = time.monotonic() + seconds, False
    while attribute := Attribute.objects.filter(pk=attribute_id).exclude(index_work=IndexWork.NONE).first():
        if begun and time.monotonic() > until:
            return True
        begun = True
        try:
            (_clear if attribute.index_work == IndexWork.CLEARING else _fill)(attribute)
        except _Moved:
            continue
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") not in _AGAIN:
                raise
    return False


def is_filled(key: str) -> bool:
    """Whether there are values of a kind in the index, right or not."""
    return Identifier.objects.filter(kind=key).exists()


def progress_percent(attributes: Iterable[Attribute]) -> dict[int, int]:
    """How much of the work is done, by primary key, for those that there is work on; at most one query."""
    at_work = [attribute for attribute in attributes if attribute.index_work]
    last = Profile.objects.aggregate(last=Max("pk"))["last"] if at_work else None
    return {each.pk: min(99, 100 * each.index_position // (last or 1)) for each in at_work}


def _clear(attribute: Attribute) -> None:
    """Take some values out, whatever they are; when none is left, the next thing begins.

    It may take out what a writer has just put in: filling comes later, and puts it in again.
    """
    with _held(attribute) as cursor:
        cursor.execute(_CLEAR, [attribute.key, CLEAR_BATCH])
        is_empty = cursor.fetchone()[0] < CLEAR_BATCH
        work = IndexWork.FILLING if attribute.identifier else IndexWork.NONE
        _go_on(attribute, work if is_empty else IndexWork.CLEARING, 0)


def _fill(attribute: Attribute) -> None:
    """Add what the people of the next page have; after the last page people can be found by it.

    Whom others are writing is left for a second look, so that everybody else of the page need not wait for them too.
    """
    with _held(attribute) as cursor:
        cursor.execute(_PAGE, {"key": attribute.key, "last": attribute.index_position, "size": PAGE})
        end, people = cursor.fetchone()
        if end is None:
            _go_on(attribute, IndexWork.NONE, 0)
            return
        left = sorted({*people} - _add(cursor, attribute, people, _FREE))
        _go_on(attribute, IndexWork.FILLING, attribute.index_position if left else end)
    if left:
        with transaction.atomic():
            _wait_for(attribute, left)
            with _held(attribute) as cursor:
                _add(cursor, attribute, left)
                _go_on(attribute, IndexWork.FILLING, end)


@contextmanager
def _held(attribute: Attribute) -> Iterator[Any]:
    """A transaction in which nobody else does the same work, nor asks for another. Raises ``_Moved``."""
    with transaction.atomic(), connection.cursor() as cursor:
        same = {name: getattr(attribute, name) for name in ("index_work", "index_turn", "index_position")}
        if not _row(attribute).select_for_update(no_key=True).filter(**same).values_list("pk"):
            raise _Moved
        cursor.execute(_PIN)
        yield cursor


def _go_on(attribute: Attribute, work: IndexWork, position: int) -> None:
    """Note how far it is, in the transaction of the page."""
    _row(attribute).update(index_work=work, index_position=position, index_seen=Now())


def _row(attribute: Attribute) -> QuerySet[Attribute]:
    return Attribute.objects.filter(pk=attribute.pk)


def _wait_for(attribute: Attribute, people: list[int]) -> None:
    """Lock people before the attribute: nobody who changes that waits for an import that writes them.

    For no longer than a sign of life is waited for (``index_seen``); then the page begins again.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"{_PIN}; SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        cursor.execute(_HOLDERS, {"key": attribute.key, "people": people})


def _add(cursor: Any, attribute: Attribute, people: Sequence[int], unless: str = "") -> set[int]:
    """Lock people and put their values into the index; returns who had any. ``unless``: whom not to wait for."""
    cursor.execute(_HOLDERS + unless, {"key": attribute.key, "people": people})
    held = [(person, as_list(orjson.loads(value))) for person, value in cursor.fetchall()]
    links = sorted({link for person, values in held for link in _links(ValueType(attribute.type), person, values)})
    cursor.execute(_INSERT, [attribute.key, orjson.dumps(links).decode()])
    return {person for person, _ in held}


def _links(type_: ValueType, person: int, values: Iterable[Any]) -> Iterator[tuple[str, int]]:
    """Values in matching form and who holds them, in the order of the index, which takes them faster so."""
    for value in values:
        try:
            yield matching_form(type_, value), person
        except InvalidValue:
            continue  # stored under other rules; no row can look for it


_AGAIN = {"40P01", "55P03"}  # deadlock, waited too long

# Pages go through indexes, also where the planner knows nothing of the tables yet. What a crash takes is done again.
_PIN = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL synchronous_commit = off"

# In the order of the index. Those that somebody else takes out meanwhile count as taken out.
_CLEAR = """
WITH found AS MATERIALIZED (
    SELECT ctid FROM profiles_identifier WHERE kind = %s ORDER BY value, profile_id LIMIT %s
), gone AS (DELETE FROM profiles_identifier WHERE ctid = ANY(ARRAY(SELECT ctid FROM found)))
SELECT count(*) FROM found
"""

# By the primary key over all people: a page that looked for the attribute's holders alone could be the whole table.
_PAGE = """
SELECT max(id), coalesce(array_agg(id ORDER BY id) FILTER (WHERE holds), '{}')
FROM (SELECT id, attributes ? %(key)s AS holds FROM profiles_profile WHERE id > %(last)s ORDER BY id LIMIT %(size)s)
    AS page
"""

# As they are when they are locked, not as they were when the page began.
_HOLDERS = """
SELECT id, (attributes -> %(key)s)::text FROM profiles_profile
WHERE id = ANY(%(people)s) AND attributes ? %(key)s ORDER BY id FOR SHARE
"""

_FREE = "SKIP LOCKED"

_INSERT = """
INSERT INTO profiles_identifier (kind, value, profile_id)
SELECT %s, link->>0, (link->>1)::bigint FROM json_array_elements(%s) AS l(link) ON CONFLICT DO NOTHING
"""
