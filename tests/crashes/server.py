"""A PostgreSQL of a test's own, to be killed."""

from __future__ import annotations

import enum
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path

import psutil
from django.core.management import call_command
from django.db import connection

from config import embedded

# Unlike the server of all other tests, it waits for its log where it is told to, so that what a crash may lose is lost.
SETTINGS = {"shared_buffers": "32MB", "fsync": "off", "max_wal_size": "256MB", "max_connections": "40"}
MIGRATED = "migrated"


class Crash(enum.Enum):
    """How a server can end without having time to save anything."""

    KILLED = "kill -9 of the postmaster"
    IMMEDIATE = "immediate stop"
    BACKEND = "kill -9 of one backend"


class Server:
    """An embedded server that its owner lets crash and starts again. Each database is a copy of a migrated one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owner = ExitStack()
        self._numbers = count(1)

    def start(self) -> None:
        """Return when it answers, after a crash when it has recovered."""
        self.address = self._owner.enter_context(embedded.running_server(self._folder, SETTINGS))

    def stop(self) -> None:
        self._owner.close()

    def migrate(self) -> None:
        """Make the database that others are copies of."""
        self._execute(f"CREATE DATABASE {MIGRATED}")
        with connected(self, MIGRATED):
            call_command("migrate", interactive=False, verbosity=0)
            call_command("createcachetable", verbosity=0)

    def new_database(self) -> str:
        name = f"crash_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {MIGRATED}")
        return name

    def crash(self, how: Crash, *, saved: bool = False) -> None:
        """End it, and start it again; ``saved``: when all that is committed is on disk, so only tables are lost."""
        if saved:
            self._execute("CHECKPOINT")
        postmaster = psutil.Process(self._postmaster())
        family = postmaster.children(recursive=True)
        if how is Crash.BACKEND:
            with self.address.connect() as victim:
                os.kill(victim.info.backend_pid, signal.SIGKILL)
            psutil.wait_procs(family, timeout=20)
        else:
            os.kill(postmaster.pid, signal.SIGKILL if how is Crash.KILLED else signal.SIGQUIT)
            psutil.wait_procs([postmaster, *family], timeout=20)
            self._owner.close()
        connection.close()  # as a worker does before its next task
        self.start()

    def _postmaster(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().splitlines()[0])

    def _execute(self, statement: str) -> None:
        with self.address.connect() as administrator:
            administrator.execute(statement)


@contextmanager
def connected(server: Server, name: str) -> Iterator[None]:
    """Django's own connection leads to that database meanwhile."""
    connection.close()
    before = dict(connection.settings_dict)
    connection.settings_dict.update(server.address.settings(name))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)
