"""Run the whole site on this machine until Ctrl-C, with sample data: `make run`."""

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
    "This is a demo on one machine, without HTTPS and with its own database in {folder}.\n"
    'For a site that others use, set DATABASE_URL and SECRET_KEY (README.md, "Run in production").'
)


STOP_REQUESTED = threading.Event()
"""Set when a signal has requested the end."""


class PortTakenError(Exception):
    """Another program uses the port of the site; the message gives the remedy."""


def main() -> int:
    """Run until a signal requests the end. Return the exit code: 0 after such a signal, 1 after a failure."""
    for number in (signal.SIGINT, signal.SIGTERM):  # set, since a shell makes background jobs ignore the first
        signal.signal(number, _request_stop)
    host, port = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or "8000")
    try:
        _check_port_is_free(host, port)
        with _database():
            django.setup()
            return _serve(host, port)
    except KeyboardInterrupt:
        print("Stopped.")
        return 0
    except (PortTakenError, ImproperlyConfigured, embedded.EmbeddedDatabaseError) as error:
        print(error, file=sys.stderr)
        return 1


def _request_stop(number: int, frame: FrameType | None) -> None:
    STOP_REQUESTED.set()
    raise KeyboardInterrupt


def _raise_if_stop_requested() -> None:
    """Raise KeyboardInterrupt again after a signal: a finalizer, or a library that catches everything, may lose it."""
    if STOP_REQUESTED.is_set():
        raise KeyboardInterrupt


def _check_port_is_free(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(
                f"Port {port} of {host} cannot be used: {error.strerror}. "
                f"Stop the program that uses it, or choose another port: make run PORT={port + 1}"
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
    from config import demo  # models can be imported only after django.setup()

    print("Preparing the database and static files ...")
    prepare.migrate()
    prepare.collect_static()
    accounts = demo.create_accounts() if settings.EMBEDDED else None
    _raise_if_stop_requested()
    with ProcessGroup(_environment(host, port), settings.BASE_DIR) as parts:
        commands = read_procfile(settings.BASE_DIR / "Procfile")
        for name in ("web", "worker"):
            parts.start(name, commands[name])
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
    """Wait until the site answers. Return False if its process ended instead."""
    while parts.exit_code("web") is None:
        _raise_if_stop_requested()
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
    lines.append("Press Ctrl-C to stop everything.")
    print("\n" + "\n".join(lines) + "\n")


def _wait(parts: ProcessGroup) -> int:
    """Wait until a process, or the database, ends by itself, which is a failure. Return the exit code 1."""
    while True:
        _raise_if_stop_requested()
        for name in ("web", "worker"):
            code = parts.exit_code(name)
            if code is not None:
                print(f"{name} ended by itself with exit code {code}; see its last lines above. Stopping the rest.")
                return 1
        log_end = embedded.last_message_if_stopped(settings.EMBEDDED_DIR) if settings.EMBEDDED else None
        if log_end is not None:
            print(f"The database ended by itself. Stopping the rest. {log_end}")
            return 1
        time.sleep(0.5)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    sys.exit(main())
