"""Start, observe and end one django-q2 cluster as a process group of its own (design section 8)."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import psutil
from django.conf import settings
from django_q.brokers import get_broker
from django_q.status import Stat

SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl


@dataclass(frozen=True, slots=True)
class ClusterSnapshot:
    """The state of a cluster at one moment, as far as it can be observed from outside."""

    guard_alive: bool  # its guard has reported within the last seconds
    waiting: bool  # tasks wait: in the broker, or taken by the cluster and not yet begun
    has_unsaved_results: bool  # results wait to be recorded
    idle: Mapping[int, float]  # workers that wait for a task: process id -> processor seconds used so far
    busy_workers: int  # workers that are running a task


class Cluster:
    """A running `manage.py qcluster` with all its processes."""

    def __init__(self) -> None:
        # A session of its own: a Ctrl-C in the terminal, or a signal to our group, must not reach its workers.
        self._master = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )
        self.pid = self._master.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code of the master; None while it runs."""
        return self._master.poll()

    def snapshot(self) -> ClusterSnapshot:
        """Return the present state. Raises django.db.Error or redis.RedisError if the broker does not answer."""
        broker = get_broker()
        waiting: int = broker.queue_size()
        stat = next((stat for stat in Stat.get_all(broker) if self._is_ours(stat)), None)
        if stat is None:
            return ClusterSnapshot(
                guard_alive=False, waiting=waiting > 0, has_unsaved_results=False, idle={}, busy_workers=0
            )
        workers = [_worker(pid) for pid in stat.workers]
        return ClusterSnapshot(
            guard_alive=True,
            waiting=waiting + stat.task_q_size > 0,
            has_unsaved_results=stat.done_q_size > 0,
            idle={worker.pid: worker.seconds for worker in workers if worker is not None and worker.idle},
            busy_workers=sum(worker is not None and not worker.idle for worker in workers),
        )

    def terminate(self, within: float) -> None:
        """Let running tasks end, for at most `within` seconds, and stop; then kill the remaining processes.

        The signal is sent to the master only: sent to the whole group, it makes the master hang.
        """
        with suppress(ProcessLookupError):
            self._master.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._master.wait(within)
        self.kill()

    def kill(self) -> None:
        """Kill all processes of the group at once, also if the master has ended."""
        with suppress(ProcessLookupError, PermissionError):  # macOS forbids what Linux does not find
            os.killpg(self.pid, signal.SIGKILL)
        self._master.wait()

    def _is_ours(self, stat: Stat) -> bool:
        return bool(stat.host == socket.gethostname() and stat.pid == self.pid)


@dataclass(frozen=True, slots=True)
class _Worker:
    pid: int
    seconds: float
    idle: bool


def _worker(pid: int) -> _Worker | None:
    """Return the state of a worker, which django-q2 writes into the title of the process (by setproctitle)."""
    try:
        process = psutil.Process(pid)
        times = process.cpu_times()
        title = " ".join(process.cmdline()).rstrip()
    except psutil.Error:
        return None
    return _Worker(pid, times.user + times.system, title.endswith(" idle"))


def _end_with_parent() -> None:
    """Make Linux send the new process a SIGTERM if its supervisor is killed, so that no cluster keeps running."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
