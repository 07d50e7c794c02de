"""A site as it runs, with web server and workers as processes of their own, and people who use it in Chromium."""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from django.db import connection
from playwright.sync_api import Browser, sync_playwright

from config.processes import read_procfile
from config.settings import BASE_DIR
from tests.browser.person import People
from tests.crashes import processes

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One browser for all of these tests: two would take the processors from the site that they watch."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture
def chromium(web: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    """A browser for one test.

    Playwright runs an event loop in the thread of the test. There Django asks for leave to use the database, and uses
    connections other than those outside; so the loop begins after the database is made ready and ends before it is
    emptied.
    """
    program = shutil.which("chromium") or shutil.which("google-chrome")
    assert program, "Chromium is missing. On Debian: apt-get install chromium"
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        connection.close()


@pytest.fixture
def web(process_environment: dict[str, str]) -> Iterator[str]:
    """The address of the web server as the Procfile starts it, over this test's database and files."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    program, *words = shlex.split(read_procfile(BASE_DIR / "Procfile")["web"])
    program = str(Path(sys.executable).with_name(program))  # of this environment, whether or not it is activated
    process = subprocess.Popen(
        [program, *words], cwd=BASE_DIR, env={**process_environment, "HOST": "127.0.0.1", "PORT": port}
    )
    try:
        _wait_until_it_answers(f"http://127.0.0.1:{port}/admin/login/", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def workers(process_environment: Mapping[str, str]) -> Iterator[None]:
    """The supervisor and its workers."""
    with processes.working(process_environment):
        yield


@pytest.fixture
def people(web: str, chromium: Browser) -> Iterator[People]:
    """Whoever a test logs in."""
    found = People(web, chromium)
    yield found
    found.leave()


def _wait_until_it_answers(address: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + processes.DEADLINE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the web server ended with exit code {process.returncode}"
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("the web server does not answer")
