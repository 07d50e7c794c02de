"""`make run`, as a new user meets it."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import psutil
import pytest

from config import embedded
from config.settings import BASE_DIR

pytestmark = pytest.mark.xdist_group("site")  # its tests share the folder of the first start


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """A running `make run` without make; its lines go into a file."""

    def __init__(self, data_dir, port):
        self.data_dir, self.port = data_dir, port
        self.log = data_dir.parent / f"run-{port}.log"
        base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", "-m", "config.run"],
                cwd=BASE_DIR,
                env={**base, "DATA_DIR": str(data_dir), "PORT": str(port), "DEMO_PASSWORD": "demo-pass-1"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_for_line(self, text, seconds=90):
        deadline = time.monotonic() + seconds
        while text not in self.lines():
            assert self.process.poll() is None, self.lines()
            assert time.monotonic() < deadline, self.lines()
            time.sleep(0.1)

    def wait_for_end(self):
        """The exit code; a site that goes on is shown with what it said and where it is."""
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            left = self.processes()
            self.process.send_signal(signal.SIGABRT)  # faulthandler tells where it is
            self.process.wait()
            for process in left:
                process.kill()
            pytest.fail(self.lines())

    def lines(self):
        return self.log.read_text(errors="replace")

    def processes(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def database(self):
        return psutil.Process(int((self.data_dir / "postgres" / "postmaster.pid").read_text().splitlines()[0]))


def working_in(folder):
    """The commands of all processes, whoever's child they are now, that name a folder."""
    lines = [" ".join(process.info["cmdline"] or ()) for process in psutil.process_iter(["cmdline"])]
    return [line for line in lines if str(folder) in line]


@contextmanager
def site(data_dir, port=None):
    """A site; whatever of it is left in the end is killed."""
    running = Site(data_dir, port or free_port())
    try:
        yield running
    finally:
        left = running.processes() if running.process.poll() is None else []
        running.process.kill()
        running.process.wait()
        for process in left:
            if process.is_running():
                process.kill()
        embedded.stop(data_dir / "postgres")


def still_running(processes):
    _ended, left = psutil.wait_procs(processes, timeout=10)
    return [process for process in left if process.status() != psutil.STATUS_ZOMBIE]


def end(running, number):
    """Send a signal; return the exit code once all processes of the site, the database too, are gone."""
    everyone = [*running.processes(), running.database()]
    running.process.send_signal(number)
    code = running.wait_for_end()
    assert still_running(everyone) == [], running.lines()
    assert not (running.data_dir / "postgres" / "postmaster.pid").exists()
    return code


@pytest.fixture(scope="module")
def first_run(shared_server_folder):
    """A site that was started over an empty folder, showed its sample, and was ended by Ctrl-C."""
    with site(shared_server_folder / "data") as running:
        running.wait_for_line(f"Open http://localhost:{running.port}/")
        with urllib.request.urlopen(f"http://localhost:{running.port}/admin/") as page:
            assert "Log in" in page.read().decode()
        running.wait_for_line("Sample people: Completed")
        running.wait_for_line("rows per second")
        assert end(running, signal.SIGINT) == 0
    return running


def test_the_first_start_makes_accounts_and_imports_a_sample(first_run):
    assert "Log in as admin, creator, approver" in first_run.lines()
    assert re.search(r"Imported +1,000 ", first_run.lines())
    assert "Traceback" not in first_run.lines()


def test_it_says_that_it_is_a_demo(first_run):
    assert "This is a demo" in first_run.lines()


def test_a_second_start_works_and_makes_nothing_again(first_run):
    with site(first_run.data_dir) as second:
        second.wait_for_line("Open http://")
        assert end(second, signal.SIGTERM) == 0
    assert "Log in as" not in second.lines()
    assert "sample people" not in second.lines()


@pytest.mark.parametrize("part", ["gunicorn", "manage.py work", "postgres -D"])
def test_a_crash_of_one_part_stops_the_rest_with_its_message(first_run, part):
    with site(first_run.data_dir) as running:
        running.wait_for_line("Open http://")
        everyone = [*running.processes(), running.database()]
        next(process for process in everyone if part in " ".join(process.cmdline())).kill()
        assert running.process.wait(90) == 1
        assert still_running(everyone) == []
    assert "ended by itself" in running.lines()


@pytest.mark.parametrize("after", [0.2, 0.6, 1.0, 1.4, 2.0])
def test_it_ends_cleanly_also_while_it_starts(server_folder, after):
    with site(server_folder / "data") as running:
        time.sleep(after)
        everyone = running.processes()
        running.process.terminate()
        running.wait_for_end()
        assert still_running(everyone) == []
        assert not (running.data_dir / "postgres" / "postmaster.pid").exists()
        assert working_in(running.data_dir) == []


LOST = """
import os, signal
from config import run
signal.signal(signal.SIGTERM, run._request_stop)
try:
    os.kill(os.getpid(), signal.SIGTERM)
except KeyboardInterrupt:
    pass  # as in a finalizer
run._raise_if_stop_requested()
"""


def test_a_signal_that_got_lost_is_heeded_later():
    ended = subprocess.run([sys.executable, "-c", LOST], cwd=BASE_DIR, capture_output=True, text=True, check=False)
    assert ended.stderr.endswith("KeyboardInterrupt\n")
    assert "_raise_if_stop_requested" in ended.stderr


def test_a_taken_port_is_named_with_a_way_out(server_folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with site(server_folder / "data", port) as running:
            assert running.process.wait(60) == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in running.lines()
    assert f"make run PORT={port + 1}" in running.lines()
    assert "Traceback" not in running.lines()
