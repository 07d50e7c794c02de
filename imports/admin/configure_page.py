"""What the second screen shows: whom rows find, what happens to them, and a line for each column of the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from imports import event_mapping, guidance, hints, job_file, mapping, mapping_faults, offers, remembered
from imports.admin import configure_form, configure_options, configure_problems, preset_words
from imports.admin.configure_options import as_options
from imports.mapping import Choice, Target
from imports.mapping_faults import Fault, listed
from imports.models import ImportColumn, ImportJob
from imports.presets import PRESETS, Preset
from profiles.consent import GROUP_FIELDS
from profiles.merge import Action
from profiles.models import load_schema
from profiles.schema import OWN_FIELDS, Schema
from profiles.values import ValueType

COLUMNS_SHOWN = 50
SAMPLES_SHOWN = 3
OWN_IN_LISTS = 50
"""Own attributes that each column's list holds; more of them stand in the page once, to be typed or searched."""
_TYPES = [(kind.value, kind.value.replace("_", " ")) for kind in ValueType]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice of several: what is sent, what it is called, and what a person should know of it."""

    value: str
    label: str
    hint: str = ""
    chosen: bool = False
    careful: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One column of the file as the mapping shows it. ``likely``: choices for the head of its list."""

    column: ImportColumn
    problems: list[str]
    notes: list[str]
    likely: Sequence[tuple[str, str]]

    @property
    def samples(self) -> list[str]:
        return list(self.column.statistics.get("samples", []))[:SAMPLES_SHOWN]

    @property
    def type(self) -> str:
        return self._found.replace("_", " ")

    @property
    def value(self) -> str:
        """What the choice of the column is sent as."""
        return _value(self.column)

    @property
    def key(self) -> str:
        """What a new attribute from the column is, or would be, called."""
        return self.column.target if self.column.target_kind == Target.NEW else self.column.name

    @property
    def new_type(self) -> str:
        """The type of the attribute that the column would make."""
        return self.column.type if self.column.target_kind == Target.NEW else self._found

    @property
    def suggestions(self) -> SafeString:
        return as_options(self.likely, self.value)

    @property
    def types(self) -> SafeString:
        return as_options(_TYPES, self.new_type)

    @property
    def was(self) -> str:
        kind = Target(self.column.target_kind)
        key = configure_form.spaced(self.key) if kind is Target.NEW else self.column.target
        return configure_form.shown(Choice(kind, key, self.new_type))

    @property
    def state(self) -> str:
        """``problem``, ``undecided``, ``suggested`` or ``decided``; a column named like its attribute is decided."""
        if self.column.target_kind == Target.UNDECIDED:
            return "undecided"
        if self.problems:
            return "problem"
        sure = self.column.target_kind != Target.NEW and self.column.name == self.column.target
        return "suggested" if self.column.suggested and not sure else "decided"

    @property
    def _found(self) -> str:
        return str(self.column.statistics.get("type", ValueType.TEXT.value))


@dataclass(frozen=True, slots=True)
class Counts:
    """How many columns go where. ``lacking``: mandatory attributes to which none goes (MP-06)."""

    mapped: int
    skipped: int
    undecided: int
    troubled: int
    lacking: str


def context(request: HttpRequest, job: ImportJob, faults: list[Fault]) -> dict[str, Any]:
    """Everything that the page shows. ``faults``: why what was asked for was not done."""
    known, columns = load_schema(), list(job.columns.all())
    standing = _column_faults(job, columns, known)
    show = request.GET.get("show", "all")
    settings = list(configure_options.of_the_values(job))
    here = Paginator(_which(show, columns, standing), COLUMNS_SHOWN).get_page(request.GET.get("columns"))
    return {
        "title": job.name,
        "step": "Configure",
        **_live(job, known, columns, standing),
        "actions": list(_actions(job)),
        "targetings": list(_targetings(job)),
        "earlier": remembered.offer(job),
        "looks_like": _looks_like(job, columns),
        "preset": PRESETS[job.preset],
        "preset_settings": configure_options.of_the_preset(job),
        "preset_sets": preset_words.of_preset(PRESETS[job.preset], (setting.name for setting in settings)),
        "facts": configure_options.facts(job),
        "file_settings": list(configure_options.of_the_file(job)),
        "settings": settings,
        "lines": _lines(job, here, standing, known),
        "targets": _event_targets(known) if job.holds_events else _targets(known),
        "own": _own(known) if len(_own(known)) > OWN_IN_LISTS and not job.holds_events else [],
        "event_name": job.options.get("event_name", ""),
        "columns": here,
        "here": ",".join(str(column.position) for column in here),
        "show": show if show in ("undecided", "problems") else "all",
        "problems": configure_problems.of(job, faults, columns, here),
        "codes": {fault.code: fault.reason for fault in faults},
        "identifier_fault": next((fault.reason for fault in faults if "identifier" in fault.code), ""),
    }


