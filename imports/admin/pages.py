"""What the pages about imports have in common: whose they are, which job they show, how a refusal is answered."""

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
"""What is done while its person waits for the page, rather than by a worker."""


def is_small(job: ImportJob) -> bool:
    """Whether a file that was read is checked while its person waits."""
    return job.total <= SMALL_ROWS and job.total * job.columns.count() <= SMALL_CELLS


def get_actor(request: HttpRequest) -> Actor:
    """Who asks, as far as imports are concerned."""
    return Actor.of(request.user)


def may_upload(request: HttpRequest) -> bool:
    return get_actor(request).may_upload


def may_view(request: HttpRequest) -> bool:
    return transitions.may_view(get_actor(request))


def get_job(request: HttpRequest, number: int) -> ImportJob:
    """The job of a page. Raises ``PermissionDenied``, or ``Http404`` for one that is not there any more."""
    if not may_view(request):
        raise PermissionDenied
    transitions = Prefetch("transitions", JobTransition.objects.select_related("actor"))
    jobs = ImportJob.objects.select_related("created_by", "change_set").prefetch_related(transitions)
    job = jobs.filter(pk=number).first()
    if job is None:
        raise Http404(f"There is no import {number}; somebody may have deleted it.")
    return job


def get_editable_job(request: HttpRequest, number: int) -> ImportJob:
    """The same for a page on which the job can be changed. Raises ``PermissionDenied`` for others' jobs too."""
    job = get_job(request, number)
    try:
        transitions.check_role(job, Transition.CHECK, get_actor(request))
    except Refused as refused:
        raise PermissionDenied(refused.message) from refused
    return job


def render_page(request: HttpRequest, template: str, job: ImportJob | None, **context: Any) -> TemplateResponse:
    """A page of the admin about one job, or about one that is to be."""
    shown = {"opts": ImportJob._meta, "job": job, **context}
    return TemplateResponse(request, f"imports/{template}.html", admin.site.each_context(request) | shown)


def import_url(name: str, job: ImportJob | None = None) -> str:
    return reverse(f"admin:imports_importjob_{name}", args=() if job is None else (job.pk,))


def show_refusal(request: HttpRequest, refused: Refused) -> None:
    """Say why something was not done. Raises ``PermissionDenied`` where it is a matter of roles."""
    if refused.code == "role":
        raise PermissionDenied(refused.message) from refused
    messages.error(request, refused.message)


def get_text(sent: QueryDict, name: str) -> str:
    """A text that a person typed or followed, without what a database cannot hold."""
    return sent.get(name, "").replace("\0", "").strip()


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page."""
    return bool(getattr(request, "htmx", False))
