"""What the page of an import shows below its state: rows, problems, the mapping, who did what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from imports.admin.configure import option_settings
from imports.admin.job import rows
from imports.admin.job.rows import Tab
from imports.admin.pages import get_text
from imports.cli.summary import JobFigures
from imports.jobs import problems, stored_file
from imports.jobs.problems import ProblemFilter
from imports.jobs.transitions import Transition
from imports.mapping.column_mapping import Target
from imports.models import ImportColumn, ImportJob, JobTransition, RowError
from profiles.merging.rules import Outcome

PROBLEMS_PER_PAGE = 50
MAX_GROUPS = 20
MAX_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class TabLink:
    """A tab: where it leads, what it says, whether it is the one that is open."""

    address: str
    label: str
    rows: int | None
    open: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of who did what."""

    transition: JobTransition
    what: str


TRANSITION_LABELS: Mapping[str, str] = {
    "upload": "uploaded the file",
    Transition.REREAD: "had the file read again",
    Transition.CHECK: "had the file checked",
    Transition.REFRESH: "had the file checked again",
    Transition.RECHECK: "The schema had changed, so the file is checked again",
    Transition.CHECKED: "The check is done",
    Transition.EDIT: "changed the settings",
    Transition.SUBMIT: "submitted it for approval",
    Transition.START: "started it",
    Transition.APPROVE: "approved it",
    Transition.REJECT: "rejected it",
    Transition.CANCEL: "cancelled it",
    Transition.BEGIN: "The import begins",
    Transition.COMPLETE: "The import is complete",
    Transition.STOP: "stopped it",
    Transition.FAIL: "It failed",
    Transition.RESUME: "resumed it",
}


def transition_history(job: ImportJob) -> list[HistoryEntry]:
    """Who did what, the last thing last."""
    return [
        HistoryEntry(transition, TRANSITION_LABELS.get(transition.name, transition.name))
        for transition in job.transitions.all()
    ]


def tab_context(request: HttpRequest, job: ImportJob, found: JobFigures, version: str) -> dict[str, Any]:
    """The tab that is asked for, with what it holds, and the settings."""
    columns = list(job.columns.all())
    offered = rows.tabs(job, found)
    asked = request.GET.get("show", "")
    tab = Tab(asked) if asked in {tab for tab, _, _ in offered} else offered[0][0]
    text = get_text(request.GET, "find")
    can_find = job.status in rows.PREVIEW_STATUSES
    context: dict[str, Any] = {
        "tab": tab,
        "tabs": [TabLink(f"?show={t}#rows", label, count, t is tab and not text) for t, label, count in offered],
        "find": text,
        "can_find": can_find,
        "mapped": list(_mapped(columns)),
        "unmapped": max(0, len(columns) - MAX_COLUMNS),
        "options": stored_file.options(job),
        "by_hand": option_settings.overridden_settings(job),
        "column_count": sum(bool(column.target) for column in columns),
    }
    if text and can_find:
        return context | _sought(job, columns, text)
    match tab:
        case Tab.PROBLEMS:
            return context | _problems(request, job, found, version)
        case Tab.FIRST:
            return context | {"table": rows.first_rows(job, columns)}
        case Tab.IGNORED if not can_find:
            return context | _listed(problems.ignored(job), request, "?show=ignored")
        case _:
            after = _number(request.GET.get("after", ""))
            page = rows.rows_by_outcome(job, columns, Outcome(tab.value), after)
            following = f"?show={tab}&after={page.following}#rows" if page.following else ""
            return context | {"table": page.table, "following": following, "earlier": bool(after)}


def _sought(job: ImportJob, columns: list[ImportColumn], text: str) -> dict[str, Any]:
    table = rows.search_rows(job, columns, text)
    alone = table.rows[0] if len(table.rows) == 1 else None
    return {"table": table, "row": alone, "lines": rows.column_values(job, alone, columns) if alone else []}


def _problems(request: HttpRequest, job: ImportJob, figures: JobFigures, version: str) -> dict[str, Any]:
    asked = requested_filter(request)
    query = _address({name: getattr(asked, name) for name in _FILTERS})
    found = problems.filter_problems(problems.problems(job), asked)
    counted = problems.digest(job, figures.counts.failed + figures.warnings, version)
    return {
        "asked": asked,
        "digest": counted,
        "groups": [(_group_address(group), group) for group in counted.groups[:MAX_GROUPS]],
        "more_groups": max(0, len(counted.groups) - MAX_GROUPS),
        "filters": query.removeprefix(f"?show={Tab.PROBLEMS.value}"),
        "severities": [RowError.Severity.ERROR.value, RowError.Severity.WARNING.value],
        **_listed(found, request, query),
    }


def requested_filter(request: HttpRequest) -> ProblemFilter:
    """Which problems the address asks for."""
    return ProblemFilter(**{name: get_text(request.GET, name) for name in _FILTERS})


_FILTERS = tuple(field.name for field in fields(ProblemFilter))


def _group_address(group: problems.Group) -> str:
    return _address({name: getattr(group, name) for name in ("severity", "code", "column", "reason")})


def _address(asked: Mapping[str, str]) -> str:
    return "?" + urlencode({"show": Tab.PROBLEMS.value} | {name: value for name, value in asked.items() if value})


def _listed(found: QuerySet[RowError], request: HttpRequest, address: str) -> dict[str, Any]:
    """A page of problems; ``after`` names the row and the key of the last one of the page before."""
    row, _, key = request.GET.get("after", "").partition("-")
    if row and key:
        found = found.filter(row__gte=_number(row)).exclude(row=_number(row), pk__lte=_number(key))
    page = list(found[: PROBLEMS_PER_PAGE + 1])
    last = page[PROBLEMS_PER_PAGE - 1] if len(page) > PROBLEMS_PER_PAGE else None
    following = f"{address}&after={last.row}-{last.pk}#rows" if last else ""
    return {"problems": page[:PROBLEMS_PER_PAGE], "following": following, "earlier": bool(row)}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _mapped(columns: list[ImportColumn]) -> Iterator[tuple[ImportColumn, str]]:
    """Each column with where it goes, in words."""
    for column in columns[:MAX_COLUMNS]:
        kind = Target(column.target_kind)
        if kind in (Target.SKIP, Target.UNDECIDED):
            yield column, "skipped" if kind is Target.SKIP else "undecided"
        else:
            new = " (new attribute)" if kind is Target.NEW else ""
            type_ = f", {column.type.replace('_', ' ')}" if column.type else ""  # parts of an event have none
            yield column, f"{column.target}{type_}{new}"
