"""The filter *Updated/Imported from CSV* of the list of people (SG-03, SG-05, SG-08)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.http import urlencode

from imports.models import ImportJob
from profiles.admin import name_lookup
from profiles.admin.extensible import ExtraFilter
from profiles.admin.name_lookup import label
from profiles.models import Segment
from profiles.search import condition_parameters
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import InvalidCondition, Member, Outcome

MAX_RECENT = 50


def people_url(job: ImportJob, outcome: Outcome | None = None) -> str:
    """The address of the list of those whom an import created or found, or only one of the two (SG-06)."""
    which = {"import": job.pk} | ({"outcome": outcome.value} if outcome else {})
    return f"{reverse('admin:profiles_profile_changelist')}?{urlencode(which)}"


def get_segment(job: ImportJob) -> Segment | None:
    """The segment that the import made, if somebody has not deleted it (SG-04)."""
    if job.targeting != ImportJob.Targeting.SEGMENT or job.change_set_id is None:
        return None
    return Segment.objects.filter(change_set=job.change_set_id).first()


def parse_import_filter(sent: Parameters) -> ExtraFilter:
    """What the address says about an import: its number, or its exact name as somebody types it (SG-03)."""
    number, text = (" ".join(sent.get(name, ())[-1:]).strip() for name in ("import", "import_name"))
    recent, numbered = _recent_and(number)
    context: dict[str, Any] = {"import_name": text, "recent": [label(job) for job in recent]}
    try:
        context["outcome"] = outcome = condition_parameters.member_outcome(sent)
        if not text and not number:
            return ExtraFilter(context=context)
        jobs = _named(text) if text else numbered
        job = _only(jobs, text)
    except _SeveralImports as several:
        links = [(label(job), _instead(sent, job)) for job in several.jobs]
        return ExtraFilter(errors=[several], context=context | {"same_name": links, "import_problem": str(several)})
    except InvalidCondition as invalid:
        return ExtraFilter(errors=[invalid], context=context | {"import_problem": str(invalid)})
    return ExtraFilter(
        Member(job.change_set_id, outcome) if job.change_set_id else None,
        f"{label(job)}, {outcome} only" if outcome else label(job),
        [("import", str(job.pk)), *([("outcome", outcome.value)] if outcome else [])],
        context=context | {"import_name": label(job)},
    )


class _SeveralImports(InvalidCondition):
    """A name that several imports have (SG-08)."""

    def __init__(self, jobs: Sequence[ImportJob]) -> None:
        super().__init__(f"{len(jobs)} imports have this name. Choose one of them.", "import_name")
        self.jobs = jobs


def _instead(sent: Parameters, job: ImportJob) -> str:
    """The same page with this import; all else that it asks for stays."""
    left = [name for name in sent if name not in ("import", "import_name", "p")]
    others = [(name, text) for name in left for text in sent[name] if text]
    return f"?{urlencode([*others, ('import', str(job.pk))])}"


def _targets() -> QuerySet[ImportJob]:
    """The imports to filter by, newest first: those that began and were not kept from targeting (SG-05)."""
    began = ImportJob.objects.filter(change_set__isnull=False).exclude(targeting=ImportJob.Targeting.NONE)
    return began.only("name", "created", "change_set_id").order_by("-pk")


def _named(text: str) -> list[ImportJob]:
    """All imports whose whole name, or label, this is, letter for letter."""
    return name_lookup.find_by_name(_targets(), [text]).get(text, [])


def _recent_and(number: str) -> tuple[list[ImportJob], list[ImportJob]]:
    """The newest imports to filter by, and the one of a link, whether it is for targeting or not; one query."""
    asked = int(number) if number.isascii() and number.isdecimal() and len(number) <= 18 else 0
    recent = Q(pk__in=_targets().values("pk")[:MAX_RECENT])
    fields = ("name", "created", "change_set_id", "targeting")
    found = list(ImportJob.objects.only(*fields).filter(recent | Q(pk=asked)).order_by("-pk"))
    numbered = [job for job in found if job.pk == asked]
    offered = [job for job in found if job.change_set_id and job.targeting != ImportJob.Targeting.NONE]
    return offered[:MAX_RECENT], numbered


def _only(jobs: list[ImportJob], text: str) -> ImportJob:
    if not jobs:
        said = "No import that can be filtered by is called exactly so: whole names are compared, with capitals."
        gone = "This import is not there any more; remove this filter."
        raise InvalidCondition(said if text else gone, "import_name")
    if len(jobs) > 1:
        raise _SeveralImports(jobs)
    if jobs[0].change_set_id is None:
        raise InvalidCondition("This import has not begun, so it has no people yet.", "import_name")
    return jobs[0]
