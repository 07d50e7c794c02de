"""Change the settings and the mapping of a draft, and have the draft checked, cancelled or refused."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import transaction

from imports.drafts import suggestions
from imports.job_tables import JobTables
from imports.jobs import lifecycle, stored_file
from imports.jobs.transitions import Actor, Transition
from imports.mapping import column_mapping, event_mapping, preset_choices, validation
from imports.mapping.column_mapping import Choice, Target
from imports.mapping.validation import Fault, join_headers
from imports.models import ImportColumn, ImportJob
from imports.presets import PRESETS
from profiles.models import load_schema
from profiles.schema import Schema


class InvalidMapping(Exception):
    """The mapping cannot be checked yet; ``faults`` say why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.reason for fault in faults))
        self.faults = faults


def map_columns(job: ImportJob, targets: Mapping[str, str], skipped: Iterable[str] = ()) -> None:
    """Map columns to the names of targets, and skip others; both by header, with or without its date format.

    Raises ``InvalidMapping`` for a header that the file does not have.
    """
    columns, skipped = list(job.columns.all()), list(skipped)
    named, schema = columns_by_header(columns, [*targets, *skipped]), load_schema()
    for header, target in targets.items():
        (event_mapping.map_to_name if job.holds_events else column_mapping.map_to_name)(named[header], target, schema)
    for header in skipped:
        column_mapping.skip(named[header])
    suggestions.save_columns(columns)


def columns_by_header(columns: Sequence[ImportColumn], headers: Iterable[str]) -> dict[str, ImportColumn]:
    """Return the columns by header, both with and without the date format.

    Raises ``InvalidMapping`` if one of ``headers`` is not the header of a column.
    """
    named = {column.name: column for column in columns} | {column.header: column for column in columns}
    unknown = [header for header in headers if header not in named]
    if unknown:
        raise InvalidMapping([_unknown_header(header, [column.header for column in columns]) for header in unknown])
    return named


@dataclass(frozen=True, slots=True)
class DraftChanges:
    """The changes that a user makes to a draft: fields of the job, options (blank ones return to the preset's value),
    and the targets of columns by position."""

    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[int, Choice] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.options or self.columns)


def apply_changes(job: ImportJob, actor: Actor, changes: DraftChanges) -> None:
    """Save the changes, and nothing else: other users may change the rest at the same time.

    Changes to values that the draft has already do nothing, so that a request that arrives late does not undo the check
    that was requested after it. ``job`` is refreshed. Raises ``Refused`` if the settings can no longer be changed.
    """
    if not _has_effect(job, changes):
        job.refresh_from_db()
        return
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        for name, value in changes.fields.items():
            setattr(job, name, value)
        options = job.options | changes.options
        job.options = {name: value for name, value in options.items() if value or name not in changes.options}
        job.format.pop("refused", None)  # the user has read the message and continues
        job.save(update_fields=[*changes.fields, "options", "format"])
        if not suggestions.SUGGESTION_OPTIONS.isdisjoint(changes.options):
            suggestions.refresh(job)
        apply_choices(job, changes.columns)


def _update_event_findings(job: ImportJob, columns: list[ImportColumn]) -> None:
    others = [found for found in job.findings if found["code"] != event_mapping.SKIPPED_COLUMNS_CODE]
    job.findings = [*others, *event_mapping.findings(columns)]
    job.save(update_fields=["findings"])


def _has_effect(job: ImportJob, changes: DraftChanges) -> bool:
    """Return whether the changes differ from what is stored."""
    stored = ImportJob.objects.filter(pk=job.pk).values(*changes.fields, "options").first()
    if stored is None:
        return True  # the job was deleted: ``lock_for_editing`` refuses with the reason
    chosen = {c.position: (c.target_kind, c.target, c.type) for c in job.columns.filter(position__in=changes.columns)}
    return (
        any(stored[name] != value for name, value in changes.fields.items())
        or any(stored["options"].get(name, "") != value for name, value in changes.options.items())
        or any(chosen.get(at, ())[: 3 if c.type else 2] != _stored_values(c) for at, c in changes.columns.items())
        or any(c.date_format for c in changes.columns.values())
    )


def _stored_values(choice: Choice) -> tuple[str, ...]:
    return (choice.kind, choice.key, *([choice.type] if choice.type else []))


