"""Segments in the admin: named sets of people, saved from the filters of their list or created by an import."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from profiles.admin import add_segment
from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.people_list import group_filter, query, segment_filter
from profiles.admin.people_list.filters import describe
from profiles.admin.query_strings import redirect_without_nul
from profiles.database.statement_timeout import StatementTimeout, statement_timeout
from profiles.models import ChangeSet, Profile, Segment, load_schema
from profiles.search import query_builder
from profiles.search.conditions import ChangeSetMember, InvalidCondition
from profiles.templatetags.profiles import when

COUNT_PARAMETER = "count"
"""The query parameter that requests a count of the people, within the time limit."""


class DescribedChangeList(ChangeList):
    """The segments of a page, each with its filters in words; the number of queries does not depend on theirs."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Segment] = list(self.result_list)
        _describe_all(request, self.result_list)


@admin.register(Segment)
class SegmentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Saved filters of the list of people. Users rename and delete them; the filters stay as saved."""

    list_display = ("display_name", "filters", "people_links", "created_at", "creator")
    list_select_related = ("created_by", "change_set")
    list_per_page = 50
    search_fields = ("name",)
    search_help_text = "Name"
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None
    fields = ("name", "filters", "people", "created_at", "creator")
    readonly_fields = ("filters", "people", "created_at", "creator")

    class Media:
        css = {"all": ["profiles/attributes.css", "profiles/segments.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return DescribedChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect_without_nul(request) or super().changelist_view(
            request, {"title": "Segments", **(extra_context or {})}
        )

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        return add_segment.add_segment_view(request, self)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the segment with its filters in words and, on request, the number of its people."""
        segment = super().get_object(request, object_id, from_field)
        if isinstance(segment, Segment):
            _describe_all(request, [segment])
            segment.count = _count(segment) if COUNT_PARAMETER in request.GET else ""  # type: ignore[attr-defined]
        return segment

    @admin.display(description="Name", ordering="name")
    def display_name(self, segment: Segment) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', segment.name)

    @admin.display(description="Created", ordering="created")
    def created_at(self, segment: Segment) -> SafeString:
        return when(segment.created)

    @admin.display(description="Created by")
    def creator(self, segment: Segment) -> str:
        return str(segment.created_by or "–")

    @admin.display(description="Filters")
    def filters(self, segment: Segment) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', segment.description)  # type: ignore[attr-defined]

    @admin.display(description="People")
    def people_links(self, segment: Segment) -> SafeString:
        show = '<a href="{}?segment={}">Show<span class="visually-hidden"> the people of {}</span></a>'
        count = '<a href="{}?{}=exactly">Count<span class="visually-hidden"> the people of {}</span></a>'
        page = reverse("admin:profiles_segment_change", args=[segment.pk])
        return format_html("{} {}", *(
            format_html(show, reverse("admin:profiles_profile_changelist"), segment.pk, segment.name),
            format_html(count, page, COUNT_PARAMETER, segment.name),
        ))  # fmt: skip

    @admin.display(description="People")
    def people(self, segment: Segment) -> SafeString:
        people_list = reverse("admin:profiles_profile_changelist")
        count = segment.count or format_html('<a href="?{}=exactly">Count</a>', COUNT_PARAMETER)  # type: ignore[attr-defined]
        return format_html('{} <a href="{}?segment={}">Show them</a>', count, people_list, segment.pk)


def _describe_all(request: HttpRequest, segments: Iterable[Segment]) -> None:
    """Describe each segment: the import that created it, or its filters, and why it contains nobody, if so."""
    people_admin: ExtensibleAdmin = admin.site.get_model_admin(Profile)  # type: ignore[assignment]
    schema_info = query.load_schema_info()
    read: list[tuple[Segment, Any]] = []
    for segment in segments:
        try:
            read.append((segment, query_builder.conditions_of(segment)))
        except InvalidCondition as invalid:
            read.append((segment, invalid))
    members = {
        c.change_set for _, each in read if isinstance(each, tuple) for c in each if isinstance(c, ChangeSetMember)
    }
    change_sets = ChangeSet.objects.select_related("actor").filter(pk__in=members)
    sources = people_admin.writers(request, list(change_sets)) if members else {}
    groups = group_filter.group_names(c for _, each in read if isinstance(each, tuple) for c in each)
    for segment, each in read:
        if isinstance(each, InvalidCondition):
            segment.description = f"This segment contains nobody. {each}"  # type: ignore[attr-defined]
            continue
        texts = [
            _describe_member(c, sources) if isinstance(c, ChangeSetMember) else describe(c, schema_info, groups)
            for c in each
        ]
        problem = segment_filter.describe_invalid_condition(each, schema_info.schema)
        reason = f". This segment contains nobody. {problem}" if problem else ""
        segment.description = "; ".join(texts) + reason  # type: ignore[attr-defined]


def _describe_member(member: ChangeSetMember, sources: dict[int, Any]) -> str:
    source = sources.get(member.change_set)
    outcome = member.outcome.capitalize() if member.outcome else "Imported or updated"
    return f"{outcome} by “{source.name}”" if source else str(member)


def _count(segment: Segment) -> str:
    try:
        people = query_builder.find_people(query_builder.conditions_of(segment), load_schema())
        with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
            return f"{people.count():,}"
    except InvalidCondition as invalid:
        return f"This segment contains nobody. {invalid}"
    except StatementTimeout:
        return "A count takes too long at the moment. Try again later."
