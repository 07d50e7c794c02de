"""What `manage.py` does: runs a Django command, with the embedded database started where the command needs it."""

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
MIGRATE_FIRST = frozenset({"import_profiles"})  # a first command that should work on an empty machine
WAITS_FOR_WORKERS = frozenset({"import_profiles", "resume_import"})


def run(argv: list[str]) -> int | str:
    """Run the command in `argv`; return what to give to sys.exit: 0, or the sentence that says what is wrong."""
    try:
        with _database_for(argv):
            execute_from_command_line(argv)
    except (ImproperlyConfigured, embedded.EmbeddedDatabaseError) as error:
        return f"{error}"
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None):
            raise  # the server did answer; this is something else
        return f"The database cannot be reached; look at DATABASE_URL, and whether its server runs. {error}".strip()
    return 0


@contextmanager
def _database_for(argv: list[str]) -> Iterator[None]:
    command = argv[1] if len(argv) > 1 else "help"
    asks_help = any(argument in ("--help", "-h") for argument in argv)
    if not settings.EMBEDDED or command in WITHOUT_DATABASE or asks_help:
        yield
        return
    # Without this a plain SIGTERM would end the process and leave the server behind.
    signal.signal(signal.SIGTERM, _leave)
    alone = embedded.last_message_if_stopped(settings.EMBEDDED_DIR) is not None
    with embedded.running_server(settings.EMBEDDED_DIR) as address:
        settings.DATABASES["default"].update(address.settings())
        if command in MIGRATE_FIRST:
            django.setup()
            if prepare.is_empty():
                prepare.migrate()
        with _worker() if alone and command in WAITS_FOR_WORKERS and "--inline" not in argv else nullcontext():
            yield


@contextmanager
def _worker() -> Iterator[None]:
    """A worker for the time of a command that waits for one, where no `make run` can have started it."""
    with (settings.DATA_DIR / "worker.log").open("ab") as log:
        worker = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "work"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C is for the command, which then ends the worker
        )
        try:
            yield
        finally:
            worker.terminate()
            worker.wait()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
