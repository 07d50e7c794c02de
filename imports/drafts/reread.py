"""Read a file again: in another encoding, with another delimiter (FF-07), another sheet (FF-02), or another preset.

Nothing is lost: if the file cannot be read in the new way, the earlier reading is restored; choices are kept by header.
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
_REREAD_STATE = ("before", "fields_before", "refused")
"""What ``ImportJob.format`` holds while a file is read again (the earlier choices), and after that (why it failed)."""


def request_reread(job: ImportJob, actor: Actor, chosen: Mapping[str, str], **fields: str) -> None:
    """Have the file read again with the chosen parts of the format; the others are detected. Raises ``Refused``.

    ``fields``: fields of the job to set with it; ``revert`` restores them if the file cannot be read in this way.
    """
    before = {name: job.format[name] for name in _CHOSEN if name in job.format}
    kept = {column.header: _stored(column) for column in job.columns.filter(suggested=False)}
    form = _without(job.format, *_CHOSEN, *_REREAD_STATE) | {f"chosen_{name}": text for name, text in chosen.items()}
    form |= {"before": before, "kept": job.format.get("kept", {}) | kept}
    if fields:
        form["fields_before"] = {name: getattr(job, name) for name in fields}
    lifecycle.transition(job, Transition.REREAD, actor, format=form, preview={}, **fields)


def check_column_count(job: ImportJob, header: Sequence[str]) -> None:
    """Raise ``SourceError`` if a file of several columns has one column now: the new delimiter is wrong.

    Another sheet of a workbook may have one column.
    """
    if job.format.get("found", {}).get("container") == Container.XLSX:
        return
    ragged = any(found["code"] == "ragged" for found in job.findings)
    columns = job.columns.count() if "before" in job.format and len(header) == 1 and not ragged else 0
    if columns > 1:
        raise SourceError(
            Refusal.UNKNOWN_DELIMITER,
            f"Read like this, the file has one column instead of {columns:,}: “{header[0][:80]}”. "
            "Choose the character between its values.",
        )


def revert(job: ImportJob, reason: str) -> bool:
    """Restore the earlier reading of a file, and keep the reason. Return False for a file that was not read before."""
    if "before" not in job.format:
        return False
    form = (
        _without(job.format, *_CHOSEN, *_REREAD_STATE)
        | job.format["before"]
        | {"refused": f"{reason} The earlier reading of the file is kept."}
    )
    lifecycle.advance_to_step(job, Step.IDLE, format=form, **job.format.get("fields_before", {}))
    return True


def without_reread_state(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the format without what it held while the file was read again."""
    return _without(form, *_REREAD_STATE)


def saved_choices(job: ImportJob) -> dict[str, Choice]:
    """Return the choices that users made for columns in earlier readings, by header."""
    kept = job.format.get("kept", {})
    return {header: Choice(Target(kind), *values) for header, (kind, *values) in kept.items()}


def _stored(column: Any) -> list[str]:
    return [column.target_kind, column.target, column.type, column_mapping.chosen_date_format(column)]


def _without(form: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in form.items() if name not in names}
