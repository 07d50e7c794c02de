"""Every file of tests/data goes through the whole command, and ends as the file beside it says."""

import io
import json
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from imports.models import ImportJob
from imports.states import Status
from profiles.models import Profile

DATA = Path(__file__).parent.parent / "data"
TOLD = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(DATA.glob("*.json"))}
IMPORTED = [name for name, told in TOLD.items() if "import" in told]
REFUSED = [name for name, told in TOLD.items() if "refused" in told]

pytestmark = pytest.mark.django_db


def imported(name: str, identifier: str) -> dict[str, Any]:
    """The JSON line of the command, run in this process."""
    out = io.StringIO()
    options = ["--identifier", identifier, "--action", "overwrite", "--inline", "--json"]
    with suppress(CommandError):  # how it tells that a file is refused; the line says so too
        call_command("import_profiles", str(DATA / name), *options, stdout=out, stderr=io.StringIO())
    result: dict[str, Any] = json.loads(out.getvalue().splitlines()[-1])
    return result


@pytest.mark.parametrize("name", IMPORTED)
def test_each_odd_file_is_imported_with_the_counts_and_problems_told(name: str):
    told = TOLD[name]["import"]
    result = imported(name, "email" if "email" in TOLD[name]["header"] else "external_id")
    assert result["status"] == "completed"
    counts = {key: told[key] for key in ("imported", "updated", "failed")}
    assert result["counts"] == {"total": sum(counts.values()), "ignored": 0, "not_run": 0, **counts}
    assert [{key: e[key] for key in ("row", "line", "column", "code")} for e in result["errors"]] == told["errors"]
    assert Profile.objects.count() == told["imported"]


@pytest.mark.parametrize("name", REFUSED)
def test_each_file_that_is_no_table_fails_its_job_and_is_not_kept(name: str):
    result = imported(name, "email")
    assert result["status"] == "failed"
    assert result["errors"][0]["code"] == TOLD[name]["refused"]
    job = ImportJob.objects.get()
    assert job.status == Status.FAILED
    assert not job.file
    assert not job.columns.exists()
    assert not Profile.objects.exists()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_nobody_sees_a_file_refused_and_kept():  # which would look like one that can be resumed
    seen: list[tuple[str, str]] = []
    other = connection.copy()

    def look(execute: Any, sql: str, *more: Any) -> Any:
        result = execute(sql, *more)
        if sql.startswith('UPDATE "imports_importjob"'):
            with other.cursor() as cursor:
                cursor.execute("SELECT status, file FROM imports_importjob")
                seen.extend(cursor.fetchall())
        return result

    with closing(other), connection.execute_wrapper(look):
        imported("text-after-quote.csv", "email")
    assert len(seen) > 1
    assert not [file for status, file in seen if status == Status.FAILED and file]
