"""Open the file of a job from storage, in the format that was chosen, detected or stored by the scan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from typing import BinaryIO, cast

from django.conf import settings

from imports.files.errors import Limits, SourceError
from imports.files.format import Format, FormatChoices
from imports.files.source import Source
from imports.mapping.headers import PROBLEM_HEADER
from imports.models import ImportJob
from imports.presets import MEGABYTE, PRESETS, Options


def options(job: ImportJob) -> Options:
    """Return the job's options: those of its preset, overridden by the site's and then by the choices for this job."""
    preset = PRESETS[job.preset].options
    site = {
        "default_country": settings.IMPORTS_DEFAULT_COUNTRY,
        "time_zone": preset.time_zone or settings.IMPORTS_TIME_ZONE,
    }
    return preset.changed(site | job.options)


def limits(job: ImportJob) -> Limits:
    """Return the limits of the job's file: the smaller size of the site's and its preset's for the record type, and
    whether it must be plain CSV."""
    chosen = options(job)
    megabytes = chosen.max_event_megabytes if job.holds_events else chosen.max_megabytes
    return Limits(
        max_bytes=int(min(megabytes, settings.IMPORTS_MAX_MB) * MEGABYTE),
        uncounted_header=PROBLEM_HEADER,  # the extra column of a file of rows to correct (RP-12)
        csv_only=chosen.csv_only,
    )


def limits_error(job: ImportJob) -> SourceError | None:
    """Return why a file that has been read exceeds the limits of the job's present options, or None if it does not."""
    allowed = limits(job)
    try:
        allowed.check_size(job.file_size)
        allowed.check_csv(Format.from_json(job.format["found"]).kind)
    except SourceError as error:
        return error
    return None


def chosen_format(job: ImportJob) -> dict[str, str]:
    """Return the parts of the format that a user chose, by field of ``FormatChoices``; the rest is detected."""
    chosen = {each.name: job.format.get(f"chosen_{each.name}", "") for each in fields(FormatChoices)}
    return {name: text for name, text in chosen.items() if text}


def exists(job: ImportJob) -> bool:
    """Return whether the file is kept and is still in the storage."""
    return bool(job.file) and job.file.storage.exists(str(job.file.name))


@contextmanager
def open_detected(job: ImportJob) -> Iterator[Source]:
    """Open the file in the format that is detected; a chosen encoding, delimiter or sheet is used instead."""
    with job.file.open("rb") as stream:
        yield Source.detect(cast(BinaryIO, stream), job.file_name, limits(job), FormatChoices(**chosen_format(job)))


@contextmanager
def open_sampled(job: ImportJob) -> Iterator[Source | None]:
    """Open the file in the format detected from its beginning, or None if that does not suffice to read it in parts."""
    with job.file.open("rb") as stream:
        yield Source.detect_from_sample(
            cast(BinaryIO, stream), job.file_name, limits(job), FormatChoices(**chosen_format(job))
        )


@contextmanager
def open_stored(job: ImportJob) -> Iterator[Source]:
    """Open the file in the format that the scan stored."""
    with job.file.open("rb") as stream:
        yield Source.reopen(cast(BinaryIO, stream), Format.from_json(job.format["found"]), limits(job))
