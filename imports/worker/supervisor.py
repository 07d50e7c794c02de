"""Keep a cluster consuming tasks, from outside of it (design section 8).

A killed worker can leave a cluster that looks alive and takes up no more tasks: the worker died while it held the lock
of the queue in the cluster's memory. Nothing inside the cluster detects that, so the supervisor observes it from
another process.
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
    stall_timeout: float = 15.0  # the same sign of a stall in every snapshot
    guard_timeout: float = 60.0  # no report of the cluster's guard
    stop: float = 30.0  # for running tasks to end


class StallDetector:
    """Decide from consecutive snapshots whether a cluster has stopped consuming tasks."""

    def __init__(self, timeouts: SupervisorTimeouts, now: float) -> None:
        self._timeouts = timeouts
        self._guarded = self._saving = self._taking = now  # when each was last observed to work
        self._idle: dict[int, float] = {}

    def restart_reason(self, snapshot: ClusterSnapshot, now: float) -> str | None:
        """Return why the cluster must be restarted, or None. `now` is in seconds of any clock, always the same one."""
        # Workers that were idle in the last snapshot too and have used no processor time since: they took nothing up.
        still = {pid: seconds for pid, seconds in snapshot.idle.items() if self._idle.get(pid) == seconds}
        self._idle = dict(snapshot.idle)
        if snapshot.guard_alive:
            self._guarded = now
        if not snapshot.has_unsaved_results:
            self._saving = now
        if not (snapshot.waiting and still):
            self._taking = now
        if now - self._guarded >= self._timeouts.guard_timeout:
            return "its guard does not respond"
        if now - self._taking >= self._timeouts.stall_timeout:
            return "work waits while its workers are idle"
        if now - self._saving >= self._timeouts.stall_timeout:
            return "results are not recorded"
        return None


class Supervisor:
    """Run one cluster until a signal stops it, and restart the cluster if it ends, hangs or stops consuming tasks."""

    def __init__(self, timeouts: SupervisorTimeouts) -> None:
        self._timeouts = timeouts
        self._stopping = False

    def run(self) -> int:
        """Run until a signal stops it. Return an exit code: 0 after that, 1 if the cluster cannot be started."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request_stop)
        failed_starts = 0
        while failed_starts < MAX_FAILED_STARTS:
            started = time.monotonic()
            reason = self._supervise_one()
            if reason is None or self._stopping:
                return 0
            failed_starts = failed_starts + 1 if time.monotonic() - started < MIN_UPTIME_SECONDS else 0
            logger.warning("The worker cluster is restarted: %s.", reason)
            self._pause(failed_starts)
        logger.error("The worker cluster failed to start %d times in a row. See its messages above.", MAX_FAILED_STARTS)
        return 1

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _supervise_one(self) -> str | None:
        """Run one cluster to its end. Return why another one is needed, or None after a request to stop."""
        cluster = Cluster()
        logger.info("The worker cluster is started (process %d).", cluster.pid)
        try:
            reason = self._watch(cluster)
            if reason is None:
                cluster.terminate(self._timeouts.stop)
            else:
                self._let_tasks_end(cluster)
            return reason
        finally:
            cluster.kill()

    def _watch(self, cluster: Cluster) -> str | None:
        detector = StallDetector(self._timeouts, time.monotonic())
        while self._pause(self._timeouts.poll_interval):
            if cluster.exit_code is not None:
                return f"it ended by itself with exit code {cluster.exit_code}"
            _ask(leases.sweep)
            _ask(notifications.sweep)
            _ask(index_builds.sweep)
            snapshot = _ask(cluster.snapshot)
            if snapshot is None:  # the state of the cluster is unknown while its broker does not answer
                detector = StallDetector(self._timeouts, time.monotonic())
            elif (reason := detector.restart_reason(snapshot, time.monotonic())) is not None:
                return reason
        return None

    def _let_tasks_end(self, cluster: Cluster) -> None:
        """Wait until no worker runs a task: the hand-over of tasks hangs, but those that are running may succeed."""
        deadline = time.monotonic() + self._timeouts.stop
        while time.monotonic() < deadline and self._pause(self._timeouts.poll_interval):
            snapshot = _ask(cluster.snapshot)
            if snapshot is None or snapshot.busy_workers == 0:
                return

    def _pause(self, seconds: float) -> bool:
        """Wait, in short steps since a signal does not end a sleep. Return False as soon as a stop is requested."""
        deadline = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self._stopping


def _ask(question: Callable[[], Answer]) -> Answer | None:
    """Call a function with a connection that is closed after it; return None if database or broker do not answer."""
    try:
        return question()
    except _UNREACHABLE as error:
        logger.warning("The supervisor could not ask the database or the broker: %s.", type(error).__name__)
        return None
    finally:
        connections.close_all()
