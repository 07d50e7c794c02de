"""The schema in the admin of a site with imports; ``profiles`` knows nothing about imports."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from imports.jobs import queue, schema_guard
from profiles.admin.attribute_form import AttributeForm
from profiles.admin.attributes import AttributeAdmin
from profiles.attributes import changes
from profiles.models import Attribute
from profiles.schema import Definition

admin.site.unregister(Attribute)


class ImportingAttributeForm(AttributeForm):
    """A form that refuses to change the type of values while an import writes them."""

    def obstacle(self, before: Definition | None, after: Definition) -> str:
        return schema_guard.schema_change_blocker() if before and changes.changes_stored_form(before, after) else ""


@admin.register(Attribute)
class ImportingAttributeAdmin(AttributeAdmin):
    """The attributes of the schema, guarded while imports run."""

    form = ImportingAttributeForm

    def why_not_delete(self, request: HttpRequest, attribute: Attribute) -> str:
        return super().why_not_delete(request, attribute) or schema_guard.schema_change_blocker()

    def save_model(self, request: HttpRequest, obj: Attribute, form: ModelForm[Attribute], change: bool) -> None:
        super().save_model(request, obj, form, change)
        queue.enqueue_index(obj.pk)

    def delete_model(self, request: HttpRequest, obj: Attribute) -> None:
        queue.enqueue_index(obj.pk)
        super().delete_model(request, obj)
