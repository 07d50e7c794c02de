"""`make run`: the whole site on this machine until Ctrl-C, ready to be tried."""

import http.client
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import embedded, prepare
from config.processes import ProcessGroup, read_procfile

DEMO_NOTICE = (
    "This is a demo on one machine: no HTTPS, its own database in {folder}.\n"
    'For a site that others use, set DATABASE_URL and SECRET_KEY (README.md, "Run in production").'
)


STOP_REQUESTED = threading.Event()
"""Set when a signal has asked for the end."""


class PortTakenError(Exception):
    """Something else listens where the site should; the message names a way out."""


def main() -> int:
    """Run until told to stop; return the exit code: 0 when asked to stop, 1 when something failed."""
    for number in (signal.SIGINT, signal.SIGTERM):  # said, since a shell has its background jobs ignore the first
        signal.signal(number, _asked_to_stop)
    host, port = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or "8000")
    try:
        _refuse_taken_port(host, port)
        with _database():
            django.setup()
            return _serve(host, port)
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
    except (PortTakenError, ImproperlyConfigured, embedded.EmbeddedDatabaseError) as error:
        print(error, file=sys.stderr)
        return 1


def _asked_to_stop(number: int, frame: FrameType | None) -> None:
    STOP_REQUESTED.set()
    raise KeyboardInterrupt


def _heed_stop() -> None:
    """Raise what a signal has raised before: in a finalizer, or in a library that catches everything, it gets lost."""
    if STOP_REQUESTED.is_set():
        raise KeyboardInterrupt


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} of {host} cannot be used: {error.strerror}. "
                f"Stop what listens there, or choose another port: make run PORT={port + 1}"
            ) from error


@contextmanager
def _database() -> Iterator[None]:
    if not settings.EMBEDDED:
        yield
        return
    print("Starting the database ...")
    with embedded.running_server(settings.EMBEDDED_DIR) as address:
        settings.DATABASES["default"].update(address.settings())
        yield


def _serve(host: str, port: int) -> int:
    from config import demo  # its models can be loaded only after django.setup()

    print("Preparing tables and pages ...")
    prepare.migrate()
    prepare.collect_static()
    accounts = demo.create_accounts() if settings.EMBEDDED else None
    _heed_stop()
    with ProcessGroup(_environment(host, port), settings.BASE_DIR) as parts:
        known = read_procfile(settings.BASE_DIR / "Procfile")
        for name in ("web", "worker"):
            parts.start(name, known[name])
        if _answers(parts, host, port):
            _welcome(host, port, accounts)
            sample = demo.prepare_sample() if settings.EMBEDDED else None
            if sample:
                print(f"Importing {demo.SAMPLE_ROWS:,} sample people through the queue ...")
                parts.start("sample", sample)
        return _wait(parts)


def _environment(host: str, port: int) -> dict[str, str]:
    programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": programs, "HOST": host, "PORT": str(port), "PYTHONUNBUFFERED": "1"}


def _answers(parts: ProcessGroup, host: str, port: int) -> bool:
    """Wait until the site answers; False when its process ended instead."""
    while parts.exit_code("web") is None:
        _heed_stop()
        connection = http.client.HTTPConnection(_reachable(host), port, timeout=30)
        try:
            connection.request("GET", "/admin/login/")
            connection.getresponse()
            return True
        except OSError:
            time.sleep(0.2)
        finally:
            connection.close()
    return False


def _reachable(host: str) -> str:
    return "localhost" if host in ("127.0.0.1", "0.0.0.0", "::") else host


def _welcome(host: str, port: int, accounts: str | None) -> None:
    lines = [f"Open http://{_reachable(host)}:{port}/"]
    if accounts:
        lines.append(accounts)
    if settings.EMBEDDED:
        lines.append(DEMO_NOTICE.format(folder=settings.DATA_DIR))
    lines.append("Ctrl-C ends everything.")
    print("\n" + "\n".join(lines) + "\n")


def _wait(parts: ProcessGroup) -> int:
    """Wait until a part ends that should never end by itself; return the exit code that this means."""
    while True:
        _heed_stop()
        for name in ("web", "worker"):
            code = parts.exit_code(name)
            if code is not None:
                print(f"{name} ended by itself with exit code {code}; its last lines above say why. Stopping the rest.")
                return 1
        last_words = embedded.last_message_if_stopped(settings.EMBEDDED_DIR) if settings.EMBEDDED else None
        if last_words is not None:
            print(f"The database ended by itself. Stopping the rest. {last_words}")
            return 1
        time.sleep(0.5)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main())
