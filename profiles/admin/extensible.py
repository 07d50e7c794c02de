"""What another app adds to lists of this one: a filter, and the names of what wrote the rows.

``profiles`` does not know of imports. An app that does subclasses the admin class and fills in these two methods.
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
    """A filter that another part of the site adds: the condition, what its chip says, its part of the address, what
    is wrong with it, and what its part of the form shows."""

    condition: Condition | None = None
    label: str = ""
    parameters: Pairs = field(default_factory=list)
    wrong: Sequence[InvalidCondition] = ()
    context: dict[str, Any] = field(default_factory=dict)


class ExtensibleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """A list of people or of what they did, with a template that another app may extend."""

    list_template = ""

    def added(self, sent: Parameters) -> ExtraFilter:
        """Return more filters of the list, read from the parameters of its address."""
        return ExtraFilter()

    def writers(self, request: HttpRequest, change_sets: Collection[ChangeSet]) -> dict[int, Source]:
        """Return where each change set comes from, by primary key."""
        return {change_set.pk: source_of(change_set) for change_set in change_sets}
