"""Files are measured by the rules of their headers again before each check, since the preset may have changed."""

from __future__ import annotations

import io

import pytest

from imports.drafts import configure, upload
from imports.engine import driver
from imports.jobs import queue, stored_file
from imports.jobs.transitions import Actor
from imports.models import ImportJob
from imports.presets import CLEVERTAP, PRESETS
from imports.states import Status
from profiles.models import Attribute
from tests.made_files import workbook

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def all_here(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(stored_file, "PRESETS", {**PRESETS, "clevertap": CLEVERTAP})
    with queue.run_inline():
        yield


def scanned(content: bytes, preset: str = "standard") -> ImportJob:
    job = ImportJob(name="people", file_name="people.csv", file_size=len(content), preset=preset)
    upload.receive(job, io.BytesIO(content), Actor.command())
    driver.run_until_idle(job)
    return job


def why_not(job: ImportJob, preset: str) -> list[str]:
    """The codes of what keeps a file from being checked that was read under another preset."""
    job.preset = preset
    job.save()
    with pytest.raises(configure.InvalidMapping) as caught:
        configure.check(job, Actor.command(), identifier="external_id", action="overwrite")
    return [fault.code for fault in caught.value.faults]


def test_a_header_that_a_preset_rejects_fails_the_file_when_it_is_read():
    job = scanned(b"identity,$erial\n1,x\n", "clevertap")
    assert (job.status, job.reason_code) == (Status.FAILED, "forbidden_character")
    assert "$ in “$erial” (column 2)" in job.reason


def test_a_header_that_another_preset_rejects_keeps_the_file_from_being_checked():
    job = scanned(b"Name,identity,a.b\nx,1,2\n")
    assert [found["code"] for found in job.findings] == ["forbidden_character"]
    assert why_not(job, "clevertap") == ["identity_not_first", "forbidden_character"]


def test_a_file_that_another_preset_does_not_read_keeps_it_from_being_checked():
    assert why_not(scanned(workbook([["identity", "Name"], ["1", "x"]])), "clevertap") == ["not_csv"]
    assert why_not(scanned(b"identity;Name\n1;x\n"), "clevertap") == ["not_csv"]


def test_built_in_attributes_of_listed_values_have_types_of_their_own():
    types = dict(Attribute.objects.filter(key__in=["employed", "education", "married"]).values_list("key", "type"))
    assert types == {"employed": "yes_no", "education": "education", "married": "yes_no"}
