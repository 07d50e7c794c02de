"""Parse and check the arguments of ``import_profiles``, and translate them into the terms of the engine.

All mistakes that can be detected before the file is stored are reported here, with the available choices.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imports.cli.terminal import UsageError
from imports.drafts import help_texts, mapping_file
from imports.drafts.mapping_file import InvalidManifest, ManifestEntry
from imports.files import encoding
from imports.files.delimiter import is_delimiter
from imports.files.errors import SourceError
from imports.mapping import column_mapping, event_mapping, guidance, preset_choices, validation
from imports.models import ImportJob
from imports.presets import PRESETS, Preset
from profiles.merging.actions import Action
from profiles.models import load_schema
from profiles.values import parsers
from profiles.values.types import InvalidValue, ValueOptions, ValueType

RecordType = ImportJob.RecordType
MAX_NAME_LENGTH = 255
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", r"\t": "\t", "bar": "|", "pipe": "|"}
"""Delimiters that are easier to name than to type."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One call of ``import_profiles``: what to import, how, and how far to proceed."""

    path: Path
    name: str
    preset: Preset
    identifier: str
    action: Action | None
    targets: Mapping[str, str]
    skipped: Sequence[str]
    targeting: str = ImportJob.Targeting.FILTER
    record_type: RecordType = RecordType.PROFILES
    options: Mapping[str, str] = field(default_factory=dict)
    mapping: Sequence[ManifestEntry] = ()
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    dry_run: bool = False
    wait: bool = False
    inline: bool = False

    @property
    def format(self) -> dict[str, str]:
        """The parts of the file's format that are chosen; the others are detected."""
        chosen = {"chosen_encoding": self.encoding, "chosen_delimiter": self.delimiter, "chosen_sheet": self.sheet}
        return {name: value for name, value in chosen.items() if value}

    @property
    def file_name(self) -> str:
        return _readable(self.path.name)[-MAX_NAME_LENGTH:]


def parse_options(options: Mapping[str, Any]) -> ImportRequest:
    """Return the request made by the command's options, as argparse returns them. Raises ``UsageError``."""
    path = _file(options["file"])
    preset = _preset(options["preset"])
    record_type = _record_type(options["type"], preset)
    targets, skipped = _columns(options["map"] or [], options["skip"] or [])
    return ImportRequest(
        path=path,
        name=_name(options["name"] or "") or _readable(path.name).strip()[:MAX_NAME_LENGTH].strip() or "file",
        preset=preset,
        identifier=_identifier(options["identifier"], preset),
        action=_action_of(record_type, options["action"], preset),
        targets=targets,
        skipped=skipped,
        record_type=record_type,
        options=_options(options, record_type),
        mapping=_mapping(options["mapping"]),
        targeting=_targeting(options["targeting"]),
        encoding=_encoding(options["encoding"]),
        delimiter=_delimiter(options["delimiter"]),
        sheet=_readable(options["sheet"] or ""),
        dry_run=options["dry_run"],
        wait=options["wait"],
        inline=options["inline"],
    )


def _file(text: str) -> Path:
    path = Path(text)
    try:
        if path.is_dir():
            raise UsageError(f"{text} is a folder. Name a file in it.")
        if path.exists() and not path.is_file():
            raise UsageError(f"{text} is not a regular file. Save its content as a file first.")
        path.open("rb").close()
    except FileNotFoundError:
        raise UsageError(f"There is no file {text}.") from None
    except OSError as error:
        raise UsageError(f"{text} cannot be read: {error.strerror}.") from None
    return path


def _readable(name: str) -> str:
    """Return a file's name as text; bytes that are no text are replaced."""
    return os.fsencode(name).decode(errors="replace")


def _name(text: str) -> str:
    if len(text) > MAX_NAME_LENGTH:
        raise UsageError(f"--name has {len(text)} characters and the limit is {MAX_NAME_LENGTH}.")
    return text.strip()


