"""Processor time: what something costs, also on a machine that others use at the same time."""

import os
from dataclasses import dataclass

import psutil

from tests.bench.processes import family


@dataclass(frozen=True, slots=True)
class Used:
    """Processor seconds so far, or between two moments. ``server``: of PostgreSQL, 0 where its processes are not ours
    to see; ``own``: of the benchmark and of all that it started."""

    server: float
    own: float

    def since(self, before: "Used") -> "Used":
        return Used(round(self.server - before.server, 2), round(self.own - before.own, 2))


def used(server: int | None) -> Used:
    """What the server with this process id and our own processes have used so far, those that have ended included."""
    return Used(_together(server) if server else 0.0, _together(os.getpid()))


def _together(pid: int) -> float:
    return sum(_seconds(process) for process in family(pid))


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
