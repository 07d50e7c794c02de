"""The problems at the top of the screen *Configure* that prevent the check, each with a link to where to solve it."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.paginator import Page

from imports.mapping.validation import Fault, join_headers
from imports.models import ImportColumn, ImportJob

MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem that prevents the check: the link, the reason, and the code."""

    link: str
    reason: str
    code: str


def list_problems(
    job: ImportJob, faults: list[Fault], columns: list[ImportColumn], here: Page[ImportColumn]
) -> list[Problem]:
    """Return why the file was not read or checked as requested. ``here``: the columns on the page."""
    return [*_reading_problems(job), *_summary(faults, columns, here)]


def _reading_problems(job: ImportJob) -> list[Problem]:
    """Return why the file could not be read in the requested way."""
    refused = job.format.get("refused", "")
    return [Problem("#options", refused, "reading")] if refused else []


def _summary(faults: list[Fault], columns: list[ImportColumn], here: Page[ImportColumn]) -> list[Problem]:
    """Return the faults as problems: one for all undecided columns, and no more than ``MAX_PROBLEMS``."""
    undecided = [fault for fault in faults if fault.code == "undecided"]
    others = [fault for fault in faults if fault.code != "undecided"]
    found = [Problem(_link(fault, columns, here), fault.reason, fault.code) for fault in others]
    if undecided:
        many = f"{len(undecided)} columns need" if len(undecided) > 1 else "1 column needs"
        reason = f"{many} a mapping, or must be skipped: {join_headers([fault.column for fault in undecided])}"
        found.insert(0, Problem(_link(undecided[0], columns, here), reason, "undecided"))
    if len(found) > MAX_PROBLEMS:
        more = len(found) - MAX_PROBLEMS
        found = [*found[:MAX_PROBLEMS], Problem("?show=problems", f"There are {more} more problems", "more")]
    return found


_PLACES = {
    "no_name": "#import-name",
    "no_identifier": "#identifiers",
    "unknown_identifier": "#identifiers",
    "identifier_not_ready": "#identifiers",
    "identifier_missing": "#identifiers",
    "identifier_not_offered": "#identifiers",
    "action_not_offered": "#actions",
    "record_type": "#preset",
    "mapping": "#mapping-file",
    "no_action": "#actions",
}


def _link(fault: Fault, columns: list[ImportColumn], here: Page[ImportColumn]) -> str:
    if fault.code in _PLACES or not fault.column:
        return _PLACES.get(fault.code, "#columns")
    position = next((column.position for column in columns if column.header == fault.column), 0)
    on_page = any(column.position == position for column in here)
    return f"#place-{position}" if on_page else f"?show=problems#place-{position}"
