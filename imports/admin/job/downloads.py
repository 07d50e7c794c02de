"""What can be taken away from an import: its results, its bad rows to correct, the list of its problems (RP)."""

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
from imports.admin.job.rows import CHECKED, Tab
from imports.admin.pages import address, is_fragment, job_to_see, page
from imports.cli.run import is_at_work
from imports.cli.summary import Figures
from imports.jobs import problems, stored_file
from imports.models import ImportJob
from imports.reports import downloads, exports
from imports.reports.downloads import Kind
from imports.states import RAN

CSV = "text/csv; charset=utf-8"
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Offer:
    """A file to take away: where it is, what its link says, what it is for."""

    address: str
    label: str
    about: str


def offered(job: ImportJob, found: Figures, *, working: bool) -> Iterator[Offer]:
    """What the page of an import offers now."""
    if working or not found.counts.total:
        return
    failed, ignored = found.counts.failed, found.counts.ignored
    if job.status in RAN:
        about = "totals, and each failed or ignored row with its reason (.xlsx)"
        yield Offer(address("results", job), "Download the results", about)
    if failed and job.file:
        about = "your own columns and what is wrong: correct them and upload the file as it is (.csv)"
        yield Offer(address("failed", job), "Download the failed rows", about)
    if ignored and job.file and job.status in RAN:
        about = "the same with the rows of people who were known already (.csv)"
        yield Offer(f"{address('failed', job)}?ignored=1", "Download the failed and ignored rows", about)


@require_safe
def results(request: HttpRequest, number: int) -> HttpResponseBase:
    """The results workbook of a job that has ended (RP-01)."""
    job = job_to_see(request, number)
    if job.status not in RAN or is_at_work(job):
        return _not_now(request, job, "This import has not ended yet, so there are no results to download.")
    return _file(request, job, Kind.RESULTS)


@require_safe
def failed_rows(request: HttpRequest, number: int) -> HttpResponseBase:
    """The rows that failed, to be corrected; with ``ignored`` those too that were ignored (RP-12)."""
    job = job_to_see(request, number)
    if job.status not in {*RAN, *CHECKED} or is_at_work(job):
        return _not_now(request, job, "The rows of this import are not checked yet, so none has failed.")
    if not job.file:
        return _not_now(request, job, "The file was refused as a whole and is not kept; there are no rows to correct.")
    if not stored_file.is_there(job):
        return _not_now(request, job, "The uploaded file is not in the storage any more, so its rows cannot be given.")
    return _file(request, job, Kind.FLAGGED if "ignored" in request.GET else Kind.FAILED)


@require_safe
def problems_listed(request: HttpRequest, number: int) -> HttpResponseBase:
    """The problems that the page of the job lists under the same filters, as ``format`` says (RP-11)."""
    job = job_to_see(request, number)
    is_ignored = request.GET.get("show") == Tab.IGNORED
    found = problems.ignored(job) if is_ignored else problems.problems(job)
    found = problems.wanted(found, sections.wanted(request))
    name = f"problems-{job.pk}"
    if request.GET.get("format") != "xlsx":
        return _as_attachment(StreamingHttpResponse(exports.as_csv(job, found), content_type=CSV), f"{name}.csv")
    if found[exports.MOST_IN_WORKBOOK :].exists():
        most = f"{exports.MOST_IN_WORKBOOK:,}"
        messages.error(request, f"These are more than {most} problems. Take them as CSV, or filter them first.")
        return HttpResponseRedirect(f"{address('change', job)}?show=problems#rows")
    return _attachment(exports.as_workbook(found), f"{name}.xlsx")


def _file(request: HttpRequest, job: ImportJob, kind: Kind) -> HttpResponseBase:
    """The file; for a large one first a page that tells how far it is."""
    name = downloads.name_of(job, kind)
    if downloads.is_small(job, kind):
        return _attachment(downloads.made_now(job, kind), name)
    download = downloads.asked_for(job, kind)
    if download.made and not is_fragment(request):
        return _attachment(download.file.open("rb"), name)
    context = {
        "title": f"{download.get_kind_display()} of {job.name}",
        "download": download,
        "here": request.get_full_path(),
        "given_up": downloads.is_given_up(download),
        "expected": job.failed + (0 if kind is Kind.FAILED else job.ignored),
    }
    return page(request, "download_state" if is_fragment(request) else "download", job, **context)


def _not_now(request: HttpRequest, job: ImportJob, reason: str) -> HttpResponse:
    """A page that says why there is nothing to download (RP-01)."""
    response = page(request, "not_now", job, title="Nothing to download", reason=reason)
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
