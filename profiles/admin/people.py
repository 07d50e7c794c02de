"""People in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.people_list import list_view
from profiles.admin.person_page import views as one
from profiles.models import Profile


@admin.register(Profile)
class ProfileAdmin(ExtensibleAdmin):
    """People, the newest first. What knows more of where they come from fills in ``added`` and ``writers``."""

    list_template = "profiles/people.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return list_view.people_list_view(request, self, extra_context or {})

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return one.add(request, self)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return one.change(request, self, object_id)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return one.delete(request, self, object_id)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's way to delete many, which is not ``profiles.writing.store``'s."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}
