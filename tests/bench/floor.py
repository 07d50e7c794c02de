"""The SQL floor: the plainest SQL that a database expert would write by hand over the project's tables.

One connection, one transaction; no checking, no errors, no preview, no locks, no old values. What makes it fast:

* the file is copied once, into a temporary table whose defaults number rows and new people on the way;
* identifiers go in in the order of their index;
* a file of known people is matched once, and its table analyzed before, so that the look-up is one hash join;
* sorting and hashing have the memory to do so in one go.

Its documents are the engine's: the same keys and types. It leaves the dirt in them that the engine takes off.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import sql

from tests.bench.kinds import Kind
from tests.bench.people import People
from tests.bench.processor import Used, used
from tests.bench.server import Database

BLOCK = 1 << 20

_FILE = """
CREATE TEMPORARY TABLE file (
    row_no int GENERATED ALWAYS AS IDENTITY, {id}
    email text, first_name text, last_name text, phone text, country text, language text, home_city text,
    dob text, gender text, plan text, score text
)
"""
_NEW_ID = "id bigint DEFAULT nextval('profiles_profile_id_seq'),"
_COPY = """
COPY file (email, first_name, last_name, phone, country, language, home_city, dob, gender, plan, score)
FROM STDIN (FORMAT csv, HEADER)
"""
_CHANGE_SET = """
INSERT INTO profiles_changeset (kind, source, "when") VALUES ('command', 'floor', now()) RETURNING id
"""
_DOCUMENT = """
jsonb_strip_nulls(jsonb_build_object(
    'email', CASE WHEN email <> '' THEN jsonb_build_array(email) END,
    'first_name', nullif(first_name, ''), 'last_name', nullif(last_name, ''),
    'phone', CASE WHEN phone <> '' THEN jsonb_build_array(phone) END,
    'country', nullif(country, ''), 'language', nullif(language, ''), 'home_city', nullif(home_city, ''),
    'dob', nullif(dob, ''), 'gender', nullif(gender, ''), 'plan', nullif(plan, ''), 'score', nullif(score, '')::int
))
"""
# A UUIDv7 as 32 hex characters, as the engine makes them: milliseconds first, so that the index grows at one end.
_OBJECT_ID = """
lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
    || substr(replace(gen_random_uuid()::text, '-', ''), 14)
"""
_PROFILES = f"""
INSERT INTO profiles_profile (id, object_id, attributes, created, updated)
SELECT id, {_OBJECT_ID}, {_DOCUMENT}, now(), now() FROM file
"""
_IDENTIFIERS = r"""
INSERT INTO profiles_identifier (kind, value, profile_id)
SELECT kind, value, id FROM (
    SELECT 'email' COLLATE "C" AS kind, lower(btrim(email)) COLLATE "C" AS value, id FROM file WHERE email <> ''
    UNION ALL SELECT 'phone', regexp_replace(phone, '\D', '', 'g'), id FROM file WHERE phone <> ''
) AS links ORDER BY kind, value
"""
_MATCH = f"""
CREATE TEMPORARY TABLE matched AS SELECT i.profile_id AS id, row_no, {_DOCUMENT} AS document
FROM file JOIN profiles_identifier i ON i.kind = 'email' AND i.value = lower(btrim(email)) COLLATE "C"
"""
_UPDATE = """
UPDATE profiles_profile p SET attributes = p.attributes || m.document, updated = now()
FROM matched m WHERE p.id = m.id AND p.attributes || m.document <> p.attributes
"""
_MEMBERS = """
INSERT INTO profiles_change (profile_id, change_set_id, first_row, outcome, changes)
SELECT id, %s, row_no, %s, '{{}}' FROM {table}
"""


@dataclass(frozen=True, slots=True)
class FloorRun:
    """One import by SQL. ``seconds``: of each statement, and of all as ``total``."""

    seconds: dict[str, float]
    processor: Used


class Stopwatch:
    """Seconds by name, in the order in which they were taken."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)


def run(database: Database, kind: Kind, people: People) -> FloorRun:
    """Import the file."""
    watch, before = Stopwatch(), used(database.server)
    with database.connect() as connection, connection.cursor() as cursor, watch("total"):
        cursor.execute("SET LOCAL work_mem = '256MB'")
        if kind is Kind.NEW:
            _insert(cursor, people, watch)
        else:
            _update(cursor, people, watch)
        with watch("commit"):
            connection.commit()
    return FloorRun(watch.seconds, used(database.server).since(before))


def _insert(cursor: psycopg.Cursor, people: People, watch: Stopwatch) -> None:
    with watch("copy"):
        _copy(cursor, people, _NEW_ID)
    with watch("profiles"):
        cursor.execute(_PROFILES.encode())
    with watch("identifiers"):
        cursor.execute(_IDENTIFIERS.encode())
    with watch("members"):
        cursor.execute(sql.SQL(_MEMBERS).format(table=sql.Identifier("file")), [_change_set(cursor), "imported"])


def _update(cursor: psycopg.Cursor, people: People, watch: Stopwatch) -> None:
    with watch("copy"):
        _copy(cursor, people, "")
    with watch("analyze"):
        cursor.execute("ANALYZE file (email)")
    with watch("match"):
        cursor.execute(_MATCH.encode())
    with watch("update"):
        cursor.execute(_UPDATE.encode())
    with watch("members"):
        cursor.execute(sql.SQL(_MEMBERS).format(table=sql.Identifier("matched")), [_change_set(cursor), "updated"])


def _copy(cursor: psycopg.Cursor, people: People, number: str) -> None:
    cursor.execute(_FILE.format(id=number).encode())
    with people.path.open("rb") as file, cursor.copy(_COPY.encode()) as stream:
        while block := file.read(BLOCK):
            stream.write(block)


def _change_set(cursor: psycopg.Cursor) -> int:
    row = cursor.execute(_CHANGE_SET.encode()).fetchone()
    assert row is not None
    return int(row[0])
