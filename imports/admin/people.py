"""The list of people with a button to import more, and a filter by import; ``profiles`` knows nothing about imports."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from imports.admin import pages, people_filter, upload
from imports.models import ImportJob
from profiles.admin.extensible import ExtraFilter
from profiles.admin.people import ProfileAdmin
from profiles.admin.source import Source
from profiles.models import ChangeSet, Profile
from profiles.search.condition_parameters import Parameters

admin.site.unregister(Profile)


@admin.register(Profile)
class ImportingProfileAdmin(ProfileAdmin):
    """People, with an Import button at django-import-export's URL, and the filter *Updated/Imported from CSV*."""

    list_template = "imports/people.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(upload.upload_view)
        return [path("import/", view, name="profiles_profile_import"), *super().get_urls()]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or pages.may_view(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or pages.may_view(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_upload": pages.may_upload(request), **(extra_context or {})})

    def extra_filter(self, sent: Parameters) -> ExtraFilter:
        return people_filter.parse_import_filter(sent)

    def writers(self, request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
        """Return the sources of change sets: for an import its name, with a link for users who may view it."""
        return super().writers(request, change_sets) | import_sources(request, change_sets)


def import_sources(request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
    """Return the imports among change sets, by primary key of the change set."""
    may_look = pages.may_view(request)
    jobs = ImportJob.objects.only("name", "change_set").filter(change_set__in=change_sets)
    return {
        job.change_set_id: Source(job.name, pages.import_url("change", job) if may_look else "")
        for job in jobs
        if job.change_set_id is not None
    }
