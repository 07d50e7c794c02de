"""The functions that the queue calls: each takes an ID, calls one function and returns (design rule 10)."""

from __future__ import annotations

from django.conf import settings

from imports.engine import driver
from imports.jobs import notifications, queue
from imports.models import ImportJob
from imports.reports import downloads
from imports.worker import index_builds


def advance(job_id: int) -> None:
    """Work on a job for ``IMPORTS_TASK_SECONDS``; the rest is queued again, so that other jobs have their turn."""
    if driver.run_units(job_id, settings.IMPORTS_TASK_SECONDS):
        queue.enqueue_job(ImportJob.objects.get(pk=job_id), times=1)


def send_notice(transition_id: int) -> None:
    """Send the e-mails about a transition of a job."""
    notifications.send(transition_id)


def update_index(attribute_id: int) -> None:
    """Build or drop the indexes of an attribute."""
    index_builds.update_indexes(attribute_id)


def make_download(number: int) -> None:
    """Write the file of a download that a user requested."""
    downloads.build_download(number)
