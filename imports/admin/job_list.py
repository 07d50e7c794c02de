"""Columns and filters of the list of imports (PS-08, PS-13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.contrib.auth import get_user_model
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import HttpRequest, QueryDict
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from imports.cli.run import is_active
from imports.jobs import leases, progress
from imports.models import ImportJob
from imports.states import FINISHED_STATUSES, Status, Step

MAX_UPLOADERS = 1_000

TARGETING_LABELS = {
    ImportJob.Targeting.FILTER: "Filter",
    ImportJob.Targeting.SEGMENT: "Filter and segment",
    ImportJob.Targeting.NONE: "No",
}

_WAITS, _OPEN, _OVER = "imports/icon-clock.svg", "admin/img/icon-changelink.svg", "admin/img/icon-hidelink.svg"
_ICONS = {
    Status.DRAFT: _OPEN,
    Status.READY: _OPEN,
    Status.COMPLETED: "admin/img/icon-yes.svg",
    Status.FAILED: "admin/img/icon-no.svg",
    Status.REJECTED: "admin/img/icon-no.svg",
    Status.STOPPED: "admin/img/icon-alert.svg",
    Status.CANCELLED: _OVER,
    Status.UNDONE: _OVER,
}


class JobList(ChangeList):
    """A page of the list, with the progress of each running job, and whether any job is active, on whatever page."""

    has_active_jobs = False

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shares = progress.percent_done([job for job in self.result_list if is_active(job)])
        for job in self.result_list:
            job.share = shares.get(job.pk)
        active = ImportJob.objects.filter(status__in=leases.ACTIVE_STATUSES).exclude(step=Step.IDLE)
        self.has_active_jobs = active.exists()


class UploaderFilter(admin.FieldListFilter):
    """The users who uploaded a file, as a select of a form, since there may be many of them."""

    template = "admin/imports/importjob/uploader_filter.html"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "uploaded by"
        sent: Any = self.used_parameters.get("created_by", [""])
        self.chosen = str(sent[-1])
        uploaded = ImportJob.objects.filter(created_by=OuterRef("pk"))
        people = list(
            get_user_model()
            ._default_manager.filter(Exists(uploaded))
            .order_by("email", "username")[: MAX_UPLOADERS + 1]
        )
        self.people = [(str(user.pk), _named(user)) for user in people[:MAX_UPLOADERS]]
        self.most = MAX_UPLOADERS if len(people) > MAX_UPLOADERS else 0

    def expected_parameters(self) -> list[str | None]:
        return ["created_by"]

    def has_output(self) -> bool:
        return bool(self.people)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.chosen:
            return queryset
        return queryset.filter(created_by=self.chosen) if self.chosen in dict(self.people) else queryset.none()

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """Yield the other filters, which the form keeps, then the users."""
        others = QueryDict(changelist.get_query_string(remove=["created_by", PAGE_VAR])[1:])
        yield {"kept": [(name, value) for name, values in others.lists() for value in values], "most": self.most}
        for value, display in self.people:
            yield {"value": value, "display": display, "selected": value == self.chosen}


class UploadDateFilter(admin.DateFieldListFilter):
    """Django's filter by date, titled like the column."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "upload date"


def render_uploader(job: ImportJob) -> SafeString:
    """Return the uploader's e-mail address and name; the name alone if there is no address (PS-08)."""
    user, name = job.created_by, user_name(job.created_by)
    if user is None or not user.email or user.email == name:
        return format_html("{}", name)
    return format_html('{} <span class="quiet">{}</span>', user.email, name)


def render_state(job: Any) -> SafeString:
    """Return an icon and the status, with the progress of a running job in per cent."""
    share = "" if getattr(job, "share", None) is None else f" {job.share} %"
    icon = _WAITS if is_active(job) else _ICONS.get(Status(job.status), _WAITS)
    form = '<span class="state"><img src="{}" alt="" width="14" height="14"> <span>{}{}</span></span>'
    return format_html(form, static(icon), job.get_status_display(), share)


def format_count(job: ImportJob, number: int) -> str:
    """Return a number of rows of a finished job; a dash for other jobs."""
    return intcomma(number) if job.status in FINISHED_STATUSES else "–"


def render_results_link(job: ImportJob) -> SafeString:
    """Return a link to the results of a finished job (RP-08); blank for other jobs."""
    if job.status not in FINISHED_STATUSES or not job.total:
        return SafeString("")
    form = ' <a class="results-link" href="{}">Results<span class="visually-hidden"> of {}</span></a>'
    return format_html(form, reverse("admin:imports_importjob_results", args=[job.pk]), job.name)


def user_name(user: Model | None) -> str:
    """Return the name of a user; a dash if the job has none, as when a command uploaded the file."""
    return "–" if user is None else str(user.get_full_name() or user.get_username())  # type: ignore[attr-defined]


def _named(user: Any) -> str:
    return f"{user.email} ({user_name(user)})" if user.email else user_name(user)
