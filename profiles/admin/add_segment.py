"""The page that saves the filters of the list of people as a segment."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from profiles.admin import name_lookup
from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.people_list import filters, query
from profiles.admin.people_list.query import PeopleQuery
from profiles.models import Profile, Segment
from profiles.search import condition_json


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """The name of a new segment."""

    class Meta:
        model = Segment
        fields = ("name",)
        widgets = {"name": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})}


def add_segment_view(request: HttpRequest, screen: admin.ModelAdmin[Segment]) -> HttpResponse:
    """Show the filters in the query string of a list of people, and save them as a segment on POST.

    Raises ``PermissionDenied``.
    """
    if not screen.has_add_permission(request):
        raise PermissionDenied
    people_admin: ExtensibleAdmin = admin.site.get_model_admin(Profile)  # type: ignore[assignment]
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    schema_info = query.load_schema_info()
    people_query = query.parse_query(sent, schema_info, people_admin)
    form = SegmentForm(request.POST or None)
    problem = _obstacle(people_query)
    if request.method == "POST" and not problem and form.is_valid():
        return _save(request, screen, people_query, form.cleaned_data["name"])
    context: dict[str, Any] = {
        "title": "Save filters as a segment",
        "opts": Segment._meta,
        "form": form,
        "problem": problem,
        "filters": [chip.text for chip in filters.chips(people_query, schema_info)],
        "people_address": reverse("admin:profiles_profile_changelist") + people_query.address(),
    }
    site_context = admin.site.each_context(request)
    return TemplateResponse(request, "profiles/segment_add.html", site_context | context)


def _obstacle(people_query: PeopleQuery) -> str:
    """Return why the filters cannot be saved; empty if they can."""
    if people_query.errors:
        return f"These filters cannot be saved. {people_query.errors[0]}"
    if people_query.text:
        return "A segment cannot contain a search. Remove the search from the list of people, then save the filters."
    if not people_query.all_conditions:
        return "There are no filters to save. Filter the list of people first, then save its filters as a segment."
    return ""


def _save(
    request: HttpRequest, screen: admin.ModelAdmin[Segment], people_query: PeopleQuery, name: str
) -> HttpResponse:
    """Store the conditions and, in place of other segments, their conditions, since those may be deleted later."""
    segment = Segment.objects.create(
        name=name, conditions=condition_json.to_json(people_query.all_conditions), created_by_id=request.user.pk
    )
    screen.log_addition(request, segment, [{"added": {}}])
    messages.success(
        request, format_html('The segment <bdi dir="auto">{}</bdi> was saved.', name_lookup.unique_label(segment))
    )
    return HttpResponseRedirect(f"{reverse('admin:profiles_profile_changelist')}?segment={segment.pk}")
