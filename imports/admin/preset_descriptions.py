"""What a preset sets, in words: for the help page side by side, for the second screen one by one (section 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields

from django.conf import settings

from imports.drafts import help_texts
from imports.jobs import stored_file
from imports.mapping import preset_choices
from imports.models import ImportJob
from imports.presets import CHANNELS, PRESETS, Options, Preset
from profiles.schema import Schema


@dataclass(frozen=True, slots=True)
class PresetRow:
    """One line of the table: what is set, and to what by each preset."""

    name: str
    cells: Sequence[str]


def describe_option(name: str, options: Options) -> str:
    """What an option is set to."""
    value = getattr(options, name)
    if name in _MEGABYTES:
        return f"{min(value, settings.IMPORTS_MAX_MB):,} MB"
    return help_texts.OPTION_VALUES.get(str(value), str(value))


_MEGABYTES = ("max_megabytes", "max_event_megabytes")


def describe_preset(preset: Preset, leave_out: Iterable[str] = ()) -> list[PresetRow]:
    """All that a preset sets, for a person who has chosen it."""
    left_out = {*leave_out, "event_name", *(() if preset.events else ("max_event_megabytes",))}
    return [
        PresetRow(help_texts.OPTIONS[each.name], [describe_option(each.name, _here(preset))])
        for each in fields(Options)
        if each.name not in left_out
    ]


def compare_presets(known: Schema) -> list[PresetRow]:
    """Every preset in a column of its own; the first rows are what it offers."""

    def row(name: str, says: Callable[[Preset], str]) -> PresetRow:
        return PresetRow(name, [says(preset) for preset in PRESETS.values()])

    return [
        row("record types", _record_types),
        row("people are found by", lambda preset: _identifiers(preset, known)),
        row("actions", _actions),
        *(row(help_texts.OPTIONS[each.name], _option(each.name)) for each in fields(Options)),
    ]


def _option(name: str) -> Callable[[Preset], str]:
    def says(preset: Preset) -> str:
        return "none" if name == "max_event_megabytes" and not preset.events else describe_option(name, _here(preset))

    return says


def _here(preset: Preset) -> Options:
    """What it sets on this site."""
    return stored_file.options(ImportJob(preset=preset.key))


def _record_types(preset: Preset) -> str:
    taken = [
        label for value, label in ImportJob.RecordType.choices if not preset_choices.unsupported_reason(preset, value)
    ]
    return ", ".join(taken)


def _identifiers(preset: Preset, known: Schema) -> str:
    if preset.identifiers is None:
        return "any identifier, or Automatic"
    if preset.identifiers == CHANNELS:
        return "any channel: e-mail, phone and the others of the schema"
    return ", ".join(preset.spelling(key) for key in preset_choices.identifiers(preset, known))


def _actions(preset: Preset) -> str:
    chosen = f"; {preset.default_action.label} is chosen" if preset.default_action else "; none is chosen"
    return ", ".join(action.label for action in preset.actions) + chosen
