"""Give a draft another preset or record type: its file is read again under the new rules (D-01).

Choices that a user made are kept as far as the new preset offers them; the targets of columns are suggested again.
"""

from __future__ import annotations

from imports.drafts import reread
from imports.jobs import stored_file
from imports.jobs.transitions import Actor, Refused
from imports.mapping import preset_choices
from imports.models import ImportJob
from imports.presets import PRESETS, Preset
from profiles.models import load_schema


def apply(job: ImportJob, actor: Actor, preset: Preset, record_type: str) -> None:
    """Have the file read again under the preset and record type. Raises ``Refused``.

    A file that cannot be read under them keeps its earlier ones.
    """
    if reason := preset_choices.unsupported_reason(preset, record_type):
        raise Refused("record_type", reason)
    reread.request_reread(
        job,
        actor,
        {} if preset.options.csv_only else stored_file.chosen_format(job),  # such presets have one format only
        preset=preset.key,
        record_type=record_type,
        identifier=job.identifier if job.identifier in preset_choices.identifiers(preset, load_schema()) else "",
        action=_action(job, preset),
        remembered=ImportJob.Remembered.OPEN,
    )


def _action(job: ImportJob, preset: Preset) -> str:
    """Return the action that a user chose, if the new preset offers it; else the new preset's default."""
    is_chosen = job.action != preset_choices.default_action(PRESETS[job.preset])
    return job.action if is_chosen and job.action in preset.actions else preset_choices.default_action(preset)
