"""Hooks with which another app extends the lists of this one: a filter, and the sources of what is listed.

``profiles`` knows nothing about imports. An app that does subclasses the admin class and overrides two methods.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from profiles.admin.source import Source, source_of
from profiles.models import ChangeSet
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import Condition, InvalidCondition

MAX_PAGE = 10_000_000

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ExtraFilter:
    """A filter that another app adds.

    ``label``: the text of its chip. ``parameters``: its part of the query string. ``context``: for its part of the
    form.
    """

    condition: Condition | None = None
    label: str = ""
    parameters: Pairs = field(default_factory=list)
    errors: Sequence[InvalidCondition] = ()
    context: dict[str, Any] = field(default_factory=dict)


class ExtensibleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list of people or events, with a template that another app may extend."""

    list_template = ""

    def extra_filter(self, sent: Parameters) -> ExtraFilter:
        """Return the filter that the app adds to the list, read from the parameters of the query string."""
        return ExtraFilter()

    def writers(self, request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
        """Return the source of each change set, by primary key."""
        return {change_set.pk: source_of(change_set) for change_set in change_sets}
