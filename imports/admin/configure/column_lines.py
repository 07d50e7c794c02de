"""The table of columns on the second screen: a line for each, and the places that a column can go to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.core.paginator import Page
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from imports.admin.configure import form
from imports.admin.configure.option_settings import render_options
from imports.jobs import stored_file
from imports.mapping import column_mapping, event_mapping, ranking, validation
from imports.mapping.column_mapping import Choice, Target
from imports.mapping.validation import Fault
from imports.models import ImportColumn, ImportJob
from profiles.merging.consent import GROUP_FIELDS
from profiles.schema import OWN_FIELDS, Schema
from profiles.values.types import ValueType

COLUMNS_PER_PAGE = 50
MAX_SAMPLES = 3
MAX_OWN_OPTIONS = 50
"""Own attributes that each column's list holds; more of them stand in the page once, to be typed or searched."""
_TYPES = [(kind.value, kind.value.replace("_", " ")) for kind in ValueType]


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """One column of the file as the mapping shows it. ``likely``: choices for the head of its list."""

    column: ImportColumn
    problems: list[str]
    notes: list[str]
    suggested_options: Sequence[tuple[str, str]]

    @property
    def samples(self) -> list[str]:
        return list(self.column.statistics.get("samples", []))[:MAX_SAMPLES]

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
        return render_options(self.suggested_options, self.value)

    @property
    def types(self) -> SafeString:
        return render_options(_TYPES, self.new_type)

    @property
    def was(self) -> str:
        kind = Target(self.column.target_kind)
        key = form.collapse_spaces(self.key) if kind is Target.NEW else self.column.target
        return form.serialize_choice(Choice(kind, key, self.new_type))

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


def filter_columns(show: str, columns: list[ImportColumn], faults: list[Fault]) -> list[ImportColumn]:
    """The columns to show: all of them, undecided first where there are many, or only those with something to do."""
    bad = {fault.column for fault in faults}
    match show:
        case "undecided":
            return [column for column in columns if column.target_kind == Target.UNDECIDED]
        case "problems":
            return [column for column in columns if column.header in bad]
    if len(columns) > 2 * COLUMNS_PER_PAGE:
        return sorted(columns, key=lambda column: column.target_kind != Target.UNDECIDED)
    return columns


def target_options(job: ImportJob, known: Schema) -> SafeString:
    """All places that a column can go to, by group, as options; made once for all lists of the page."""
    return _targets_of_events(known) if job.holds_events else _targets_of_people(known)


def unlisted_attributes(job: ImportJob, known: Schema) -> list[tuple[str, str]]:
    """Own attributes by key, where they are too many to stand in each column's list."""
    own = _own(known)
    return own if len(own) > MAX_OWN_OPTIONS and not job.holds_events else []


def build_lines(
    job: ImportJob, columns: Page[ImportColumn] | list[ImportColumn], faults: list[Fault], known: Schema
) -> list[ColumnLine]:
    """A line for each of the columns. ``faults``: what keeps columns from being imported."""
    shown = list(columns)
    problems, notes = _by_column(faults), _by_column(validation.notes(shown, known, stored_file.options(job)))
    suggested_options = ranking.rank_targets(shown, known)
    if job.holds_events:
        suggested_options = {position: _identifying(keys, known) for position, keys in suggested_options.items()}
    new = Target.PROPERTY if job.holds_events else Target.NEW
    return [
        ColumnLine(
            column,
            problems.get(column.header, []),
            notes.get(column.header, []),
            list(_likely(column, suggested_options[column.position], known, new)),
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
    event, key = event_mapping.split_property(column.target)
    return f"Property {key} of {event}" if event else f"Property {key}"


def _value(column: ImportColumn) -> str:
    if column.target_kind in (Target.EVENT, Target.PROPERTY):
        return f"{column.target_kind}:{column.target}"
    known = column.target_kind in (Target.FIELD, Target.ATTRIBUTE)
    return _place(column.target) if known else str(column.target_kind)


def _place(key: str) -> str:
    return f"{Target.FIELD if column_mapping.field_definition(key) else Target.ATTRIBUTE}:{key}"


def _label(key: str, known: Schema) -> str:
    """What an attribute is called; its key where it is none any more."""
    return (OWN_FIELDS | GROUP_FIELDS).get(key) or (known.definitions[key].label if key in known.definitions else key)


def _own(known: Schema) -> list[tuple[str, str]]:
    """Attributes that are not built in, by key."""
    return [(d.key, d.label) for d in known.definitions.values() if not d.built_in and not d.identifier]


def _targets_of_people(known: Schema) -> SafeString:
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
    if len(groups["Own attributes"]) > MAX_OWN_OPTIONS:
        groups["Own attributes"] = []
        groups["Otherwise"][0] = (Target.NEW.value, "New or own attribute…")
    return _grouped(groups)


def _targets_of_events(known: Schema) -> SafeString:
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
