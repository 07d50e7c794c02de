"""Downloads of an import: its results, its failed rows for correction, the list of its problems (RP)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.views.decorators.http import require_safe

from imports.admin.job import sections
from imports.admin.job.rows import PREVIEW_STATUSES, Tab
from imports.admin.pages import get_job, import_url, is_fragment, render_page
from imports.cli.run import is_active
from imports.cli.summary import JobFigures
from imports.jobs import problems, stored_file
from imports.models import ImportJob
from imports.reports import downloads, exports
from imports.reports.downloads import Kind
from imports.states import FINISHED_STATUSES

CSV = "text/csv; charset=utf-8"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class DownloadLink:
    """A file to download: its URL, the text of the link, and what the file is for."""

    address: str
    label: str
    about: str


def download_links(job: ImportJob, found: JobFigures, *, working: bool) -> Iterator[DownloadLink]:
    """Yield the downloads that the page of an import offers in its present status."""
    if working or not found.counts.total:
        return
    failed, ignored = found.counts.failed, found.counts.ignored
    if job.status in FINISHED_STATUSES:
        about = "totals, and each failed or ignored row with its reason (.xlsx)"
        yield DownloadLink(import_url("results", job), "Download the results", about)
    if failed and job.file:
        about = "your columns and the reason for each row: correct the rows and upload this file (.csv)"
        yield DownloadLink(import_url("failed", job), "Download the failed rows", about)
    if ignored and job.file and job.status in FINISHED_STATUSES:
        about = "the same, with the ignored rows of existing people (.csv)"
        yield DownloadLink(f"{import_url('failed', job)}?ignored=1", "Download the failed and ignored rows", about)


@require_safe
def download_results(request: HttpRequest, number: int) -> HttpResponseBase:
    """Return the results workbook of a job that has ended (RP-01)."""
    job = get_job(request, number)
    if job.status not in FINISHED_STATUSES or is_active(job):
        return _not_now(request, job, "This import has not ended yet, so there are no results to download.")
    return _file(request, job, Kind.RESULTS)


@require_safe
def download_failed_rows(request: HttpRequest, number: int) -> HttpResponseBase:
    """Return the failed rows for correction; with the parameter ``ignored`` also the ignored rows (RP-12)."""
    job = get_job(request, number)
    if job.status not in {*FINISHED_STATUSES, *PREVIEW_STATUSES} or is_active(job):
        return _not_now(request, job, "The rows of this import have not been checked yet, so none has failed.")
    if not job.file:
        return _not_now(request, job, "The file was refused as a whole and not kept, so there are no rows to correct.")
    if not stored_file.exists(job):
        reason = "The uploaded file is no longer in the storage, so its rows cannot be downloaded."
        return _not_now(request, job, reason)
    return _file(request, job, Kind.FLAGGED if "ignored" in request.GET else Kind.FAILED)


@require_safe
def download_problems(request: HttpRequest, number: int) -> HttpResponseBase:
    """Return the problems that the page of the job lists under the same filters, as CSV or ``format=xlsx`` (RP-11)."""
    job = get_job(request, number)
    is_ignored = request.GET.get("show") == Tab.IGNORED
    found = problems.ignored(job) if is_ignored else problems.problems(job)
    found = problems.filter_problems(found, sections.requested_filter(request))
    name = f"problems-{job.pk}"
    if request.GET.get("format") != "xlsx":
        return _as_attachment(StreamingHttpResponse(exports.iter_csv(job, found), content_type=CSV), f"{name}.csv")
    if found[exports.MAX_WORKBOOK_PROBLEMS :].exists():
        most = f"{exports.MAX_WORKBOOK_PROBLEMS:,}"
        text = f"An Excel file holds at most {most} problems. Download them as CSV, or filter them first."
        messages.error(request, text)
        return HttpResponseRedirect(f"{import_url('change', job)}?show=problems#rows")
    return _attachment(exports.build_workbook(found), f"{name}.xlsx")


def _file(request: HttpRequest, job: ImportJob, kind: Kind) -> HttpResponseBase:
    """Return the file; for a large one, until it is made, a page that shows its progress."""
    name = downloads.download_name(job, kind)
    if downloads.is_small(job, kind):
        return _attachment(downloads.build_file(job, kind), name)
    download = downloads.request_download(job, kind)
    if download.made and not is_fragment(request):
        return _attachment(download.file.open("rb"), name)
    context = {
        "title": f"{download.get_kind_display()} of {job.name}",
        "download": download,
        "here": request.get_full_path(),
        "given_up": downloads.has_failed(download),
        "expected": job.failed + (0 if kind is Kind.FAILED else job.ignored),
    }
    return render_page(request, "download_state" if is_fragment(request) else "download", job, **context)


def _not_now(request: HttpRequest, job: ImportJob, reason: str) -> HttpResponse:
    """Return a page that gives the reason why there is nothing to download, with status 409 (RP-01)."""
    response = render_page(request, "not_now", job, title="Nothing to download", reason=reason)
    response.status_code = HTTPStatus.CONFLICT
    return response


def _attachment(file: object, name: str) -> HttpResponseBase:
    kind = WORKBOOK if name.endswith(".xlsx") else CSV
    return _as_attachment(FileResponse(file, content_type=kind), name)


def _as_attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
