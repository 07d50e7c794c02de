"""The filter *Segment* of the list of people: one or more, by number or by exact name; all must hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import Q

from profiles.admin import name_lookup
from profiles.models import Segment
from profiles.schema import Schema
from profiles.search import query_builder
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import Condition, InvalidCondition

MAX_RECENT = 50


@dataclass(frozen=True, slots=True)
class ChosenSegment:
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
class SegmentFilter:
    """What the address says about segments, what is wrong with it, and the newest segments, to choose from."""

    chosen: Sequence[ChosenSegment]
    fields: Sequence[Field]
    wrong: Sequence[InvalidCondition]
    recent: Sequence[str]

    @property
    def conditions(self) -> list[Condition]:
        return [condition for each in self.chosen for condition in each.conditions]


def parse_segments(sent: Parameters, schema: Schema) -> SegmentFilter:
    """The segments of an address: their numbers, or their exact names as somebody types them."""
    texts = dict.fromkeys(text.strip() for text in sent.get("segment_name", ()) if text.strip())
    numbers = dict.fromkeys(_number(text.strip()) for text in sent.get("segment", ()) if text.strip())
    by_text = name_lookup.find_by_name(Segment.objects.all(), texts)
    by_number, recent = _numbered_and_recent(numbers)
    chosen: dict[int, ChosenSegment] = {}
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
            same = [(each.pk, name_lookup.unique_label(each)) for each in found]
            problem = f"{len(found)} segments have this name. Choose one of them."
        elif text:
            problem = "No segment is called exactly so: whole names are compared, with capitals."
        else:
            problem = "This segment is not there any more; remove this filter."
            chosen[number] = ChosenSegment(number, f"#{number}")
        if problem:
            wrong.append(InvalidCondition(problem, "segment", len(fields)))
        fields.append(Field(len(fields), text, problem, same))
    return SegmentFilter(list(chosen.values()), [*fields, Field(len(fields))], wrong, recent)


def describe_invalid_condition(conditions: Iterable[Condition], schema: Schema) -> str:
    """The first of a segment's conditions that means nothing any more, and why; empty if all are sound."""
    for condition in conditions:
        try:
            query_builder.condition_filter(condition, schema)
        except InvalidCondition as invalid:
            return f"It asks for “{condition}”. {invalid}"
    return ""


def _numbered_and_recent(numbers: Iterable[int]) -> tuple[dict[int, Segment], list[str]]:
    """The segments that have these numbers, and what the newest are called; one query."""
    newest = Q(pk__in=Segment.objects.order_by("-pk").values("pk")[:MAX_RECENT])
    found = {segment.pk: segment for segment in Segment.objects.filter(newest | Q(pk__in=numbers)).order_by("-pk")}
    return found, [name_lookup.unique_label(segment) for segment in list(found.values())[:MAX_RECENT]]


def _read(segment: Segment, schema: Schema) -> tuple[ChosenSegment, str]:
    """A segment, and what is wrong with it."""
    label = name_lookup.unique_label(segment)
    try:
        found = query_builder.conditions_of(segment)
    except InvalidCondition as invalid:
        return ChosenSegment(segment.pk, label), f"Nobody can be found by this segment. {invalid}"
    problem = describe_invalid_condition(found, schema)
    return ChosenSegment(segment.pk, label, found), f"Nobody can be found by this segment. {problem}" if problem else ""


def _number(text: str) -> int:
    """The number of a segment; 0, which none has, for what is no number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0
