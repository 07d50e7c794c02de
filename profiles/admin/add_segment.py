"""The filters of the list of people become a segment."""

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
    """What the segment is called."""

    class Meta:
        model = Segment
        fields = ("name",)
        widgets = {"name": forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})}


def add_segment_view(request: HttpRequest, screen: admin.ModelAdmin[Segment]) -> HttpResponse:
    """Show what the address of a list of people is narrowed to, and keep it under a name.

    Raises ``PermissionDenied``.
    """
    if not screen.has_add_permission(request):
        raise PermissionDenied
    people: ExtensibleAdmin = admin.site.get_model_admin(Profile)  # type: ignore[assignment]
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    known = query.load_schema_info()
    asked = query.parse_query(sent, known, people)
    form = SegmentForm(request.POST or None)
    problem = _why_not(asked)
    if request.method == "POST" and not problem and form.is_valid():
        return _save(request, screen, asked, form.cleaned_data["name"])
    context: dict[str, Any] = {
        "title": "Save filters as a segment",
        "opts": Segment._meta,
        "form": form,
        "problem": problem,
        "held": [chip.text for chip in filters.chips(asked, known)],
        "people_address": reverse("admin:profiles_profile_changelist") + asked.address(),
    }
    shown = admin.site.each_context(request) | context
    return TemplateResponse(request, "profiles/segment_add.html", shown)


def _why_not(asked: PeopleQuery) -> str:
    if asked.wrong:
        return f"These filters cannot be saved. {asked.wrong[0]}"
    if asked.text:
        return "A search is not part of a segment. Remove it from the list of people, and save the filters again."
    if not asked.all_conditions:
        return "No filter is on. Narrow the list of people to those whom the segment is to hold, then save its filters."
    return ""


def _save(request: HttpRequest, screen: admin.ModelAdmin[Segment], asked: PeopleQuery, name: str) -> HttpResponse:
    """Keep the conditions themselves, also those of other segments, which may be deleted one day."""
    made = Segment.objects.create(
        name=name, conditions=condition_json.to_json(asked.all_conditions), created_by_id=request.user.pk
    )
    screen.log_addition(request, made, [{"added": {}}])
    messages.success(
        request, format_html('The segment <bdi dir="auto">{}</bdi> is saved.', name_lookup.unique_label(made))
    )
    return HttpResponseRedirect(f"{reverse('admin:profiles_profile_changelist')}?segment={made.pk}")
