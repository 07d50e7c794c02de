"""Run a Django command for `manage.py`, and start the embedded database where the command needs it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from config import embedded, prepare

WITHOUT_DATABASE = frozenset(
    {"check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "make_people"}
    | {"makemessages", "makemigrations", "startapp", "version", "--help", "-h", "--version"}
)
MIGRATE_FIRST = frozenset({"import_profiles"})  # works as the first command on a new machine
WAITS_FOR_WORKERS = frozenset({"import_profiles", "resume_import"})


def run(argv: list[str]) -> int | str:
    """Run the command in `argv`. Return the argument for sys.exit: 0, or a sentence with the problem and its remedy."""
    try:
        with _database_for(argv):
            execute_from_command_line(argv)
    except (ImproperlyConfigured, embedded.EmbeddedDatabaseError) as error:
        return f"{error}"
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None):
            raise  # the server answered: this is another problem
        return f"The database cannot be reached. Check DATABASE_URL, and that its server is running. {error}".strip()
    return 0


@contextmanager
def _database_for(argv: list[str]) -> Iterator[None]:
    command = argv[1] if len(argv) > 1 else "help"
    is_help = any(argument in ("--help", "-h") for argument in argv)
    if not settings.EMBEDDED or command in WITHOUT_DATABASE or is_help:
        yield
        return
    # Without a handler, SIGTERM would end this process and leave the server running.
    signal.signal(signal.SIGTERM, _exit)
    is_stopped = embedded.last_message_if_stopped(settings.EMBEDDED_DIR) is not None
    with embedded.running_server(settings.EMBEDDED_DIR) as address:
        settings.DATABASES["default"].update(address.settings())
        if command in MIGRATE_FIRST:
            django.setup()
            if prepare.is_empty():
                prepare.migrate()
        with _worker() if is_stopped and command in WAITS_FOR_WORKERS and "--inline" not in argv else nullcontext():
            yield


@contextmanager
def _worker() -> Iterator[None]:
    """Run a worker during a command that waits for one, where no `make run` can have started it."""
    with (settings.DATA_DIR / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "work"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches only the command, which then stops the worker
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait()


def _exit(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
