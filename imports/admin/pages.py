"""Common parts of the pages about imports: roles, the job of a page, the answer to a refusal."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse

from imports.jobs import transitions
from imports.jobs.transitions import Actor, Refused, Transition
from imports.models import ImportJob, JobTransition

SMALL_BYTES = 2 * 1024**2
SMALL_ROWS, SMALL_CELLS = 5_000, 1_000_000
"""Limits up to which a file is read or checked during the request, rather than by a worker."""


def is_small(job: ImportJob) -> bool:
    """Return whether a file that was read is small enough to be checked during the request."""
    return job.total <= SMALL_ROWS and job.total * job.columns.count() <= SMALL_CELLS


def get_actor(request: HttpRequest) -> Actor:
    """Return the user of the request as an actor of transitions."""
    return Actor.of(request.user)


def may_upload(request: HttpRequest) -> bool:
    return get_actor(request).may_upload


def may_view(request: HttpRequest) -> bool:
    return transitions.may_view(get_actor(request))


def get_job(request: HttpRequest, number: int) -> ImportJob:
    """Return the job of a page. Raises ``PermissionDenied``, or ``Http404`` if the job does not exist."""
    if not may_view(request):
        raise PermissionDenied
    transitions = Prefetch("transitions", JobTransition.objects.select_related("actor"))
    jobs = ImportJob.objects.select_related("created_by", "change_set").prefetch_related(transitions)
    job = jobs.filter(pk=number).first()
    if job is None:
        raise Http404(f"There is no import {number}. It may have been deleted.")
    return job


def get_editable_job(request: HttpRequest, number: int) -> ImportJob:
    """Return the job of a page that changes it. Raises ``PermissionDenied`` also for the jobs of other users."""
    job = get_job(request, number)
    try:
        transitions.check_role(job, Transition.CHECK, get_actor(request))
    except Refused as refused:
        raise PermissionDenied(refused.message) from refused
    return job


def render_page(request: HttpRequest, template: str, job: ImportJob | None, **context: Any) -> TemplateResponse:
    """Render a page of the admin about a job, or about one that is not uploaded yet."""
    page_context = {"opts": ImportJob._meta, "job": job, **context}
    return TemplateResponse(request, f"imports/{template}.html", admin.site.each_context(request) | page_context)


def import_url(name: str, job: ImportJob | None = None) -> str:
    return reverse(f"admin:imports_importjob_{name}", args=() if job is None else (job.pk,))


def show_refusal(request: HttpRequest, refused: Refused) -> None:
    """Show why a request was refused. Raises ``PermissionDenied`` if the user's role is the reason."""
    if refused.code == "role":
        raise PermissionDenied(refused.message) from refused
    messages.error(request, refused.message)


def get_text(sent: QueryDict, name: str) -> str:
    """Return a text from a form or an address, stripped, without NUL, which PostgreSQL cannot store."""
    return sent.get(name, "").replace("\0", "").strip()


def is_fragment(request: HttpRequest) -> bool:
    """Return whether htmx requests a part of the page."""
    return bool(getattr(request, "htmx", False))
