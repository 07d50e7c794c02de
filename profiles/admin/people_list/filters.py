"""The form beside the list of people, and the chips that say which filters are on."""

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
"""Conditions that are shown as rows; more of them are kept, each with its chip."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, and the list without it."""

    text: str
    remove: str


@dataclass(frozen=True, slots=True)
class FormRow:
    """One condition on an attribute as the form shows it."""

    number: int
    key: str = ""
    operator: str = Operator.EQUALS
    value: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DayField:
    """When people were created or changed."""

    name: str
    when: str
    day: str
    problem: str


def filter_context(asked: PeopleQuery, sent: Parameters, known: SchemaInfo) -> dict[str, Any]:
    """What the form and the chips show; what was sent is shown as it was sent, right or wrong."""
    return {
        "chips": list(chips(asked, known)),
        "rows_of_form": _rows(asked, sent),
        "attribute_groups": _groups(known),
        "operators": [(operator.value, operator.label) for operator in Operator],
        "kinds": [(key, label, key == _first(sent.get("has", ()))) for key, label in _kinds(known).items()],
        "days": [_day_field(asked, sent, moment) for moment in Moment],
        "whens": [when.value for when in When],
        "channels": [(channel.value, channel.label, channel == _first(sent.get("reach", ()))) for channel in Channel],
        "birthday": any(sent.get("birthday", ())),
        "column_fields": [*asked.columns, ""][:MAX_ROWS],
        "hidden": list(_hidden(asked, sent)),
        "group_fields": [(field, _groups_instead(asked, field)) for field in asked.groups.fields],
        "group_states": [state.value for state in GroupState],
        "has_groups": known.has_groups,
        "segment_fields": [(field, _segments_instead(asked, field)) for field in asked.segments.fields],
        "recent_segments": asked.segments.recent,
        "problems": [(_place(wrong), _with_name(wrong, sent, known)) for wrong in asked.wrong],
    }


def chips(asked: PeopleQuery, known: SchemaInfo) -> Iterator[Chip]:
    if asked.text:
        yield Chip(f"Identifier is {asked.text}", asked.address(text=False))
    if asked.added.label:
        yield Chip(asked.added.label, asked.address(added=False))
    for condition in asked.conditions:
        yield Chip(describe(condition, known, asked.groups.names), asked.address(without=condition))
    for segment in asked.segments.chosen:
        yield Chip(f"Segment {segment.label}", asked.address(without_segment=segment.number))


def _groups_instead(asked: PeopleQuery, field: group_filter.Field) -> list[tuple[str, str]]:
    """What may be meant by a group that is none, and the list narrowed to that."""
    return [(label, asked.address(more=condition_parameters.to_parameters([meant]))) for meant, label in field.same]


def _segments_instead(asked: PeopleQuery, field: segment_filter.Field) -> list[tuple[str, str]]:
    return [(label, asked.address(more=[("segment", str(number))])) for number, label in field.same]


def _hidden(asked: PeopleQuery, sent: Parameters) -> Iterator[tuple[str, str]]:
    """What the form cannot show, so that it is not lost when the form is sent."""
    yield from condition_parameters.to_parameters(c for c in asked.conditions if isinstance(c, ChangeSetMember))
    unnamed = (c for c in asked.conditions if isinstance(c, InGroup) and c.group not in asked.groups.names)
    yield from condition_parameters.to_parameters(unnamed)
    for name in ("has", "reach"):
        yield from ((name, text) for text in [text for text in sent.get(name, ()) if text][1:])
    shown = {row.number for row in _rows(asked, sent)}
    for i, row in enumerate(condition_parameters.form_rows(sent)):
        if i not in shown:
            yield from zip(_OF_A_ROW, row, strict=True)


def describe(condition: Condition, known: SchemaInfo, groups: Mapping[str, str]) -> str:
    """A condition in the words of the labels. ``groups``: what subscription groups are called, by ID."""
    labels = {a.key: a.label for a in known.attributes} | OWN_FIELDS | OWN_IDENTIFIERS
    match condition:
        case AttributeCondition(key, operator, value):
            return " ".join(filter(None, (labels.get(key, key), operator.label, value)))
        case HasIdentifier(kind):
            return f"Has {labels.get(kind, kind)}"
        case InGroup(group, state):
            return f"Group {groups.get(group, group)}: {state.label}"
    return str(condition)


def _rows(asked: PeopleQuery, sent: Parameters) -> list[FormRow]:
    """The first of what was sent, whatever is wrong with it, and a blank row for one more."""
    rows = [
        FormRow(i, *row, problems=_problems(asked, i)) for i, row in enumerate(condition_parameters.form_rows(sent))
    ]
    return [*(row for row in rows if row.number < MAX_ROWS or row.problems), FormRow(len(rows))]


def _first(texts: Sequence[str]) -> str:
    return next((text for text in texts if text), "")


def _problems(asked: PeopleQuery, row: int) -> tuple[str, ...]:
    return tuple(str(w) for w in asked.wrong if w.row == row and w.field in _OF_A_ROW)


def _groups(known: SchemaInfo) -> dict[str, list[tuple[str, str]]]:
    """The attributes to choose from, by kind."""
    groups: dict[str, list[tuple[str, str]]] = {"Own attributes": [], "Standard attributes": [], "Identifiers": []}
    for attribute in known.attributes:
        own = "Standard attributes" if attribute.built_in else "Own attributes"
        groups["Identifiers" if attribute.identifier else own].append((attribute.key, attribute.label))
    return {name: choices for name, choices in groups.items() if choices}


def _kinds(known: SchemaInfo) -> dict[str, str]:
    """What people can have to be found by."""
    own = {kind: OWN_IDENTIFIERS[kind] for kind in (EXTERNAL_ID, ALIAS)}
    return own | {a.key: a.label for a in known.attributes if a.identifier}


def _day_field(asked: PeopleQuery, sent: Parameters, moment: Moment) -> DayField:
    day, when = (["", *sent.get(name, ())][-1] for name in (moment.value, f"{moment}_when"))
    problem = next((str(wrong) for wrong in asked.wrong if wrong.field == moment), "")
    return DayField(moment.value, when, day, problem)


_OF_A_ROW = ("attribute", "operator", "value")


def _place(wrong: InvalidCondition) -> str:
    """The id of the field that a problem is about."""
    if wrong.field in _OF_A_ROW:
        return f"{wrong.field}-{wrong.row}"
    if wrong.field in ("segment", "group"):
        return f"{wrong.field}-{wrong.row}"
    known = ("has", "reach", *Moment, "import_name", "outcome")
    return wrong.field if wrong.field in known else "changelist-filter"


def _with_name(wrong: InvalidCondition, sent: Parameters, known: SchemaInfo) -> str:
    """A problem as it is told far from its field."""
    name = wrong.field.capitalize() if wrong.field in {*Moment, "segment", "group"} else ""
    if wrong.field in _OF_A_ROW:
        key = condition_parameters.form_rows(sent)[wrong.row][0]
        name = known.schema.definitions[key].label if key in known.schema.definitions else key
    return f"{name}: {wrong}" if name else str(wrong)
