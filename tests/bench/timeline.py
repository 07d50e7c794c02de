"""When which unit of a job was worked on, by the job's own records: time without a worker at work is to be gained."""

from dataclasses import dataclass
from itertools import pairwise

from tests.bench.server import LEASE_SECONDS, Database

SHORTEST_GAP = 0.02

_UNITS = """
SELECT step, extract(epoch FROM lease_until)::float8 - %s, extract(epoch FROM done)::float8
FROM imports_bucket WHERE job_id = %s AND done IS NOT NULL AND lease_until IS NOT NULL ORDER BY 2
"""
_BOUNDS = """
SELECT extract(epoch FROM (SELECT min("when") FROM imports_jobtransition WHERE job_id = j.id))::float8,
       extract(epoch FROM j.finished)::float8
FROM imports_importjob j WHERE j.id = %s
"""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of work; the times are seconds since the upload."""

    step: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Gap:
    """Time in which no worker worked on the job, and between which steps."""

    begin: float
    seconds: float
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A job from its upload to its end. ``busy``: seconds of work by step, of all workers together."""

    seconds: float
    units: dict[str, int]
    busy: dict[str, float]
    idle: float
    alone: float
    gaps: list[Gap]


def read(database: Database, job: int) -> Timeline:
    """The timeline of a job that has ended."""
    with database.connect() as connection:
        begin, end = connection.execute(_BOUNDS, [job]).fetchone() or (0.0, 0.0)
        rows = connection.execute(_UNITS, [LEASE_SECONDS, job]).fetchall()
    return timeline([Unit(step, first - begin, last - begin) for step, first, last in rows], end - begin)


def timeline(units: list[Unit], seconds: float) -> Timeline:
    """Work out who was at work when. ``alone``: seconds in which exactly one worker was at work."""
    steps = list(dict.fromkeys(unit.step for unit in sorted(units, key=lambda unit: unit.begin)))
    return Timeline(
        seconds=round(seconds, 3),
        units={step: sum(unit.step == step for unit in units) for step in steps},
        busy={step: round(sum(unit.end - unit.begin for unit in units if unit.step == step), 3) for step in steps},
        idle=round(_at_work(units, seconds, 0), 3),
        alone=round(_at_work(units, seconds, 1), 3),
        gaps=_gaps(units, seconds),
    )


def _at_work(units: list[Unit], seconds: float, number: int) -> float:
    """Seconds in which exactly so many workers were at work."""
    edges = sorted([(0.0, 0), (seconds, 0), *((u.begin, 1) for u in units), *((u.end, -1) for u in units)])
    found, working = 0.0, 0
    for (at, step), (then, _) in pairwise(edges):
        working += step
        found += then - at if working == number else 0.0
    return found


def _gaps(units: list[Unit], seconds: float) -> list[Gap]:
    found, end, before = [], 0.0, "upload"
    for unit in sorted([*units, Unit("end", seconds, seconds)], key=lambda unit: unit.begin):
        if unit.begin - end > SHORTEST_GAP:
            found.append(Gap(round(end, 3), round(unit.begin - end, 3), before, unit.step))
        if unit.end > end:
            end, before = unit.end, unit.step
    return found
