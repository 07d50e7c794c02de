"""Subscription groups in the admin: what they are called, and which channel they are for (SB-09)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse

from profiles.admin.addresses import without_nul
from profiles.consent import GROUP_ID_BYTES
from profiles.models import SubscriptionGroup


class GroupForm(ModelForm):  # type: ignore[type-arg]
    """A group; its id is what files name and does not change."""

    class Meta:
        model = SubscriptionGroup
        fields = ("group_id", "name", "channel")
        labels = {"group_id": "ID"}
        help_texts = {
            "group_id": f"What files call it in the column subscription_group_id; at most {GROUP_ID_BYTES} bytes. It "
            "cannot be changed later.",
            "name": "What people call it.",
            "channel": "As soon as there is a group for SMS, people are reachable by SMS only if they are in one.",
        }

    def clean_group_id(self) -> str:
        group_id = str(self.cleaned_data["group_id"])
        if len(group_id.encode()) > GROUP_ID_BYTES:
            self.add_error("group_id", f"The ID takes {len(group_id.encode())} bytes; shorten it to {GROUP_ID_BYTES}.")
        return group_id


@admin.register(SubscriptionGroup)
class SubscriptionGroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The groups that files brought, or somebody made. Who may work on the schema may work on these.

    They cannot be deleted: people would still be in them.
    """

    form = GroupForm
    list_display = ("name", "group_id", "channel")
    list_filter = ("channel",)
    search_fields = ("name", "group_id")
    search_help_text = "Name or ID"
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["group_id"] if obj else []

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, "view") or self.has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return without_nul(request) or super().changelist_view(
            request, {"title": "Subscription groups", **(extra_context or {})}
        )


def _may(request: HttpRequest, verb: str) -> bool:
    return bool(request.user.has_perm(f"profiles.{verb}_attribute"))
