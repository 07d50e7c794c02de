"""The results as tables in Markdown, so that they can be pasted into docs/benchmarks.md."""

from collections.abc import Callable, Iterable, Sequence

from tests.bench.engine import EngineRun
from tests.bench.events import EACH
from tests.bench.floor import FloorRun
from tests.bench.import_export import Mode
from tests.bench.kinds import Kind
from tests.bench.memory import Role
from tests.bench.pages import JOBS
from tests.bench.results import Results

STAGES = ("scan", "stage", "preview", "apply")
LONGEST_GAPS = 5

NOTE = """\
*Floor*: COPY, then INSERT or UPDATE from SELECT over the same tables and indexes, in one transaction; no checking, no
errors, no preview, no locks, no old values. *This project*: the whole file checked, matched, previewed and applied
through the queue, by workers that have just started. *Changed*: three of eleven columns differ. Every import was
compared with its file afterwards."""
LIBRARY_NOTE = """\
*django-import-export*: the admin's way is its trial run and its import, row by row, without upload, pages and log
entries; bulk mode is its import alone, with everybody looked up by one query."""

Run = FloorRun | EngineRun


def report(results: Results) -> str:
    """Speed, memory, and where the time goes."""
    parts = [_machine, _speed, _note, _memory, _pages, _floor, _where]
    return "\n\n".join(part(results) for part in parts)


def _machine(results: Results) -> str:
    known = results.machine
    rounds = f", medians of {len(results.rounds)} rounds" if len(results.rounds) > 1 else ""
    return (
        f"{results.rows:,} rows of 11 columns{rounds}; {known['cores']} cores, PostgreSQL {known['postgresql']}, "
        f"Python {known['python']}. The floor uses one connection, this project {known['workers']} workers."
    )


def _speed(results: Results) -> str:
    rows = [
        _line("SQL floor, s", lambda kind: _seconds(results.floor(kind)["total"])),
        _line("This project, s (file stored → Completed)", lambda kind: _seconds(results.engine(kind)["total"])),
        _line("**Times the floor**", lambda kind: f"**{results.ratio(kind):.2f}**"),
        _line("Rows per second", lambda kind: f"{results.rows_per_second(kind):,}"),
        _line("Seconds of " + " / ".join(STAGES), lambda kind: _stages(results.engine(kind))),
        _line("Whole command, s", lambda kind: _seconds(results.of_engine(kind, lambda run: run.wall))),
        *_processor(results),
        *_import_export(results),
    ]
    return _table(["", *(kind.value for kind in Kind)], rows) + f"\n\n{_events(results)}"


def _events(results: Results) -> str:
    run = results.events
    return (
        f"{run.rows:,} events of {run.rows // EACH:,} people whom nobody knew, from the stored file to Completed: "
        f"{_seconds(run.seconds['total'])} s, {results.events_per_second:,} rows per second "
        f"({_stages(run.seconds)} s of {' / '.join(STAGES)}; processor seconds {_seconds(run.processor.server)} + "
        f"{_seconds(run.processor.own)})."
    )


def _processor(results: Results) -> list[list[str]]:
    """Processor seconds, which a busy machine falsifies less than seconds; not known of a server elsewhere."""
    if not results.of_engine(Kind.NEW, lambda run: run.processor.server):
        return []

    def cell(used: Callable[[Kind, Callable[[Run], float]], float]) -> Callable[[Kind], str]:
        return lambda kind: " + ".join(_seconds(used(kind, part)) for part in (_server, _own))

    return [
        _line("Floor, processor seconds, server + own", cell(results.of_floor)),
        _line("This project, processor seconds, server + own", cell(results.of_engine)),
    ]


def _server(run: Run) -> float:
    return run.processor.server


def _own(run: Run) -> float:
    return run.processor.own


def _import_export(results: Results) -> list[list[str]]:
    other = results.import_export
    if other is None:
        return []

    def rate(mode: Mode, part: str = "total") -> Callable[[Kind], str]:
        return lambda kind: f"{other.rows_per_second(mode, kind, part):,.0f}" if kind in other.seconds[mode] else ""

    def times(mode: Mode, part: str = "total") -> Callable[[Kind], str]:
        known = other.seconds[mode]
        return lambda kind: f"{results.times_import_export(mode, kind, part):,.0f} ×" if kind in known else ""

    library = "django-import-export"
    return [
        _line(f"{library}, admin's way, rows per second ({other.rows:,} rows)", rate(Mode.ADMIN)),
        _line("this project is faster by", times(Mode.ADMIN)),
        _line(f"{library}, the same without its trial run, rows per second", rate(Mode.ADMIN, "import")),
        _line("this project, preview included, is faster by", times(Mode.ADMIN, "import")),
        _line(f"{library}, bulk mode, rows per second", rate(Mode.BULK)),
        _line("this project is faster by", times(Mode.BULK)),
    ]


def _note(results: Results) -> str:
    return NOTE if results.import_export is None else f"{NOTE} {LIBRARY_NOTE}"


def _memory(results: Results) -> str:
    """Private memory at the highest, one column per import."""
    small = results.small
    columns = {f"{results.rows:,} {kind}": results.memory(kind) for kind in Kind}
    if small is not None:
        columns = {f"{small.rows:,} new": small.memory} | columns
    if not any(columns.values()):
        return "Memory is measured on Linux only."
    rows = [[role, *(f"{memory.get(role, 0):.0f}" for memory in columns.values())] for role in [*Role, "all"]]
    return _table(["Private memory at the highest, MB (RssAnon)", *columns], rows)


def _pages(results: Results) -> str:
    rows = [[name, f"{page.milliseconds:.0f}", str(page.queries)] for name, page in results.pages.items()]
    return _table([f"Page, over these people and {JOBS} imports", "milliseconds (median)", "queries"], rows)


def _floor(results: Results) -> str:
    lines = [f"- {kind}: {_each(results.floor(kind))}" for kind in Kind]
    return "\n".join(["Seconds of the floor by statement:", *lines])


def _where(results: Results) -> str:
    """Where the engine's time goes, of the last round."""
    rows, gaps = [], []
    for kind in Kind:
        found = results.rounds[-1].engine[kind].timeline
        busy = _each({f"{step} ({found.units[step]})": seconds for step, seconds in found.busy.items()})
        rows.append([kind, f"{found.idle:.2f}", f"{found.alone:.2f}", busy])
        longest = sorted(found.gaps, key=lambda gap: -gap.seconds)[:LONGEST_GAPS]
        shown = ", ".join(f"{gap.before} → {gap.after} {gap.seconds:.2f} s" for gap in longest)
        gaps.append(f"- {kind}: {shown or 'none'}")
    head = ["Last round", "no worker at work, s", "one at work, s", "work by step, s of all workers (units)"]
    return _table(head, rows) + "\n\nLongest times without a worker at work:\n" + "\n".join(gaps)


def _line(name: str, cell: Callable[[Kind], str]) -> list[str]:
    return [name, *(cell(kind) for kind in Kind)]


def _stages(seconds: dict[str, float]) -> str:
    return " / ".join(_seconds(seconds[stage]) for stage in STAGES)


def _each(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {_seconds(value)}" for name, value in seconds.items())


def _seconds(value: float) -> str:
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
