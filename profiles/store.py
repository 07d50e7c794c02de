"""The one place that reads people for changing and writes them (design rules 2 and 3).

A writer works in one transaction: ``lock_slots``, ``load``, apply rows to the working set, ``write``. Why it is safe:

* Whoever looks up a value holds its slot alone until commit, and whoever gives a value to somebody holds that
  value's slot shared. So nobody can come to hold a value between our look-up and our commit.
* People who are changed, or who were chosen among several, are locked in order of their ids and must still be the
  version that was read; else ``Moved`` is raised and the caller starts the transaction again.
* Slots are taken before rows, both in ascending order, so that writers never wait for each other in a circle.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import uuid_utils
from django.db import connection

from profiles.models import ChangeSet
from profiles.people import Link, People, Person
from profiles.schema import EXTERNAL_ID, OBJECT_ID

SLOTS = 256


class Moved(Exception):
    """Somebody else changed a person after we read them: roll back and start again."""


def slot(link: Link) -> int:
    """The slot of a value, 0 to 255: the same on every host, for every job."""
    return zlib.crc32("=".join(link).encode()) >> 24


def lock_slots(looked_up: Iterable[Link], given: Iterable[Link] = ()) -> None:
    """Take the slots of values that are looked up (alone) and that people may be given (shared), until commit."""
    alone = {(_kind_number(kind), slot((kind, value))) for kind, value in looked_up}
    shared = {(_kind_number(kind), slot((kind, value))) for kind, value in given} - alone
    wanted = sorted([(*place, True) for place in alone] + [(*place, False) for place in shared])
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SLOTS, [orjson.dumps(wanted).decode()])


def pin_plans() -> None:
    """Keep the planner on index look-ups in this transaction.

    On empty or freshly filled tables it would read all identifiers for every bucket (design section 7).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;"
            "SET LOCAL enable_material = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off"
        )


def load(links: Iterable[Link]) -> list[tuple[Link, Person]]:
    """Everybody who holds one of the links, once per link held; one query per kind."""
    by_kind: dict[str, list[str]] = {}
    for kind, value in links:
        by_kind.setdefault(kind, []).append(value)
    people: dict[int, Person] = {}
    found: list[tuple[Link, Person]] = []
    with connection.cursor() as cursor:
        for kind, values in by_kind.items():
            cursor.execute(_LOAD.get(kind, _LOAD_BY_CHANNEL), {"kind": kind, "values": orjson.dumps(values).decode()})
            for value, ref, object_id, external_id, attributes, version in cursor.fetchall():
                person = people.get(ref)
                if person is None:
                    person = people[ref] = Person(ref, object_id, external_id, attributes, version, version)
                found.append(((kind, value), person))
    return found


def write(people: People, change_set: ChangeSet) -> None:
    """Write what the rows made of the working set. Raises ``Moved``; unique violations are the caller's to retry."""
    known = sorted(people.known(), key=lambda person: person.ref)
    changed = [person for person in known if person.recency != person.version]
    _stand_still(changed, people)
    with connection.cursor() as cursor:
        _write_new(cursor, list(people.new()), change_set)
        _write_known(cursor, known, changed, change_set, people)
        cursor.execute(_MARK, [change_set.pk, len(people.touched)])


def _stand_still(changed: Sequence[Person], people: People) -> None:
    """Lock those who change and those who were compared, and see that they are as they were read."""
    versions = {person.ref: person.version for person in changed} | people.contested
    if not versions:
        return
    with connection.cursor() as cursor:
        cursor.execute(_STAND_STILL, [orjson.dumps(sorted(versions)).decode()])
        if dict(cursor.fetchall()) != versions:
            raise Moved


