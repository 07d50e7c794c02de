"""What is wrong with the rows of a file: all of it, what of it a person asks for, and how often each thing occurs
(PV-02, PV-08)."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import Count, Q, QuerySet

from imports.models import ImportJob, RowError

GROUPS = 500
"""So many kinds of problems are told apart; what there is beyond is counted, and found by searching."""

MANY = 50_000
KEPT_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Group:
    """Problems alike: the same reason in the same column."""

    severity: str
    code: str
    column: str
    reason: str
    rows: int


@dataclass(frozen=True, slots=True)
class Digest:
    """The most frequent kinds of problems, and how many there are of all kinds."""

    groups: list[Group]
    total: int

    @property
    def columns(self) -> list[str]:
        return sorted({group.column for group in self.groups if group.column})

    @property
    def codes(self) -> list[str]:
        return sorted({group.code for group in self.groups})


@dataclass(frozen=True, slots=True)
class ProblemFilter:
    """Which problems a person asks for; what is blank is not asked for."""

    severity: str = ""
    code: str = ""
    column: str = ""
    reason: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return any((self.severity, self.code, self.column, self.reason, self.text))


def problems(job: ImportJob) -> QuerySet[RowError]:
    """What is wrong with rows, in their order; what the preview found is forgotten when the import finds it anew."""
    return job.problems.exclude(severity=RowError.Severity.IGNORED).order_by("row", "id")


def ignored(job: ImportJob) -> QuerySet[RowError]:
    """The rows that an import left alone (AC-03), in their order."""
    return job.problems.filter(severity=RowError.Severity.IGNORED).order_by("row", "id")


def filter_problems(found: QuerySet[RowError], asked: ProblemFilter) -> QuerySet[RowError]:
    """Those that a person asks for; a text is looked for in values, columns and reasons, whatever its case."""
    exact = {name: getattr(asked, name) for name in ("severity", "code", "column", "reason") if getattr(asked, name)}
    found = found.filter(**exact)
    if asked.text:
        text = asked.text
        found = found.filter(
            Q(value__icontains=text) | Q(reason__icontains=text) | Q(column__icontains=text) | _in_row(text)
        )
    return found


def digest(job: ImportJob, expected: int, version: str) -> Digest:
    """How often each kind of problem occurs, the most frequent first.

    Where so many are ``expected`` that counting takes long, they are counted once for each ``version`` of the job.
    """
    if expected < MANY:
        return _counted(job)
    key = f"problems-{job.pk}-{version}"
    kept: Digest | None = cache.get(key)
    if kept is None:
        kept = _counted(job)
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _counted(job: ImportJob) -> Digest:
    kinds = ("severity", "code", "column", "reason")
    counted = problems(job).order_by().values_list(*kinds).annotate(rows=Count("id"))
    groups = [Group(*line) for line in counted.order_by("-rows", *kinds)[: GROUPS + 1]]
    total = problems(job).count() if len(groups) > GROUPS else sum(group.rows for group in groups)
    return Digest(groups[:GROUPS], total)


def _in_row(text: str) -> Q:
    return Q(row=int(text)) if text.isascii() and text.isdecimal() and len(text) < 10 else Q(pk__in=())
