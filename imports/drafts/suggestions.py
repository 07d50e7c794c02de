"""Suggest targets for the columns of a file, again whenever an option changes how its headers are read (D-14, D-18,
HI-37, AU-02). The choices of users are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from imports.jobs import stored_file
from imports.mapping import column_mapping, event_mapping, header_rules
from imports.mapping.column_mapping import Target
from imports.models import ImportColumn, ImportJob
from imports.presets import Options
from profiles.models import load_schema
from profiles.schema import MAX_KEY_BYTES

SUGGESTION_OPTIONS = frozenset(
    {"bracket_dates", "iso_dates", "unknown_columns", "header_case", "forbidden_characters", "event_name"}
)
"""The options that change how headers are read and what is suggested."""

RAGGED, SHEETS = "ragged", "sheets"
"""The codes of findings about the file and its rows, not about columns."""


def refresh(job: ImportJob) -> None:
    """Read the headers and suggest targets again, under the job's present options."""
    columns, options = list(job.columns.all()), stored_file.options(job)
    date_formats = {column.position: column_mapping.chosen_date_format(column) for column in columns}
    header_rules.apply_headers(columns, options)
    for column in columns:
        column.date_format = date_formats[column.position] or column.date_format
        if column.suggested:
            column.target_kind, column.target, column.type = Target.UNDECIDED, "", ""
        elif column.target_kind == Target.PROPERTY:
            column.type = column_mapping.detected_type(column)
    (event_mapping if job.holds_events else column_mapping).suggest(columns, load_schema(), options)
    for column in columns:
        is_named_by_header = column.target_kind in (Target.NEW, Target.PROPERTY)
        if is_named_by_header and not 0 < len(column.target) <= MAX_KEY_BYTES:  # the check reports the header
            column.target_kind, column.target, column.type = Target.UNDECIDED, "", ""
    save_columns(columns, "name", "statistics")
    of_rows = [found for found in job.findings if found["code"] in (RAGGED, SHEETS)]
    job.findings = of_rows + findings(job, columns, options)
    job.save(update_fields=["findings"])


def save_columns(columns: Sequence[ImportColumn], *more: str) -> None:
    """Store the targets of columns in one statement: an UPDATE with a CASE per column takes ten seconds for 1,000.

    ``more``: other fields to store with them.
    """
    chosen = ["target_kind", "target", "type", "suggested", "date_format", *more]
    ImportColumn.objects.bulk_create(columns, update_conflicts=True, unique_fields=["id"], update_fields=chosen)


def findings(job: ImportJob, columns: Sequence[ImportColumn], options: Options) -> list[dict[str, Any]]:
    """Return what the uploader should know about the columns, the worst first."""
    found: list[dict[str, Any]] = list(map(asdict, header_rules.findings(columns, options, events=job.holds_events)))
    if job.holds_events:
        found += event_mapping.findings(columns)
    return found
