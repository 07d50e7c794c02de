"""The embedded database and its one owner (design sections 2 and 9)."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from config import embedded
from config.settings import BASE_DIR

SMALL = {"shared_buffers": "16MB", "fsync": "off"}
OWNER = """
import sys, time
from pathlib import Path
from config import embedded
with embedded.running_server(Path(sys.argv[1])) as address:
    print(address.host, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(server_folder):
    """A data folder; whatever server a test leaves over it is stopped."""
    path = server_folder / "postgres"
    yield path
    embedded.stop(path)


@contextmanager
def another_owner(folder):
    """Another process that owns a server, from when the server answers; killed in the end, as kill -9 does."""
    command = [sys.executable, "-c", OWNER, str(folder)]
    with subprocess.Popen(command, cwd=BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield
        process.kill()


def server_pid(folder):
    return int((folder / "postmaster.pid").read_text().splitlines()[0])


def refused(folder):
    with suppress(psycopg.OperationalError):
        embedded.get_address(folder).connect().close()
        return False
    return True


def test_the_owner_stops_it_and_the_data_stay(folder):
    with embedded.running_server(folder, SMALL) as address, address.connect(embedded.DATABASE) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    assert refused(folder)
    with embedded.running_server(folder) as address, address.connect(embedded.DATABASE) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        assert connection.execute("SHOW shared_buffers").fetchone() == ("16MB",)
        assert connection.execute("SHOW jit").fetchone() == ("off",)


def test_the_collation_does_not_depend_on_the_machine(folder):
    with embedded.running_server(folder, SMALL) as address, address.connect() as connection:
        connection.execute("CREATE DATABASE another")
        with address.connect("another") as other:
            row = other.execute("SELECT lower('ÉCOLE'), 'Z' < 'a'").fetchone()
    assert row == ("école", True)


def test_another_process_uses_the_owner_s_server_and_leaves_it_running(folder):
    with another_owner(folder):
        with embedded.running_server(folder) as address:
            address.connect().close()
        assert not refused(folder)


def test_the_server_of_a_killed_owner_is_taken_over_and_stopped(folder):
    with another_owner(folder):
        pid = server_pid(folder)
    with embedded.running_server(folder):
        assert server_pid(folder) == pid
    assert refused(folder)


def test_a_killed_server_starts_again_with_what_was_committed(folder):
    with embedded.running_server(folder, {"shared_buffers": "16MB"}) as address:
        with address.connect(embedded.DATABASE) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100000) AS one")
        family = psutil.Process(server_pid(folder)).children(recursive=True)
        os.kill(server_pid(folder), signal.SIGKILL)
        psutil.wait_procs(family, timeout=20)
    with embedded.running_server(folder) as address, address.connect(embedded.DATABASE) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (100_000,)


def test_a_pid_file_whose_number_another_program_has_is_no_obstacle(folder):
    with embedded.running_server(folder, SMALL):
        lines = (folder / "postmaster.pid").read_text().splitlines()
    (folder / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
    with embedded.running_server(folder) as address:
        address.connect().close()


def test_a_path_too_long_for_a_socket_works_and_the_socket_is_closed_to_others(server_folder):
    folder = server_folder / ("long" * 30) / "postgres"
    with embedded.running_server(folder, SMALL) as address:
        address.connect().close()
        assert len(address.host) < 90
        assert (Path(address.host) / f".s.PGSQL.{address.port}").stat().st_mode & 0o077 == 0


def test_a_server_that_cannot_start_says_why(folder):
    with embedded.running_server(folder, SMALL):
        pass
    with (folder / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = much\n")
    with pytest.raises(embedded.EmbeddedDatabaseError, match="much"), embedded.running_server(folder):
        pass
