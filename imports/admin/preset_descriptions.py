"""Describe presets in words: side by side on the help page, one by one on the screen *Configure* (section 3)."""

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
    """A row of the table of presets: an option, and its value under each preset."""

    name: str
    cells: Sequence[str]


def describe_option(name: str, options: Options) -> str:
    """Return the value of an option in words."""
    value = getattr(options, name)
    if name in _MEGABYTES:
        return f"{min(value, settings.IMPORTS_MAX_MB):,} MB"
    return help_texts.OPTION_VALUES.get(str(value), str(value))


_MEGABYTES = ("max_megabytes", "max_event_megabytes")


def describe_preset(preset: Preset, leave_out: Iterable[str] = ()) -> list[PresetRow]:
    """Return the options that a preset sets, in words, without those named in ``leave_out``."""
    left_out = {*leave_out, "event_name", *(() if preset.events else ("max_event_megabytes",))}
    return [
        PresetRow(help_texts.OPTIONS[each.name], [describe_option(each.name, _here(preset))])
        for each in fields(Options)
        if each.name not in left_out
    ]


def compare_presets(schema: Schema) -> list[PresetRow]:
    """Return the presets side by side, a cell for each preset; the first rows are what a preset supports."""

    def row(name: str, says: Callable[[Preset], str]) -> PresetRow:
        return PresetRow(name, [says(preset) for preset in PRESETS.values()])

    return [
        row("record types", _record_types),
        row("people are matched by", lambda preset: _identifiers(preset, schema)),
        row("actions", _actions),
        *(row(help_texts.OPTIONS[each.name], _option(each.name)) for each in fields(Options)),
    ]


def _option(name: str) -> Callable[[Preset], str]:
    def says(preset: Preset) -> str:
        return "none" if name == "max_event_megabytes" and not preset.events else describe_option(name, _here(preset))

    return says


def _here(preset: Preset) -> Options:
    """Return the options of the preset on this site."""
    return stored_file.options(ImportJob(preset=preset.key))


def _record_types(preset: Preset) -> str:
    taken = [
        label for value, label in ImportJob.RecordType.choices if not preset_choices.unsupported_reason(preset, value)
    ]
    return ", ".join(taken)


def _identifiers(preset: Preset, schema: Schema) -> str:
    if preset.identifiers is None:
        return "any identifier, or Automatic"
    if preset.identifiers == CHANNELS:
        return "any channel of the schema: e-mail, phone and others"
    return ", ".join(preset.spelling(key) for key in preset_choices.identifiers(preset, schema))


def _actions(preset: Preset) -> str:
    default = f"; default: {preset.default_action.label}" if preset.default_action else "; no default"
    return ", ".join(action.label for action in preset.actions) + default
