"""Read a page of people, and count or estimate all of them, without reading them all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from profiles.models import Profile

CHEAP_COST = 15_000
"""The most that a count which nobody requested may cost, in the planner's units: some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Count:
    """An exact or estimated number of people."""

    people: int
    is_exact: bool

    @property
    def shown(self) -> int:
        """The number as pages show it: an estimate is rounded to three digits, so that it does not look exact."""
        return self.people if self.is_exact else int(float(f"{self.people:.3g}"))


def page(people: QuerySet[Profile], number: int, size: int) -> QuerySet[Profile]:
    """Return the people of a page, newest first, and one more if another page follows.

    ``number`` starts at 1. Of the people before the page only the keys are read, not the rows.
    """
    first = (number - 1) * size
    keys = people.order_by("-pk").values("pk")[first : first + size + 1]
    return Profile.objects.filter(pk__in=keys).order_by("-pk")


def count(people: QuerySet[Any], *, exactly: bool, is_estimable: bool) -> Count | None:
    """Count the rows of a query if ``exactly`` or if that is cheap; otherwise estimate them if ``is_estimable``, or
    return None."""
    if exactly:
        return Count(people.count(), is_exact=True)
    explained = people.order_by().values("pk").explain(format="json")
    if not explained:
        return Count(0, is_exact=True)  # Django does not query the database for an empty result
    plan = json.loads(explained)[0]["Plan"]
    if plan["Total Cost"] <= CHEAP_COST:
        return Count(people.count(), is_exact=True)
    return Count(int(plan["Plan Rows"]), is_exact=False) if is_estimable else None
