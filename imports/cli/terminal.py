"""What the commands have in common: exit codes and errors, Ctrl-C, the acting user, and the check of the database."""

from __future__ import annotations

import enum
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.executor import MigrationExecutor
from django.db.utils import OperationalError

from imports.jobs.transitions import Actor, Refused
from imports.models import ImportJob


class ExitCode(enum.IntEnum):
    """The exit code of a command."""

    DONE = 0
    FAILED = 1
    USAGE_ERROR = 2
    INTERRUPTED = 130


class CommandLineError(Exception):
    """The command cannot do what was requested; the message says why, and what to do."""

    code = ExitCode.FAILED

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UsageError(CommandLineError):
    """An argument is missing or invalid."""

    code = ExitCode.USAGE_ERROR


class Interrupted(CommandLineError):
    """The user pressed Ctrl-C; the message says what happens to the job."""

    code = ExitCode.INTERRUPTED


@contextmanager
def report_errors(command: BaseCommand) -> Iterator[None]:
    """Turn errors and refusals into a message and an exit code of the command."""
    try:
        yield
    except Interrupted as interrupted:
        command.stderr.write(interrupted.message, str)
        raise SystemExit(interrupted.code) from None
    except CommandLineError as error:
        raise CommandError(error.message, returncode=error.code) from None
    except Refused as refusal:
        raise CommandError(refusal.message, returncode=ExitCode.FAILED) from None
    except KeyboardInterrupt:
        command.stderr.write("Stopped.", str)
        raise SystemExit(ExitCode.INTERRUPTED) from None


class InterruptGuard:
    """Record in ``pressed`` whether Ctrl-C is pressed within this context.

    Ctrl-C raises ``KeyboardInterrupt`` at once, wherever the process is. Other code may turn it into another exception
    or suppress it, so check ``pressed``.
    """

    def __init__(self) -> None:
        self.pressed = False

    def __enter__(self) -> InterruptGuard:
        self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def check(self) -> None:
        """Raise ``KeyboardInterrupt`` if Ctrl-C was pressed and the exception was suppressed."""
        if self.pressed:
            raise KeyboardInterrupt

    def _press(self, number: int, frame: FrameType | None) -> None:
        self.pressed = True
        raise KeyboardInterrupt


def reconnect() -> None:
    """Close the database connection, which may be in the middle of a statement, and use a new one from now on."""
    connection.close()
    del connections[DEFAULT_DB_ALIAS]


def check_database() -> None:
    """Raise ``CommandLineError`` unless the database answers and has all its tables."""
    try:
        executor = MigrationExecutor(connection)
    except OperationalError as error:
        raise CommandLineError(
            "The database does not answer. Check DATABASE_URL, and that the server is up."
        ) from error
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandLineError("The database is not up to date. Run: manage.py migrate")


def get_actor(name: str | None) -> Actor:
    """Return the user of that name as actor; without a name, an actor with the rights of an Admin.

    Raises ``UsageError`` for an unknown name.
    """
    if name is None:
        return Actor.command()
    model = get_user_model()
    try:
        return Actor.of(model._default_manager.get_by_natural_key(name))
    except model.DoesNotExist:
        raise UsageError(f"There is no user {name}. --user takes the name that the user logs in with.") from None


def get_job(number: int) -> ImportJob:
    """Return the import of that number. Raises ``UsageError`` if there is none."""
    found = ImportJob.objects.filter(pk=number).first()
    if found is None:
        last = ImportJob.objects.values_list("pk", flat=True).first()
        raise UsageError(
            f"There is no import {number}; " + (f"the last one is {last}." if last else "there is none yet.")
        )
    return found
