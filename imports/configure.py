"""From suggestions to a mapping that may be checked: what a person chooses."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction

from imports import job_file, lifecycle, mapping
from imports.lifecycle import Actor, Move
from imports.mapping import Choice, Fault
from imports.models import ImportColumn, ImportJob
from imports.tables import JobTables
from profiles.models import load_schema

HEADERS_LISTED = 30
"""How many of a file's headers a message names."""


class NotReady(Exception):
    """The mapping cannot be checked yet; ``faults`` say why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(fault.reason for fault in faults))
        self.faults = faults


def choose(job: ImportJob, targets: Mapping[str, str], skipped: Iterable[str] = ()) -> None:
    """Map columns, by header with or without its date format, as a person asks.

    Raises ``NotReady`` for a header that the file does not have.
    """
    columns = list(job.columns.all())
    named = {column.name: column for column in columns} | {column.header: column for column in columns}
    unknown = [header for header in [*targets, *skipped] if header not in named]
    if unknown:
        raise NotReady([_unknown_header(header, [column.header for column in columns]) for header in unknown])
    known = load_schema()
    for header, target in targets.items():
        mapping.choose(named[header], target, known)
    for header in skipped:
        mapping.skip(named[header])
    ImportColumn.objects.bulk_update(columns, ["target_kind", "target", "type", "suggested"])


def decide(job: ImportJob, choices: Mapping[int, Choice | None]) -> None:
    """Map columns, by position, as a person chose from lists; None leaves a column as it is."""
    known, columns = load_schema(), list(job.columns.filter(position__in=choices))
    for column in columns:
        choice = choices[column.position]
        if choice is not None:
            mapping.decide(column, choice, known)
    ImportColumn.objects.bulk_update(columns, ["target_kind", "target", "type", "suggested"])


def check(job: ImportJob, actor: Actor, **values: Any) -> None:
    """Have the whole file checked and matched under the job's mapping.

    ``values``: fields of the job to set with the move. Raises ``NotReady`` with every reason why not, or ``Refused``.
    """
    _check(job, Move.CHECK, actor, **values)


def refresh(job: ImportJob, actor: Actor) -> None:
    """Have a file checked again whose settings stand, because people have changed since (PV-07).

    Raises ``NotReady`` where the settings do not fit the schema any more, or ``Refused``.
    """
    _check(job, Move.REFRESH, actor)


def check_again(job: ImportJob) -> None:
    """The system has a job checked anew, because the schema is no longer the one of its check."""
    _check(job, Move.RECHECK)


def _check(job: ImportJob, move: Move, actor: Actor | None = None, **values: Any) -> None:
    for name, value in values.items():
        setattr(job, name, value)
    columns, known = list(job.columns.all()), load_schema()
    faults = mapping.faults(job.identifier, job.action, columns, known, job_file.options(job))
    if faults:
        raise NotReady(faults)
    version = mapping.schema_version(columns, known)
    lifecycle.move(job, move, actor, **values, preview={}, schema_version=version)


def cancel(job: ImportJob, actor: Actor) -> None:
    """Give an import up that was not started; its file and its rows go. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.move(job, Move.CANCEL, actor)
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
    listed = ", ".join(headers[:HEADERS_LISTED])
    more = f" and {len(headers) - HEADERS_LISTED} more" if len(headers) > HEADERS_LISTED else ""
    return Fault("unknown_header", f"The file has no column {header}{hint} It has {listed}{more}", header)
