"""Keeps the schema and the values of people in step: who writes values by it holds it, who changes it is alone.

A writer of people shares the lock before it loads the schema by which it reads values; a change of the schema takes it
alone before it looks at what people have. Both keep it until commit.
"""

from __future__ import annotations

from django.db import OperationalError, connection, transaction

LOCK_TIMEOUT = "5s"

# Beside the locks of jobs, which are their numbers, and those of slots, which are pairs.
_SCHEMA = -1


class SchemaBusy(Exception):
    """Somebody wrote by the schema all the time that we waited."""


def share_schema() -> None:
    """Let nobody change the schema until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_SCHEMA])


def take_schema(attribute_id: int | None = None) -> None:
    """Let nobody else use or change the schema until commit, nor work on the index of an attribute.

    Raises ``Busy`` after a short wait.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_TIMEOUT])
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_SCHEMA])
            cursor.execute("SELECT FROM profiles_attribute WHERE id = %s FOR UPDATE", [attribute_id])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
            raise
        raise SchemaBusy from None


_LOCK_NOT_AVAILABLE = "55P03"
