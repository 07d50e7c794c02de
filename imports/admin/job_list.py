"""What the list of imports shows of its jobs, and what it can be narrowed to (PS-08, PS-13)."""

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
    """A page of jobs, each with how far it is, and whether there is work at all."""

    has_active_jobs = False

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shares = progress.percent_done([job for job in self.result_list if is_active(job)])
        for job in self.result_list:
            job.share = shares.get(job.pk)
        at_work = ImportJob.objects.filter(status__in=leases.ACTIVE_STATUSES).exclude(step=Step.IDLE)
        self.has_active_jobs = at_work.exists()


class UploaderFilter(admin.FieldListFilter):
    """People who uploaded something, as one field of a form: there may be many of them."""

    template = "admin/imports/importjob/uploader_filter.html"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "uploader"
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
        """First what else the list is narrowed to, for the form to keep; then the people."""
        others = QueryDict(changelist.get_query_string(remove=["created_by", PAGE_VAR])[1:])
        yield {"kept": [(name, value) for name, values in others.lists() for value in values], "most": self.most}
        for value, display in self.people:
            yield {"value": value, "display": display, "selected": value == self.chosen}


class UploadDateFilter(admin.DateFieldListFilter):
    """Django's filter by date, under the name that the column has."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.title = "upload date"


def render_uploader(job: ImportJob) -> SafeString:
    """Their e-mail address with their name as title; their name where there is no address."""
    user = job.created_by
    return format_html('<span title="{}">{}</span>', user_name(user), (user and user.email) or user_name(user))


def render_state(job: Any) -> SafeString:
    """An icon and a word, with how far a running job is."""
    share = "" if getattr(job, "share", None) is None else f" {job.share} %"
    icon = _WAITS if is_active(job) else _ICONS.get(Status(job.status), _WAITS)
    form = '<span class="state"><img src="{}" alt="" width="14" height="14"> <span>{}{}</span></span>'
    return format_html(form, static(icon), job.get_status_display(), share)


def format_count(job: ImportJob, number: int) -> str:
    """A number of what was done; before there is any, a dash."""
    return intcomma(number) if job.status in FINISHED_STATUSES else "–"


def render_results_link(job: ImportJob) -> SafeString:
    """A link to what came of it (RP-08); nothing before there is any."""
    if job.status not in FINISHED_STATUSES or not job.total:
        return SafeString("")
    form = ' <a class="results-link" href="{}">Results<span class="visually-hidden"> of {}</span></a>'
    return format_html(form, reverse("admin:imports_importjob_results", args=[job.pk]), job.name)


def user_name(user: Model | None) -> str:
    """What a person is called; for a job of no person that it came from a command or a program."""
    return "–" if user is None else str(user.get_full_name() or user.get_username())  # type: ignore[attr-defined]


def _named(user: Any) -> str:
    return f"{user.email} ({user_name(user)})" if user.email else user_name(user)
