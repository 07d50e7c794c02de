"""The form beside the list of people, and the chips that say which filters are on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from profiles import conditions
from profiles.conditions import (
    AttributeCondition,
    Condition,
    HasIdentifier,
    InvalidCondition,
    Member,
    Moment,
    Operator,
    Parameters,
    When,
)
from profiles.consent import Channel
from profiles.schema import EXTERNAL_ID, OWN_FIELDS

if TYPE_CHECKING:
    from profiles.admin.people_list import Asked, Known

MOST_ROWS = 10


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


def context(asked: Asked, sent: Parameters, known: Known) -> dict[str, Any]:
    """What the form and the chips show; what was sent is shown as it was sent, right or wrong."""
    return {
        "chips": list(_chips(asked, known)),
        "rows_of_form": _rows(asked, sent),
        "attribute_groups": _groups(known),
        "operators": [(operator.value, operator.label) for operator in Operator],
        "kinds": [(key, label, key in sent.get("has", ())) for key, label in _kinds(known).items()],
        "days": [_day_field(asked, sent, moment) for moment in Moment],
        "whens": [when.value for when in When],
        "channels": [(channel.value, channel.label, channel in sent.get("reach", ())) for channel in Channel],
        "birthday": any(sent.get("birthday", ())),
        "column_fields": [*asked.columns, ""][:MOST_ROWS],
        "hidden": [pair for c in asked.conditions if isinstance(c, Member) for pair in conditions.to_parameters([c])],
        "problems": [(_place(wrong), _with_name(wrong, sent, known)) for wrong in asked.wrong],
    }


def _chips(asked: Asked, known: Known) -> Iterator[Chip]:
    if asked.text:
        yield Chip(f"Identifier is {asked.text}", asked.address(text=False))
    if asked.added.label:
        yield Chip(asked.added.label, asked.address(added=False))
    for condition in asked.conditions:
        yield Chip(_said(condition, known), asked.address(without=condition))


def _said(condition: Condition, known: Known) -> str:
    """A condition in the words of the labels."""
    labels = {a.key: a.label for a in known.attributes} | OWN_FIELDS
    match condition:
        case AttributeCondition(key, operator, value):
            return " ".join(filter(None, (labels.get(key, key), operator.label, value)))
        case HasIdentifier(kind):
            return f"Has {labels.get(kind, kind)}"
    return str(condition)


def _rows(asked: Asked, sent: Parameters) -> list[FormRow]:
    """What was sent, and a blank row for one more."""
    rows = [FormRow(i, *row, problems=_problems(asked, i)) for i, row in enumerate(conditions.rows(sent)[:MOST_ROWS])]
    return [*rows, FormRow(len(rows))][:MOST_ROWS]


def _problems(asked: Asked, row: int) -> tuple[str, ...]:
    return tuple(str(w) for w in asked.wrong if w.row == row and w.field in _OF_A_ROW)


def _groups(known: Known) -> dict[str, list[tuple[str, str]]]:
    """The attributes to choose from, by kind."""
    groups: dict[str, list[tuple[str, str]]] = {"Own attributes": [], "Standard attributes": [], "Identifiers": []}
    for attribute in known.attributes:
        own = "Standard attributes" if attribute.built_in else "Own attributes"
        groups["Identifiers" if attribute.identifier else own].append((attribute.key, attribute.label))
    return {name: choices for name, choices in groups.items() if choices}


def _kinds(known: Known) -> dict[str, str]:
    """What people can have to be found by."""
    return {EXTERNAL_ID: OWN_FIELDS[EXTERNAL_ID]} | {a.key: a.label for a in known.attributes if a.identifier}


def _day_field(asked: Asked, sent: Parameters, moment: Moment) -> DayField:
    day, when = ([*sent.get(name, ()), ""][0] for name in (moment.value, f"{moment}_when"))
    problem = next((str(wrong) for wrong in asked.wrong if wrong.field == moment), "")
    return DayField(moment.value, when, day, problem)


_OF_A_ROW = ("attribute", "operator", "value")


def _place(wrong: InvalidCondition) -> str:
    """The id of the field that a problem is about."""
    if wrong.field in _OF_A_ROW:
        return f"{wrong.field}-{wrong.row}"
    known = ("has", "reach", *Moment, "import_name", "outcome")
    return wrong.field if wrong.field in known else "changelist-filter"


def _with_name(wrong: InvalidCondition, sent: Parameters, known: Known) -> str:
    """A problem as it is told far from its field."""
    name = wrong.field.capitalize() if wrong.field in set(Moment) else ""
    if wrong.field in _OF_A_ROW:
        key = conditions.rows(sent)[wrong.row][0]
        name = known.schema.definitions[key].label if key in known.schema.definitions else key
    return f"{name}: {wrong}" if name else str(wrong)
