"""The filter form of the list of people, and a chip for each active filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from profiles.admin.people_list import group_filter, segment_filter
from profiles.admin.people_list.query import PeopleQuery, SchemaInfo
from profiles.merging.consent import Channel
from profiles.schema import ALIAS, EXTERNAL_ID, OWN_FIELDS, OWN_IDENTIFIERS
from profiles.search import condition_parameters
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import (
    AttributeCondition,
    ChangeSetMember,
    Condition,
    GroupState,
    HasIdentifier,
    InGroup,
    InvalidCondition,
    Moment,
    Operator,
    When,
)

MAX_ROWS = 10
"""Conditions on attributes that the form shows as rows; it keeps more of them, each with its chip."""


@dataclass(frozen=True, slots=True)
class Chip:
    """An active filter in words. ``remove``: the query string without it."""

    text: str
    remove: str


@dataclass(frozen=True, slots=True)
class FormRow:
    """The row of the form for one condition on an attribute."""

    number: int
    key: str = ""
    operator: str = Operator.EQUALS
    value: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayField:
    """The fields of the form for the day when people were created or updated."""

    name: str
    when: str
    day: str
    problem: str


def filter_context(query: PeopleQuery, sent: Parameters, schema_info: SchemaInfo) -> dict[str, Any]:
    """Return the context of the form and the chips; the form repeats what was sent, valid or not."""
    return {
        "chips": list(chips(query, schema_info)),
        "rows_of_form": _rows(query, sent),
        "attribute_groups": _groups(schema_info),
        "operators": [(operator.value, operator.label) for operator in Operator],
        "kinds": [(key, label, key == _first(sent.get("has", ()))) for key, label in _kinds(schema_info).items()],
        "days": [_day_field(query, sent, moment) for moment in Moment],
        "whens": [when.value for when in When],
        "channels": [(channel.value, channel.label, channel == _first(sent.get("reach", ()))) for channel in Channel],
        "birthday": any(sent.get("birthday", ())),
        "column_fields": [*query.columns, ""][:MAX_ROWS],
        "hidden": list(_hidden(query, sent)),
        "group_fields": [(field, _group_links(query, field)) for field in query.groups.fields],
        "group_states": [(state.value, state.label.capitalize()) for state in GroupState],
        "has_groups": schema_info.has_groups,
        "segment_fields": [(field, _segment_links(query, field)) for field in query.segments.fields],
        "recent_segments": query.segments.recent,
        "problems": [(_field_id(error), _with_name(error, sent, schema_info)) for error in query.errors],
    }


def chips(query: PeopleQuery, schema_info: SchemaInfo) -> Iterator[Chip]:
    if query.text:
        yield Chip(f"Identifier is {query.text}", query.address(text=False))
    if query.extra.label:
        yield Chip(query.extra.label, query.address(extra=False))
    for condition in query.conditions:
        yield Chip(describe(condition, schema_info, query.groups.names), query.address(without=condition))
    for segment in query.segments.chosen:
        yield Chip(f"In segment {segment.label}", query.address(without_segment=segment.number))


def _group_links(query: PeopleQuery, field: group_filter.Field) -> list[tuple[str, str]]:
    """Return the groups that an ambiguous or partial name may mean, each with the query string of the list."""
    return [
        (label, query.address(more=condition_parameters.to_parameters([condition]))) for condition, label in field.same
    ]


def _segment_links(query: PeopleQuery, field: segment_filter.Field) -> list[tuple[str, str]]:
    return [(label, query.address(more=[("segment", str(number))])) for number, label in field.same]


def _hidden(query: PeopleQuery, sent: Parameters) -> Iterator[tuple[str, str]]:
    """Yield the parameters that the form cannot show, so that they are not lost when it is sent."""
    yield from condition_parameters.to_parameters(c for c in query.conditions if isinstance(c, ChangeSetMember))
    unnamed = (c for c in query.conditions if isinstance(c, InGroup) and c.group not in query.groups.names)
    yield from condition_parameters.to_parameters(unnamed)
    for name in ("has", "reach"):
        yield from ((name, text) for text in [text for text in sent.get(name, ()) if text][1:])
    shown = {row.number for row in _rows(query, sent)}
    for i, row in enumerate(condition_parameters.form_rows(sent)):
        if i not in shown:
            yield from zip(_ROW_FIELDS, row, strict=True)


def describe(condition: Condition, schema_info: SchemaInfo, groups: Mapping[str, str]) -> str:
    """Return a condition in plain words. ``groups``: the labels of subscription groups, by ID."""
    labels = {a.key: a.label for a in schema_info.attributes} | OWN_FIELDS | OWN_IDENTIFIERS
    match condition:
        case AttributeCondition(key, operator, value):
            return " ".join(filter(None, (labels.get(key, key), operator.label, value)))
        case HasIdentifier(kind):
            return f"Has {labels.get(kind, kind)}"
        case InGroup(group, state):
            return f"{_GROUP_STATES[state]} {groups.get(group, group)}"
    return str(condition)


_GROUP_STATES = {
    GroupState.SUBSCRIBED: "Subscribed to",
    GroupState.UNSUBSCRIBED: "Unsubscribed from",
    GroupState.NEITHER: "Neither subscribed to nor unsubscribed from",
}


def _rows(query: PeopleQuery, sent: Parameters) -> list[FormRow]:
    """Return the first rows that were sent, valid or not, all rows with problems, and a blank one."""
    rows = [
        FormRow(i, *row, problems=_problems(query, i)) for i, row in enumerate(condition_parameters.form_rows(sent))
    ]
    return [*(row for row in rows if row.number < MAX_ROWS or row.problems), FormRow(len(rows))]


def _first(texts: Sequence[str]) -> str:
    return next((text for text in texts if text), "")


def _problems(query: PeopleQuery, row: int) -> tuple[str, ...]:
    return tuple(str(error) for error in query.errors if error.row == row and error.field in _ROW_FIELDS)


def _groups(schema_info: SchemaInfo) -> dict[str, list[tuple[str, str]]]:
    """Return the attributes to choose from, by kind."""
    groups: dict[str, list[tuple[str, str]]] = {"Custom attributes": [], "Standard attributes": [], "Identifiers": []}
    for attribute in schema_info.attributes:
        kind = "Standard attributes" if attribute.built_in else "Custom attributes"
        groups["Identifiers" if attribute.identifier else kind].append((attribute.key, attribute.label))
    return {name: choices for name, choices in groups.items() if choices}


def _kinds(schema_info: SchemaInfo) -> dict[str, str]:
    """Return the kinds of identifiers with their labels."""
    own = {kind: OWN_IDENTIFIERS[kind] for kind in (EXTERNAL_ID, ALIAS)}
    return own | {a.key: a.label for a in schema_info.attributes if a.identifier}


def _day_field(query: PeopleQuery, sent: Parameters, moment: Moment) -> DayField:
    day, when = (["", *sent.get(name, ())][-1] for name in (moment.value, f"{moment}_when"))
    problem = next((str(error) for error in query.errors if error.field == moment), "")
    return DayField(moment.value, when, day, problem)


_ROW_FIELDS = ("attribute", "operator", "value")


def _field_id(error: InvalidCondition) -> str:
    """Return the HTML id of the field with the error."""
    if error.field in _ROW_FIELDS:
        return f"{error.field}-{error.row}"
    if error.field in ("segment", "group"):
        return f"{error.field}-{error.row}"
    single_fields = ("has", "reach", *Moment, "import_name", "outcome")
    return error.field if error.field in single_fields else "changelist-filter"


def _with_name(error: InvalidCondition, sent: Parameters, schema_info: SchemaInfo) -> str:
    """Return an error for the summary at the top of the page, with the name of its field."""
    name = error.field.capitalize() if error.field in {*Moment, "segment", "group"} else ""
    if error.field in _ROW_FIELDS:
        key = condition_parameters.form_rows(sent)[error.row][0]
        name = schema_info.schema.definitions[key].label if key in schema_info.schema.definitions else key
    return f"{name}: {error}" if name else str(error)
