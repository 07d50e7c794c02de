"""Segments in the admin: named sets of people, made of the filters of their list or by an import."""

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
"""In an address: count the members, as far as the time limit lets us."""


class DescribedChangeList(ChangeList):
    """The segments of a page, each with what its members have in common, by the same few queries for all."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Segment] = list(self.result_list)
        _tell(request, self.result_list)


@admin.register(Segment)
class SegmentAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Sets to narrow the list of people to. They are renamed and deleted; what they hold stays as it was saved."""

    list_display = ("called", "members", "shown", "made", "maker")
    list_select_related = ("created_by", "change_set")
    list_per_page = 50
    search_fields = ("name",)
    search_help_text = "Name"
    show_facets = admin.ShowFacets.NEVER
    show_full_result_count = False
    actions = None
    fields = ("name", "members", "people", "made", "maker")
    readonly_fields = ("members", "people", "made", "maker")

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
        """The segment with what its members have in common and, where that is asked for, how many they are."""
        segment = super().get_object(request, object_id, from_field)
        if isinstance(segment, Segment):
            _tell(request, [segment])
            segment.counted = _counted(segment) if COUNT_PARAMETER in request.GET else ""  # type: ignore[attr-defined]
        return segment

    @admin.display(description="Name", ordering="name")
    def called(self, segment: Segment) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', segment.name)

    @admin.display(description="Made", ordering="created")
    def made(self, segment: Segment) -> SafeString:
        return when(segment.created)

    @admin.display(description="Made by")
    def maker(self, segment: Segment) -> str:
        return str(segment.created_by or "–")

    @admin.display(description="Who belongs to it")
    def members(self, segment: Segment) -> SafeString:
        return format_html('<bdi dir="auto">{}</bdi>', segment.told)  # type: ignore[attr-defined]

    @admin.display(description="People")
    def shown(self, segment: Segment) -> SafeString:
        form = '<a href="{}?segment={}">Show<span class="visually-hidden"> the people of {}</span></a>'
        count = '<a href="{}?{}=exactly">Count<span class="visually-hidden"> the people of {}</span></a>'
        here = reverse("admin:profiles_segment_change", args=[segment.pk])
        return format_html("{} {}", *(
            format_html(form, reverse("admin:profiles_profile_changelist"), segment.pk, segment.name),
            format_html(count, here, COUNT_PARAMETER, segment.name),
        ))  # fmt: skip

    @admin.display(description="People")
    def people(self, segment: Segment) -> SafeString:
        where = reverse("admin:profiles_profile_changelist")
        counted = segment.counted or format_html('<a href="?{}=exactly">Count</a>', COUNT_PARAMETER)  # type: ignore[attr-defined]
        return format_html('{} <a href="{}?segment={}">Show them</a>', counted, where, segment.pk)


def _tell(request: HttpRequest, found: Iterable[Segment]) -> None:
    """Say in words what each segment holds: the import that made it, or its conditions; or why nobody is in it."""
    screen: ExtensibleAdmin = admin.site.get_model_admin(Profile)  # type: ignore[assignment]
    known = query.load_schema_info()
    held: list[tuple[Segment, Any]] = []
    for segment in found:
        try:
            held.append((segment, query_builder.conditions_of(segment)))
        except InvalidCondition as invalid:
            held.append((segment, invalid))
    members = {
        c.change_set for _, each in held if isinstance(each, tuple) for c in each if isinstance(c, ChangeSetMember)
    }
    written = ChangeSet.objects.select_related("actor").filter(pk__in=members)
    sources = screen.writers(request, list(written)) if members else {}
    groups = group_filter.group_names(c for _, each in held if isinstance(each, tuple) for c in each)
    for segment, each in held:
        if isinstance(each, InvalidCondition):
            segment.told = f"Nobody can be found by it. {each}"  # type: ignore[attr-defined]
            continue
        texts = [_from(c, sources) if isinstance(c, ChangeSetMember) else describe(c, known, groups) for c in each]
        problem = segment_filter.describe_invalid_condition(each, known.schema)
        segment.told = "; ".join(texts) + (f". Nobody can be found by it: {problem}" if problem else "")  # type: ignore[attr-defined]


def _from(member: ChangeSetMember, sources: dict[int, Any]) -> str:
    source = sources.get(member.change_set)
    outcome = member.outcome.capitalize() if member.outcome else "Imported or updated"
    return f"{outcome} by “{source.name}”" if source else str(member)


def _counted(segment: Segment) -> str:
    try:
        people = query_builder.find_people(query_builder.conditions_of(segment), load_schema())
        with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
            return f"{people.count():,}"
    except InvalidCondition as invalid:
        return f"Nobody. {invalid}"
    except StatementTimeout:
        return "Counting takes too long now."
