"""The whole benchmark, in order, on one server."""

import os
import platform
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import django

from tests.bench import check, engine, events, floor, import_export, pages, people, server
from tests.bench.engine import EngineRun
from tests.bench.floor import FloorRun
from tests.bench.import_export import Mode
from tests.bench.kinds import Kind
from tests.bench.pages import PageRun
from tests.bench.people import People
from tests.bench.results import ImportExport, Results, Round
from tests.bench.server import Server

SMALL_ROWS = 100_000
"""Memory at this many rows is compared with memory at all of them."""


def run(folder: Path, rows: int, rounds: int, import_export_rows: int) -> Results:
    """Measure everything; 0 ``import_export_rows`` leave that part out. Raises ``BenchError``."""
    with server.running(folder) as running:
        say(f"Writing two files of {rows:,} people")
        files = _files(folder, rows)
        asked: dict[str, PageRun] = {}
        return Results(
            rows=rows,
            machine=_machine(running),
            rounds=[_round(running, files, number, rounds, asked) for number in range(1, rounds + 1)],
            pages=asked,
            events=_events(running, folder, rows),
            small=_small(running, folder) if rows > SMALL_ROWS else None,
            import_export=_import_export(running, folder, import_export_rows) if import_export_rows else None,
        )


def say(text: str) -> None:
    """Tell how far it is, beside what is printed in the end."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def _files(folder: Path, rows: int) -> dict[int, People]:
    return {version: people.write(folder, rows, version) for version in (1, 2)}


def _round(running: Server, files: Mapping[int, People], number: int, rounds: int, asked: dict[str, PageRun]) -> Round:
    """The floor and the engine in turn, each in a database of its own, so that a noisy machine hits both.

    Over what the last one leaves the pages are ``asked``.
    """
    name = f"round {number} of {rounds}"
    of_floor: dict[Kind, FloorRun] = {}
    of_engine: dict[Kind, EngineRun] = {}
    before: People | None = None
    with running.database("floor") as plain, running.database("engine") as own:
        for kind in Kind:
            file = files[kind.version]
            of_floor[kind] = floor.run(plain, kind, file)
            plain.settle()
            check.check(plain, kind, file, before, floor=True)
            of_engine[kind] = engine.run(own, kind, file)
            own.settle()
            check.check(own, kind, file, before)
            before = file
            shown = f"floor {of_floor[kind].seconds['total']:.2f} s, engine {of_engine[kind].seconds['total']:.2f} s"
            say(f"{name}, {kind}: {shown}")
        if number == rounds:
            say("Pages of the admin")
            asked |= pages.run(own, files[Kind.NEW.version])
    return Round(of_floor, of_engine)


def _small(running: Server, folder: Path) -> EngineRun:
    say(f"Memory at {SMALL_ROWS:,} rows")
    file = people.write(folder, SMALL_ROWS, Kind.NEW.version)
    with running.database("small") as database:
        found = engine.run(database, Kind.NEW, file)
        check.check(database, Kind.NEW, file, None)
    return found


def _events(running: Server, folder: Path, rows: int) -> EngineRun:
    with running.database("events") as database:
        found = events.run(database, folder, rows)
    say(f"{rows:,} events: {found.seconds['total']:.2f} s")
    return found


def _import_export(running: Server, folder: Path, rows: int) -> ImportExport:
    files = _files(folder, rows)
    seconds = {}
    for mode in Mode:
        say(f"django-import-export, {mode} mode, {rows:,} rows")
        with running.database("library") as database:
            seconds[mode] = import_export.run(database, mode, files)
    return ImportExport(rows, seconds)


def _machine(running: Server) -> dict[str, str | int | None]:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "django": django.get_version(),
        "postgresql": running.version,
        "workers": server.WORKERS,
    }
