"""The schema in the admin: what may be known about people."""

from __future__ import annotations

from django.contrib import admin

from profiles.admin.read_only import ReadOnly
from profiles.models import Attribute


@admin.register(Attribute)
class AttributeAdmin(ReadOnly):
    """What may be known about people."""

    list_display = ("label", "key", "type", "multi_valued", "identifier", "mandatory", "built_in")
    list_filter = ("type", "identifier", "built_in")
    search_fields = ("key", "label")
