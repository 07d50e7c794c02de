"""The sections of an import's page below its status: rows, problems, the mapping, the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from imports.admin.configure import column_lines, option_settings
from imports.admin.job import rows
from imports.admin.job.rows import Tab
from imports.admin.pages import get_text
from imports.cli.summary import JobFigures
from imports.jobs import problems, stored_file
from imports.jobs.problems import ProblemFilter
from imports.jobs.transitions import Transition
from imports.mapping import preset_choices
from imports.mapping.column_mapping import AUTOMATIC, Target
from imports.models import ImportColumn, ImportJob, JobTransition, RowError
from profiles.merging.rules import Outcome
from profiles.models import load_schema
from profiles.schema import OWN_IDENTIFIERS, Schema

PROBLEMS_PER_PAGE = 50
MAX_GROUPS = 20
MAX_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class TabLink:
    """A tab: its URL, its label, its number of rows, whether it is open."""

    address: str
    label: str
    rows: int | None
    open: bool


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """A line of the history: a transition, and what happened in words."""

    transition: JobTransition
    what: str


TRANSITION_LABELS: Mapping[str, str] = {
    "upload": "uploaded the file",
    Transition.REREAD: "read the file again with other settings",
    Transition.CHECK: "checked the file",
    Transition.REFRESH: "checked the file again",
    Transition.RECHECK: "The schema had changed, so the file was checked again",
    Transition.CHECKED: "The check was completed",
    Transition.EDIT: "changed the settings",
    Transition.SUBMIT: "submitted it for approval",
    Transition.START: "started it",
    Transition.APPROVE: "approved it",
    Transition.REJECT: "rejected it",
    Transition.CANCEL: "cancelled it",
    Transition.BEGIN: "The import began",
    Transition.COMPLETE: "The import was completed",
    Transition.STOP: "stopped it",
    Transition.FAIL: "The import failed",
    Transition.RESUME: "resumed it",
}


def transition_history(job: ImportJob) -> list[HistoryEntry]:
    """Return who did what, oldest first."""
    return [
        HistoryEntry(transition, TRANSITION_LABELS.get(transition.name, transition.name))
        for transition in job.transitions.all()
    ]


def tab_context(request: HttpRequest, job: ImportJob, found: JobFigures, version: str) -> dict[str, Any]:
    """Return the context of the requested tab, its rows or problems, and the mapping and options."""
    columns, schema = list(job.columns.all()), load_schema()
    tabs = rows.tabs(job, found)
    requested = request.GET.get("show", "")
    tab = Tab(requested) if requested in {tab for tab, _, _ in tabs} else tabs[0][0]
    text = get_text(request.GET, "find")
    can_find = job.status in rows.PREVIEW_STATUSES
    context: dict[str, Any] = {
        "tab": tab,
        "tabs": [TabLink(f"?show={t}#rows", label, count, t is tab and not text) for t, label, count in tabs],
        "find": text,
        "can_find": can_find,
        "identifier_label": _identifier_label(job.identifier, schema),
        "mapped": list(_mapped(columns, schema)),
        "unmapped": max(0, len(columns) - MAX_COLUMNS),
        "options": stored_file.options(job),
        "by_hand": option_settings.overridden_settings(job),
        "column_count": sum(bool(column.target) for column in columns),
    }
    if text and can_find:
        return context | _search(job, columns, schema, text)
    match tab:
        case Tab.PROBLEMS:
            return context | _problems(request, job, found, version)
        case Tab.FIRST:
            return context | {"table": rows.first_rows(job, columns, schema)}
        case Tab.IGNORED if not can_find:
            return context | _listed(problems.ignored(job), request, "?show=ignored")
        case _:
            after = _number(request.GET.get("after", ""))
            page = rows.rows_by_outcome(job, columns, schema, Outcome(tab.value), after)
            following = f"?show={tab}&after={page.following}#rows" if page.following else ""
            return context | {"table": page.table, "following": following, "earlier": bool(after)}


def _search(job: ImportJob, columns: list[ImportColumn], schema: Schema, text: str) -> dict[str, Any]:
    table = rows.search_rows(job, columns, schema, text)
    single = table.rows[0] if len(table.rows) == 1 else None
    lines = rows.column_values(job, single, columns, schema) if single else []
    return {"table": table, "row": single, "lines": lines}


def _problems(request: HttpRequest, job: ImportJob, figures: JobFigures, version: str) -> dict[str, Any]:
    requested = requested_filter(request)
    query = _address({name: getattr(requested, name) for name in _FILTERS})
    found = problems.filter_problems(problems.problems(job), requested)
    counted = problems.summarize(job, figures.counts.failed + figures.warnings, version)
    return {
        "requested": requested,
        "digest": counted,
        "groups": [(_group_address(group), group) for group in counted.groups[:MAX_GROUPS]],
        "more_groups": max(0, len(counted.groups) - MAX_GROUPS),
        "filters": query.removeprefix(f"?show={Tab.PROBLEMS.value}"),
        "severities": [RowError.Severity.ERROR.value, RowError.Severity.WARNING.value],
        **_listed(found, request, query),
    }


def requested_filter(request: HttpRequest) -> ProblemFilter:
    """Return the filter of the list of problems from the query string."""
    return ProblemFilter(**{name: get_text(request.GET, name) for name in _FILTERS})


_FILTERS = tuple(field.name for field in fields(ProblemFilter))


def _group_address(group: problems.ProblemGroup) -> str:
    return _address({name: getattr(group, name) for name in ("severity", "code", "column", "reason")})


def _address(filters: Mapping[str, str]) -> str:
    return "?" + urlencode({"show": Tab.PROBLEMS.value} | {name: value for name, value in filters.items() if value})


def _listed(found: QuerySet[RowError], request: HttpRequest, address: str) -> dict[str, Any]:
    """Return a page of problems; ``after`` names row and primary key of the last problem of the previous page."""
    row, _, key = request.GET.get("after", "").partition("-")
    if row and key:
        found = found.filter(row__gte=_number(row)).exclude(row=_number(row), pk__lte=_number(key))
    page = list(found[: PROBLEMS_PER_PAGE + 1])
    last = page[PROBLEMS_PER_PAGE - 1] if len(page) > PROBLEMS_PER_PAGE else None
    following = f"{address}&after={last.row}-{last.pk}#rows" if last else ""
    return {"problems": page[:PROBLEMS_PER_PAGE], "following": following, "earlier": bool(row)}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _identifier_label(key: str, schema: Schema) -> str:
    """Return the label of the job's identifier; the key if the schema no longer has it."""
    known = key in (AUTOMATIC, *OWN_IDENTIFIERS) or key in schema.definitions
    return preset_choices.identifier_label(key, schema) if known else key


def _mapped(columns: list[ImportColumn], schema: Schema) -> Iterator[tuple[ImportColumn, str]]:
    """Yield each column with its target in words."""
    for column in columns[:MAX_COLUMNS]:
        kind = Target(column.target_kind)
        if kind in (Target.SKIP, Target.UNDECIDED):
            yield column, "skipped" if kind is Target.SKIP else "undecided"
        else:
            new = " (new attribute)" if kind is Target.NEW else ""
            type_ = f", {column.type.replace('_', ' ')}" if column.type else ""  # parts of an event have none
            yield column, f"{column_lines.target_label(column, schema)}{type_}{new}"
