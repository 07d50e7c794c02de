"""A file of events: about ten for each of its people, nobody of whom is known before (requirements section 16)."""

from pathlib import Path
from random import Random

from tests.bench import engine
from tests.bench.engine import EngineRun
from tests.bench.kinds import BenchError
from tests.bench.server import Database

SEED = 1
EACH = 10
"""Events of one person, on average."""

NAMES = ("trip_booked", "login")
CITIES = ("Paris", "Oslo", "Rome", "Lima", "Bern")
_COUNT = """
SELECT (SELECT count(*) FROM profiles_event), (SELECT count(DISTINCT profile_id) FROM profiles_event),
    (SELECT count(*) FROM profiles_profile), (SELECT sum((properties->>'days')::int) FROM profiles_event)
"""


def run(database: Database, folder: Path, rows: int) -> EngineRun:
    """Write a file, import it, and see that every event is there. Raises ``BenchError``."""
    path = folder / f"events-{rows}.csv"
    expected = _write(path, rows)
    arguments = ["import_profiles", str(path), "--type", "events", "--identifier", "external_id", "--wait", "--json"]
    _, found = engine.measured(database, arguments, rows)
    with database.connect() as connection:
        stored = tuple(connection.execute(_COUNT.encode()).fetchone() or ())
    if stored != expected:
        raise BenchError(f"The import is wrong. Events, people who have some, people, days: {expected}, found {stored}")
    return found


def _write(path: Path, rows: int) -> tuple[int, ...]:
    """Write the events; how many, of how many people, how many people in all, and the sum of their days.

    A line is short, since a file of events may have 50 MB (FF-11).
    """
    random, people, days = Random(SEED), max(1, rows // EACH), 0
    seen: set[int] = set()
    with path.open("w", encoding="utf-8", newline="") as stream:
        stream.write("external_id,name,time,trip_booked.properties.to,trip_booked.properties.days\n")
        for _ in range(rows):
            person, name = random.randrange(people), random.choice(NAMES)
            seen.add(person)
            moment = f"2024-{random.randrange(1, 13):02}-{random.randrange(1, 29):02}T{random.randrange(24):02}:30:00Z"
            length = random.randrange(1, 10) if name == NAMES[0] else 0
            days += length
            stay = f"{random.choice(CITIES)},{length}" if length else ","
            stream.write(f"u{person},{name},{moment},{stay}\n")
    return rows, len(seen), len(seen), days
