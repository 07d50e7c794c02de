"""The step *upload*: receive a file from a page or a command, and create its job (design section 5.1).

A user without the role and a file that is too large are refused at once, without a job.
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
    """Store the file of a job that is otherwise complete, and queue its scan.

    Raises ``Refused``, also if the storage's clock differs from the server's (FQ-01), and ``OSError`` if the storage
    does not accept the file.
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
    """Raise ``Refused`` if the first bytes show that a file is not a table: a page can answer so before the scan."""
    with _refusing():
        Source.check_first_bytes(stream, job.file_name, stored_file.limits(job))
    stream.seek(0)


@contextmanager
def _storing() -> Iterator[None]:
    """Turn S3's error about different clocks (FQ-01) into ``Refused``, and its other errors into ``OSError``."""
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
    "Correct the system clock of the site's server, or ask an administrator to do so, and upload the file again. "
    "Nothing was imported."
)


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except SourceError as refusal:
        raise Refused(refusal.code, refusal.message) from refusal
