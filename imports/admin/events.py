"""The list of events with a filter by import; ``profiles`` knows nothing about imports."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from imports.admin import pages, people_filter
from imports.admin.people import import_sources
from imports.models import ImportJob
from profiles.admin.events import EventAdmin
from profiles.admin.extensible import ExtraFilter
from profiles.admin.source import Source
from profiles.models import ChangeSet, Event
from profiles.search.condition_parameters import Parameters

admin.site.unregister(Event)


@admin.register(Event)
class ImportedEventAdmin(EventAdmin):
    """Events, and the imports that wrote them."""

    list_template = "imports/events.html"

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or pages.may_view(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or pages.may_view(request)

    def extra_filter(self, sent: Parameters) -> ExtraFilter:
        return people_filter.parse_import_filter(sent)

    def writers(self, request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
        return super().writers(request, change_sets) | import_sources(request, change_sets)


def events_url(job: ImportJob) -> str:
    """Return the URL of the list of the events of an import."""
    return f"{reverse('admin:profiles_event_changelist')}?import={job.pk}"
