"""This project's engine: `manage.py import_profiles`, with two workers of `manage.py work`."""

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import check, processes, timeline
from tests.bench.kinds import BenchError, Kind
from tests.bench.memory import Memory
from tests.bench.people import People
from tests.bench.processor import Used, used
from tests.bench.server import Database
from tests.bench.timeline import Timeline

START_SECONDS = 300
SLOWEST = 200
"""Rows per second below which something hangs."""


@dataclass(frozen=True, slots=True)
class EngineRun:
    """One import. ``seconds``: by stage, and as ``total`` from the stored file to Completed, by the job's own times;
    ``wall``: the whole command, its start included, as in ``processor``. ``memory``: MB at the highest by role."""

    rows: int
    seconds: dict[str, float]
    wall: float
    processor: Used
    memory: dict[str, float]
    timeline: Timeline


def run(database: Database, kind: Kind, people: People) -> EngineRun:
    """Import the people of a file. Raises ``BenchError``."""
    result, found = measured(database, _arguments(people.path), people.rows)
    check.check_counts(kind, people.rows, result)
    return found


def measured(database: Database, arguments: list[str], rows: int) -> tuple[dict[str, Any], EngineRun]:
    """Import a file through the queue, with workers that have just started: what the command says, and the figures.

    Raises ``BenchError``.
    """
    output = database.folder / "import.log"
    with processes.workers(database) as supervisor:
        began, before = time.monotonic(), used(database.server)
        with processes.manage(database, arguments, output) as command:
            with Memory(command.pid, supervisor) as memory:
                code = _ended(command, rows)
            wall, processor = time.monotonic() - began, used(database.server).since(before)
    if code:
        work = processes.last_words(database.folder / "work.log")
        raise BenchError(f"import_profiles ended with {code}:\n{processes.last_words(output)}\nThe workers:\n{work}")
    result = _last_line(output)
    found = EngineRun(
        rows=rows,
        seconds=result["seconds"],
        wall=round(wall, 3),
        processor=processor,
        memory=memory.peaks(),
        timeline=timeline.read(database, result["job"]),
    )
    return result, found


def _ended(command: subprocess.Popen[bytes], rows: int) -> int | str:
    """Wait for the command; return its exit code, or what to say where it takes far too long."""
    seconds = START_SECONDS + rows / SLOWEST
    try:
        return command.wait(seconds)
    except subprocess.TimeoutExpired:
        return f"nothing within {seconds:.0f} s"


def _arguments(path: Path) -> list[str]:
    return ["import_profiles", str(path), "--identifier", "email", "--action", "overwrite", "--wait", "--json"]


def _last_line(output: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(output.read_text(encoding="utf-8").splitlines()[-1])
    return result
