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

from imports.files.errors import SourceError
from imports.files.source import Source
from imports.jobs import lifecycle, stored_file, transitions
from imports.jobs.transitions import Actor, Refused
from imports.mapping import preset_choices
from imports.models import ImportJob
from imports.presets import PRESETS


def receive(job: ImportJob, stream: BinaryIO, actor: Actor) -> ImportJob:
    """Store the file of a job that has all else, and have it read.

    Raises ``Refused``, also where the storage's clock is not ours, and OSError where it does not take the file.
    """
    transitions.check_may_upload(actor)
    if reason := preset_choices.unsupported_reason(PRESETS[job.preset], job.record_type):  # EV-02
        raise Refused("record_type", reason)
    with _refusing():
        stored_file.limits(job).check_size(job.file_size)
    with _storing():
        job.file.save(job.file_name, File(stream), save=False)
    try:
        return lifecycle.upload(job, actor)
    except BaseException:
        job.file.storage.delete(str(job.file.name))
        raise


def check_first_bytes(job: ImportJob, stream: BinaryIO) -> None:
    """Raise ``Refused`` where the first bytes show a file to be no table, for a person who waits for the answer."""
    with _refusing():
        Source.check_first_bytes(stream, job.file_name, stored_file.limits(job))
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