def _preset(key: str) -> Preset:
    if key not in PRESETS:
        choices = {preset.key: preset.says for preset in PRESETS.values()}
        raise UsageError(_choices(f"There is no preset {key}. --preset is one of:", choices))
    return PRESETS[key]


def _record_type(text: str, preset: Preset) -> RecordType:
    """Return the record type of that name, in the plural or the singular (AU-02)."""
    words = {"profile": RecordType.PROFILES, "customer": RecordType.PROFILES, "event": RecordType.EVENTS}
    found = words.get(text.lower().removesuffix("s"))
    if found is None:
        raise UsageError(f"There is no type {text}. --type is one of: profiles, events.")
    if reason := preset_choices.unsupported_reason(preset, found):
        raise UsageError(reason)
    return found


def _event_name(text: str | None, record_type: RecordType) -> str:
    name = (text or "").strip()
    if name and record_type is not RecordType.EVENTS:
        raise UsageError("--event-name is for files of events. Add --type events, or leave --event-name out.")
    if text is not None and not name and record_type is RecordType.EVENTS:
        raise UsageError("--event-name is blank. Give a name, or leave it out if the file has a column for it.")
    if problem := event_mapping.event_name_error(name):
        raise UsageError(f"--event-name cannot be used: {problem}.")
    return name


def _action_of(record_type: RecordType, text: str | None, preset: Preset) -> Action | None:
    if record_type is RecordType.EVENTS:
        if text:
            raise UsageError("--action is for profiles and does not apply to events. Leave it out.")
        return None
    return _action(text, preset)


def _identifier(text: str | None, preset: Preset) -> str:
    schema = load_schema()
    offered = preset_choices.identifiers(preset, schema)
    choices = {preset.spelling(key): says for key, says in offered.items()}
    if not text:
        raise UsageError(_choices("Choose what to match people by, with --identifier:", choices))
    found = column_mapping.resolve_identifier(text, schema)
    if found is None:
        raise UsageError(_choices(f"People cannot be matched by {text}. --identifier is one of:", choices))
    if found in preset_choices.pending_identifiers(preset, schema):
        raise UsageError(_choices(f"{validation.index_pending_reason(text)}, or use --identifier with:", choices))
    if found not in offered:
        lead = f"The preset {preset.key} does not match people by {text}. Choose another --preset, or --identifier of:"
        raise UsageError(_choices(lead, choices))
    return found


def _action(text: str | None, preset: Preset) -> Action:
    choices = guidance.actions(preset.actions)
    if not text and preset.default_action:
        return preset.default_action
    if not text:
        raise UsageError(_choices("Choose what happens to people who exist already, with --action:", choices))
    if text.lower() in choices:
        return Action(text.lower())
    if text.lower() in set(Action):
        lead = f"The preset {preset.key} does not offer {text}. Choose another --preset, or --action of:"
        raise UsageError(_choices(lead, choices))
    raise UsageError(_choices(f"There is no action {text}. --action is one of:", choices))


def _choices(lead: str, choices: Mapping[str, str]) -> str:
    width = max(map(len, choices))
    return "\n".join([lead, *(f"  {key:<{width}}  {meaning}" for key, meaning in choices.items())])


