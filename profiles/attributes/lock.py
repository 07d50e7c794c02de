"""Lock the schema, so that it agrees with the values of people: writers of values share the lock, and a change of the
schema holds it exclusively.

A writer of people takes the lock before it loads the schema that it reads values by; a change of the schema takes it
before it examines people's values. Both keep it until commit.
"""

from __future__ import annotations

from django.db import OperationalError, connection, transaction

LOCK_TIMEOUT = "5s"

# Distinct from the locks of jobs, which are positive numbers, and from value locks, which are pairs of numbers.
_SCHEMA = -1


class SchemaBusy(Exception):
    """Other transactions held the lock until the timeout."""


def lock_schema_shared() -> None:
    """Lock the schema against changes until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_SCHEMA])


def lock_schema_exclusive(attribute_id: int | None = None) -> None:
    """Lock the schema exclusively until commit, and an attribute against work on its index.

    Raises ``SchemaBusy`` after ``LOCK_TIMEOUT``.
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
