"""Events in the admin: what people did, read-only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from profiles.admin import event_list
from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.read_only import ReadOnlyAdmin
from profiles.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin, ExtensibleAdmin):
    """Events, newest first. An app that knows where they come from overrides ``extra_filter`` and ``writers``."""

    list_template = "profiles/events.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return event_list.event_list_view(request, self, extra_context or {})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return event_list.redirect_to_person(request, self, object_id)
