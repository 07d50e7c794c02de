"""The three kinds of import that are measured, one after another in one database."""

import enum


class Kind(enum.StrEnum):
    """What a file holds, compared with the database."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"

    @property
    def version(self) -> int:
        """Which version of the file of people is imported; each differs from the one before in three columns."""
        return 1 if self is Kind.NEW else 2


class BenchError(Exception):
    """The benchmark cannot go on; the message says why."""
