"""Imports in the admin: a list to look at, and a way to go on with one that ended early."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django_q.admin import FailAdmin
from django_q.models import Failure

from imports import lifecycle
from imports.lifecycle import Actor, Move, Refused
from imports.models import ImportJob
from profiles.admin import ReadOnly


@admin.register(ImportJob)
class ImportJobAdmin(ReadOnly):
    """Uploads with their figures (PS-08); *errors* and *records* are CleverTap's words (D-07)."""

    list_display = ("name", "created", "created_by", "status", "errors", "records", "file_name", "source")
    list_filter = ("status", "source", "created")
    search_fields = ("name", "file_name")
    list_select_related = ("created_by",)
    show_full_result_count = False
    exclude = ("format", "snapshot", "schema_version", "salt", "step_started", "queued")
    actions = ("resume",)

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


class FailedTaskAdmin(FailAdmin):  # type: ignore[misc]
    """Without django-q's way to submit a task again: units of work are leased and counted by the engine."""

    actions = ()


admin.site.unregister(Failure)
admin.site.register(Failure, FailedTaskAdmin)
