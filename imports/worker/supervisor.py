"""Keeps a cluster consuming, from outside it (design section 8).

A killed worker can leave a cluster that looks alive and takes nothing up any more: the worker died with the lock of the
queue in the cluster's memory. Nothing inside the cluster notices. So the supervisor looks on, in another process.
"""

import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import TypeVar

from django.db import Error as DatabaseError
from django.db import connections

from imports.jobs import leases, notifications
from imports.worker import index_builds
from imports.worker.cluster import Cluster, ClusterSnapshot

Answer = TypeVar("Answer")

logger = logging.getLogger(__name__)

MIN_UPTIME_SECONDS = 10.0  # a cluster that ends sooner than this after its start has failed to start
MAX_FAILED_STARTS = 5

_UNREACHABLE: tuple[type[Exception], ...] = (DatabaseError,)
with suppress(ImportError):  # without the extra "redis" the queue is in the database
    from redis import RedisError

    _UNREACHABLE += (RedisError,)


@dataclass(frozen=True, slots=True)
class SupervisorTimeouts:
    """How long, in seconds, the supervisor waits before it acts."""

    poll_interval: float = 2.0
    stall_timeout: float = 15.0  # the same sign of standing still in every look
    guard_timeout: float = 60.0  # no sign of life of the cluster's guard
    stop: float = 30.0  # for running tasks to end


class StallDetector:
    """Decides from one look after another whether a cluster has stopped consuming."""

    def __init__(self, timeouts: SupervisorTimeouts, now: float) -> None:
        self._patience = timeouts
        self._guarded = self._saving = self._taking = now  # when each was last seen to be well
        self._idle: dict[int, float] = {}

    def restart_reason(self, snapshot: ClusterSnapshot, now: float) -> str | None:
        """Return why the cluster must be started again, or None. `now` is in seconds of any one clock."""
        # Workers that were idle in the last look too and have used no processor time since: they took nothing up.
        still = {pid: seconds for pid, seconds in snapshot.idle.items() if self._idle.get(pid) == seconds}
        self._idle = dict(snapshot.idle)
        if snapshot.guard_alive:
            self._guarded = now
        if not snapshot.has_unsaved_results:
            self._saving = now
        if not (snapshot.waiting and still):
            self._taking = now
        if now - self._guarded >= self._patience.guard_timeout:
            return "its guard gives no sign of life"
        if now - self._taking >= self._patience.stall_timeout:
            return "work waits while its workers are idle"
        if now - self._saving >= self._patience.stall_timeout:
            return "results are not recorded"
        return None


class Supervisor:
    """Runs one cluster until told to stop; starts it again when it ends, hangs, or stops consuming."""

    def __init__(self, timeouts: SupervisorTimeouts) -> None:
        self._patience = timeouts
        self._stopping = False

    def run(self) -> int:
        """Return an exit code: 0 after a stop that was asked for, 1 when the cluster cannot be started."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        failed_starts = 0
        while failed_starts < MAX_FAILED_STARTS:
            started = time.monotonic()
            why = self._supervise_one()
            if why is None or self._stopping:
                return 0
            failed_starts = failed_starts + 1 if time.monotonic() - started < MIN_UPTIME_SECONDS else 0
            logger.warning("The worker cluster is started again: %s.", why)
            self._pause(failed_starts)
        logger.error("The worker cluster failed to start %d times in a row. See its messages above.", MAX_FAILED_STARTS)
        return 1

    def _asked_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _supervise_one(self) -> str | None:
        """Run one cluster to its end; return why another is needed, or None when none is wanted any more."""
        cluster = Cluster()
        logger.info("The worker cluster is started (process %d).", cluster.pid)
        try:
            why = self._watch(cluster)
            if why is None:
                cluster.terminate(self._patience.stop)
            else:
                self._let_tasks_end(cluster)
            return why
        finally:
            cluster.kill()

    def _watch(self, cluster: Cluster) -> str | None:
        judge = StallDetector(self._patience, time.monotonic())
        while self._pause(self._patience.poll_interval):
            if cluster.exit_code is not None:
                return f"it ended by itself with exit code {cluster.exit_code}"
            _asked(leases.sweep)
            _asked(notifications.sweep)
            _asked(index_builds.sweep)
            snapshot = _asked(cluster.snapshot)
            if snapshot is None:  # nothing can be said of the cluster while its broker does not answer
                judge = StallDetector(self._patience, time.monotonic())
            elif (why := judge.restart_reason(snapshot, time.monotonic())) is not None:
                return why
        return None

    def _let_tasks_end(self, cluster: Cluster) -> None:
        """Wait until no worker is at a task: what hangs is the handing over, the tasks themselves may be well."""
        deadline = time.monotonic() + self._patience.stop
        while time.monotonic() < deadline and self._pause(self._patience.poll_interval):
            snapshot = _asked(cluster.snapshot)
            if snapshot is None or snapshot.busy_workers == 0:
                return

    def _pause(self, seconds: float) -> bool:
        """Wait, in short steps since a signal does not wake a sleep; return False as soon as a stop is asked for."""
        deadline = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self._stopping


def _asked(question: Callable[[], Answer]) -> Answer | None:
    """Ask over a connection that lives no longer than the question; return None when there is no answer."""
    try:
        return question()
    except _UNREACHABLE as error:
        logger.warning("The supervisor could not ask the database or the broker: %s.", type(error).__name__)
        return None
    finally:
        connections.close_all()