def _write_new(cursor: Any, people: list[Person], change_set: ChangeSet) -> None:
    if not people:
        return
    cursor.execute("SELECT nextval('profiles_profile_id_seq') FROM generate_series(1, %s)", [len(people)])
    ids = [row[0] for row in cursor.fetchall()]
    profiles, members, identifiers = [], [], []
    for ref, person in zip(ids, people, strict=True):
        external_id = r"\N" if person.external_id is None else escape(person.external_id)
        at = timestamp(person.recency)
        text = person.attributes if isinstance(person.attributes, str) else _json(person.attributes)
        text = text.replace("\\", "\\\\")
        profiles.append(f"{ref}\t{uuid_utils.uuid7().hex}\t{external_id}\t{text}\t{{}}\t{at}\t{at}\n")
        members.append(f"{ref}\t{change_set.pk}\t{person.first_row}\timported\t{{}}\n")
        identifiers.extend([(kind, escape(value), ref) for kind, value in person.links])
    copy(cursor, "profiles_profile (id, object_id, external_id, attributes, consent, created, updated)", profiles)
    _write_identifiers(cursor, identifiers)
    copy(cursor, f"profiles_change {_CHANGE_COLUMNS}", members)


def _write_known(
    cursor: Any, known: list[Person], changed: list[Person], change_set: ChangeSet, people: People
) -> None:
    if not known:
        return
    cursor.execute(_CREATE_TOUCHED)
    lines, gone, come = [], [], []
    for person in known:
        changes = person.changes()
        delta = {key: new for key, (_, new) in changes.items() if new is not None and key != EXTERNAL_ID}
        removed = [key for key, (_, new) in changes.items() if new is None]
        external_id = r"\N" if EXTERNAL_ID not in changes else escape(str(person.external_id))
        at = r"\N" if person.recency == person.version else timestamp(person.recency)
        fields = (escape(_json(delta)), escape(_json(removed)) if removed else r"\N", escape(_json(changes)))
        lines.append(f"{person.ref}\t{person.first_row}\t{at}\t{external_id}\t" + "\t".join(fields) + "\n")
        for key in changes.keys() & people.rules.identifiers.keys():
            before, after = _forms(people, key, changes[key])
            gone.extend([(key, value, person.ref) for value in before - after])
            come.extend([(key, escape(value), person.ref) for value in after - before])
    copy(cursor, f"{_TOUCHED} (id, first_row, updated, external_id, delta, removed, changes)", lines)
    if changed:
        cursor.execute(_UPDATE_PROFILES)
    if gone:
        cursor.execute(_DELETE_IDENTIFIERS, [orjson.dumps(sorted(gone)).decode()])
    _write_identifiers(cursor, come)
    cursor.execute(_UPSERT_CHANGES, [change_set.pk])
    cursor.execute(f"DROP TABLE {_TOUCHED}")


def _forms(people: People, key: str, change: list[Any]) -> tuple[set[str], set[str]]:
    form = people.rules.identifiers[key]
    before, after = ({form(value) for value in values or ()} for values in change)
    return before, after


def _write_identifiers(cursor: Any, identifiers: list[tuple[str, str, int]]) -> None:
    """In sorted order, for the index takes unsorted values 1.8 times as slowly."""
    identifiers.sort()
    lines = [f"{escape(kind)}\t{value}\t{ref}\n" for kind, value, ref in identifiers]
    copy(cursor, "profiles_identifier (kind, value, profile_id)", lines)


def copy(cursor: Any, target: str, lines: Sequence[str]) -> None:
    """COPY ready-made lines of PostgreSQL's text format into a table."""
    if lines:
        with cursor.copy(f"COPY {target} FROM STDIN") as stream:
            stream.write("".join(lines).encode())


def escape(text: str) -> str:
    """A text as PostgreSQL's COPY text format wants it."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\n" in text or "\t" in text or "\r" in text:
        text = text.replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")
    return text


def timestamp(microseconds: int) -> str:
    """Microseconds since 1970 as PostgreSQL reads them."""
    seconds, rest = divmod(microseconds, 1_000_000)
    if seconds not in _SECONDS:
        if len(_SECONDS) > 1000:
            _SECONDS.clear()
        _SECONDS[seconds] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{_SECONDS[seconds]}.{rest:06d}+00"


def microseconds(when: datetime) -> int:
    """A moment as whole microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _kind_number(kind: str) -> int:
    return zlib.crc32(kind.encode()) - (1 << 31)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECONDS: dict[int, str] = {}

