"""People in the admin."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from profiles.admin import people_list
from profiles.admin.people_list import Added, Source
from profiles.admin.read_only import ReadOnly
from profiles.conditions import Parameters
from profiles.models import ChangeSet, Profile


@admin.register(Profile)
class ProfileAdmin(ReadOnly):
    """People, the newest first. What knows more of where they come from fills in the two methods below."""

    list_template = "profiles/people.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return people_list.view(request, self, extra_context or {})

    def added(self, sent: Parameters) -> Added:
        """More filters of the list, from the address of the page."""
        return Added()

    def sources(self, request: HttpRequest, change_sets: Collection[int]) -> dict[int, Source]:
        """What to call change sets, in one query."""
        found = ChangeSet.objects.filter(pk__in=change_sets).values_list("pk", "source")
        return {pk: Source(source) for pk, source in found}
