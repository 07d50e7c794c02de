"""Retry a write that conflicts with other writers, for at most the time that a user waits for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import DatabaseError, connection, transaction

from profiles.attributes import lock
from profiles.models import load_schema
from profiles.schema import Schema
from profiles.writing import store
from profiles.writing.errors import EditRefused, ErrorKind, FormError

Result = TypeVar("Result")

MAX_ATTEMPTS = 5
LOCK_TIMEOUT = "10s"
"""How long a form waits for a lock of an import that is writing the same people."""


@contextmanager
def shared_schema() -> Iterator[Schema]:
    """Load the schema, and let nobody change it inside the context, so that values are written by the schema they were
    read by.

    Raises ``EditRefused`` if somebody else's change takes longer than ``LOCK_TIMEOUT``.
    """
    with transaction.atomic():
        _set_lock_timeout()
        try:
            lock.lock_schema_shared()
        except DatabaseError as error:
            if _code(error) != _LOCK_NOT_AVAILABLE:
                raise
            reason = "Somebody is changing attributes at the moment. Nothing was saved. Try again in a minute."
            raise EditRefused(FormError(ErrorKind.BUSY, reason)) from None
        yield load_schema()


def write_with_retries(write: Callable[[], Result]) -> Result:
    """Call a function that writes in one transaction, at most ``MAX_ATTEMPTS`` times if other writers conflict with it.

    Raises ``EditRefused`` if the last attempt conflicts too, or if a lock is not available for ``LOCK_TIMEOUT``.
    """
    for _ in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic():
                _set_lock_timeout()
                lock.lock_schema_shared()
                return write()
        except store.Conflict:
            continue
        except DatabaseError as error:
            if _code(error) == _LOCK_NOT_AVAILABLE:
                break
            if _code(error) not in _CONFLICTS:
                raise
    reason = "An import is writing the same person at the moment. Nothing was saved. Try again in a minute."
    raise EditRefused(FormError(ErrorKind.BUSY, reason))


_CONFLICTS = {"23505", "40001", "40P01"}  # not unique, not serializable, deadlock
_LOCK_NOT_AVAILABLE = "55P03"


def _code(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "sqlstate", ""))


def _set_lock_timeout() -> None:
    """Let no statement of the transaction wait for a lock longer than a user waits for a page."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
