"""Real workers that can be killed, and a lock in whose way they come so that they are caught in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psutil
from django.db import DatabaseError, connection

from config.settings import BASE_DIR
from imports.models import ImportJob
from imports.states import Step

Answer = TypeVar("Answer")

DEADLINE = 90.0
"""Seconds: the 60 within which work is taken up again, and the start of processes on a machine that is busy."""


def wait_for(condition: Callable[[], Answer], job: ImportJob | None = None, seconds: float = DEADLINE) -> Answer:
    """Wait until `condition()` holds, and return what it returned; else fail with what there is to see."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s\n{seen(job)}"
        time.sleep(0.02)
    return answer


def completed(job: ImportJob) -> bool:
    """Whether the job is at its end; one that ended otherwise is a failure at once."""
    job.refresh_from_db()
    assert job.status not in ("failed", "stopped"), seen(job)
    return job.status == "completed"


def seen(job: ImportJob | None) -> str:
    """How a job stands, and who waits for what in its database."""
    try:
        found = [f"{job.status} {job.step} {job.reason}"] if job else []
        for bucket in job.buckets.order_by("step", "number") if job else []:
            found.append(
                f"{bucket.step} {bucket.number} {bucket.lane} attempts {bucket.attempts} lease {bucket.lease_until} "
                f"done {bucket.done} {bucket.error}"
            )
        with connection.cursor() as cursor:
            cursor.execute(_ACTIVITY)
            return "\n".join(found + [str(row) for row in cursor.fetchall()])
    except DatabaseError as error:
        return f"the database does not answer: {error}"


_ACTIVITY = """
SELECT pid, application_name, state, wait_event_type, wait_event, pg_blocking_pids(pid), left(query, 100)
FROM pg_stat_activity WHERE datname = current_database()
"""


class Work:
    """`manage.py work` as a host runs it: a supervisor, its cluster, the cluster's workers."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "work", "--stuck-after", "6", "--stop-within", "4"],
            cwd=BASE_DIR,
            env=dict(environment),
            start_new_session=True,
        )

    def is_up(self) -> bool:
        """Whether its workers wait for tasks."""
        return bool(self._family(" idle"))

    def kill_busy_workers(self) -> None:
        """`kill -9` of every worker that is at a task."""
        for worker in self._family(" processing "):
            worker.kill()

    def kill_cluster(self) -> None:
        """`kill -9` of master, guard, workers and all, at once; the supervisor stays."""
        for process in self._family():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)  # the master leads the group; nobody else leads one

    def kill(self) -> None:
        """`kill -9` of everything."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGSTOP)  # so that it starts no other cluster meanwhile
            self.kill_cluster()
            self._process.kill()
            self._process.wait()

    def _family(self, title: str = "") -> list[psutil.Process]:
        """The processes below the supervisor that have `title` in their command line."""
        return [
            process
            for process in psutil.Process(self._process.pid).children(recursive=True)
            if title in _command_line(process)
        ]


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def end(process: subprocess.Popen[Any]) -> None:
    """Ask a supervisor to stop, and kill what is left of its processes after ten seconds."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    for left in family:
        if left.is_running():
            left.kill()


@contextmanager
def working(environment: Mapping[str, str], **more: str) -> Iterator[Work]:
    """Workers while the context lasts."""
    work = Work({**environment, **more})
    try:
        yield work
    finally:
        work.kill()


def command(environment: Mapping[str, str], *arguments: object) -> int:
    """Run a command of manage.py to its end; returns its exit code."""
    words = [sys.executable, "manage.py", *map(str, arguments)]
    return subprocess.run(words, cwd=BASE_DIR, env=dict(environment), check=False, timeout=DEADLINE).returncode


@contextmanager
def carrying(environment: Mapping[str, str], job: ImportJob) -> Iterator[subprocess.Popen[bytes]]:
    """A single process that does a job's work, without queue or supervisor."""
    words = [sys.executable, "manage.py", "resume_import", str(job.pk), "--inline"]
    process = subprocess.Popen(words, cwd=BASE_DIR, env=dict(environment))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Hold:
    """A lock that the test holds on a connection of its own, until it lets go."""

    def __init__(self, statement: str, *values: Any) -> None:
        self._connection = connection.copy()
        self._connection.set_autocommit(False)
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.execute("SELECT pg_backend_pid()")
            self._pid = cursor.fetchone()[0]

    def waiting(self) -> set[int]:
        """The backends that wait for the lock, directly or behind one that does; one whose worker is dead does too."""
        with connection.cursor() as cursor:
            cursor.execute(_WAITING, [self._pid])
            return {pid for (pid,) in cursor.fetchall()}

    def let_go(self) -> None:
        self._connection.close()


_WAITING = """
WITH RECURSIVE waiting AS (
    SELECT pid, pg_blocking_pids(pid) AS behind FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
), held AS (
    SELECT pid FROM waiting WHERE %s = ANY(behind)
    UNION SELECT w.pid FROM waiting w JOIN held h ON h.pid = ANY(w.behind)
) SELECT pid FROM held
"""


@contextmanager
def holding(statement: str, *values: Any) -> Iterator[Hold]:
    """The lock that a statement takes, while the context lasts or until it is let go."""
    hold = Hold(statement, *values)
    try:
        yield hold
    finally:
        hold.let_go()


_PERSON = "SELECT FROM profiles_profile WHERE object_id = %s FOR UPDATE"
HASHED = (_PERSON, "o7")
"""What holds somebody whom a bucket of the hash lane changes."""
CHAINED = (_PERSON, "two")
"""What holds somebody whom the serial lane changes."""

HELD_UP: dict[Step, tuple[str, ...]] = {
    Step.SCAN: ("LOCK TABLE imports_importcolumn IN SHARE MODE",),
    Step.STAGE: ("LOCK TABLE imports_rowerror IN SHARE MODE",),
    Step.PLAN: ("LOCK TABLE profiles_identifier IN ACCESS EXCLUSIVE MODE",),
    Step.PREVIEW: ("LOCK TABLE imports_rowerror IN SHARE MODE",),
    Step.PREPARE: ("LOCK TABLE profiles_changeset IN SHARE MODE",),
    Step.APPLY: CHAINED,
}
"""What keeps a worker in the middle of each step, before anything is committed."""
