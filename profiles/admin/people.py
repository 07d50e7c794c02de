"""People in the admin."""

from __future__ import annotations

from django.contrib import admin

from profiles.admin.read_only import ReadOnly
from profiles.models import Profile


@admin.register(Profile)
class ProfileAdmin(ReadOnly):
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
