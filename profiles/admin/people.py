"""People in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.people_list import list_view
from profiles.admin.person_page import views
from profiles.models import Profile


@admin.register(Profile)
class ProfileAdmin(ExtensibleAdmin):
    """People, newest first. An app that knows where they come from overrides ``extra_filter`` and ``writers``."""

    list_template = "profiles/people.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return list_view.people_list_view(request, self, extra_context or {})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return views.add(request, self)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return views.change(request, self, object_id)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return views.delete(request, self, object_id)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Return the actions without Django's bulk deletion, which bypasses ``profiles.writing.store``."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}
