"""What was measured, and the figures that follow from it."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from tests.bench.engine import EngineRun
from tests.bench.floor import FloorRun
from tests.bench.import_export import Mode
from tests.bench.kinds import Kind
from tests.bench.pages import PageRun

Seconds = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Round:
    """The floor and the engine once, over the same files, turn by turn."""

    floor: Mapping[Kind, FloorRun]
    engine: Mapping[Kind, EngineRun]

    def ratio(self, kind: Kind) -> float:
        return self.engine[kind].seconds["total"] / self.floor[kind].seconds["total"]


@dataclass(frozen=True, slots=True)
class ImportExport:
    """django-import-export: seconds by the way it is used and the kind of file."""

    rows: int
    seconds: Mapping[Mode, Mapping[Kind, Seconds]]

    def rows_per_second(self, mode: Mode, kind: Kind, part: str = "total") -> float:
        return self.rows / self.seconds[mode][kind][part]


@dataclass(frozen=True, slots=True)
class Results:
    """A whole benchmark. ``small``: one import of fewer rows, for its memory alone. ``events``: a file of events."""

    rows: int
    machine: Mapping[str, Any]
    rounds: list[Round]
    pages: Mapping[str, PageRun]
    small: EngineRun | None
    events: EngineRun
    import_export: ImportExport | None

    def floor(self, kind: Kind) -> dict[str, float]:
        """Seconds of each statement, medians."""
        return _medians([round_.floor[kind].seconds for round_ in self.rounds])

    def engine(self, kind: Kind) -> dict[str, float]:
        """Seconds of each stage, medians."""
        return _medians([round_.engine[kind].seconds for round_ in self.rounds])

    def of_floor(self, kind: Kind, figure: Callable[[FloorRun], float]) -> float:
        """The median of a figure of the floor."""
        return round(median(figure(round_.floor[kind]) for round_ in self.rounds), 3)

    def of_engine(self, kind: Kind, figure: Callable[[EngineRun], float]) -> float:
        """The median of a figure of the engine."""
        return round(median(figure(round_.engine[kind]) for round_ in self.rounds), 3)

    def ratio(self, kind: Kind) -> float:
        """The engine's seconds by the floor's of the same round, median."""
        return round(median(round_.ratio(kind) for round_ in self.rounds), 3)

    def rows_per_second(self, kind: Kind) -> int:
        return round(self.rows / self.engine(kind)["total"])

    @property
    def events_per_second(self) -> int:
        """From the stored file to Completed."""
        return round(self.events.rows / self.events.seconds["total"])

    def memory(self, kind: Kind) -> dict[str, float]:
        """MB at the highest, by role."""
        found: dict[str, float] = {}
        for round_ in self.rounds:
            for role, peak in round_.engine[kind].memory.items():
                found[role] = max(peak, found.get(role, 0.0))
        return found

    def times_import_export(self, mode: Mode, kind: Kind, part: str = "total") -> float | None:
        """How many times as many rows per second the engine imports; None where that was not measured."""
        if self.import_export is None:
            return None
        return round(self.rows_per_second(kind) / self.import_export.rows_per_second(mode, kind, part), 1)


def as_json(results: Results) -> dict[str, Any]:
    """All figures for a program; seconds, MB, and what their names say."""
    last = results.rounds[-1]
    found: dict[str, Any] = {"rows": results.rows, "rounds": len(results.rounds)}
    for kind in Kind:
        found[f"floor_ratio_{kind}"] = results.ratio(kind)
    for kind in Kind:
        found[f"rows_per_second_{kind}"] = results.rows_per_second(kind)
    found["import_export_ratio"] = results.times_import_export(Mode.ADMIN, Kind.NEW)
    found["import_export_ratio_changed"] = results.times_import_export(Mode.ADMIN, Kind.CHANGED)
    found["import_export_ratio_without_trial"] = results.times_import_export(Mode.ADMIN, Kind.NEW, "import")
    found["import_export_bulk_ratio"] = results.times_import_export(Mode.BULK, Kind.NEW)
    found["import_export_bulk_ratio_changed"] = results.times_import_export(Mode.BULK, Kind.CHANGED)
    found["peak_rss_mb"] = _highest([results.memory(kind) for kind in Kind])
    found["peak_rss_mb_small"] = _highest([results.small.memory]) if results.small else None
    found["floor_seconds"] = {kind: results.floor(kind) for kind in Kind}
    found["engine_seconds"] = {kind: results.engine(kind) for kind in Kind}
    found["engine_wall_seconds"] = {kind: results.of_engine(kind, lambda run: run.wall) for kind in Kind}
    found["floor_processor_seconds"] = {kind: _processor(results.of_floor, kind) for kind in Kind}
    found["engine_processor_seconds"] = {kind: _processor(results.of_engine, kind) for kind in Kind}
    found["engine_timeline"] = {kind: asdict(last.engine[kind].timeline) for kind in Kind}
    found["memory_mb"] = {kind: results.memory(kind) for kind in Kind}
    found["small"] = {"rows": results.small.rows, "memory_mb": results.small.memory} if results.small else None
    found["rows_per_second_events"] = results.events_per_second
    found["events"] = {
        "rows": results.events.rows,
        "seconds": results.events.seconds,
        "processor": asdict(results.events.processor),
        "memory_mb": results.events.memory,
    }
    found["import_export"] = asdict(results.import_export) if results.import_export else None
    found["pages"] = {name: asdict(page) for name, page in results.pages.items()}
    return found | {"machine": dict(results.machine)}


def _processor(of: Callable[[Kind, Callable[[Any], float]], float], kind: Kind) -> dict[str, float]:
    return {"server": of(kind, lambda run: run.processor.server), "own": of(kind, lambda run: run.processor.own)}


def _medians(runs: list[Seconds]) -> dict[str, float]:
    return {name: round(median(run[name] for run in runs), 3) for name in runs[0]}


def _highest(memories: list[dict[str, float]]) -> float | None:
    """The most that a single process took."""
    return max((peak for memory in memories for role, peak in memory.items() if role != "all"), default=None)
