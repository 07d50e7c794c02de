"""The step *upload*: a file comes in, by a page or a command, and becomes a job (design section 5.1).

What its size or its first bytes show to be wrong is refused at once, without a job; so is the wrong role.
"""

from __future__ import annotations

from typing import BinaryIO

from django.core.files import File

from imports import job_file, lifecycle
from imports.lifecycle import Actor, Refused
from imports.models import ImportJob
from imports.source import Source, SourceError


def receive(job: ImportJob, stream: BinaryIO, actor: Actor) -> ImportJob:
    """Store the file of a job that has all else, and have it read.

    Raises ``Refused``, and OSError where the storage does not take it.
    """
    lifecycle.check_may_upload(actor)
    try:
        Source.refuse_at_once(stream, job.file_name, job_file.limits(job))
    except SourceError as refusal:
        raise Refused(refusal.code, refusal.message) from refusal
    stream.seek(0)
    job.file.save(job.file_name, File(stream), save=False)
    try:
        return lifecycle.upload(job, actor)
    except BaseException:
        job.file.storage.delete(str(job.file.name))
        raise
