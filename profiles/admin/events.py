"""Events in the admin: what people did, to be looked at."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from profiles.admin import event_list
from profiles.admin.people_list.list_view import Added
from profiles.admin.read_only import ReadOnly
from profiles.admin.source import Source, source
from profiles.models import ChangeSet, Event
from profiles.search.condition_parameters import Parameters


@admin.register(Event)
class EventAdmin(ReadOnly):
    """Events, the newest first. What knows more of where they come from fills in ``added`` and ``writers``."""

    list_template = "profiles/events.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return event_list.view(request, self, extra_context or {})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return event_list.of_event(request, self, object_id)

    def added(self, sent: Parameters) -> Added:
        """More filters of the list, from the address of the page."""
        return Added()

    def writers(self, request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
        """Where change sets come from, by primary key; whoever knows of imports says more."""
        return {change_set.pk: source(change_set) for change_set in change_sets}
