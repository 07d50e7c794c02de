"""The schema in the admin: what may be known about people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from profiles.admin.attribute_form import AttributeForm
from profiles.admin.query_strings import redirect_without_nul
from profiles.attributes import changes, identifier_index, usage
from profiles.models import Attribute, IndexWork

COUNT_PARAMETER = "count"
"""In an address: count the people who have the attribute, however long that takes."""


FLAG_LABELS = {
    "identifier": "identifier",
    "multi_valued": "list",
    "mandatory": "mandatory",
    "personal": "personal",
    "filterable": "filterable",
    "built_in": "built-in",
}


class CountedChangeList(ChangeList):
    """The attributes of a page with in how many profiles each is, and how far the work on its index, by two queries."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = usage.estimate_people()
        self.result_list: list[Attribute] = list(self.result_list)
        for attribute in self.result_list:
            attribute.people = found.of(attribute.key)  # type: ignore[attr-defined]
        _tell_work(self.result_list)


@admin.register(Attribute)
class AttributeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What may be known about people. Of a built-in attribute a person changes only how it is shown and asked for."""

    form = AttributeForm
    list_display = ("label", "profiles", "type", "key", "marks")
    list_filter = ("identifier", "mandatory", "personal", "filterable", "built_in", "type")
    search_fields = ("key", "label")
    search_help_text = "Key or label"
    show_facets = admin.ShowFacets.NEVER
    actions = None
    fields = (
        "key", "label", "type", "multi_valued", "identifier", "mandatory", "personal", "filterable", "description",
        "profiles", "finding",
    )  # fmt: skip
    readonly_fields = ("profiles", "finding")
    delete_confirmation_template = "profiles/delete_attribute.html"

    class Media:
        css = {"all": ["profiles/attributes.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CountedChangeList

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        is_at_work = obj is not None and obj.index_work
        return [name for name in self.fields if (obj or name != "profiles") and (is_at_work or name != "finding")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["profiles"]
        return ["profiles", "finding", "key", *(("type", "multi_valued", "identifier") if obj.built_in else ())]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.built_in)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The attribute with in how many profiles it is, and how far the work on its index."""
        attribute = super().get_object(request, object_id, from_field)
        if isinstance(attribute, Attribute):
            attribute.people = _counted(attribute.key, exactly=COUNT_PARAMETER in request.GET)  # type: ignore[attr-defined]
            _tell_work([attribute])
        return attribute

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What the page that asks before deleting says; an attribute that has to stay is protected by the reason."""
        listed, counts, lacking, protected = super().get_deleted_objects(objs, request)
        for attribute in objs:
            reason = self.why_not_delete(request, attribute)
            protected += [reason] if reason else []
        return listed, counts, lacking, protected

    def why_not_delete(self, request: HttpRequest, attribute: Attribute) -> str:
        """Why an attribute has to stay; empty if it may go. From the answer to the deletion nobody writes values."""
        if request.method == "POST" and (busy := changes.lock_schema(attribute.pk)):
            return busy
        return changes.deletion_obstacle(attribute.definition)

    def save_model(self, request: HttpRequest, obj: Attribute, form: ModelForm[Attribute], change: bool) -> None:
        assert isinstance(form, AttributeForm)
        super().save_model(request, obj, form, change)
        changes.update_identifier_index(form.before, obj)
        if obj.index_work and obj.identifier:
            messages.info(request, format_html(_SOON, obj.label))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect_without_nul(request) or super().changelist_view(
            request, {"title": "Attributes", **(extra_context or {})}
        )

    @admin.display(description="What it is")
    def marks(self, attribute: Attribute) -> str:
        """What is special about it, in words."""
        marks = {name: word for name, word in FLAG_LABELS.items() if getattr(attribute, name)}
        if attribute.identifier and attribute.index_work:
            marks["identifier"] += f" (being made ready, {_done(attribute)}%)"
        return ", ".join(marks.values()) or "-"

    @admin.display(description="Finding people")
    def finding(self, attribute: Attribute) -> str:
        """How far the work is on what people are found by; shown while there is any."""
        if not attribute.identifier:
            return "What people were found by in it is being cleared away; nobody is found by it any more."
        if attribute.index_work == IndexWork.CLEARING:
            return "Nobody is found by it yet: what people were found by before is being cleared away first."
        return f"Nobody is found by it yet: {_done(attribute)}% of all people were looked through for their values."

    @admin.display(description="Profiles")
    def profiles(self, attribute: Attribute) -> str | SafeString:
        return attribute.people  # type: ignore[attr-defined, no-any-return]


_SOON = (
    'People can be found by <bdi dir="auto">{}</bdi> in a moment, when all of them were looked through for it. '
    "Its page tells how far that is."
)


def _tell_work(attributes: Sequence[Attribute]) -> None:
    done = identifier_index.progress_percent(attributes)
    for attribute in attributes:
        attribute.done = done.get(attribute.pk, 0)  # type: ignore[attr-defined]


def _done(attribute: Attribute) -> int:
    return attribute.done  # type: ignore[attr-defined, no-any-return]


def _counted(key: str, *, exactly: bool) -> str | SafeString:
    """In how many profiles an attribute is, with the way to the exact number where this is not it."""
    about = usage.estimate_people()
    shown = about.of(key)
    if about.exact:
        return shown
    if exactly:
        people = usage.count_people(key)
        return f"{people:,}" if people is not None else f"{shown} (counting exactly takes too long now)"
    return format_html('{} <a href="?{}=exactly">Count exactly</a>', shown, COUNT_PARAMETER)
