"""What the queue calls: doors that load by id, call one function, and return (design rule 10)."""

from __future__ import annotations

from django.conf import settings

from imports.engine import driver
from imports.jobs import notifications, queue
from imports.models import ImportJob
from imports.reports import downloads
from imports.worker import index_builds


def advance(job_id: int) -> None:
    """Carry a job forward for a while; what is left goes back to the queue, so that other jobs have their turn."""
    if driver.run_units(job_id, settings.IMPORTS_TASK_SECONDS):
        queue.enqueue_job(ImportJob.objects.get(pk=job_id), times=1)


def send_notice(transition_id: int) -> None:
    """Send the e-mails that a transition of a job calls for."""
    notifications.send(transition_id)


def update_index(attribute_id: int) -> None:
    """Make or drop what people are found fast by in an attribute."""
    index_builds.update_indexes(attribute_id)


def make_download(number: int) -> None:
    """Make a file that somebody asked for."""
    downloads.build_download(number)
