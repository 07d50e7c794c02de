"""A draft gets another preset or record type: its file is read again under the rules of that one (D-01).

What was chosen by hand stays as far as the preset offers it; where columns go is suggested anew.
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
    """Have the file read so. Raises ``Refused``; a file that cannot be read so stays what it was."""
    if reason := preset_choices.unsupported_reason(preset, record_type):
        raise Refused("record_type", reason)
    reread.request_reread(
        job,
        actor,
        {} if preset.options.csv_only else stored_file.chosen_format(job),  # nothing of it is to be chosen there
        preset=preset.key,
        record_type=record_type,
        identifier=job.identifier if job.identifier in preset_choices.identifiers(preset, load_schema()) else "",
        action=_action(job, preset),
        remembered=ImportJob.Remembered.OPEN,
    )


def _action(job: ImportJob, preset: Preset) -> str:
    """What was chosen by hand, if the preset offers it; what the old preset had chosen goes with it."""
    by_hand = job.action != preset_choices.default_action(PRESETS[job.preset])
    return job.action if by_hand and job.action in preset.actions else preset_choices.default_action(preset)
