"""Subscription groups in the admin: their names, channels and people (SB-09)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from profiles.admin.query_strings import redirect_without_nul
from profiles.attributes import usage
from profiles.merging.consent import MAX_GROUP_ID_BYTES, group_key
from profiles.models import Profile, SubscriptionGroup
from profiles.search import condition_parameters
from profiles.search.conditions import GroupState, InGroup

COUNT_PARAMETER = "count"
"""The query parameter that requests an exact count of the people of the group, within the time limit."""


class GroupForm(ModelForm):  # type: ignore[type-arg]
    """A form for a group. Files refer to the group by its ID, which does not change."""

    class Meta:
        model = SubscriptionGroup
        fields = ("group_id", "name", "channel")
        labels = {"group_id": "ID"}
        help_texts = {
            "group_id": f"The value in the column subscription_group_id of files; at most {MAX_GROUP_ID_BYTES} bytes. "
            "It cannot be changed later.",
            "name": "The name shown on pages.",
            "channel": "Once there is a group for SMS, people can be reached by SMS only if they are in such a group.",
        }

    def clean_group_id(self) -> str:
        group_id = str(self.cleaned_data["group_id"])
        if len(group_id.encode()) > MAX_GROUP_ID_BYTES:
            size = len(group_id.encode())
            self.add_error("group_id", f"The ID is {size} bytes long; the limit is {MAX_GROUP_ID_BYTES}. Shorten it.")
        return group_id


@admin.register(SubscriptionGroup)
class SubscriptionGroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Groups created by imports or users. The permissions for attributes also apply to groups.

    Groups cannot be deleted, since people would still be in them.
    """

    form = GroupForm
    list_display = ("display_name", "display_id", "channel")
    list_filter = ("channel",)
    search_fields = ("name", "group_id")
    search_help_text = "Name or ID"
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None
    fields = ("group_id", "name", "channel", "people")

    class Media:
        css = {"all": ["profiles/groups.css"]}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for name in self.fields if obj or name != "people"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["group_id", "people"] if obj else ["people"]

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the group with the numbers of people who are subscribed and unsubscribed."""
        group = super().get_object(request, object_id, from_field)
        if isinstance(group, SubscriptionGroup):
            group.counts = _counts(request, group)  # type: ignore[attr-defined]
        return group

    @admin.display(description="Name", ordering="name")
    def display_name(self, group: SubscriptionGroup) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', group.name)

    @admin.display(description="ID", ordering="group_id")
    def display_id(self, group: SubscriptionGroup) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', group.group_id)

    @admin.display(description="People")
    def people(self, group: SubscriptionGroup) -> SafeString:
        return group.counts  # type: ignore[attr-defined, no-any-return]

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
        return redirect_without_nul(request) or super().changelist_view(
            request, {"title": "Subscription groups", **(extra_context or {})}
        )


def _may(request: HttpRequest, verb: str) -> bool:
    return bool(request.user.has_perm(f"profiles.{verb}_attribute"))


def _counts(request: HttpRequest, group: SubscriptionGroup) -> SafeString:
    """Return how many people are subscribed and unsubscribed, with links to them and to exact counts."""
    key = group_key(group.group_id)
    estimate = usage.estimate_values(key)
    is_requested = COUNT_PARAMETER in request.GET and not estimate.exact
    exact = usage.count_values(key) if is_requested else None
    may_view = admin.site.get_model_admin(Profile).has_view_permission(request)
    lines = (
        (
            state.capitalize(),
            estimate.of(state) if exact is None else f"{exact.get(state, 0):,}",
            _people_link(group, state, may_view),
        )
        for state in (GroupState.SUBSCRIBED, GroupState.UNSUBSCRIBED)
    )
    items = format_html_join("", "<li>{}: {} {}</li>", lines)
    count_link = _exact_count_link(estimate.exact or exact is not None, is_requested)
    return format_html('<ul class="group-people">{}</ul>{}', items, count_link)


def _people_link(group: SubscriptionGroup, state: GroupState, may_view: bool) -> str | SafeString:
    """Return a link to the list of the people in this state."""
    if not may_view:
        return ""
    query = urlencode(condition_parameters.to_parameters([InGroup(group.group_id, state)]))
    link = '<a href="{}?{}">Show<span class="visually-hidden"> who is {}</span></a>'
    return format_html(link, reverse("admin:profiles_profile_changelist"), query, state)


def _exact_count_link(is_exact: bool, is_requested: bool) -> str | SafeString:
    """Return a link to the exact counts; empty if these are exact."""
    if is_exact:
        return ""
    if is_requested:
        return "An exact count takes too long at the moment. Try again later."
    return format_html('<a href="?{}=exactly">Count exactly</a>', COUNT_PARAMETER)
