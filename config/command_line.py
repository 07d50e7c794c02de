"""What `manage.py` does: runs a Django command, with the embedded database started where the command needs it."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from config import embedded, prepare

WITHOUT_DATABASE = frozenset(
    {"check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "make_people"}
    | {"makemessages", "makemigrations", "startapp", "version", "--help", "-h", "--version"}
)
MIGRATE_FIRST = frozenset({"import_profiles"})  # a first command that should work on an empty machine


def run(argv: list[str]) -> int | str:
    """Run the command in `argv`; return what to give to sys.exit: 0, or the sentence that says what is wrong."""
    try:
        with _database_for(argv):
            execute_from_command_line(argv)
    except (ImproperlyConfigured, embedded.EmbeddedDatabaseError) as error:
        return f"{error}"
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
    with embedded.running(settings.EMBEDDED_DIR) as address:
        settings.DATABASES["default"].update(address.settings())
        if command in MIGRATE_FIRST:
            django.setup()
            if prepare.is_empty():
                prepare.migrate()
        yield


def _leave(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)
