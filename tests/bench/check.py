"""Sees that an import did what it says, so that a wrong one is never reported as fast."""

from collections.abc import Mapping
from typing import Any

import psycopg

from tests.bench.kinds import BenchError, Kind
from tests.bench.people import Document, People, tidied
from tests.bench.server import Database

_TABLES = """
SELECT (SELECT count(*) FROM profiles_profile),
       (SELECT count(*) FROM profiles_identifier WHERE kind = 'email'),
       (SELECT count(*) FROM profiles_identifier WHERE kind = 'phone')
"""
_MEMBERS = """
SELECT outcome, count(*) FROM profiles_change
WHERE change_set_id = (SELECT max(id) FROM profiles_changeset) GROUP BY outcome
"""
_SAMPLE = """
SELECT i.value, p.attributes, c.changes FROM profiles_identifier i
JOIN profiles_profile p ON p.id = i.profile_id
JOIN profiles_change c ON c.profile_id = p.id AND c.change_set_id = (SELECT max(id) FROM profiles_changeset)
WHERE i.kind = 'email' AND i.value = ANY(%s)
"""

_DOCUMENTS = """
SELECT i.value, p.attributes FROM profiles_identifier i JOIN profiles_profile p ON p.id = i.profile_id
WHERE i.kind = 'email' AND i.value = ANY(%s)
"""


def check(database: Database, kind: Kind, people: People, before: People | None, *, floor: bool = False) -> None:
    """Compare the tables with the file, and a sample of its people value by value. Raises ``BenchError``.

    ``before``: the file that the database held. ``floor``: values may keep the dirt that only the engine takes off,
    and no old values are kept.
    """
    with database.connect() as connection:
        _compare("people and identifiers", (people.rows, people.rows, people.phones), _row(connection, _TABLES))
        outcome = "imported" if kind is Kind.NEW else "updated"
        members: dict[str, int] = dict(connection.execute(_MEMBERS).fetchall())
        _compare("members of the change set", {outcome: people.rows}, members)
        found = {value: rest for value, *rest in connection.execute(_SAMPLE, [list(people.sample)]).fetchall()}
    _compare("people of the sample", set(people.sample), set(found))
    for email, wanted in people.sample.items():
        document, changes = found[email]
        shown = {key: tidied(key, value) for key, value in document.items()} if floor else document
        _compare(f"what is known about {email}", wanted, shown)
        if not floor:
            old = before.sample[email] if before else wanted
            _compare(f"what was changed about {email}", _changes(old, wanted), changes)


def check_people(database: Database, people: People) -> None:
    """Compare what is known about people with the file, whoever wrote it. Raises ``BenchError``."""
    with database.connect() as connection:
        _compare("people and identifiers", (people.rows, people.rows, people.phones), _row(connection, _TABLES))
        found: dict[str, Document] = dict(connection.execute(_DOCUMENTS, [list(people.sample)]).fetchall())
    _compare("what is known about the sample", dict(people.sample), found)


def check_counts(kind: Kind, rows: int, result: Mapping[str, Any]) -> None:
    """Compare what the engine says of an import with what it was given. Raises ``BenchError``."""
    new = kind is Kind.NEW
    wanted = {
        "total": rows,
        "imported": rows * new,
        "updated": rows * (not new),
        "ignored": 0,
        "failed": 0,
        "not_run": 0,
    }
    _compare("counts", wanted, result["counts"])
    _compare("unchanged", rows * (kind is Kind.UNCHANGED), result["unchanged"])
    _compare("people", rows, result["people"])


def _changes(old: Document, new: Document) -> dict[str, list[Any]]:
    return {key: [old.get(key), value] for key, value in new.items() if old.get(key) != value}


def _row(connection: psycopg.Connection, query: str) -> tuple[Any, ...]:
    return tuple(connection.execute(query.encode()).fetchone() or ())


def _compare(what: str, wanted: object, found: object) -> None:
    if wanted != found:
        raise BenchError(f"The import is wrong. {what}: expected {wanted}, found {found}")
