"""Cancel statements that take too long while a user waits for a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class StatementTimeout(Exception):
    """A statement was cancelled at its time limit."""


@contextmanager
def statement_timeout(seconds: int) -> Iterator[None]:
    """Cancel each statement inside the context after a number of seconds. The statements may only read.

    Rolling back removes the limit again, also inside of an outer transaction. Raises ``StatementTimeout``.
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
