"""The list of people with the way to import more of them, and to find those of an import; ``profiles`` does not know
of imports."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from imports.admin import pages, upload
from imports.models import ImportJob
from profiles import conditions
from profiles.admin.people import ProfileAdmin
from profiles.admin.people_list import Added, Source
from profiles.conditions import InvalidCondition, Member, Outcome, Parameters
from profiles.models import ChangeSet, Profile

RECENT = 50
_NUMBERED = re.compile(r".*, #([0-9]{1,18})", re.DOTALL).fullmatch

admin.site.unregister(Profile)


def people_of(job: ImportJob, outcome: Outcome | None = None) -> str:
    """The address of the list of those whom an import created or found, or only one of the two (SG-06)."""
    which = {"import": job.pk} | ({"outcome": outcome.value} if outcome else {})
    return f"{reverse('admin:profiles_profile_changelist')}?{urlencode(which)}"


@admin.register(Profile)
class ImportingProfileAdmin(ProfileAdmin):
    """People, with django-import-export's address for its Import button, and the filter *Updated/Imported from CSV*."""

    list_template = "imports/people.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(upload.view)
        return [path("import/", view, name="profiles_profile_import"), *super().get_urls()]

    def has_module_permission(self, request: HttpRequest) -> bool:
        return super().has_module_permission(request) or pages.may_look(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or pages.may_look(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"may_upload": pages.may_upload(request), **(extra_context or {})})

    def added(self, sent: Parameters) -> Added:
        return _of_import(sent)

    def sources(self, request: HttpRequest, change_sets: Collection[int]) -> dict[int, Source]:
        """Imports by their names, with links for those who may look at them."""
        may_look = pages.may_look(request)
        found = ChangeSet.objects.filter(pk__in=change_sets).values_list("pk", "source", "job__pk", "job__name")
        return {pk: Source(name or source, _page_of(job) if may_look else "") for pk, source, job, name in found}


def _page_of(job: int | None) -> str:
    return reverse("admin:imports_importjob_change", args=[job]) if job else ""


# --- the filter by import -----------------------------------------------------------------------


def _of_import(sent: Parameters) -> Added:
    """What the address says about an import: its number, or its exact name as somebody types it (SG-03)."""
    number, text = (" ".join(sent.get(name, ())[-1:]).strip() for name in ("import", "import_name"))
    context: dict[str, Any] = {"import_name": text, "recent": [_label(job) for job in _targets()[:RECENT]]}
    try:
        context["outcome"] = outcome = conditions.outcome(sent)
        if not text and not number:
            return Added(context=context)
        jobs = _named(text) if text else _numbered(number)
        job = _only(jobs, text)
    except _SeveralImports as several:
        links = [(_label(job), people_of(job, outcome)) for job in several.jobs]
        return Added(wrong=[several], context=context | {"same_name": links, "import_problem": str(several)})
    except InvalidCondition as invalid:
        return Added(wrong=[invalid], context=context | {"import_problem": str(invalid)})
    return Added(
        Member(job.change_set_id, outcome) if job.change_set_id else None,
        f"{_label(job)}, {outcome} only" if outcome else _label(job),
        [("import", str(job.pk)), *([("outcome", outcome.value)] if outcome else [])],
        context=context | {"import_name": _label(job)},
    )


class _SeveralImports(InvalidCondition):
    """A name that several imports have (SG-08)."""

    def __init__(self, jobs: Sequence[ImportJob]) -> None:
        super().__init__(f"{len(jobs)} imports have this name. Choose one of them.", "import_name")
        self.jobs = jobs


def _targets() -> QuerySet[ImportJob]:
    """The imports to filter by, newest first: those that began and were not kept from targeting (SG-05)."""
    began = ImportJob.objects.filter(change_set__isnull=False).exclude(targeting=ImportJob.Targeting.NONE)
    return began.only("name", "created", "change_set_id").order_by("-pk")


def _named(text: str) -> list[ImportJob]:
    """All imports whose whole name, or label, this is, letter for letter."""
    if "\0" in text:
        return []
    label = _NUMBERED(text)
    found = list(_targets().filter(Q(name=text) | Q(pk=int(label[1]) if label else None))[: RECENT + 1])
    return [job for job in found if text in (job.name, _label(job))]


def _numbered(number: str) -> list[ImportJob]:
    """The import of a link, whether it is for targeting or not."""
    if not (number.isascii() and number.isdecimal() and len(number) <= 18):
        return []
    return list(ImportJob.objects.only("name", "created", "change_set_id").filter(pk=int(number)))


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


def _label(job: ImportJob) -> str:
    """What tells imports of one name apart: `May leads, 4 May 2026, #41`."""
    day = timezone.localdate(job.created)
    return f"{job.name}, {day.day} {day:%B} {day.year}, #{job.pk}"
