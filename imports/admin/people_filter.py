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
from profiles.admin.name_lookup import unique_label
from profiles.models import Segment
from profiles.search import condition_parameters
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import ChangeSetMember, InvalidCondition, Outcome

MAX_RECENT = 50


def people_url(job: ImportJob, outcome: Outcome | None = None) -> str:
    """Return the URL of the list of people that an import created or matched, or of one of the two (SG-06)."""
    which = {"import": job.pk} | ({"outcome": outcome.value} if outcome else {})
    return f"{reverse('admin:profiles_profile_changelist')}?{urlencode(which)}"


def get_segment(job: ImportJob) -> Segment | None:
    """Return the segment that the import created, unless it was deleted (SG-04)."""
    if job.targeting != ImportJob.Targeting.SEGMENT or job.change_set_id is None:
        return None
    return Segment.objects.filter(change_set=job.change_set_id).first()


def parse_import_filter(sent: Parameters) -> ExtraFilter:
    """Parse the filter by import: the number of an import, or its exact name as typed by a user (SG-03)."""
    number, text = (" ".join(sent.get(name, ())[-1:]).strip() for name in ("import", "import_name"))
    recent, numbered = _recent_and(number)
    context: dict[str, Any] = {"import_name": text, "recent": [unique_label(job) for job in recent]}
    try:
        context["outcome"] = outcome = condition_parameters.member_outcome(sent)
        if not text and not number:
            return ExtraFilter(context=context)
        jobs = _named(text) if text else numbered
        job = _only(jobs, text)
    except _SeveralImports as several:
        links = [(unique_label(job), _instead(sent, job)) for job in several.jobs]
        return ExtraFilter(errors=[several], context=context | {"same_name": links, "import_problem": str(several)})
    except InvalidCondition as invalid:
        return ExtraFilter(errors=[invalid], context=context | {"import_problem": str(invalid)})
    return ExtraFilter(
        ChangeSetMember(job.change_set_id, outcome) if job.change_set_id else None,
        f"{unique_label(job)}, {outcome} only" if outcome else unique_label(job),
        [("import", str(job.pk)), *([("outcome", outcome.value)] if outcome else [])],
        context=context | {"import_name": unique_label(job)},
    )


class _SeveralImports(InvalidCondition):
    """Several imports have the name (SG-08)."""

    def __init__(self, jobs: Sequence[ImportJob]) -> None:
        super().__init__(f"{len(jobs)} imports have this name. Choose one of them.", "import_name")
        self.jobs = jobs


def _instead(sent: Parameters, job: ImportJob) -> str:
    """Return the same page with this import as its filter; all other filters stay."""
    kept = [name for name in sent if name not in ("import", "import_name", "p")]
    others = [(name, text) for name in kept for text in sent[name] if text]
    return f"?{urlencode([*others, ('import', str(job.pk))])}"


def _targets() -> QuerySet[ImportJob]:
    """Return the imports to filter by, newest first: those that started and are open to targeting (SG-05)."""
    started = ImportJob.objects.filter(change_set__isnull=False).exclude(targeting=ImportJob.Targeting.NONE)
    return started.only("name", "created", "change_set_id").order_by("-pk")


def _named(text: str) -> list[ImportJob]:
    """Return all imports with exactly this name or label; upper and lower case differ."""
    return name_lookup.find_by_name(_targets(), [text]).get(text, [])


def _recent_and(number: str) -> tuple[list[ImportJob], list[ImportJob]]:
    """Return the newest imports to filter by, and the one of a link, open to targeting or not (one query)."""
    linked = int(number) if number.isascii() and number.isdecimal() and len(number) <= 18 else 0
    recent = Q(pk__in=_targets().values("pk")[:MAX_RECENT])
    fields = ("name", "created", "change_set_id", "targeting")
    found = list(ImportJob.objects.only(*fields).filter(recent | Q(pk=linked)).order_by("-pk"))
    numbered = [job for job in found if job.pk == linked]
    offered = [job for job in found if job.change_set_id and job.targeting != ImportJob.Targeting.NONE]
    return offered[:MAX_RECENT], numbered


def _only(jobs: list[ImportJob], text: str) -> ImportJob:
    if not jobs:
        unknown = "No import that you can filter by has exactly this name. Enter the whole name, in the same case."
        deleted = "This import no longer exists; remove this filter."
        raise InvalidCondition(unknown if text else deleted, "import_name")
    if len(jobs) > 1:
        raise _SeveralImports(jobs)
    if jobs[0].change_set_id is None:
        raise InvalidCondition("This import has not started, so it has no people yet.", "import_name")
    return jobs[0]
