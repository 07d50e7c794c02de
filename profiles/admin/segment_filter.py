"""The filter *Segment* of the list of people: one or more, by number or by exact name; all must hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from profiles import segments
from profiles.admin import named
from profiles.condition_parameters import Parameters
from profiles.conditions import Condition, InvalidCondition
from profiles.models import Segment
from profiles.schema import Schema

RECENT = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    """A segment that the list is narrowed to; ``label`` is what tells it from others."""

    number: int
    label: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One text box of the form. ``same``: number and label of segments that are called as somebody typed."""

    number: int
    text: str = ""
    problem: str = ""
    same: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says about segments, and what is wrong with it."""

    chosen: Sequence[Chosen]
    fields: Sequence[Field]
    wrong: Sequence[InvalidCondition]

    @property
    def conditions(self) -> list[Condition]:
        return [condition for each in self.chosen for condition in each.conditions]


def read(sent: Parameters, schema: Schema) -> Asked:
    """The segments of an address: their numbers, or their exact names as somebody types them."""
    texts = dict.fromkeys(text.strip() for text in sent.get("segment_name", ()) if text.strip())
    numbers = dict.fromkeys(int(text) for text in sent.get("segment", ()) if _is_number(text))
    by_text = named.called(Segment.objects.all(), texts)
    by_number = Segment.objects.in_bulk(numbers) if numbers else {}
    chosen: dict[int, Chosen] = {}
    fields: list[Field] = []
    wrong: list[InvalidCondition] = []
    for text, number in [*((text, 0) for text in texts), *(("", number) for number in numbers)]:
        found = by_text.get(text, []) if text else [by_number[number]] if number in by_number else []
        problem, same = "", []
        if len(found) == 1:
            one, problem = _read(found[0], schema)
            chosen[one.number] = one
            text = one.label
        elif found:
            same = [(each.pk, named.label(each)) for each in found]
            problem = f"{len(found)} segments have this name. Choose one of them."
        elif text:
            problem = "No segment is called exactly so: whole names are compared, with capitals."
        else:
            problem = "This segment is not there any more; remove this filter."
            chosen[number] = Chosen(number, f"#{number}")
        if problem:
            wrong.append(InvalidCondition(problem, "segment", len(fields)))
        fields.append(Field(len(fields), text, problem, same))
    return Asked(list(chosen.values()), [*fields, Field(len(fields))], wrong)


def recent() -> list[str]:
    """The newest segments, to choose from."""
    return [named.label(segment) for segment in Segment.objects.only("name", "created").order_by("-pk")[:RECENT]]


def why_not(conditions: Iterable[Condition], schema: Schema) -> str:
    """The first of a segment's conditions that means nothing any more, and why; empty if all are sound."""
    for condition in conditions:
        try:
            segments.test(condition, schema)
        except InvalidCondition as invalid:
            return f"It asks for “{condition}”. {invalid}"
    return ""


def _read(segment: Segment, schema: Schema) -> tuple[Chosen, str]:
    """A segment, and what is wrong with it."""
    label = named.label(segment)
    try:
        found = segments.conditions_of(segment)
    except InvalidCondition as invalid:
        return Chosen(segment.pk, label), f"Nobody can be found by this segment. {invalid}"
    problem = why_not(found, schema)
    return Chosen(segment.pk, label, found), f"Nobody can be found by this segment. {problem}" if problem else ""


def _is_number(text: Any) -> bool:
    return bool(text.isascii() and text.isdecimal() and len(text) <= 18)
