"""Files that people take away from an import: small ones are made while they wait, large ones by a worker.

A worker leases what it makes and goes on with the lease while it is at it; whoever died is followed by another, when
somebody asks the next time. Any host can make a file, since it stands where the uploaded ones do.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.text import slugify

from imports.files.containers import Container
from imports.jobs import queue
from imports.jobs.leases import MAX_ATTEMPTS
from imports.models import Download, ImportJob
from imports.reports import results_workbook

Kind = Download.Kind

SMALL_ROWS = 10_000
SMALL_BYTES = 20 * 1024**2
"""What is made while its person waits: so many rows at most, of a file of that size at most."""

REQUEUE_SECONDS = 30
"""When what was queued and not begun is queued again."""


class _Lost(Exception):
    """Somebody else makes the file now, or the import has moved on."""


def is_small(job: ImportJob, kind: Kind) -> bool:
    """Whether a file is made at once: a workbook that was uploaded is held whole to read it, so that is for workers."""
    rows = job.failed if kind is Kind.FAILED else job.failed + job.ignored
    is_workbook = job.format.get("found", {}).get("container") == Container.XLSX
    return rows <= SMALL_ROWS and job.file_size <= SMALL_BYTES // (10 if is_workbook else 1)


def build_file(job: ImportJob, kind: Kind) -> IO[bytes]:
    """The file, made by the caller; a temporary one."""
    with ExitStack() as until_written:
        file = until_written.enter_context(TemporaryFile())
        _write(job, kind, file, lambda rows: None)
        file.seek(0)
        until_written.pop_all()  # whoever sends it closes it
    return file


def request_download(job: ImportJob, kind: Kind) -> Download:
    """The file if it is there, or how far it is; its making is queued unless somebody is at it."""
    transition = _last_transition(job)
    with transaction.atomic():
        download, _ = Download.objects.get_or_create(job=job, kind=kind, defaults={"last_transition": transition})
        download = Download.objects.select_for_update().get(pk=download.pk)
        if download.last_transition != transition or (download.made and not _is_there(download)):
            _start_anew(download, transition)
        if _is_to_queue(download):
            Download.objects.filter(pk=download.pk).update(queued=timezone.now())
            queue.enqueue_download(download.pk)
    return download


def build_download(number: int) -> None:
    """Make a file that was asked for. Does nothing if it is made, or somebody is at it."""
    download = _claim(number)
    if download is None:
        return
    with TemporaryFile() as file:
        try:
            _write(download.job, Kind(download.kind), file, _heartbeat(download))
            file.seek(0)
            _keep(download, file)
        except _Lost:
            pass


def has_failed(download: Download) -> bool:
    """Whether it was tried too often; asking after the next transition of the job tries again."""
    idle = download.lease_until is None or download.lease_until < timezone.now()
    return not download.made and download.attempts >= MAX_ATTEMPTS and idle


def download_name(job: ImportJob, kind: Kind) -> str:
    """What the file is called on its person's machine."""
    ending = "xlsx" if kind is Kind.RESULTS else "csv"
    return f"{slugify(job.name)[:60] or 'import'}-{job.pk}-{_NAMES[kind]}.{ending}"


_NAMES = {Kind.RESULTS: "results", Kind.FAILED: "failed-rows", Kind.FLAGGED: "failed-and-ignored-rows"}


def _write(job: ImportJob, kind: Kind, file: IO[bytes], told: Callable[[int], None]) -> None:
    if kind is Kind.RESULTS:
        results_workbook.write_results(job, file, told)
        return
    # With the mark by which spreadsheets know UTF-8; an import takes it off.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        results_workbook.write_rows_to_correct(job, text, told, ignored=kind is Kind.FLAGGED)
    finally:
        text.detach()


def _last_transition(job: ImportJob) -> int:
    last: int | None = job.transitions.aggregate(last=Max("pk"))["last"]
    return last or 0


def _is_there(download: Download) -> bool:
    return bool(download.file) and download.file.storage.exists(str(download.file.name))


def _start_anew(download: Download, transition: int) -> None:
    if download.file:
        name, storage = str(download.file.name), download.file.storage
        transaction.on_commit(lambda: storage.delete(name))
    download.last_transition, download.file, download.rows, download.owner = transition, "", 0, ""
    download.made = download.queued = download.lease_until = None
    download.attempts = 0
    download.save()


def _is_to_queue(download: Download) -> bool:
    now = timezone.now()
    is_held = download.lease_until is not None and download.lease_until > now
    is_queued = download.queued is not None and download.queued > now - timedelta(seconds=REQUEUE_SECONDS)
    return not (download.made or is_held or is_queued or download.attempts >= MAX_ATTEMPTS)


def _claim(number: int) -> Download | None:
    """Lease a file to make, and count that it was tried; None where there is nothing to do."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    owner = str(uuid.uuid4())
    claimed = Download.objects.filter(free, pk=number, made=None, attempts__lt=MAX_ATTEMPTS).update(
        owner=owner, lease_until=_lease(), attempts=F("attempts") + 1, rows=0
    )
    return Download.objects.select_related("job").filter(pk=number, owner=owner).first() if claimed else None


def _lease() -> Any:
    return Now() + timedelta(seconds=settings.IMPORTS_LEASE_SECONDS)


def _heartbeat(download: Download) -> Callable[[int], None]:
    """Says how far it is and goes on with the lease; raises ``_Lost`` where that is somebody else's."""

    def told(rows: int) -> None:
        if not _own(download).update(rows=rows, lease_until=_lease()):
            raise _Lost

    return told


def _own(download: Download) -> Any:
    return Download.objects.filter(pk=download.pk, owner=download.owner, made=None)


def _keep(download: Download, file: IO[bytes]) -> None:
    """Store the file, unless the job has moved on while it was written. Raises ``_Lost``."""
    storage = Download._meta.get_field("file").storage
    name = download.file.field.generate_filename(download, download_name(download.job, Kind(download.kind)))
    name = storage.save(name, File(file))
    is_current = download.last_transition == _last_transition(download.job)
    if not is_current or not _own(download).update(file=name, made=timezone.now(), lease_until=None):
        storage.delete(name)
        raise _Lost
