"""The step *upload*: a file comes in, by a page or a command, and becomes a job (design section 5.1).

The wrong role and a file that is too large are refused at once, without a job.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # without the extra "s3" no storage raises them
    BotoCoreError = ClientError = ()

from django.core.files import File

from imports import job_file, lifecycle, moves, offers
from imports.models import ImportJob
from imports.moves import Actor, Refused
from imports.presets import PRESETS
from imports.source import Source, SourceError


def receive(job: ImportJob, stream: BinaryIO, actor: Actor) -> ImportJob:
    """Store the file of a job that has all else, and have it read.

    Raises ``Refused``, also where the storage's clock is not ours, and OSError where it does not take the file.
    """
    moves.check_may_upload(actor)
    if reason := offers.why_not(PRESETS[job.preset], job.record_type):  # EV-02
        raise Refused("record_type", reason)
    with _refusing():
        job_file.limits(job).check_size(job.file_size)
    with _storing():
        job.file.save(job.file_name, File(stream), save=False)
    try:
        return lifecycle.upload(job, actor)
    except BaseException:
        job.file.storage.delete(str(job.file.name))
        raise


def look(job: ImportJob, stream: BinaryIO) -> None:
    """Raise ``Refused`` where the first bytes show a file to be no table, for a person who waits for the answer."""
    with _refusing():
        Source.refuse_at_once(stream, job.file_name, job_file.limits(job))
    stream.seek(0)


@contextmanager
def _storing() -> Iterator[None]:
    """Tell of clocks that differ (FQ-01) in words, and of all else that S3 refuses as of any storage that does."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code != CLOCK_SKEW:
            raise OSError(f"the storage answered {code or 'with an error'}") from error
        raise Refused("clock", _SYNC_THE_CLOCK) from error
    except BotoCoreError as error:
        raise OSError(str(error)) from error


CLOCK_SKEW = "RequestTimeTooSkewed"
_SYNC_THE_CLOCK = (
    "The file cannot be stored: the difference between the request time and the current time is too large. "
    "Set the system clock of the site's server right, or have an administrator do so, and upload the file again. "
    "Nothing was imported."
)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except SourceError as refusal:
        raise Refused(refusal.code, refusal.message) from refusal
