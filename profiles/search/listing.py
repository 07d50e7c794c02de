"""A page of people out of many, and how many there are, without reading them all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from profiles.models import Profile

CHEAP_COST = 15_000
"""What counting may cost, in the planner's units, to be done unasked: some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many people there are, or about how many."""

    people: int
    is_exact: bool

    @property
    def shown(self) -> int:
        """Rounded to three digits where it is an estimate, so that it does not look like more."""
        return self.people if self.is_exact else int(float(f"{self.people:.3g}"))


def page(people: QuerySet[Profile], number: int, size: int) -> QuerySet[Profile]:
    """The people of a page, newest first, and one more if another page follows.

    What comes before the page is read by its key alone, not by the row.
    """
    first = (number - 1) * size
    keys = people.order_by("-pk").values("pk")[first : first + size + 1]
    return Profile.objects.filter(pk__in=keys).order_by("-pk")


def count(people: QuerySet[Any], *, exactly: bool, is_estimable: bool) -> Count | None:
    """How many rows; counted where that is asked for or cheap, else estimated, or not at all."""
    if exactly:
        return Count(people.count(), is_exact=True)
    planned = people.order_by().values("pk").explain(format="json")
    if not planned:
        return Count(0, is_exact=True)  # so plain that Django does not ask the database
    plan = json.loads(planned)[0]["Plan"]
    if plan["Total Cost"] <= CHEAP_COST:
        return Count(people.count(), is_exact=True)
    return Count(int(plan["Plan Rows"]), is_exact=False) if is_estimable else None