def _columns(mapped: Sequence[str], skipped: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return targets by header, and headers to skip. The last ``=`` separates: it is more likely in a header."""
    targets: dict[str, str] = {}
    for text in mapped:
        header, equals, target = (part.strip() for part in text.rpartition("="))
        if not (header and equals and target):
            raise UsageError(f"--map {text} is not HEADER=TARGET, such as: --map phone1=phone")
        if targets.setdefault(header, target) != target:
            raise UsageError(f"--map sends column {header} to both {targets[header]} and {target}. Keep one of them.")
    to_skip = list(dict.fromkeys(header.strip() for header in skipped))
    both = ", ".join(header for header in to_skip if header in targets)
    if both:
        raise UsageError(f"Column {both} is both in --map and in --skip. Keep one of them.")
    return targets, to_skip


def _mapping(text: str | None) -> Sequence[ManifestEntry]:
    """Return the entries of a JSON manifest, without reference to the file that it is for (MP-09)."""
    if not text:
        return ()
    path = _file(text)
    try:
        mapping_file.check_size(path.stat().st_size)
        return mapping_file.parse(path.read_bytes())
    except InvalidManifest as wrong:
        raise UsageError("\n".join(f"{reason}." for reason in wrong.reasons)) from None


def _targeting(text: str | None) -> str:
    """Return ``filter``, ``segment`` or ``none`` (SG-03 to SG-05)."""
    choices = {choice.value: choice.label for choice in ImportJob.Targeting}
    if not text:
        return ImportJob.Targeting.FILTER
    if text.lower() not in choices:
        raise UsageError(_choices(f"There is no targeting {text}. --targeting is one of:", choices))
    return text.lower()


def _options(options: Mapping[str, Any], record_type: RecordType) -> dict[str, str]:
    """Return the options that are changed from the preset, by their own arguments or by ``--option``."""
    chosen = {
        "default_country": _country(options["default_country"]),
        "event_name": _event_name(options["event_name"], record_type),
    }
    already_set = {name for name, value in chosen.items() if value}
    for text in options["option"] or []:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise UsageError(f"--option {text} is not NAME=VALUE, such as: --option iso_dates=no")
        if name in already_set:
            raise UsageError(f"The option {name} is set twice. Keep one of the two.")
        chosen[name] = _option(name, value, record_type)
        already_set.add(name)
    return {name: value for name, value in chosen.items() if value}


def _option(name: str, value: str, record_type: RecordType) -> str:
    """Return the value of an option in the form that jobs store; yes and no are accepted for true and false."""
    if not preset_choices.is_option(name, record_type):
        names = [
            each
            for each in (*preset_choices.OPTIONS, *preset_choices.RARE_OPTIONS)
            if preset_choices.is_option(each, record_type)
        ]
        lead = f"There is no option {name} for {record_type.value}. --option sets one of:"
        raise UsageError(_choices(lead, {each: help_texts.OPTIONS[each] for each in names}))
    if name == "default_country":
        return _country(value)
    values = preset_choices.option_values(name)
    chosen = {"yes": "true", "no": "false"}.get(value.lower(), value.lower()) if values[0] == "True" else value.lower()
    found = next((each for each in values if each.lower() == chosen), "")
    if not found and name == "time_zone":
        raise UsageError(f"There is no time zone {value}. Use the name of a place, such as Europe/Berlin, or UTC.")
    if not found:
        lead = f"The option {name} cannot be {value}. It is one of:"
        raise UsageError(_choices(lead, {each: help_texts.OPTION_VALUES.get(each, "") for each in values}))
    return found


def _country(text: str | None) -> str:
    if not text:
        return ""
    try:
        country = str(parsers.parser(ValueType.COUNTRY, ValueOptions())(text))
        parsers.parser(ValueType.PHONE, ValueOptions(default_country=country))
    except (InvalidValue, ValueError):
        raise UsageError(f"--default-country {text} is not the two-letter ISO code of a country, such as US.") from None
    return country


def _encoding(text: str | None) -> str:
    if not text:
        return ""
    try:
        encoding.resolve_encoding(text, b"")
    except SourceError:
        raise UsageError(f"There is no encoding {text}. Choose one of: {', '.join(encoding.ENCODINGS)}.") from None
    return text


def _delimiter(text: str | None) -> str:
    if not text:
        return ""
    mark = DELIMITERS.get(text.lower(), text)
    if not is_delimiter(mark):
        raise UsageError(f"“{text}” cannot be a delimiter. Choose comma, semicolon, tab, bar, or one other character.")
    return mark
