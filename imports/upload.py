"""The step *upload*: a file comes in, by a page or a command, and becomes a job (design section 5.1).

The wrong role and a file that is too large are refused at once, without a job.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from django.core.files import File

from imports import job_file, lifecycle, moves
from imports.models import ImportJob
from imports.moves import Actor, Refused
from imports.presets import PRESETS
from imports.source import Source, SourceError


def receive(job: ImportJob, stream: BinaryIO, actor: Actor) -> ImportJob:
    """Store the file of a job that has all else, and have it read.

    Raises ``Refused``, and OSError where the storage does not take it.
    """
    moves.check_may_upload(actor)
    check_record_type(job)
    with _refusing():
        job_file.limits(job).check_size(job.file_size)
    job.file.save(job.file_name, File(stream), save=False)
    try:
        return lifecycle.upload(job, actor)
    except BaseException:
        job.file.storage.delete(str(job.file.name))
        raise


def check_record_type(job: ImportJob) -> None:
    """Raise ``Refused`` for events under a preset whose files hold none (EV-02)."""
    preset = PRESETS[job.preset]
    if job.holds_events and not preset.events:
        raise Refused("record_type", preset.no_events)


def look(job: ImportJob, stream: BinaryIO) -> None:
    """Raise ``Refused`` where the first bytes show a file to be no table, for a person who waits for the answer."""
    with _refusing():
        Source.refuse_at_once(stream, job.file_name, job_file.limits(job))
    stream.seek(0)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except SourceError as refusal:
        raise Refused(refusal.code, refusal.message) from refusal
