"""What the second screen shows: whom rows find, what happens to them, and what there is to choose."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest

from imports.admin import preset_descriptions
from imports.admin.configure import column_lines, file_reading, option_settings, problems
from imports.drafts import saved_mappings
from imports.jobs import stored_file
from imports.mapping import event_mapping, guidance, preset_choices, validation
from imports.mapping.column_mapping import Target
from imports.mapping.validation import Fault, listed
from imports.models import ImportColumn, ImportJob
from imports.presets import PRESETS, Preset
from profiles.merging.actions import Action
from profiles.models import load_schema
from profiles.schema import Schema


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of several: what is sent, what it is called, and what a person should know of it."""

    value: str
    label: str
    hint: str = ""
    chosen: bool = False
    careful: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """How many columns go where. ``lacking``: mandatory attributes to which none goes (MP-06)."""

    mapped: int
    skipped: int
    undecided: int
    with_problems: int
    lacking: str


_OF_COLUMNS = (event_mapping.SKIPPED, "looks_like_events")
"""Findings that are told above the columns, where they follow each choice; notes are told at their columns."""


def build_context(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> dict[str, Any]:
    """Everything that the page shows. ``faults``: why what was asked for was not done."""
    known, columns = load_schema(), list(job.columns.all())
    standing = _column_faults(job, columns, known)
    show = request.GET.get("show", "all")
    which = column_lines.filter_columns(show, columns, standing)
    here = Paginator(which, column_lines.COLUMNS_PER_PAGE).get_page(request.GET.get("columns"))
    return {
        "title": job.name,
        "findings": [found for found in job.findings if found["code"] not in (*_OF_COLUMNS, *validation.NOTES)],
        "step": "Configure",
        **_live(job, known, columns, standing),
        "actions": list(_actions(job)),
        "targetings": list(_targetings(job)),
        "earlier": saved_mappings.find_offer(job),
        "looks_like": _looks_like(job, columns),
        "preset_settings": option_settings.preset_settings(job),
        "preset_sets": preset_descriptions.describe_preset(
            PRESETS[job.preset], preset_choices.OPTIONS + preset_choices.RARE_OPTIONS
        ),
        "facts": file_reading.summarize(job),
        "file_settings": list(file_reading.file_settings(job)),
        "lines": column_lines.build_lines(job, here, standing, known),
        "targets": column_lines.target_options(job, known),
        "own": column_lines.unlisted_attributes(job, known),
        "event_name": job.options.get("event_name", ""),
        "columns": here,
        "here": ",".join(str(column.position) for column in here),
        "show": show if show in ("undecided", "problems") else "all",
        "problems": problems.list_problems(job, faults, columns, here),
        "codes": {fault.code: fault.reason for fault in faults},
        "identifier_fault": next((fault.reason for fault in faults if "identifier" in fault.code), ""),
    }


def build_update_context(
    request: HttpRequest, job: ImportJob, positions: Iterable[int], faults: list[Fault]
) -> dict[str, Any]:
    """What changes on the page when choices were saved; ``positions``: the columns that it shows."""
    known, columns = load_schema(), list(job.columns.all())
    standing, wanted = _column_faults(job, columns, known), set(positions)
    here = [column for column in columns if column.position in wanted]
    return {
        **_live(job, known, columns, standing),
        "lines": column_lines.build_lines(job, here, standing, known),
        "show": request.GET.get("show", "all"),
        "faults": faults,
    }


def _live(job: ImportJob, known: Schema, columns: list[ImportColumn], standing: list[Fault]) -> dict[str, Any]:
    identifiers = list(_identifiers(job, known, columns))
    kinds = [column.target_kind for column in columns]
    skipped, undecided = kinds.count(Target.SKIP), kinds.count(Target.UNDECIDED)
    troubled, lacking = len({fault.column for fault in standing}), _lacking(job, known, columns)
    settings = list(option_settings.value_settings(job))
    return {
        "preset": PRESETS[job.preset],
        "column_findings": [found for found in job.findings if found["code"] in _OF_COLUMNS],
        "settings": settings,
        "by_hand": [setting for setting in settings if setting.is_overridden],
        "identifiers": [option for option, in_file in identifiers if in_file],
        "other_identifiers": [option for option, in_file in identifiers if not in_file],
        "coming_identifiers": [
            preset_choices.label(key, known) for key in preset_choices.pending_identifiers(PRESETS[job.preset], known)
        ],
        "counts": ColumnCounts(len(columns) - skipped - undecided, skipped, undecided, troubled, lacking),
    }


def _lacking(job: ImportJob, known: Schema, columns: Iterable[ImportColumn]) -> str:
    if not stored_file.options(job).enforce_mandatory:
        return ""
    return listed(validation.missing_mandatory(columns, known, PRESETS[job.preset].spelling))


def _looks_like(job: ImportJob, columns: Iterable[ImportColumn]) -> Preset | None:
    """The preset to suggest, unless that was answered (D-01)."""
    if "preset_kept" in job.format:
        return None
    return preset_choices.suggested([column.name for column in columns], PRESETS[job.preset])


def _column_faults(job: ImportJob, columns: list[ImportColumn], known: Schema) -> list[Fault]:
    if job.holds_events:
        return event_mapping.column_faults(columns, known, stored_file.options(job))
    return validation.column_faults(columns, known)


def _identifiers(job: ImportJob, known: Schema, columns: Iterable[ImportColumn]) -> Iterator[tuple[Option, bool]]:
    """What people can be found by, and whether a column of the file goes there (HI-29)."""
    preset, columns = PRESETS[job.preset], list(columns)
    for key, hint in preset_choices.identifiers(preset, known).items():
        label, spelled = preset_choices.label(key, known), preset.spelling(key)
        shown = label if spelled == key else f"{label} ({spelled})"
        option = Option(key, shown, hint, key == job.identifier, group=guidance.group(key, known))
        yield option, validation.has_identifier_columns(key, columns)


def _actions(job: ImportJob) -> Iterator[Option]:
    for action in PRESETS[job.preset].actions:
        yield Option(
            action, action.label, guidance.ACTIONS[action], action == job.action, careful=action is Action.REPLACE
        )


def _targetings(job: ImportJob) -> Iterator[Option]:
    """What the people of the import can be found by afterwards (SG-03..SG-05)."""
    for choice in ImportJob.Targeting:
        yield Option(choice.value, choice.label, _TARGETING[choice], choice == job.targeting)


_TARGETING = {
    ImportJob.Targeting.FILTER: "the list of people can be narrowed to them by “Updated/Imported from CSV” and this "
    "import's exact name",
    ImportJob.Targeting.SEGMENT: "the same, and a segment of this name, with the same people, once the import is "
    "complete",
    ImportJob.Targeting.NONE: "that filter does not offer this import; its own page still leads to its people",
}
