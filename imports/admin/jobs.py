"""The list of imports, and the addresses of the pages about one of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from imports import lifecycle
from imports.admin import configure, pages, sample, upload
from imports.admin import help as help_page
from imports.admin import job as job_page
from imports.lifecycle import Actor, Move, Refused
from imports.models import ImportJob
from profiles.admin.read_only import ReadOnly


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly):
    """Uploads with their figures (PS-08); *errors* and *records* are CleverTap's words (D-07)."""

    list_display = ("name", "created", "created_by", "status", "errors", "records", "file_name", "source")
    list_filter = ("status", "source", "created")
    search_fields = ("name", "file_name")
    list_select_related = ("created_by",)
    show_full_result_count = False
    actions = ("resume",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return pages.may_upload(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return pages.may_look(request)

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site.admin_view
        return [
            path("<int:number>/configure/", site(configure.view), name="imports_importjob_configure"),
            path("<int:number>/move/", site(job_page.move), name="imports_importjob_move"),
            path("<int:number>/change/", site(job_page.view), name="imports_importjob_change"),
            path("help/", site(help_page.view), name="imports_importjob_help"),
            path("sample/", site(sample.view), name="imports_importjob_sample"),
            path("add/", site(upload.view), name="imports_importjob_add"),
            *super().get_urls(),
        ]

    @admin.display(description="No. of Errors", ordering="failed")
    def errors(self, job: ImportJob) -> int:
        return job.failed

    @admin.display(description="No. of Records")
    def records(self, job: ImportJob) -> int:
        return job.imported + job.updated

    @admin.action(description="Resume selected imports", permissions=["view"])
    def resume(self, request: HttpRequest, jobs: QuerySet[ImportJob]) -> None:
        """Go on with imports that were stopped or failed."""
        for job in jobs:
            try:
                lifecycle.move(job, Move.RESUME, Actor.of(request.user))
            except Refused as refused:
                self.message_user(request, f"{job}: {refused.message}", messages.ERROR)
            else:
                self.message_user(request, f"{job}: goes on.", messages.SUCCESS)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Imports", **(extra_context or {})})
