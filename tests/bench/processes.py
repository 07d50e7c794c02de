"""Starts the project's own processes, and ends whatever was started."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import psutil

from tests.bench.kinds import BenchError
from tests.bench.server import ROOT, WORKERS, Database

READY_SECONDS = 120.0  # above the time after which the supervisor replaces a cluster that hangs
STOP_SECONDS = 20.0
LAST_CHARACTERS = 3_000
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def stop_once() -> None:
    """Let the first signal to stop end everything by a KeyboardInterrupt, and the others not disturb that."""
    for number in SIGNALS:
        signal.signal(number, _stop)


@contextmanager
def manage(database: Database, arguments: Sequence[str], output: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `manage.py ...`, its words into a file; in the end it is asked to stop, and then made to.

    It has a session of its own: a Ctrl-C in the terminal reaches it through us alone.
    """
    with output.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=database.environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with _undisturbed():
            _end(process)


@contextmanager
def workers(database: Database) -> Iterator[int]:
    """Run `manage.py work` and wait until its workers are idle; give the process id of the supervisor."""
    output = database.folder / "work.log"
    stop_within = str(int(STOP_SECONDS / 2))
    with manage(database, ["work", "--stop-within", stop_within], output) as process:
        deadline = time.monotonic() + READY_SECONDS
        while sum(is_idle(member) for member in family(process.pid)) < WORKERS:
            if process.poll() is not None or time.monotonic() > deadline:
                running = "\n".join(f"{member.pid} {title(member)}" for member in family(process.pid))
                raise BenchError(f"The workers did not start:\n{last_words(output)}\nRunning:\n{running}")
            time.sleep(0.1)
        yield process.pid


def family(pid: int) -> list[psutil.Process]:
    """A process and all below it."""
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def title(process: psutil.Process) -> str:
    """What a process calls itself; blank when it is gone."""
    try:
        return " ".join(process.cmdline()).strip()
    except psutil.Error:
        return ""


def is_idle(process: psutil.Process) -> bool:
    """Whether this is a worker that waits for a task; django-q2 puts it into the title."""
    return title(process).endswith(" idle")


def last_words(output: Path) -> str:
    """The end of what a process said."""
    return output.read_text(encoding="utf-8", errors="replace")[-LAST_CHARACTERS:]


def _stop(number: int, frame: FrameType | None) -> None:
    for other in SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise KeyboardInterrupt


def _end(process: subprocess.Popen[bytes]) -> None:
    everybody = family(process.pid)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_SECONDS)
    for member in everybody:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    process.wait()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Nothing may keep us from ending what we started."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
