"""The table of columns on the screen *Configure*: a line for each column, and the targets that it may have."""

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
"""Custom attributes in the list of each column; if there are more, the page holds them once, for typing or search."""
_TYPES = [(kind.value, kind.value.replace("_", " ")) for kind in ValueType]


@dataclass(frozen=True, slots=True)
class ColumnLine:
    """A column of the file as the mapping shows it. ``suggested_options``: the first choices of its list."""

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
        """The value that the form sends for the column's target."""
        return _value(self.column)

    @property
    def key(self) -> str:
        """The key of the new attribute that the column creates, or would create."""
        return self.column.target if self.column.target_kind == Target.NEW else self.column.name

    @property
    def new_type(self) -> str:
        """The type of the new attribute that the column creates, or would create."""
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
    """Return the columns to show: all, undecided first if there are many, or only the undecided or faulty ones."""
    bad = {fault.column for fault in faults}
    match show:
        case "undecided":
            return [column for column in columns if column.target_kind == Target.UNDECIDED]
        case "problems":
            return [column for column in columns if column.header in bad]
    if len(columns) > 2 * COLUMNS_PER_PAGE:
        return sorted(columns, key=lambda column: column.target_kind != Target.UNDECIDED)
    return columns


def target_options(job: ImportJob, schema: Schema) -> SafeString:
    """Return all targets of columns, by group, as HTML options; rendered once for all lists of the page."""
    return _targets_of_events(schema) if job.holds_events else _targets_of_people(schema)


def unlisted_attributes(job: ImportJob, schema: Schema) -> list[tuple[str, str]]:
    """Return the custom attributes, key and label, if they are too many for the list of each column."""
    custom = _custom(schema)
    return custom if len(custom) > MAX_OWN_OPTIONS and not job.holds_events else []


def build_lines(
    job: ImportJob, columns: Page[ImportColumn] | list[ImportColumn], faults: list[Fault], schema: Schema
) -> list[ColumnLine]:
    """Return a line for each column. ``faults``: what keeps columns from being imported."""
    shown = list(columns)
    problems, notes = _by_column(faults), _by_column(validation.notes(shown, schema, stored_file.options(job)))
    suggested_options = ranking.rank_targets(shown, schema)
    if job.holds_events:
        suggested_options = {position: _identifying(keys, schema) for position, keys in suggested_options.items()}
    new = Target.PROPERTY if job.holds_events else Target.NEW
    return [
        ColumnLine(
            column,
            problems.get(column.header, []),
            notes.get(column.header, []),
            list(_suggested(column, suggested_options[column.position], schema, new)),
        )
        for column in shown
    ]


def _by_column(faults: Iterable[Fault]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for fault in faults:
        found.setdefault(fault.column, []).append(fault.reason)
    return found


def _identifying(keys: list[str], schema: Schema) -> list[str]:
    return [key for key in keys if key in OWN_FIELDS or key in schema.identifiers]


def _suggested(column: ImportColumn, keys: list[str], schema: Schema, new: Target) -> Iterator[tuple[str, str]]:
    """Yield the first choices of a column's list: its present target, the suggestions, ``new`` last."""
    chosen, labels = _value(column), {"skip": "Skip this column", "new": "New attribute…", "property": "Property…"}
    suggested = {_place(key): attribute_label(key, schema) for key in keys}
    if chosen != Target.UNDECIDED:
        yield chosen, suggested.pop(chosen, "") or labels.get(chosen) or target_label(column, schema)
    yield from suggested.items()
    if column.target_kind != new:
        yield new.value, labels[new]


def target_label(column: ImportColumn, schema: Schema) -> str:
    """Return the target of a mapped column in words."""
    return _event_label(column) or attribute_label(column.target, schema)


def attribute_label(key: str, schema: Schema) -> str:
    """Return the label of an attribute or a field of a person; the key if the schema does not have it."""
    return (OWN_FIELDS | GROUP_FIELDS).get(key) or (schema.definitions[key].label if key in schema.definitions else key)


def _event_label(column: ImportColumn) -> str:
    """Return which part or property of an event the column holds; blank if it holds none."""
    if column.target_kind == Target.EVENT:
        return event_mapping.EVENT_PARTS.get(column.target, "")
    if column.target_kind != Target.PROPERTY:
        return ""
    event, key = event_mapping.split_property(column.target)
    return f"Property {key} of {event}" if event else f"Property {key}"


def _value(column: ImportColumn) -> str:
    if column.target_kind in (Target.EVENT, Target.PROPERTY):
        return f"{column.target_kind}:{column.target}"
    is_stored = column.target_kind in (Target.FIELD, Target.ATTRIBUTE)
    return _place(column.target) if is_stored else str(column.target_kind)


def _place(key: str) -> str:
    return f"{Target.FIELD if column_mapping.field_definition(key) else Target.ATTRIBUTE}:{key}"


def _custom(schema: Schema) -> list[tuple[str, str]]:
    """Return key and label of the attributes that are neither built in nor identifiers."""
    return [(d.key, d.label) for d in schema.definitions.values() if not d.built_in and not d.identifier]


def _targets_of_people(schema: Schema) -> SafeString:
    groups: dict[str, list[tuple[str, str]]] = {
        "Identifiers": [(_place(key), label) for key, label in OWN_FIELDS.items()],
        "Standard attributes": [],
        "Subscription groups": [(_place(key), label) for key, label in GROUP_FIELDS.items()],
        "Custom attributes": [(_place(key), label) for key, label in _custom(schema)],
        "Other": [(Target.NEW.value, "New attribute…"), (Target.SKIP.value, "Skip this column")],
    }
    for definition in schema.definitions.values():
        if definition.identifier or definition.built_in:
            group = "Identifiers" if definition.identifier else "Standard attributes"
            groups[group].append((_place(definition.key), definition.label))
    if len(groups["Custom attributes"]) > MAX_OWN_OPTIONS:
        groups["Custom attributes"] = []
        groups["Other"][0] = (Target.NEW.value, "New or custom attribute…")
    return _grouped(groups)


def _targets_of_events(schema: Schema) -> SafeString:
    channels = [schema.definitions[kind] for kind in schema.identifiers]
    return _grouped(
        {
            "The event": [(f"{Target.EVENT}:{part}", label) for part, label in event_mapping.EVENT_PARTS.items()],
            "Identifiers": [(_place(key), label) for key, label in OWN_FIELDS.items()]
            + [(_place(channel.key), channel.label) for channel in channels],
            "Other": [
                (Target.PROPERTY.value, "Property named like the column"),
                (Target.SKIP.value, "Skip this column"),
            ],
        }
    )


def _grouped(groups: Mapping[str, list[tuple[str, str]]]) -> SafeString:
    option, group = '<option value="{}">{}</option>', '<optgroup label="{}">{}</optgroup>'
    made = ((name, format_html_join("", option, choices)) for name, choices in groups.items() if choices)
    return format_html_join("", group, made)
