"""People in the admin."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from profiles.admin import person as one
from profiles.admin.person_page import Source, source
from profiles.models import ChangeSet, Profile


@admin.register(Profile)
class ProfileAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """People by the moment they were made."""

    list_display = ("__str__", "email", "first_name", "last_name", "created", "updated")
    ordering = ("-id",)
    search_fields = ("=external_id", "=object_id")
    search_help_text = "External ID or Object ID"
    show_full_result_count = False

    @admin.display
    def email(self, person: Profile) -> str:
        return ", ".join(person.attributes.get("email", ()))

    @admin.display
    def first_name(self, person: Profile) -> str:
        return str(person.attributes.get("first_name", ""))

    @admin.display
    def last_name(self, person: Profile) -> str:
        return str(person.attributes.get("last_name", ""))

    # What follows is about one person; ``person`` has the pages.

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return one.add(request, self)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return one.change(request, self, object_id)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return one.delete(request, self, object_id)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Without Django's way to delete many, which is not ``profiles.store``'s."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def writers(self, request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
        """Where change sets come from, by primary key; whoever knows of imports says more."""
        return {change_set.pk: source(change_set) for change_set in change_sets}
