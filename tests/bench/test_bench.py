"""What the benchmark makes of measured figures. That it measures is shown by the small run of `.ci/run`."""

import json
from dataclasses import replace

from tests.bench.engine import EngineRun
from tests.bench.floor import FloorRun
from tests.bench.import_export import Mode
from tests.bench.kinds import Kind
from tests.bench.pages import PageRun
from tests.bench.processor import Used
from tests.bench.report import report
from tests.bench.results import ImportExport, Results, Round, as_json
from tests.bench.timeline import Gap, Unit, timeline

UNITS = [Unit("scan", 0.5, 1.0), Unit("stage", 1.5, 3.0), Unit("stage", 1.0, 2.0), Unit("apply", 3.0, 4.0)]
MACHINE = {"cores": 2, "postgresql": "18.4", "python": "3.11.7", "workers": 2}
WANTED = {
    *(f"floor_ratio_{kind}" for kind in Kind),
    *(f"rows_per_second_{kind}" for kind in Kind),
    *("import_export_ratio", "peak_rss_mb", "rows_per_second_events"),
}


def _engine(total: float, worker: float = 90.0) -> EngineRun:
    stages = {"scan": 0.5, "stage": 2.0, "preview": 0.0, "apply": 1.0, "total": total}
    memory = {"command": 50.0, "worker": worker, "all": 230.0}
    return EngineRun(1_000, stages, total + 1, Used(1.0, 2.0), memory, timeline(UNITS, 4.0))


def _round(floor: float, engine: float) -> Round:
    return Round(
        {kind: FloorRun({"copy": 1.0, "total": floor}, Used(1.0, 0.1)) for kind in Kind},
        {kind: _engine(engine) for kind in Kind},
    )


def _results(*rounds: Round) -> Results:
    seconds = {kind: {"trial": 2.0, "import": 2.0, "total": 4.0} for kind in (Kind.NEW, Kind.CHANGED)}
    library = ImportExport(100, dict.fromkeys(Mode, seconds))
    return Results(
        1_000,
        MACHINE,
        list(rounds),
        {"list of people": PageRun(12.3, 9)},
        _engine(1.0, worker=80.0),
        _engine(2.0),
        library,
    )


def test_ratio_is_the_median_over_rounds_of_engine_by_floor() -> None:
    found = as_json(_results(_round(2.0, 4.0), _round(4.0, 4.0), _round(1.0, 4.0)))
    assert found["floor_ratio_new"] == 2.0
    assert found["rows_per_second_new"] == 250


def test_one_json_line_holds_the_figures_that_were_asked_for() -> None:
    text = json.dumps(as_json(_results(_round(2.0, 4.0))))
    assert "\n" not in text
    assert json.loads(text).keys() >= WANTED


def test_import_export_ratio_compares_rows_per_second() -> None:
    found = as_json(_results(_round(2.0, 4.0)))
    assert found["import_export_ratio"] == 10.0
    assert found["import_export_ratio_without_trial"] == 5.0


def test_peak_is_that_of_a_single_process() -> None:
    found = as_json(_results(_round(2.0, 4.0)))
    assert found["peak_rss_mb"] == 90.0
    assert found["peak_rss_mb_small"] == 80.0


def test_report_is_made_of_markdown_tables_with_equal_columns() -> None:
    blocks = report(_results(_round(2.0, 4.0))).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("|")]
    assert len(tables) == 4
    assert all(len({line.count("|") for line in table}) == 1 for table in tables)
    assert "**2.00**" in tables[0][4]


def test_report_leaves_out_what_was_not_measured() -> None:
    results = replace(_results(_round(2.0, 4.0)), small=None, import_export=None)
    assert "django-import-export" not in report(results)
    assert as_json(results)["import_export_ratio"] is None


def test_timeline_tells_when_nobody_was_at_work() -> None:
    found = timeline(UNITS, 4.5)
    assert found.idle == 1.0
    assert found.alone == 3.0
    assert found.gaps == [Gap(0.0, 0.5, "upload", "scan"), Gap(4.0, 0.5, "apply", "end")]
    assert found.busy == {"scan": 0.5, "stage": 2.5, "apply": 1.0}
    assert found.units["stage"] == 2
