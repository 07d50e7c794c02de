"""Statements that are ended when they take too long, since somebody waits for a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class StatementTimeout(Exception):
    """The database was stopped at the time limit."""


@contextmanager
def statement_timeout(seconds: int) -> Iterator[None]:
    """End each statement inside after so many seconds; they may only read. Raises ``TookTooLong``.

    Nothing is left of the limit afterwards, also inside of a transaction: rolling back takes it back.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = %s", [1000 * seconds])
            yield
            transaction.set_rollback(True)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise StatementTimeout from error
        raise
