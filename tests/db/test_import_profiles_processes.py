"""`manage.py import_profiles` as people run it: with workers beside it, on a terminal, and with Ctrl-C."""

import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from config.settings import BASE_DIR
from imports.models import Bucket, ImportJob
from imports.states import Status, Step
from profiles.models import Profile
from tests.crashes.processes import end

PEOPLE = BASE_DIR / "tests/data/own-people.csv"
IMPORT = ["import_profiles", "--identifier", "email", "--action", "update"]

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(process_environment: dict[str, str]) -> Iterator[Start]:
    """Starts a command of its own process on this test's database, and ends what is left of it."""
    processes = []

    def start(*arguments: Any, environment: dict[str, str] | None = None, **streams: Any) -> subprocess.Popen[str]:
        environment = {**process_environment, **(environment or {})}
        environment.pop("COLUMNS", None)
        command = [sys.executable, "manage.py", *map(str, arguments)]
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        processes.append(subprocess.Popen(command, cwd=BASE_DIR, env=environment, text=True, **streams))
        return processes[-1]

    yield start
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(condition: Callable[[], Any], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.fixture
def worker(start: Start) -> Iterator[None]:
    """A cluster of two workers."""
    process = start("work", "--stop-within", 4, stdout=None, stderr=None)
    yield
    end(process)


@pytest.mark.usefixtures("worker")
def test_workers_import_what_the_command_hands_them(start: Start):  # PS-03
    waiting = start(*IMPORT, PEOPLE, "--wait", "--json")
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    found = json.loads(out.splitlines()[-1])
    assert (found["status"], found["counts"]["imported"]) == ("completed", 12)
    # A small one ends before the patience of a command that does not wait.
    hasty = start(*IMPORT, PEOPLE, "--json")
    out, _ = hasty.communicate(timeout=60)
    assert hasty.returncode == 0
    assert json.loads(out)["counts"]["updated"] == Profile.objects.count() == 12


def test_it_says_what_helps_when_nobody_takes_the_work_up(start: Start, tmp_path: Path):
    told = tmp_path / "stderr"
    with told.open("w") as stream:
        waiting = start(*IMPORT, PEOPLE, stderr=stream)
        wait_for(lambda: "manage.py work" in told.read_text())
        assert "--inline" in told.read_text()
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(20) == 130
    job = ImportJob.objects.get()
    assert f"Import {job.pk} was not started; nobody was changed." in told.read_text()
    assert job.status == Status.DRAFT


def test_ctrl_c_stops_an_inline_import_which_can_be_resumed(start: Start, tmp_path: Path):
    file = tmp_path / "people.csv"
    call_command("make_people", 8_000, str(file))
    running = start(*IMPORT, file, "--inline", environment={"IMPORTS_BUCKET_ROWS": "200"})
    wait_for(lambda: Bucket.objects.filter(step=Step.APPLY, done__isnull=False).exists())
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=20)
    job = ImportJob.objects.get()
    assert running.returncode == 130, told
    assert job.status == Status.STOPPED
    assert 0 < job.not_run < 8_000
    assert job.imported == Profile.objects.count() == 8_000 - job.not_run
    assert f"Import {job.pk} is stopped: {job.imported:,} of 8,000 rows are done." in told
    resumed = start("resume_import", job.pk, "--inline")
    resumed.communicate(timeout=60)
    job.refresh_from_db()
    assert resumed.returncode == 0
    assert (job.status, job.imported, job.not_run) == (Status.COMPLETED, 8_000, 0)
    assert Profile.objects.count() == 8_000


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_shows_a_bar_per_stage_and_no_line_is_too_wide(start: Start, columns: int):
    keyboard, screen = pty.openpty()
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    terminal = {"stdin": screen, "stdout": screen, "stderr": screen}
    process = start(*IMPORT, PEOPLE, "--inline", environment={"TERM": "xterm-256color"}, **terminal)
    os.close(screen)
    shown = _read(keyboard)
    assert process.wait(20) == 0
    lines = re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", shown).splitlines()
    for stage in ("Reading", "Checking", "Matching", "Importing"):
        assert re.search(rf"^{stage} +━+ +12 +[\d,]+ rows/s +[\d.]+ s *$", "\n".join(lines), re.MULTILINE)
    assert max(map(len, lines)) <= columns


def _read(terminal: int) -> str:
    """All that is written to a terminal until its last writer has gone."""
    shown = b""
    try:
        while piece := os.read(terminal, 65_536):
            shown += piece
    except OSError:  # how Linux says that nobody is there any more
        pass
    os.close(terminal)
    return shown.decode()
