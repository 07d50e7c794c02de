"""What is suggested for the columns of a file that was read, and made anew where options change what its headers mean
(D-14, D-18, HI-37, AU-02). What a person chose stays.
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
from profiles.schema import KEY_BYTES

DEPEND_ON = frozenset(
    {"bracket_dates", "iso_dates", "unknown_columns", "header_case", "forbidden_characters", "event_name"}
)
"""The options by which headers are read and suggestions are made."""

RAGGED, SHEETS = "ragged", "sheets"
"""The findings that are about the rows, and no column."""


def refresh(job: ImportJob) -> None:
    """Read the headers, and suggest where columns go, as the job's options have it now."""
    columns, options = list(job.columns.all()), stored_file.options(job)
    said = {column.position: column_mapping.chosen_date_format(column) for column in columns}
    header_rules.apply_headers(columns, options)
    for column in columns:
        column.date_format = said[column.position] or column.date_format
        if column.suggested:
            column.target_kind, column.target, column.type = Target.UNDECIDED, "", ""
        elif column.target_kind == Target.PROPERTY:
            column.type = column_mapping.detected_type(column)
    (event_mapping if job.holds_events else column_mapping).suggest(columns, load_schema(), options)
    for column in columns:
        made = column.target_kind in (Target.NEW, Target.PROPERTY)
        if made and not 0 < len(column.target) <= KEY_BYTES:  # which the check tells of, as a fault of the header
            column.target_kind, column.target, column.type = Target.UNDECIDED, "", ""
    save_columns(columns, "name", "statistics")
    told = [found for found in job.findings if found["code"] in (RAGGED, SHEETS)]
    job.findings = told + findings(job, columns, options)
    job.save(update_fields=["findings"])


def save_columns(columns: Sequence[ImportColumn], *more: str) -> None:
    """Store where columns go, all in one statement: an UPDATE with a case for each takes ten seconds for 1,000.

    ``more``: other fields to store with it.
    """
    chosen = ["target_kind", "target", "type", "suggested", "date_format", *more]
    ImportColumn.objects.bulk_create(columns, update_conflicts=True, unique_fields=["id"], update_fields=chosen)


def findings(job: ImportJob, columns: Sequence[ImportColumn], options: Options) -> list[dict[str, Any]]:
    """What the uploader should know about the columns, worst first."""
    found: list[dict[str, Any]] = list(map(asdict, header_rules.findings(columns, options, events=job.holds_events)))
    if job.holds_events:
        found += event_mapping.findings(columns)
    return found
