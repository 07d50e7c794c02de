"""Parse what a user changed on the screen *Configure*.

With each control a page sends the value that the control had when the page was rendered (``was-``…). Only controls
whose value differs were changed by the user; the others may have been changed in another tab, and keep that value.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.http import QueryDict

from imports.admin.configure import file_reading, option_settings
from imports.admin.upload import MAX_NAME_LENGTH
from imports.drafts.configure import DraftChanges
from imports.jobs import stored_file
from imports.mapping import event_mapping, preset_choices
from imports.mapping.column_mapping import Choice, Target
from imports.mapping.validation import Fault
from imports.models import ImportJob
from imports.presets import PRESETS
from profiles.models import load_schema
from profiles.values.types import ValueType

MAX_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class Submission:
    """Changes to store, another way to read the file, and the faults of what cannot be stored.

    ``reading``: encoding, delimiter and sheet. ``preset_change``: the new preset and record type. None: unchanged.
    """

    changes: DraftChanges
    reading: dict[str, str] | None
    preset_change: tuple[str, str] | None
    faults: list[Fault]


def parse_submission(sent: QueryDict, job: ImportJob) -> Submission:
    """Return the changes that a page sent; values that its lists do not offer are ignored."""
    fields, options, faults = dict(_fields(sent, job)), dict(_options(sent, job)), []
    if "name" in fields and not fields["name"]:
        del fields["name"]
        faults.append(Fault("no_name", "Give the import a name"))
    if problem := event_mapping.event_name_error(options.get("event_name", "")):
        del options["event_name"]
        faults.append(Fault("event_name", f"The name for all events cannot be used: {problem}"))
    preset_change = _preset_change(sent, job)
    if preset_change and (reason := preset_choices.unsupported_reason(PRESETS[preset_change[0]], preset_change[1])):
        faults.append(Fault("record_type", reason))
        preset_change = None
    return Submission(DraftChanges(fields, options, dict(_columns(sent))), _reading(sent, job), preset_change, faults)


def collapse_spaces(text: str) -> str:
    """Return a text with each run of white space as one space, since forms do not return white space unchanged."""
    return " ".join(text.split())


def _fields(sent: QueryDict, job: ImportJob) -> Iterator[tuple[str, str]]:
    name = _changed(sent, "name")
    if name is not None:
        yield "name", name.replace("\0", "").strip()[:MAX_NAME_LENGTH]
    identifier = _changed(sent, "identifier")
    if identifier in preset_choices.identifiers(PRESETS[job.preset], load_schema()):
        yield "identifier", identifier
    action = _changed(sent, "action")
    if action in set(PRESETS[job.preset].actions):
        yield "action", action
    targeting = _changed(sent, "targeting")
    if targeting in ImportJob.Targeting.values:
        yield "targeting", targeting


def _options(sent: QueryDict, job: ImportJob) -> Iterator[tuple[str, str]]:
    event_name = _changed(sent, "event_name") if job.holds_events else None
    if event_name is not None:
        yield "event_name", event_name.strip()
    if "preset_options" in sent:
        yield from ((name, "") for name in job.options if name != "event_name")
        return
    for setting in option_settings.value_settings(job):
        value = _changed(sent, setting.name)
        if value in {choice for choice, _ in setting.choices}:
            yield setting.name, value


def _columns(sent: QueryDict) -> Iterator[tuple[int, Choice]]:
    for position in parse_positions(sent.getlist("column")):
        kind, _, key = sent.get(f"target-{position}", "").partition(":")
        if kind not in set(Target):
            continue
        choice = Choice(Target(kind), key)
        if kind == Target.NEW:
            type_ = sent.get(f"type-{position}", "")
            key = sent.get(f"key-{position}", "").strip()
            choice = Choice(Target.NEW, key, type_ if type_ in set(ValueType) else "")
        if _differs(choice, sent.get(f"was-{position}")):
            yield position, choice


def parse_positions(texts: Iterable[str]) -> Iterator[int]:
    """Yield the texts that are numbers of columns, as numbers."""
    for text in texts:
        if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_COLUMNS)):
            yield int(text)


def serialize_choice(choice: Choice) -> str:
    """Return a choice as a text, which a page sends back to tell whether the user changed it."""
    if choice.kind is Target.NEW:
        return collapse_spaces(f"{choice.kind}|{choice.type}|{choice.key}")
    return collapse_spaces(f"{choice.kind}:{choice.key}")


def _differs(choice: Choice, was: str | None) -> bool:
    return was is None or serialize_choice(choice) != collapse_spaces(was)


def _reading(sent: QueryDict, job: ImportJob) -> dict[str, str] | None:
    """Return encoding, delimiter and sheet, if one of them was changed."""
    changed = {name: _changed(sent, name) for name in file_reading.FORM_PARSERS}
    if not any(value is not None for value in changed.values()):
        return None
    chosen = {name: file_reading.FORM_PARSERS[name](job, value) for name, value in changed.items() if value is not None}
    return {name: text for name, text in (stored_file.chosen_format(job) | chosen).items() if text}


def _preset_change(sent: QueryDict, job: ImportJob) -> tuple[str, str] | None:
    """Return preset and record type, if one of them was changed."""
    preset, record_type = _changed(sent, "preset"), _changed(sent, "record_type")
    chosen = (
        preset if preset and preset in PRESETS else job.preset,
        record_type if record_type and record_type in ImportJob.RecordType.values else job.record_type,
    )
    return None if chosen == (job.preset, job.record_type) else chosen


def _changed(sent: QueryDict, name: str) -> str | None:
    value = sent.get(name)
    return None if value is None or value == sent.get(f"was-{name}") else value