def parts(request: HttpRequest, job: ImportJob, positions: Iterable[int], faults: list[Fault]) -> dict[str, Any]:
    """What changes on the page when choices were saved; ``positions``: the columns that it shows."""
    known, columns = load_schema(), list(job.columns.all())
    standing, wanted = _column_faults(job, columns, known), set(positions)
    here = [column for column in columns if column.position in wanted]
    return {
        **_live(job, known, columns, standing),
        "lines": _lines(job, here, standing, known),
        "show": request.GET.get("show", "all"),
        "faults": faults,
    }


def _live(job: ImportJob, known: Schema, columns: list[ImportColumn], standing: list[Fault]) -> dict[str, Any]:
    identifiers = list(_identifiers(job, known, columns))
    kinds = [column.target_kind for column in columns]
    skipped, undecided = kinds.count(Target.SKIP), kinds.count(Target.UNDECIDED)
    troubled, lacking = len({fault.column for fault in standing}), _lacking(job, known, columns)
    return {
        "identifiers": [option for option, in_file in identifiers if in_file],
        "other_identifiers": [option for option, in_file in identifiers if not in_file],
        "coming_identifiers": [offers.label(key, known) for key in offers.coming(PRESETS[job.preset], known)],
        "counts": Counts(len(columns) - skipped - undecided, skipped, undecided, troubled, lacking),
    }


def _lacking(job: ImportJob, known: Schema, columns: Iterable[ImportColumn]) -> str:
    if not job_file.options(job).enforce_mandatory:
        return ""
    return listed(mapping_faults.lacking(columns, known, PRESETS[job.preset].spelling))


def _looks_like(job: ImportJob, columns: Iterable[ImportColumn]) -> Preset | None:
    """The preset to suggest, unless that was answered (D-01)."""
    if "preset_kept" in job.format:
        return None
    return offers.suggested([column.name for column in columns], PRESETS[job.preset])


def _column_faults(job: ImportJob, columns: list[ImportColumn], known: Schema) -> list[Fault]:
    if job.holds_events:
        return event_mapping.column_faults(columns, known, job_file.options(job))
    return mapping_faults.column_faults(columns, known)


def _which(show: str, columns: list[ImportColumn], faults: list[Fault]) -> list[ImportColumn]:
    """The columns to show: all of them, undecided first where there are many, or only those with something to do."""
    bad = {fault.column for fault in faults}
    match show:
        case "undecided":
            return [column for column in columns if column.target_kind == Target.UNDECIDED]
        case "problems":
            return [column for column in columns if column.header in bad]
    if len(columns) > 2 * COLUMNS_SHOWN:
        return sorted(columns, key=lambda column: column.target_kind != Target.UNDECIDED)
    return columns


def _identifiers(job: ImportJob, known: Schema, columns: Iterable[ImportColumn]) -> Iterator[tuple[Option, bool]]:
    """What people can be found by, and whether a column of the file goes there (HI-29)."""
    preset, columns = PRESETS[job.preset], list(columns)
    for key, hint in offers.identifiers(preset, known).items():
        label, spelled = offers.label(key, known), preset.spelling(key)
        shown = label if spelled == key else f"{label} ({spelled})"
        option = Option(key, shown, hint, key == job.identifier, group=guidance.group(key, known))
        yield option, mapping_faults.is_in_file(key, columns)


def _actions(job: ImportJob) -> Iterator[Option]:
    for action in PRESETS[job.preset].actions:
        yield Option(
            action, action.label, guidance.ACTIONS[action], action == job.action, careful=action is Action.REPLACE
        )


def _targetings(job: ImportJob) -> Iterator[Option]:
    """What the people of the import can be found by afterwards (SG-03..SG-05)."""
    for choice in ImportJob.Targeting:
        yield Option(choice.value, choice.label, _TARGETING[choice], choice == job.targeting)


_TARGETING = {
    ImportJob.Targeting.FILTER: "the list of people can be narrowed to them by “Updated/Imported from CSV” and this "
    "import's exact name",
    ImportJob.Targeting.SEGMENT: "the same, and a segment of this name, with the same people, once the import is "
    "complete",
    ImportJob.Targeting.NONE: "that filter does not offer this import; its own page still leads to its people",
}


