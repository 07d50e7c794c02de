"""One PostgreSQL for the whole run, and a database of its own for everything that is measured."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from config import embedded
from tests.bench.kinds import BenchError

ROOT = Path(__file__).resolve().parent.parent.parent
WORKERS = 2
LEASE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database, as psycopg and Django reach it. ``folder``: for what its processes leave behind.
    ``server``: the process id of PostgreSQL, None where it runs elsewhere."""

    url: str
    folder: Path
    server: int | None

    def connect(self, *, autocommit: bool = False) -> psycopg.Connection:
        return psycopg.connect(self.url, autocommit=autocommit)

    def settle(self) -> None:
        """Do now what PostgreSQL would otherwise do while the next thing is measured."""
        with self.connect(autocommit=True) as connection:
            connection.execute("VACUUM (ANALYZE)")
            if connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,):
                connection.execute("CHECKPOINT")

    @property
    def environment(self) -> dict[str, str]:
        """In which the project's commands work on this database, with the product's settings."""
        ours = {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": self.url,
            "DATA_DIR": str(self.folder),
            "REDIS_URL": "",
            "IMPORTS_S3_BUCKET": "",
            "IMPORTS_APPROVAL": "creators",
            "IMPORTS_MAX_MB": "1000000",
            "IMPORTS_WORKERS": str(WORKERS),
            "IMPORTS_LEASE_SECONDS": str(LEASE_SECONDS),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **ours}


@dataclass(frozen=True, slots=True)
class Server:
    """A running PostgreSQL. ``url`` reaches a database of it that is left alone."""

    url: str
    folder: Path
    pid: int | None = None

    @property
    def version(self) -> str:
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        return str(row[0]).split()[0] if row else ""

    @contextmanager
    def database(self, purpose: str) -> Iterator[Database]:
        """Give a new database, migrated; it is dropped in the end."""
        name = f"bench_{os.getpid()}_{purpose}"
        folder = self.folder / name
        folder.mkdir()
        database = Database(urlsplit(self.url)._replace(path=f"/{name}").geturl(), folder, self.pid)
        self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
        try:
            for command in ("migrate", "createcachetable"):
                _manage(database, command, "--verbosity", "0")
            database.settle()
            yield database
        finally:
            self._execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            shutil.rmtree(folder, ignore_errors=True)

    def _execute(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Give the server of DATABASE_URL, or an embedded one with the product's tuning that lives as long as the run."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield Server(given, folder)
        return
    with embedded.running_server(folder / "postgres") as address:
        pid = (folder / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        yield Server(address.url("postgres"), folder, int(pid))


def _manage(database: Database, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=database.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
