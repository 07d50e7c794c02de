"""People and the schema in the admin, to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from profiles.models import Attribute, Profile


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """What is written through ``profiles.store`` alone."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


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


@admin.register(Attribute)
class AttributeAdmin(ReadOnly):
    """What may be known about people."""

    list_display = ("label", "key", "type", "multi_valued", "identifier", "mandatory", "built_in")
    list_filter = ("type", "identifier", "built_in")
    search_fields = ("key", "label")
