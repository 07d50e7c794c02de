"""The file of a job: opened from storage, read in the form that the scan found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from django.conf import settings

from imports.models import ImportJob
from imports.presets import PRESETS, Options
from imports.source import Format, Limits, Source


def options(job: ImportJob) -> Options:
    """The job's options: those of its preset, then the site's, then what was chosen for this job."""
    preset = PRESETS[job.preset].options
    site = {
        "default_country": settings.IMPORTS_DEFAULT_COUNTRY,
        "time_zone": settings.IMPORTS_TIME_ZONE,
        "max_megabytes": min(preset.max_megabytes, settings.IMPORTS_MAX_MB),
    }
    return preset.changed(site | job.options)


def limits(job: ImportJob) -> Limits:
    """How large the file may be (FF-09, FF-10, FF-11)."""
    chosen = options(job)
    megabytes = min(chosen.max_event_megabytes, chosen.max_megabytes) if job.holds_events else chosen.max_megabytes
    return Limits(max_bytes=megabytes * 1024**2)


@contextmanager
def detected(job: ImportJob) -> Iterator[Source]:
    """The file as it turns out to be; an encoding or delimiter that was chosen is taken at its word."""
    with job.file.open("rb") as stream:
        chosen = {name: job.format.get(f"chosen_{name}") for name in ("encoding", "delimiter")}
        yield Source.detect(cast(BinaryIO, stream), job.file_name, limits(job), **chosen)


@contextmanager
def glanced(job: ImportJob) -> Iterator[Source | None]:
    """The file as its beginning makes it look, if that is enough to read it in parts."""
    with job.file.open("rb") as stream:
        chosen = {name: job.format.get(f"chosen_{name}") for name in ("encoding", "delimiter")}
        yield Source.glance(cast(BinaryIO, stream), job.file_name, limits(job), **chosen)


@contextmanager
def reopened(job: ImportJob) -> Iterator[Source]:
    """The file in the form that the scan stored."""
    with job.file.open("rb") as stream:
        yield Source.reopen(cast(BinaryIO, stream), Format.from_json(job.format["found"]), limits(job))
