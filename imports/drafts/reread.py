"""A file that was read is read anew: in another encoding, with another delimiter (FF-07), another sheet of it (FF-02),
or as of another system.

Nothing is lost by it: what cannot be read so stays as it was read before, and choices stay with their headers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from imports.files.containers import Container
from imports.files.errors import Refusal, SourceError
from imports.jobs import lifecycle
from imports.jobs.transitions import Actor, Transition
from imports.mapping import column_mapping
from imports.mapping.column_mapping import Choice, Target
from imports.models import ImportJob
from imports.states import Step

_CHOSEN = ("chosen_encoding", "chosen_delimiter", "chosen_sheet")
_OF_ONE_READING = ("before", "fields_before", "refused")
"""What ``ImportJob.format`` holds while a file is read anew: what was chosen before; after that: why it was in vain."""


def request_reread(job: ImportJob, actor: Actor, chosen: Mapping[str, str], **fields: str) -> None:
    """Have the file read with what was chosen; what is left out is detected. Raises ``Refused``.

    ``fields``: what is to be true of the job with it, and as it was where the file cannot be read so.
    """
    before = {name: job.format[name] for name in _CHOSEN if name in job.format}
    kept = {column.header: _stored(column) for column in job.columns.filter(suggested=False)}
    form = _without(job.format, *_CHOSEN, *_OF_ONE_READING) | {f"chosen_{name}": text for name, text in chosen.items()}
    form |= {"before": before, "kept": job.format.get("kept", {}) | kept}
    if fields:
        form["fields_before"] = {name: getattr(job, name) for name in fields}
    lifecycle.transition(job, Transition.REREAD, actor, format=form, preview={}, **fields)


def check_columns(job: ImportJob, header: Sequence[str]) -> None:
    """Raise ``SourceError`` where a file of many columns becomes one column: that was not its delimiter.

    Another sheet of a workbook may well have one column.
    """
    if job.format.get("found", {}).get("container") == Container.XLSX:
        return
    ragged = any(found["code"] == "ragged" for found in job.findings)
    columns = job.columns.count() if "before" in job.format and len(header) == 1 and not ragged else 0
    if columns > 1:
        raise SourceError(
            Refusal.UNKNOWN_DELIMITER,
            f"Read like this, the file has one column instead of {columns:,}: “{header[0][:80]}”. "
            "Choose the mark that stands between its values.",
        )


def revert(job: ImportJob, reason: str) -> bool:
    """Leave a file as it was read before, and keep why; False for a file that was never read."""
    if "before" not in job.format:
        return False
    form = (
        _without(job.format, *_CHOSEN, *_OF_ONE_READING)
        | job.format["before"]
        | {"refused": f"{reason} The file stays as it was read before."}
    )
    lifecycle.advance_to_step(job, Step.IDLE, format=form, **job.format.get("fields_before", {}))
    return True


def without_reread_state(form: Mapping[str, Any]) -> dict[str, Any]:
    """The format of a file that is read now."""
    return _without(form, *_OF_ONE_READING)


def saved_choices(job: ImportJob) -> dict[str, Choice]:
    """What people chose for the columns of earlier readings, by header."""
    kept = job.format.get("kept", {})
    return {header: Choice(Target(kind), *said) for header, (kind, *said) in kept.items()}


def _stored(column: Any) -> list[str]:
    return [column.target_kind, column.target, column.type, column_mapping.chosen_date_format(column)]


def _without(form: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name not in names}
