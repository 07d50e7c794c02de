"""The context of the screen *Configure*: the settings of a draft, their choices, and the problems of its columns."""

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
from imports.mapping.validation import Fault, join_headers
from imports.models import ImportColumn, ImportJob
from imports.presets import PRESETS, Preset
from profiles.merging.actions import Action
from profiles.models import load_schema
from profiles.schema import Schema


@dataclass(frozen=True, slots=True)
class Option:
    """A radio button: the value that is sent, its label, and a hint on when to choose it."""

    value: str
    label: str
    hint: str = ""
    chosen: bool = False
    careful: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class ColumnCounts:
    """The columns by state. ``lacking``: mandatory attributes to which no column is mapped (MP-06)."""

    mapped: int
    skipped: int
    undecided: int
    with_problems: int
    lacking: str


_OF_COLUMNS = (event_mapping.SKIPPED_COLUMNS_CODE, "looks_like_events")
"""Findings that the page shows above the columns and renews after each choice; it shows notes at their columns."""


def build_context(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> dict[str, Any]:
    """Return the context of the whole page. ``faults``: why the last request was not carried out."""
    schema, columns = load_schema(), list(job.columns.all())
    column_faults = _column_faults(job, columns, schema)
    show = request.GET.get("show", "all")
    which = column_lines.filter_columns(show, columns, column_faults)
    here = Paginator(which, column_lines.COLUMNS_PER_PAGE).get_page(request.GET.get("columns"))
    return {
        "title": job.name,
        "findings": [found for found in job.findings if found["code"] not in (*_OF_COLUMNS, *validation.NOTE_CODES)],
        "step": "Configure",
        **_live(job, schema, columns, column_faults),
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
        "lines": column_lines.build_lines(job, here, column_faults, schema),
        "targets": column_lines.target_options(job, schema),
        "own": column_lines.unlisted_attributes(job, schema),
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
    """Return the context of what changes on the page after a choice; ``positions``: the columns on the page."""
    schema, columns = load_schema(), list(job.columns.all())
    column_faults, on_page = _column_faults(job, columns, schema), set(positions)
    here = [column for column in columns if column.position in on_page]
    return {
        **_live(job, schema, columns, column_faults),
        "lines": column_lines.build_lines(job, here, column_faults, schema),
        "show": request.GET.get("show", "all"),
        "faults": faults,
    }


def _live(job: ImportJob, schema: Schema, columns: list[ImportColumn], column_faults: list[Fault]) -> dict[str, Any]:
    identifiers = list(_identifiers(job, schema, columns))
    kinds = [column.target_kind for column in columns]
    skipped, undecided = kinds.count(Target.SKIP), kinds.count(Target.UNDECIDED)
    troubled, lacking = len({fault.column for fault in column_faults}), _lacking(job, schema, columns)
    settings = list(option_settings.value_settings(job))
    return {
        "preset": PRESETS[job.preset],
        "column_findings": [found for found in job.findings if found["code"] in _OF_COLUMNS],
        "settings": settings,
        "by_hand": [setting for setting in settings if setting.is_overridden],
        "identifiers": [option for option, in_file in identifiers if in_file],
        "other_identifiers": [option for option, in_file in identifiers if not in_file],
        "coming_identifiers": [
            preset_choices.identifier_label(key, schema)
            for key in preset_choices.pending_identifiers(PRESETS[job.preset], schema)
        ],
        "counts": ColumnCounts(len(columns) - skipped - undecided, skipped, undecided, troubled, lacking),
    }


def _lacking(job: ImportJob, schema: Schema, columns: Iterable[ImportColumn]) -> str:
    if not stored_file.options(job).enforce_mandatory:
        return ""
    return join_headers(validation.missing_mandatory(columns, schema, PRESETS[job.preset].spelling))


def _looks_like(job: ImportJob, columns: Iterable[ImportColumn]) -> Preset | None:
    """Return the preset to suggest; None if there is none or the user declined it (D-01)."""
    if "preset_kept" in job.format:
        return None
    return preset_choices.suggest_preset([column.name for column in columns], PRESETS[job.preset])


def _column_faults(job: ImportJob, columns: list[ImportColumn], schema: Schema) -> list[Fault]:
    if job.holds_events:
        return event_mapping.column_faults(columns, schema, stored_file.options(job))
    return validation.column_faults(columns, schema)


def _identifiers(job: ImportJob, schema: Schema, columns: Iterable[ImportColumn]) -> Iterator[tuple[Option, bool]]:
    """Yield the identifiers that the preset offers, and whether a column is mapped to each (HI-29)."""
    preset, columns = PRESETS[job.preset], list(columns)
    for key, hint in preset_choices.identifiers(preset, schema).items():
        label, spelled = preset_choices.identifier_label(key, schema), preset.spelling(key)
        shown = label if spelled == key else f"{label} ({spelled})"
        option = Option(key, shown, hint, key == job.identifier, group=guidance.identifier_group(key, schema))
        yield option, validation.has_identifier_columns(key, columns)


def _actions(job: ImportJob) -> Iterator[Option]:
    for action in PRESETS[job.preset].actions:
        yield Option(
            action, action.label, guidance.ACTIONS[action], action == job.action, careful=action is Action.REPLACE
        )


def _targetings(job: ImportJob) -> Iterator[Option]:
    """Yield the choices of targeting (SG-03..SG-05)."""
    for choice in ImportJob.Targeting:
        yield Option(choice.value, choice.label, _TARGETING[choice], choice == job.targeting)


_TARGETING = {
    ImportJob.Targeting.FILTER: "the list of people can be filtered by “Updated/Imported from CSV” and the exact name "
    "of this import",
    ImportJob.Targeting.SEGMENT: "the same, and a segment of this name with the same people once the import is "
    "complete",
    ImportJob.Targeting.NONE: "the filter does not offer this import; the page of the import still links to its people",
}
