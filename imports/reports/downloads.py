"""Build the files that users download from an import: small ones during the request, large ones by a worker.

A worker leases the file it builds and renews the lease meanwhile; if the worker dies, another one takes over at the
next request. Any host can build a file, since files are stored in the same storage as the uploaded ones.
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
"""Largest number of rows, and size of the uploaded file in bytes, for a file that is built during the request."""

REQUEUE_SECONDS = 30
"""Seconds after which a task that was queued and has not begun is queued again."""


class _Lost(Exception):
    """Another worker builds the file now, or the import has made another transition."""


def is_small(job: ImportJob, kind: Kind) -> bool:
    """Whether a file is built during the request. A workbook must be ten times smaller: it is held in memory."""
    rows = job.failed if kind is Kind.FAILED else job.failed + job.ignored
    is_workbook = job.format.get("found", {}).get("container") == Container.XLSX
    return rows <= SMALL_ROWS and job.file_size <= SMALL_BYTES // (10 if is_workbook else 1)


def build_file(job: ImportJob, kind: Kind) -> IO[bytes]:
    """Return the file as a temporary file at its start, built in this process; the caller closes it."""
    with ExitStack() as stack:
        file = stack.enter_context(TemporaryFile())
        _write(job, kind, file, lambda rows: None)
        file.seek(0)
        stack.pop_all()  # the caller closes the file
    return file


def request_download(job: ImportJob, kind: Kind) -> Download:
    """Return the download: finished, or with its progress. Queue its task unless a worker is building the file."""
    transition = _last_transition(job)
    with transaction.atomic():
        download, _ = Download.objects.get_or_create(job=job, kind=kind, defaults={"last_transition": transition})
        download = Download.objects.select_for_update().get(pk=download.pk)
        if download.last_transition != transition or (download.made and not _file_exists(download)):
            _reset(download, transition)
        if _must_be_queued(download):
            Download.objects.filter(pk=download.pk).update(queued=timezone.now())
            queue.enqueue_download(download.pk)
    return download


def build_download(number: int) -> None:
    """Build the requested file with this primary key. Do nothing if it is built, or leased by another worker."""
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
    """Whether building failed ``MAX_ATTEMPTS`` times. A request after the job's next transition starts again."""
    idle = download.lease_until is None or download.lease_until < timezone.now()
    return not download.made and download.attempts >= MAX_ATTEMPTS and idle


def download_name(job: ImportJob, kind: Kind) -> str:
    """Return the name under which a browser saves the file."""
    ending = "xlsx" if kind is Kind.RESULTS else "csv"
    return f"{slugify(job.name)[:60] or 'import'}-{job.pk}-{_NAMES[kind]}.{ending}"


_NAMES = {Kind.RESULTS: "results", Kind.FAILED: "failed-rows", Kind.FLAGGED: "failed-and-ignored-rows"}


def _write(job: ImportJob, kind: Kind, file: IO[bytes], report: Callable[[int], None]) -> None:
    if kind is Kind.RESULTS:
        results_workbook.write_results(job, file, report)
        return
    # With a byte order mark, by which spreadsheets recognise UTF-8; an import strips it.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        results_workbook.write_rows_to_correct(job, text, report, ignored=kind is Kind.FLAGGED)
    finally:
        text.detach()


def _last_transition(job: ImportJob) -> int:
    last: int | None = job.transitions.aggregate(last=Max("pk"))["last"]
    return last or 0


def _file_exists(download: Download) -> bool:
    return bool(download.file) and download.file.storage.exists(str(download.file.name))


def _reset(download: Download, transition: int) -> None:
    if download.file:
        name, storage = str(download.file.name), download.file.storage
        transaction.on_commit(lambda: storage.delete(name))
    download.last_transition, download.file, download.rows, download.owner = transition, "", 0, ""
    download.made = download.queued = download.lease_until = None
    download.attempts = 0
    download.save()


def _must_be_queued(download: Download) -> bool:
    now = timezone.now()
    is_held = download.lease_until is not None and download.lease_until > now
    is_queued = download.queued is not None and download.queued > now - timedelta(seconds=REQUEUE_SECONDS)
    return not (download.made or is_held or is_queued or download.attempts >= MAX_ATTEMPTS)


def _claim(number: int) -> Download | None:
    """Lease a file to build and count the attempt; return None if it is built, leased or out of attempts."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    owner = str(uuid.uuid4())
    claimed = Download.objects.filter(free, pk=number, made=None, attempts__lt=MAX_ATTEMPTS).update(
        owner=owner, lease_until=_lease(), attempts=F("attempts") + 1, rows=0
    )
    return Download.objects.select_related("job").filter(pk=number, owner=owner).first() if claimed else None


def _lease() -> Any:
    return Now() + timedelta(seconds=settings.IMPORTS_LEASE_SECONDS)


def _heartbeat(download: Download) -> Callable[[int], None]:
    """Return a function that stores the number of rows written and renews the lease.

    It raises ``_Lost`` if another worker has the lease.
    """

    def report(rows: int) -> None:
        if not _own(download).update(rows=rows, lease_until=_lease()):
            raise _Lost

    return report


def _own(download: Download) -> Any:
    return Download.objects.filter(pk=download.pk, owner=download.owner, made=None)


def _keep(download: Download, file: IO[bytes]) -> None:
    """Store the file. Raise ``_Lost`` if the job has made another transition, or another worker has the lease."""
    storage = Download._meta.get_field("file").storage
    name = download.file.field.generate_filename(download, download_name(download.job, Kind(download.kind)))
    name = storage.save(name, File(file))
    is_current = download.last_transition == _last_transition(download.job)
    if not is_current or not _own(download).update(file=name, made=timezone.now(), lease_until=None):
        storage.delete(name)
        raise _Lost
