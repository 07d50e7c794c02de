"""Golden scenarios of what people take away from an import (requirements sections 13 and 19)."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from imports.models import ImportJob, RowError
from imports.reports import results_workbook
from imports.states import Status
from profiles.models import Attribute
from tests.golden.way import Way, counts, known

SHEETS = ["Summary", "Failed-Ignored Records"]


def workbook(job: ImportJob) -> bytes:
    file = io.BytesIO()
    results_workbook.write_results(job, file)
    return file.getvalue()


def cells(content: bytes) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(io.BytesIO(content))
    return {sheet.title: [tuple(row) for row in sheet.iter_rows(values_only=True)] for sheet in book}


def completed() -> ImportJob:
    """The job of the example: its counters, and a problem for each row that was not applied."""
    figures = {"total": 1000, "imported": 850, "updated": 100, "ignored": 30, "failed": 20}
    job = ImportJob.objects.create(
        name="May", status=Status.COMPLETED, preset="expertflow", identifier="email", action="ignore", **figures
    )
    failed = {"severity": "error", "column": "email", "value": "=1+1", "code": "invalid_email"}
    kinds = [
        *[failed | {"reason": "Invalid email format"}] * 20,
        *[{"severity": "ignored", "code": "ignored", "reason": "Ignored - duplicate found"}] * 30,
    ]
    RowError.objects.bulk_create(
        RowError(job=job, step="apply", row=row, line=row + 1, **kind) for row, kind in enumerate(kinds, 1)
    )
    return job


def test_g_08_the_summary_has_the_figures_of_the_example() -> None:  # RP-02, RP-03, RP-04
    found = cells(workbook(completed()))
    assert list(found) == SHEETS
    assert [line[:2] for line in found["Summary"][:6]] == [
        ("Summary", "Count"),
        ("Total Records", 1000),
        ("Imported", 850),
        ("Updated", 100),
        ("Ignored", 30),
        ("Failed", 20),
    ]
    title, header, *records = found[SHEETS[1]]
    assert (title[0], header[:3]) == ("Failed/Ignored Records", ("Customer Email", "Phone", "Reason"))
    assert len(records) == 50


def test_g_09_each_row_that_was_not_applied_has_its_line(way: Way) -> None:  # RP-05, RP-06, RP-07
    Attribute.objects.filter(key="first_name").update(mandatory=True)
    known(email=["known@example.com"], first_name="Kay")
    text = (
        "email,phone,firstName\ninvalid-email,+1234567890,John\nknown@example.com,+1234567890,Kay\nnew@example.com,,\n"
    )
    job = way.run(text, "expertflow", "email", "ignore")
    assert (job.status, counts(job)) == ("completed", (0, 0, 1, 2))
    assert [line[:3] for line in cells(workbook(job))[SHEETS[1]][2:]] == [
        ("invalid-email", "+1234567890", "Invalid email format"),
        ("known@example.com", "+1234567890", "Ignored - duplicate found"),
        ("new@example.com", "(empty)", "Missing mandatory field: firstName"),
    ]


def test_people_of_an_alias_are_told_by_both_of_its_parts(way: Way) -> None:
    job = way.run("user_alias_name,user_alias_label,email\nn1,crm,bad\nn2,,a@b.co\n", "standard", "alias", "ignore")
    assert [line[5] for line in cells(workbook(job))[SHEETS[1]][2:]] == ["crm: n1", "(empty): n2"]


@pytest.mark.long
def test_libreoffice_reads_the_same_figures(tmp_path: Path) -> None:
    program = shutil.which("soffice")
    assert program, "LibreOffice is missing: install Debian's package libreoffice-calc, then run `make test-long` again"
    content = workbook(completed())
    (tmp_path / "results.xlsx").write_bytes(content)
    # Another format and back, so that every cell was read and written by LibreOffice itself.
    for ending in ("ods", "xlsx"):
        profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
        source = tmp_path / ("results.xlsx" if ending == "ods" else "ods/results.ods")
        command = [program, profile, "--headless", "--convert-to", ending, "--outdir", str(tmp_path / ending)]
        subprocess.run([*command, str(source)], check=True, capture_output=True, timeout=300)
    read = cells((tmp_path / "xlsx" / "results.xlsx").read_bytes())
    assert _filled(read) == _filled(cells(content))


def _filled(sheets: dict[str, list[tuple[Any, ...]]]) -> dict[str, list[list[Any]]]:
    """The cells that hold something."""
    return {name: [[cell for cell in row if cell is not None] for row in rows] for name, rows in sheets.items()}