def dismiss_preset_suggestion(job: ImportJob, actor: Actor) -> None:
    """Do not suggest another preset for this job again. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        job.format["preset_kept"] = True
        job.save(update_fields=["format"])


def skip_undecided(job: ImportJob, actor: Actor) -> int:
    """Skip all columns whose target is not decided (MP-07). Return how many. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        values = {"target_kind": Target.SKIP, "target": "", "type": "", "suggested": False}
        return job.columns.filter(target_kind=Target.UNDECIDED).update(**values)


def apply_choices(job: ImportJob, choices: Mapping[int, Choice]) -> None:
    """Map columns, by position, to targets that a user chose from lists."""
    if not choices:
        return
    schema, columns = load_schema(), list(job.columns.filter(position__in=choices))
    for column in columns:
        (event_mapping.apply_choice if job.holds_events else column_mapping.apply_choice)(
            column, choices[column.position], schema
        )
    suggestions.save_columns(columns)
    if job.holds_events:
        _update_event_findings(job, list(job.columns.all()))


def check(job: ImportJob, actor: Actor, **values: Any) -> None:
    """Have the whole file checked and matched under the job's mapping.

    ``values``: fields of the job to set with the transition. Raises ``InvalidMapping`` with every reason, or
    ``Refused``.
    """
    _check(job, Transition.CHECK, actor, **values)


def refresh(job: ImportJob, actor: Actor) -> None:
    """Have a file checked again with the same settings, because people have changed since (PV-07).

    Raises ``InvalidMapping`` if the settings no longer fit the schema, or ``Refused``.
    """
    _check(job, Transition.REFRESH, actor)


def recheck(job: ImportJob) -> None:
    """Have a job checked again by the system, because the schema has changed since its check."""
    _check(job, Transition.RECHECK)


def _check(job: ImportJob, transition: Transition, actor: Actor | None = None, **values: Any) -> None:
    for name, value in values.items():
        setattr(job, name, value)
    columns, schema = list(job.columns.all()), load_schema()
    options = stored_file.options(job)
    faults = _faults(job, columns, schema)
    if fault := stored_file.limits_error(job):
        faults.insert(0, Fault(fault.code, fault.message))
    if faults:
        raise InvalidMapping(faults)
    version = column_mapping.schema_version(columns, schema)
    findings = [found for found in job.findings if found["code"] not in validation.NOTE_CODES]
    findings += [asdict(note) for note in validation.notes(columns, schema, options)]
    lifecycle.transition(job, transition, actor, **values, preview={}, findings=findings, schema_version=version)


def _faults(job: ImportJob, columns: list[ImportColumn], schema: Schema) -> list[Fault]:
    preset, options = PRESETS[job.preset], stored_file.options(job)
    found = preset_choices.faults(preset, job.record_type, job.identifier, job.action, schema)
    if job.holds_events:
        return found + event_mapping.faults(job.identifier, columns, schema, options, preset.spelling)
    return found + validation.faults(job.identifier, job.action, columns, schema, options, preset.spelling)


def cancel(job: ImportJob, actor: Actor) -> None:
    """Cancel an import that was not started, and delete its file and its rows. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.transition(job, Transition.CANCEL, actor)
        discard(job)


def refuse(job: ImportJob, code: str, reason: str) -> None:
    """Fail a job whose file cannot be imported, and delete the file in the same transaction.

    A failed job that still had its file could be resumed.
    """
    with transaction.atomic():
        if lifecycle.fail(job, code, reason):
            discard(job)


def discard(job: ImportJob) -> None:
    """Delete a job's file, columns and tables; the job and its problems are kept.

    Does nothing if the job's status has changed since it was read.
    """
    name, storage = str(job.file.name), job.file.storage
    with transaction.atomic():
        if not ImportJob.objects.filter(pk=job.pk, status=job.status).update(file=""):
            return
        JobTables(job.pk).drop()
        job.columns.all().delete()
        transaction.on_commit(lambda: storage.delete(name))
    job.refresh_from_db()


def _unknown_header(header: str, headers: list[str]) -> Fault:
    """Return the fault of a header that the file does not have, with the most similar header and those of the file."""
    alike = difflib.get_close_matches(header.casefold(), [h.casefold() for h in headers], 1, 0.6)
    meant = next((h for h in headers if alike and h.casefold() == alike[0]), "")
    hint = f", did you mean {meant}?" if meant else "."
    return Fault("unknown_header", f"The file has no column {header}{hint} It has {join_headers(headers)}", header)
