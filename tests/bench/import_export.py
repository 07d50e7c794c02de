"""django-import-export over some of the same people, in a process of its own (`python -m tests.bench.import_export`).

*The admin's way* does what the admin's import form and its confirm form have done, with the library's defaults: read
the file and try every row in a transaction that is rolled back, with a savepoint and the HTML of its differences; then
read the file again and import every row, with a savepoint, a look-up and a save for each. Left out, in its favour: the
upload, the pages, which show every row, and the log entries.

*Bulk mode* is the fastest that its options allow: no trial, no differences, everybody known looked up by one query,
`bulk_create` and `bulk_update` by 1,000.

Both write people and their identifiers, since people could not be found again without; neither keeps old values.
"""

import enum
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.bench import check
from tests.bench.kinds import BenchError, Kind
from tests.bench.people import People
from tests.bench.server import ROOT, Database

KINDS = (Kind.NEW, Kind.CHANGED)


class Mode(enum.StrEnum):
    """How django-import-export is used."""

    ADMIN = "admin"
    BULK = "bulk"


def run(database: Database, mode: Mode, files: Mapping[int, People]) -> dict[Kind, dict[str, float]]:
    """Import the files, by version, into an empty database; seconds by kind: ``trial``, ``import`` and ``total``."""
    seconds = {}
    for kind in KINDS:
        people = files[kind.version]
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.import_export", mode, str(people.path)],
            cwd=ROOT,
            env=database.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise BenchError(f"django-import-export ({mode}, {kind}) failed.")
        database.settle()
        check.check_people(database, people)
        seconds[kind] = json.loads(done.stdout)
    return seconds


def main(mode: Mode, path: Path) -> dict[str, float]:
    """Import one file in this process; return seconds."""
    import django

    django.setup()

    from tests.bench.resource import AdminResource, BulkResource

    resource = AdminResource if mode is Mode.ADMIN else BulkResource
    trial = _import(resource, path, dry_run=True) if mode is Mode.ADMIN else 0.0
    real = _import(resource, path, dry_run=False)
    return {"trial": round(trial, 3), "import": round(real, 3), "total": round(trial + real, 3)}


def _import(resource: Any, path: Path, *, dry_run: bool) -> float:
    from tablib import Dataset

    began = time.monotonic()
    with path.open(encoding="utf-8", newline="") as stream:
        data = Dataset().load(stream, format="csv")
    result = resource().import_data(data, dry_run=dry_run, retain_instance_in_row_result=not dry_run)
    seconds = time.monotonic() - began
    if result.has_errors() or result.has_validation_errors():
        raise BenchError(f"{result.base_errors} {result.error_rows[:1]} {result.invalid_rows[:1]}")
    return seconds


if __name__ == "__main__":
    assert "DATABASE_URL" in os.environ, "python -m tests.bench starts this, with a database of its own"
    print(json.dumps(main(Mode(sys.argv[1]), Path(sys.argv[2]))))
