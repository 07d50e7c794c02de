"""The list of imports, and the URLs of the pages about imports."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from imports.admin import help as help_page
from imports.admin import job_list, notifications, pages, reach, samples, upload
from imports.admin.configure import view
from imports.admin.job import downloads
from imports.admin.job import view as job_page
from imports.jobs import lifecycle, pending
from imports.jobs.transitions import Actor, Refused, Transition
from imports.models import ImportJob
from profiles.admin.query_strings import redirect_without_nul
from profiles.admin.read_only import ReadOnlyAdmin
from profiles.templatetags.profiles import when


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnlyAdmin):
    """Imports with their figures (PS-08); *errors* and *records* are CleverTap's terms (D-07)."""

    list_display = (
        "name",
        "uploaded",
        "uploader",
        "state",
        "errors",
        "records",
        "file_shown",
        "targeted",
        "rows",
    )
    list_filter = (
        "status",
        ("created_by", job_list.UploaderFilter),
        "source",
        ("created", job_list.UploadDateFilter),
    )
    list_per_page = 50
    list_select_related = ("created_by",)
    search_fields = ("name", "file_name", "created_by__email", "created_by__username")
    search_help_text = "Search by name of the import or file, or by the uploader's e-mail address or user name"
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = ("resume",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return pages.may_upload(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return pages.may_view(request)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("<int:number>/configure/", site(view.configure_view), name="imports_importjob_configure"),
            path("<int:number>/mapping/", site(view.download_mapping), name="imports_importjob_mapping"),
            path("<int:number>/transition/", site(job_page.transition_view), name="imports_importjob_transition"),
            path("<int:number>/change/", site(job_page.job_view), name="imports_importjob_change"),
            path("<int:number>/results/", site(downloads.download_results), name="imports_importjob_results"),
            path("<int:number>/failed-rows/", site(downloads.download_failed_rows), name="imports_importjob_failed"),
            path("<int:number>/problems/", site(downloads.download_problems), name="imports_importjob_problems"),
            path("<int:number>/reach/", site(reach.reach_view), name="imports_importjob_reach"),
            path("help/", site(help_page.help_view), name="imports_importjob_help"),
            path("sample/", site(samples.download_sample), name="imports_importjob_sample"),
            path("add/", site(upload.upload_view), name="imports_importjob_add"),
            path("mail/", site(notifications.notifications_view), name="imports_importjob_mail"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportJob]:
        jobs: QuerySet[ImportJob] = super().get_queryset(request)
        return jobs.defer(*pending.DEFERRED_FIELDS)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[job_list.JobList]:
        return job_list.JobList

    @admin.display(description="Uploaded on", ordering="created")
    def uploaded(self, job: ImportJob) -> SafeString:
        return when(job.created)

    @admin.display(description="Uploaded by", ordering="created_by__email")
    def uploader(self, job: ImportJob) -> SafeString:
        return job_list.render_uploader(job)

    @admin.display(description="Status", ordering="status")
    def state(self, job: ImportJob) -> SafeString:
        return format_html("{}{}", job_list.render_state(job), job_list.render_results_link(job))

    @admin.display(description="No. of Errors", ordering="failed")
    def errors(self, job: ImportJob) -> str:
        return job_list.format_count(job, job.failed)

    @admin.display(description="No. of Records", ordering=F("imported") + F("updated"))
    def records(self, job: ImportJob) -> str:
        return job_list.format_count(job, job.imported + job.updated)

    @admin.display(description="File", ordering="file_name")
    def file_shown(self, job: ImportJob) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', job.file_name)

    @admin.display(description="Targeting", ordering="targeting")
    def targeted(self, job: ImportJob) -> str:
        return job_list.TARGETING_LABELS[ImportJob.Targeting(job.targeting)]

    @admin.display(description="Rows", ordering="total")
    def rows(self, job: ImportJob) -> str:
        return intcomma(job.total)

    @admin.action(description="Resume selected imports", permissions=["view"])
    def resume(self, request: HttpRequest, jobs: QuerySet[ImportJob]) -> None:
        """Resume imports that were stopped or failed."""
        for job in jobs:
            try:
                lifecycle.transition(job, Transition.RESUME, Actor.of(request.user))
            except Refused as refused:
                self.message_user(request, f"{job}: {refused.message}", messages.ERROR)
            else:
                self.message_user(request, f"{job}: resumed.", messages.SUCCESS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Return the whole page or, for htmx, the part that changes while imports run."""
        response = redirect_without_nul(request) or super().changelist_view(
            request, {"title": "Imports", "now": timezone.now(), **(extra_context or {})}
        )
        if pages.is_fragment(request) and isinstance(response, TemplateResponse):
            response.template_name = "admin/imports/importjob/results.html"
        return response
