"""From suggestions to a mapping that may be checked: what a person chooses."""

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
from imports.mapping.validation import Fault, listed
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
    """Map columns, by header with or without its date format, as a person asks.

    Raises ``NotReady`` for a header that the file does not have.
    """
    columns, skipped = list(job.columns.all()), list(skipped)
    named, known = columns_by_header(columns, [*targets, *skipped]), load_schema()
    for header, target in targets.items():
        (event_mapping.map_to_name if job.holds_events else column_mapping.map_to_name)(named[header], target, known)
    for header in skipped:
        column_mapping.skip(named[header])
    suggestions.save_columns(columns)


def columns_by_header(columns: Sequence[ImportColumn], headers: Iterable[str]) -> dict[str, ImportColumn]:
    """The columns by their headers, with and without their date formats.

    Raises ``NotReady`` where one of the headers is that of no column.
    """
    named = {column.name: column for column in columns} | {column.header: column for column in columns}
    unknown = [header for header in headers if header not in named]
    if unknown:
        raise InvalidMapping([_unknown_header(header, [column.header for column in columns]) for header in unknown])
    return named


@dataclass(frozen=True, slots=True)
class DraftChanges:
    """What a person chose otherwise: fields of the job, its options (blank ones as the preset has them), and where
    columns go, by position."""

    fields: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[int, Choice] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.options or self.columns)


def apply_changes(job: ImportJob, actor: Actor, changes: DraftChanges) -> None:
    """Keep what was chosen, and nothing else: others may change the rest meanwhile.

    What is so already changes nothing, so that a choice that comes late does not undo the check that it was sent
    before. ``job`` is read anew. Raises ``Refused`` where the job has moved on.
    """
    if not _is_news(job, changes):
        job.refresh_from_db()
        return
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        for name, value in changes.fields.items():
            setattr(job, name, value)
        options = job.options | changes.options
        job.options = {name: value for name, value in options.items() if value or name not in changes.options}
        job.format.pop("refused", None)  # whoever goes on has read it
        job.save(update_fields=[*changes.fields, "options", "format"])
        if not suggestions.DEPEND_ON.isdisjoint(changes.options):
            suggestions.refresh(job)
        apply_choices(job, changes.columns)


def _tell_findings(job: ImportJob, columns: list[ImportColumn]) -> None:
    others = [found for found in job.findings if found["code"] != event_mapping.SKIPPED]
    job.findings = [*others, *event_mapping.findings(columns)]
    job.save(update_fields=["findings"])


def _is_news(job: ImportJob, changes: DraftChanges) -> bool:
    stored = ImportJob.objects.filter(pk=job.pk).values(*changes.fields, "options").first()
    if stored is None:
        return True  # which is told where the job is to be held
    chosen = {c.position: (c.target_kind, c.target, c.type) for c in job.columns.filter(position__in=changes.columns)}
    return (
        any(stored[name] != value for name, value in changes.fields.items())
        or any(stored["options"].get(name, "") != value for name, value in changes.options.items())
        or any(chosen.get(at, ())[: 3 if c.type else 2] != _wanted(c) for at, c in changes.columns.items())
        or any(c.date_format for c in changes.columns.values())
    )


def _wanted(choice: Choice) -> tuple[str, ...]:
    return (choice.kind, choice.key, *([choice.type] if choice.type else []))


def dismiss_preset_suggestion(job: ImportJob, actor: Actor) -> None:
    """Do not suggest another preset for this job again. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        job.format["preset_kept"] = True
        job.save(update_fields=["format"])


def skip_undecided(job: ImportJob, actor: Actor) -> int:
    """Leave out all columns that were not decided (MP-07); returns how many. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        values = {"target_kind": Target.SKIP, "target": "", "type": "", "suggested": False}
        return job.columns.filter(target_kind=Target.UNDECIDED).update(**values)


def apply_choices(job: ImportJob, choices: Mapping[int, Choice]) -> None:
    """Map columns, by position, as a person chose from lists."""
    if not choices:
        return
    known, columns = load_schema(), list(job.columns.filter(position__in=choices))
    for column in columns:
        (event_mapping.apply_choice if job.holds_events else column_mapping.apply_choice)(
            column, choices[column.position], known
        )
    suggestions.save_columns(columns)
    if job.holds_events:
        _tell_findings(job, list(job.columns.all()))


def check(job: ImportJob, actor: Actor, **values: Any) -> None:
    """Have the whole file checked and matched under the job's mapping.

    ``values``: fields of the job to set with the transition. Raises ``NotReady`` with every reason, or ``Refused``.
    """
    _check(job, Transition.CHECK, actor, **values)


def refresh(job: ImportJob, actor: Actor) -> None:
    """Have a file checked again whose settings stand, because people have changed since (PV-07).

    Raises ``NotReady`` where the settings do not fit the schema any more, or ``Refused``.
    """
    _check(job, Transition.REFRESH, actor)


def check_again(job: ImportJob) -> None:
    """The system has a job checked anew, because the schema is no longer the one of its check."""
    _check(job, Transition.RECHECK)


def _check(job: ImportJob, transition: Transition, actor: Actor | None = None, **values: Any) -> None:
    for name, value in values.items():
        setattr(job, name, value)
    columns, known = list(job.columns.all()), load_schema()
    options = stored_file.options(job)
    faults = _faults(job, columns, known)
    if fault := stored_file.limits_error(job):
        faults.insert(0, Fault(fault.code, fault.message))
    if faults:
        raise InvalidMapping(faults)
    version = column_mapping.schema_version(columns, known)
    told = [found for found in job.findings if found["code"] not in validation.NOTES]
    told += [asdict(note) for note in validation.notes(columns, known, options)]
    lifecycle.transition(job, transition, actor, **values, preview={}, findings=told, schema_version=version)


def _faults(job: ImportJob, columns: list[ImportColumn], known: Schema) -> list[Fault]:
    preset, options = PRESETS[job.preset], stored_file.options(job)
    found = preset_choices.faults(preset, job.record_type, job.identifier, job.action, known)
    if job.holds_events:
        return found + event_mapping.faults(job.identifier, columns, known, options, preset.spelling)
    return found + validation.faults(job.identifier, job.action, columns, known, options, preset.spelling)


def cancel(job: ImportJob, actor: Actor) -> None:
    """Give an import up that was not started; its file and its rows go. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.transition(job, Transition.CANCEL, actor)
        discard(job)


def refuse(job: ImportJob, code: str, reason: str) -> None:
    """Fail a job whose file cannot be imported, and keep nothing of it. Nobody sees the one without the other: with its
    file a failed job can be resumed."""
    with transaction.atomic():
        if lifecycle.fail(job, code, reason):
            discard(job)


def discard(job: ImportJob) -> None:
    """Keep nothing of a file that cannot be imported but its job and what is wrong with it.

    Nothing happens to a job that somebody has moved since it was read.
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
    """A header that the file does not have, with the one that was meant, perhaps, and those that it has."""
    alike = difflib.get_close_matches(header.casefold(), [h.casefold() for h in headers], 1, 0.6)
    meant = next((h for h in headers if alike and h.casefold() == alike[0]), "")
    hint = f", did you mean {meant}?" if meant else "."
    return Fault("unknown_header", f"The file has no column {header}{hint} It has {listed(headers)}", header)
