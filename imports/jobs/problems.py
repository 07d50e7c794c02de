"""Read the problems of a job's rows: all, those that pass a filter, and how often each kind occurs (PV-02, PV-08)."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet

from imports.models import ImportJob, RowError

MAX_GROUPS = 500
"""This many kinds of problems are listed; problems of further kinds are counted, and found by searching."""

CACHE_THRESHOLD = 50_000
CACHE_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class ProblemGroup:
    """Problems of one kind: the same severity, code, column and reason. ``rows``: how many they are."""

    severity: str
    code: str
    column: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class ProblemSummary:
    """The most frequent kinds of problems, and the number of problems of all kinds."""

    groups: list[ProblemGroup]
    total: int

    @property
    def columns(self) -> list[str]:
        return sorted({group.column for group in self.groups if group.column})

    @property
    def codes(self) -> list[str]:
        return sorted({group.code for group in self.groups})


@dataclass(frozen=True, slots=True)
class ProblemFilter:
    """The filter of a list of problems; a blank field does not filter."""

    severity: str = ""
    code: str = ""
    column: str = ""
    reason: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return any((self.severity, self.code, self.column, self.reason, self.text))


def problems(job: ImportJob) -> QuerySet[RowError]:
    """Return errors and warnings, by row. Those of the preview are deleted when the import begins to detect its own."""
    return job.problems.exclude(severity=RowError.Severity.IGNORED).order_by("row", "id")


def ignored(job: ImportJob) -> QuerySet[RowError]:
    """Return the reports of rows that an import ignored (AC-03), by row."""
    return job.problems.filter(severity=RowError.Severity.IGNORED).order_by("row", "id")


def filter_problems(found: QuerySet[RowError], chosen: ProblemFilter) -> QuerySet[RowError]:
    """Return the problems that pass the filter.

    A text is searched for in values, columns and reasons, whatever its case; a number is also compared with the row.
    """
    exact = {name: getattr(chosen, name) for name in ("severity", "code", "column", "reason") if getattr(chosen, name)}
    found = found.filter(**exact)
    if chosen.text:
        text = chosen.text
        found = found.filter(
            Q(value__icontains=text) | Q(reason__icontains=text) | Q(column__icontains=text) | _in_row(text)
        )
    return found


def summarize(job: ImportJob, expected: int, version: str) -> ProblemSummary:
    """Count the problems by kind, the most frequent kind first.

    Counting takes long from ``CACHE_THRESHOLD`` expected problems on: the result is then cached for a day for each
    ``version`` of the job.
    """
    if expected < CACHE_THRESHOLD:
        return _counted(job)
    key = f"problems-{job.pk}-{version}"
    kept: ProblemSummary | None = cache.get(key)
    if kept is None:
        kept = _counted(job)
        cache.set(key, kept, CACHE_SECONDS)
    return kept


def _counted(job: ImportJob) -> ProblemSummary:
    kinds = ("severity", "code", "column", "reason")
    counted = problems(job).order_by().values_list(*kinds).annotate(rows=Count("id"))
    groups = [ProblemGroup(*line) for line in counted.order_by("-rows", *kinds)[: MAX_GROUPS + 1]]
    total = problems(job).count() if len(groups) > MAX_GROUPS else sum(group.rows for group in groups)
    return ProblemSummary(groups[:MAX_GROUPS], total)


def _in_row(text: str) -> Q:
    return Q(row=int(text)) if text.isascii() and text.isdecimal() and len(text) < 10 else Q(pk__in=())
