"""One try after another to write people whom others may be writing: for as long as somebody waits for a page."""

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

Done = TypeVar("Done")

MAX_ATTEMPTS = 5
LOCK_TIMEOUT = "10s"
"""How long a person at a form waits for an import that is writing the same people."""


@contextmanager
def shared_schema() -> Iterator[Schema]:
    """The schema, which nobody changes as long as the context lasts: what is read by it is written by it.

    Raises ``Refused`` where somebody else has been changing it for too long.
    """
    with transaction.atomic():
        _be_patient()
        try:
            lock.share_schema()
        except DatabaseError as error:
            if _code(error) != _TOO_LONG:
                raise
            raise EditRefused(
                FormError(ErrorKind.BUSY, "The schema is being changed just now. Try again in a moment.")
            ) from None
        yield load_schema()


def write_with_retries(write: Callable[[], Done]) -> Done:
    """Write in one transaction, again while others are in the way. Raises ``Refused`` where they are for too long."""
    for _ in range(MAX_ATTEMPTS):
        try:
            with transaction.atomic():
                _be_patient()
                lock.share_schema()
                return write()
        except store.Conflict:
            continue
        except DatabaseError as error:
            if _code(error) == _TOO_LONG:
                break
            if _code(error) not in _CONFLICTS:
                raise
    raise EditRefused(
        FormError(ErrorKind.BUSY, "An import is writing the same people just now. Try again in a moment.")
    )


_CONFLICTS = {"23505", "40001", "40P01"}  # not unique, not serializable, deadlock
_TOO_LONG = "55P03"  # waited for a lock


def _code(error: DatabaseError) -> str:
    return str(getattr(error.__cause__, "sqlstate", ""))


def _be_patient() -> None:
    """Wait for nobody longer than people wait for a page."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
