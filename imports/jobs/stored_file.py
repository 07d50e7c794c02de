"""The file of a job: opened from storage, read in the form that the scan found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import BinaryIO, cast

from django.conf import settings

from imports.files.errors import Limits, SourceError
from imports.files.format import Format, FormatChoices
from imports.files.source import Source
from imports.mapping.headers import PROBLEM
from imports.models import ImportJob
from imports.presets import MEGABYTE, PRESETS, Options


def options(job: ImportJob) -> Options:
    """The job's options: those of its preset, then the site's, then what was chosen for this job."""
    preset = PRESETS[job.preset].options
    site = {
        "default_country": settings.IMPORTS_DEFAULT_COUNTRY,
        "time_zone": preset.time_zone or settings.IMPORTS_TIME_ZONE,
    }
    return preset.changed(site | job.options)


def limits(job: ImportJob) -> Limits:
    """How large the file may be: as its preset has it for its record type, or as the site has it if that is less; and
    whether it has to be plain CSV."""
    found = options(job)
    megabytes = found.max_event_megabytes if job.holds_events else found.max_megabytes
    return Limits(
        max_bytes=int(min(megabytes, settings.IMPORTS_MAX_MB) * MEGABYTE),
        uncounted_header=PROBLEM,  # of a file of rows to correct (RP-12)
        csv_only=found.csv_only,
    )


def limits_error(job: ImportJob) -> SourceError | None:
    """Why a file that was read cannot stay under the job's options; None where it can."""
    found = limits(job)
    try:
        found.check_size(job.file_size)
        found.check_csv(Format.from_json(job.format["found"]).kind)
    except SourceError as error:
        return error
    return None


def chosen_format(job: ImportJob) -> dict[str, str]:
    """How the file is to be read, as far as somebody chose it; the rest is detected."""
    said = {each.name: job.format.get(f"chosen_{each.name}", "") for each in fields(FormatChoices)}
    return {name: text for name, text in said.items() if text}


def exists(job: ImportJob) -> bool:
    """Whether the file is kept, and nobody has removed it from the storage."""
    return bool(job.file) and job.file.storage.exists(str(job.file.name))


@contextmanager
def open_detected(job: ImportJob) -> Iterator[Source]:
    """The file as it turns out to be; an encoding, delimiter or sheet that was chosen is taken at its word."""
    with job.file.open("rb") as stream:
        yield Source.detect(cast(BinaryIO, stream), job.file_name, limits(job), FormatChoices(**chosen_format(job)))


@contextmanager
def open_sampled(job: ImportJob) -> Iterator[Source | None]:
    """The file as its beginning makes it look, if that is enough to read it in parts."""
    with job.file.open("rb") as stream:
        yield Source.detect_from_sample(
            cast(BinaryIO, stream), job.file_name, limits(job), FormatChoices(**chosen_format(job))
        )


@contextmanager
def reopened(job: ImportJob) -> Iterator[Source]:
    """The file in the form that the scan stored."""
    with job.file.open("rb") as stream:
        yield Source.reopen(cast(BinaryIO, stream), Format.from_json(job.format["found"]), limits(job))