_LOCK_SLOTS = """
SELECT count(CASE WHEN alone THEN pg_advisory_xact_lock(kind, slot) ELSE pg_advisory_xact_lock_shared(kind, slot) END)
FROM (SELECT (e->>0)::int AS kind, (e->>1)::int AS slot, (e->>2)::boolean AS alone
      FROM json_array_elements(%s) WITH ORDINALITY AS l(e, n) ORDER BY n OFFSET 0) AS wanted
"""

_PERSON = """
p.id, p.object_id, p.external_id, p.attributes::text, (extract(epoch FROM p.updated) * 1000000)::bigint
"""

_LOAD_BY_CHANNEL = f"""
SELECT l.value, {_PERSON} FROM json_array_elements_text(%(values)s) AS l(value)
JOIN profiles_identifier i ON i.kind = %(kind)s AND i.value = l.value
JOIN profiles_profile p ON p.id = i.profile_id
"""

_LOAD = {
    field: f"""
SELECT l.value, {_PERSON} FROM json_array_elements_text(%(values)s) AS l(value)
JOIN profiles_profile p ON p.{field} = l.value
"""
    for field in (EXTERNAL_ID, OBJECT_ID)
}

_STAND_STILL = """
SELECT id, (extract(epoch FROM updated) * 1000000)::bigint FROM profiles_profile
WHERE id IN (SELECT value::bigint FROM json_array_elements_text(%s)) ORDER BY id FOR NO KEY UPDATE
"""

_CHANGE_COLUMNS = "(profile_id, change_set_id, first_row, outcome, changes)"

_TOUCHED = "pg_temp.touched"

_CREATE_TOUCHED = f"""
CREATE TEMPORARY TABLE {_TOUCHED.removeprefix("pg_temp.")} (
    id bigint, first_row int, updated timestamptz, external_id text, delta jsonb, removed jsonb, changes jsonb
) ON COMMIT DROP
"""

_UPDATE_PROFILES = f"""
UPDATE profiles_profile p SET
    attributes = CASE WHEN t.removed IS NULL THEN p.attributes
                      ELSE p.attributes - ARRAY(SELECT jsonb_array_elements_text(t.removed)) END || t.delta,
    external_id = coalesce(t.external_id, p.external_id),
    updated = t.updated
FROM {_TOUCHED} t WHERE p.id = t.id AND t.updated IS NOT NULL
"""

_DELETE_IDENTIFIERS = """
DELETE FROM profiles_identifier i USING json_array_elements(%s) AS g(e)
WHERE i.kind = g.e->>0 AND i.value = g.e->>1 AND i.profile_id = (g.e->>2)::bigint
"""

# Of a person whom the same change set touched before, the old values of the first touch and the new ones of the
# last one count, and nothing where the two are equal; of one whom it created, nothing.
_UPSERT_CHANGES = f"""
INSERT INTO profiles_change AS c {_CHANGE_COLUMNS}
SELECT id, %s, first_row, 'updated', changes FROM {_TOUCHED}
ON CONFLICT (profile_id, change_set_id) DO UPDATE SET changes = CASE WHEN c.outcome = 'imported' THEN c.changes ELSE (
    SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(old, new)), '{{}}') FROM (
        SELECT key, coalesce(a.value->0, b.value->0) AS old, coalesce(b.value->1, a.value->1) AS new
        FROM jsonb_each(c.changes) a FULL JOIN jsonb_each(excluded.changes) b USING (key)
    ) AS both_times WHERE old IS DISTINCT FROM new) END
"""

_MARK = """
INSERT INTO profiles_writemark (change_set_id, transaction, people)
VALUES (%s, pg_current_xact_id()::text::bigint, %s)
"""