def _lines(
    job: ImportJob, columns: Page[ImportColumn] | list[ImportColumn], faults: list[Fault], known: Schema
) -> list[Line]:
    shown = list(columns)
    problems, notes = _by_column(faults), _by_column(mapping_faults.notes(shown, known, job_file.options(job)))
    likely = hints.suggestions(shown, known)
    if job.holds_events:
        likely = {position: _identifying(keys, known) for position, keys in likely.items()}
    new = Target.PROPERTY if job.holds_events else Target.NEW
    return [
        Line(
            column,
            problems.get(column.header, []),
            notes.get(column.header, []),
            list(_likely(column, likely[column.position], known, new)),
        )
        for column in shown
    ]


def _by_column(faults: Iterable[Fault]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.column, []).append(fault.reason)
    return found


def _identifying(keys: list[str], known: Schema) -> list[str]:
    return [key for key in keys if key in OWN_FIELDS or key in known.identifiers]


def _likely(column: ImportColumn, keys: list[str], known: Schema, new: Target) -> Iterator[tuple[str, str]]:
    """The head of a column's list: where it goes now, then what is suggested, ``new`` the last of it."""
    chosen, labels = _value(column), {"skip": "Skip this column", "new": "New attribute…", "property": "Property…"}
    found = {_place(key): _label(key, known) for key in keys}
    if chosen != Target.UNDECIDED:
        yield (
            chosen,
            found.pop(chosen, "") or labels.get(chosen) or _event_label(column) or _label(column.target, known),
        )
    yield from found.items()
    if column.target_kind != new:
        yield new.value, labels[new]


def _event_label(column: ImportColumn) -> str:
    """What a column tells of an event; blank where it is no such column."""
    if column.target_kind == Target.EVENT:
        return event_mapping.PARTS.get(column.target, "")
    if column.target_kind != Target.PROPERTY:
        return ""
    event, key = event_mapping.parts_of(column.target)
    return f"Property {key} of {event}" if event else f"Property {key}"


def _value(column: ImportColumn) -> str:
    if column.target_kind in (Target.EVENT, Target.PROPERTY):
        return f"{column.target_kind}:{column.target}"
    known = column.target_kind in (Target.FIELD, Target.ATTRIBUTE)
    return _place(column.target) if known else str(column.target_kind)


def _place(key: str) -> str:
    return f"{Target.FIELD if mapping.field(key) else Target.ATTRIBUTE}:{key}"


def _label(key: str, known: Schema) -> str:
    """What an attribute is called; its key where it is none any more."""
    return (OWN_FIELDS | GROUP_FIELDS).get(key) or (known.definitions[key].label if key in known.definitions else key)


def _own(known: Schema) -> list[tuple[str, str]]:
    """Attributes that are not built in, by key."""
    return [(d.key, d.label) for d in known.definitions.values() if not d.built_in and not d.identifier]


def _targets(known: Schema) -> SafeString:
    """All places that a column can go to, by group, as options; made once for all lists of the page."""
    groups: dict[str, list[tuple[str, str]]] = {
        "Identifiers": [(_place(key), label) for key, label in OWN_FIELDS.items()],
        "Standard attributes": [],
        "Subscription groups": [(_place(key), label) for key, label in GROUP_FIELDS.items()],
        "Own attributes": [(_place(key), label) for key, label in _own(known)],
        "Otherwise": [(Target.NEW.value, "New attribute…"), (Target.SKIP.value, "Skip this column")],
    }
    for definition in known.definitions.values():
        if definition.identifier or definition.built_in:
            group = "Identifiers" if definition.identifier else "Standard attributes"
            groups[group].append((_place(definition.key), definition.label))
    if len(groups["Own attributes"]) > OWN_IN_LISTS:
        groups["Own attributes"] = []
        groups["Otherwise"][0] = (Target.NEW.value, "New or own attribute…")
    return _grouped(groups)


def _event_targets(known: Schema) -> SafeString:
    """The same for a file of events."""
    channels = [known.definitions[kind] for kind in known.identifiers]
    return _grouped(
        {
            "The event": [(f"{Target.EVENT}:{part}", label) for part, label in event_mapping.PARTS.items()],
            "Identifiers": [(_place(key), label) for key, label in OWN_FIELDS.items()]
            + [(_place(channel.key), channel.label) for channel in channels],
            "Otherwise": [(Target.PROPERTY.value, "Property, by its header"), (Target.SKIP.value, "Skip this column")],
        }
    )


def _grouped(groups: Mapping[str, list[tuple[str, str]]]) -> SafeString:
    option, group = '<option value="{}">{}</option>', '<optgroup label="{}">{}</optgroup>'
    made = ((name, format_html_join("", option, choices)) for name, choices in groups.items() if choices)
    return format_html_join("", group, made)
