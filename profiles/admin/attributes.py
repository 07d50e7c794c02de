"""The schema in the admin: the list of attributes, and a form for each."""

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
"""The query parameter that requests an exact count of the people who have the attribute."""

FLAG_LABELS = {
    "identifier": "identifier",
    "multi_valued": "list",
    "mandatory": "mandatory",
    "personal": "personal",
    "filterable": "filterable",
    "built_in": "built-in",
}


class CountedChangeList(ChangeList):
    """The attributes of a page, each with the number of its people and the progress of its index (two queries)."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        estimate = usage.estimate_people()
        self.result_list: list[Attribute] = list(self.result_list)
        for attribute in self.result_list:
            attribute.people = estimate.of(attribute.key)  # type: ignore[attr-defined]
        _set_progress(self.result_list)


@admin.register(Attribute)
class AttributeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """The attributes of people. Key, type, list and identifier of a built-in attribute cannot be changed."""

    form = AttributeForm
    list_display = ("label", "profiles", "type", "key", "marks")
    list_filter = ("identifier", "mandatory", "personal", "filterable", "built_in", "type")
    search_fields = ("key", "label")
    search_help_text = "Key or label"
    show_facets = admin.ShowFacets.NEVER
    actions = None
    fields = (
        "key", "label", "type", "multi_valued", "identifier", "mandatory", "personal", "filterable", "description",
        "profiles", "matching",
    )  # fmt: skip
    readonly_fields = ("profiles", "matching")
    delete_confirmation_template = "profiles/delete_attribute.html"

    class Media:
        css = {"all": ["profiles/attributes.css"]}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return CountedChangeList

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        is_indexing = obj is not None and obj.index_work
        return [name for name in self.fields if (obj or name != "profiles") and (is_indexing or name != "matching")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["profiles"]
        return ["profiles", "matching", "key", *(("type", "multi_valued", "identifier") if obj.built_in else ())]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and obj.built_in)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return the attribute with the number of its people and the progress of its index."""
        attribute = super().get_object(request, object_id, from_field)
        if isinstance(attribute, Attribute):
            attribute.people = _people_count(attribute.key, exactly=COUNT_PARAMETER in request.GET)  # type: ignore[attr-defined]
            _set_progress([attribute])
        return attribute

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what Django's confirmation page shows; the reason why an attribute cannot be deleted protects it."""
        to_delete, counts, missing_permissions, protected = super().get_deleted_objects(objs, request)
        for attribute in objs:
            reason = self.why_not_delete(request, attribute)
            protected += [reason] if reason else []
        return to_delete, counts, missing_permissions, protected

    def why_not_delete(self, request: HttpRequest, attribute: Attribute) -> str:
        """Return why an attribute cannot be deleted; empty if it can. A POST locks the schema until it commits."""
        if request.method == "POST" and (busy := changes.lock_schema(attribute.pk)):
            return busy
        return changes.deletion_obstacle(attribute.definition)

    def save_model(self, request: HttpRequest, obj: Attribute, form: ModelForm[Attribute], change: bool) -> None:
        assert isinstance(form, AttributeForm)
        super().save_model(request, obj, form, change)
        changes.update_identifier_index(form.before, obj)
        if obj.index_work and obj.identifier:
            messages.info(request, format_html(_MATCHING_SOON, obj.label))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return redirect_without_nul(request) or super().changelist_view(
            request, {"title": "Attributes", **(extra_context or {})}
        )

    @admin.display(description="Flags")
    def marks(self, attribute: Attribute) -> str:
        """Return the flags of the attribute that are set, as words."""
        marks = {name: word for name, word in FLAG_LABELS.items() if getattr(attribute, name)}
        if attribute.identifier and attribute.index_work:
            marks["identifier"] += f" (preparing, {_progress(attribute)}%)"
        return ", ".join(marks.values()) or "-"

    @admin.display(description="Matching")
    def matching(self, attribute: Attribute) -> str:
        """Return the state of the identifier index; shown while it is updated."""
        if not attribute.identifier:
            return "People are no longer matched by this attribute. Its index is being removed."
        if attribute.index_work == IndexWork.CLEARING:
            return "People cannot be matched by this attribute yet: outdated entries of its index are being removed."
        return f"People cannot be matched by this attribute yet: {_progress(attribute)}% of all people are indexed."

    @admin.display(description="People")
    def profiles(self, attribute: Attribute) -> str | SafeString:
        return attribute.people  # type: ignore[attr-defined, no-any-return]


_MATCHING_SOON = (
    'People can be matched by <bdi dir="auto">{}</bdi> in a moment, as soon as all people are indexed. '
    "The page of the attribute shows the progress."
)


def _set_progress(attributes: Sequence[Attribute]) -> None:
    progress = identifier_index.progress_percent(attributes)
    for attribute in attributes:
        attribute.progress = progress.get(attribute.pk, 0)  # type: ignore[attr-defined]


def _progress(attribute: Attribute) -> int:
    return attribute.progress  # type: ignore[attr-defined, no-any-return]


def _people_count(key: str, *, exactly: bool) -> str | SafeString:
    """Return how many people have an attribute; an estimate comes with a link to the exact count."""
    estimate = usage.estimate_people()
    shown = estimate.of(key)
    if estimate.exact:
        return shown
    if exactly:
        people = usage.count_people(key)
        return f"{people:,}" if people is not None else f"{shown} (an exact count takes too long at the moment)"
    return format_html('{} <a href="?{}=exactly">Count exactly</a>', shown, COUNT_PARAMETER)
