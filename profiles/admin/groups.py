"""Subscription groups in the admin: what they are called, and which channel they are for (SB-09)."""

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
"""In an address: count the people of the group, as far as the time limit lets us."""


class GroupForm(ModelForm):  # type: ignore[type-arg]
    """A group; its id is what files name and does not change."""

    class Meta:
        model = SubscriptionGroup
        fields = ("group_id", "name", "channel")
        labels = {"group_id": "ID"}
        help_texts = {
            "group_id": f"What files call it in the column subscription_group_id; at most {MAX_GROUP_ID_BYTES} bytes. "
            "It "
            "cannot be changed later.",
            "name": "What people call it.",
            "channel": "As soon as there is a group for SMS, people are reachable by SMS only if they are in one.",
        }

    def clean_group_id(self) -> str:
        group_id = str(self.cleaned_data["group_id"])
        if len(group_id.encode()) > MAX_GROUP_ID_BYTES:
            self.add_error(
                "group_id", f"The ID takes {len(group_id.encode())} bytes; shorten it to {MAX_GROUP_ID_BYTES}."
            )
        return group_id


@admin.register(SubscriptionGroup)
class SubscriptionGroupAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The groups that files brought, or somebody made. Who may work on the schema may work on these.

    They cannot be deleted: people would still be in them.
    """

    form = GroupForm
    list_display = ("called", "known_as", "channel")
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
        """The group with how many people are in it, and how many left."""
        group = super().get_object(request, object_id, from_field)
        if isinstance(group, SubscriptionGroup):
            group.told = _told(request, group)  # type: ignore[attr-defined]
        return group

    @admin.display(description="Name", ordering="name")
    def called(self, group: SubscriptionGroup) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', group.name)

    @admin.display(description="ID", ordering="group_id")
    def known_as(self, group: SubscriptionGroup) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', group.group_id)

    @admin.display(description="People")
    def people(self, group: SubscriptionGroup) -> SafeString:
        return group.told  # type: ignore[attr-defined, no-any-return]

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


def _told(request: HttpRequest, group: SubscriptionGroup) -> SafeString:
    """How many people are subscribed and unsubscribed, each with the way to them, and to exact numbers."""
    key = group_key(group.group_id)
    about = usage.estimate_values(key)
    is_asked = COUNT_PARAMETER in request.GET and not about.exact
    exact = usage.count_values(key) if is_asked else None
    may_look = admin.site.get_model_admin(Profile).has_view_permission(request)
    lines = (
        (
            state.capitalize(),
            about.of(state) if exact is None else f"{exact.get(state, 0):,}",
            _link(group, state, may_look),
        )
        for state in (GroupState.SUBSCRIBED, GroupState.UNSUBSCRIBED)
    )
    listed = format_html_join("", "<li>{}: {} {}</li>", lines)
    return format_html('<ul class="group-people">{}</ul>{}', listed, _more(about.exact or exact is not None, is_asked))


def _link(group: SubscriptionGroup, state: GroupState, may_look: bool) -> str | SafeString:
    """The list of the people who are in the group, or left it."""
    if not may_look:
        return ""
    asked = urlencode(condition_parameters.to_parameters([InGroup(group.group_id, state)]))
    said = '<a href="{}?{}">Show<span class="visually-hidden"> who is {}</span></a>'
    return format_html(said, reverse("admin:profiles_profile_changelist"), asked, state)


def _more(is_exact: bool, is_asked: bool) -> str | SafeString:
    """The way to exact numbers, where these are not."""
    if is_exact:
        return ""
    if is_asked:
        return "Counting exactly takes too long now."
    return format_html('<a href="?{}=exactly">Count exactly</a>', COUNT_PARAMETER)
