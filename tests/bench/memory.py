"""The private memory (RssAnon) of the project's processes, looked at 20 times a second. Linux only."""

import enum
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.bench.processes import family, title

EVERY_SECONDS = 0.05
FIELD = b"RssAnon:"


class Role(enum.StrEnum):
    """What a process is there for."""

    COMMAND = "command"
    SUPERVISOR = "supervisor"
    QUEUE = "queue"
    WORKER = "worker"


class Memory:
    """A context in which processes are watched: the command, and all that the supervisor has started."""

    def __init__(self, command: int, supervisor: int) -> None:
        self._command = command
        self._supervisor = supervisor
        self._roles: dict[int, Role] = {}
        self._peaks: dict[int, int] = {}
        self._all = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._find()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def peaks(self) -> dict[str, float]:
        """MB at the highest: of one process of each role, and of all processes together as ``all``. Empty elsewhere
        than on Linux."""
        found: dict[str, float] = {}
        for pid, peak in self._peaks.items():
            role = self._roles[pid].value
            found[role] = max(found.get(role, 0.0), round(peak / 1024, 1))
        return found | {"all": round(self._all / 1024, 1)} if found else {}

    def _watch(self) -> None:
        looked = time.monotonic()
        while not self._stopped.wait(EVERY_SECONDS):
            if time.monotonic() - looked > 1:  # finding processes costs much more than looking at them
                looked = time.monotonic()
                self._find()
            self._look()

    def _find(self) -> None:
        self._roles.setdefault(self._command, Role.COMMAND)
        self._roles.setdefault(self._supervisor, Role.SUPERVISOR)
        for process in family(self._supervisor)[1:]:
            if self._roles.get(process.pid) is not Role.WORKER:
                self._roles[process.pid] = _role(process)

    def _look(self) -> None:
        together = 0
        for pid in self._roles:
            size = rss_anon(pid)
            together += size
            if size > self._peaks.get(pid, 0):
                self._peaks[pid] = size
        self._all = max(self._all, together)


def rss_anon(pid: int) -> int:
    """kB of private memory of a process; 0 when it is gone, or where this cannot be known."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_bytes().splitlines():
            if line.startswith(FIELD):
                return int(line.split()[1])
    return 0


def _role(process: psutil.Process) -> Role:
    shown = title(process)
    return Role.WORKER if shown.endswith(" idle") or " processing " in shown else Role.QUEUE
