"""The filter *Segment* of the list of people: one or more by number or exact name; people must be in all of them."""

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
    """A segment that the list is filtered by. ``label``: unique, unlike its name."""

    number: int
    label: str
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """One text box of the form. ``same``: number and label of the segments with the name that was typed."""

    number: int
    text: str = ""
    problem: str = ""
    same: Sequence[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class SegmentFilter:
    """The segments of a query string, and its errors. ``recent``: the labels of the newest segments, to choose from."""

    chosen: Sequence[ChosenSegment]
    fields: Sequence[Field]
    errors: Sequence[InvalidCondition]
    recent: Sequence[str]

    @property
    def conditions(self) -> list[Condition]:
        return [condition for each in self.chosen for condition in each.conditions]


def parse_segments(sent: Parameters, schema: Schema) -> SegmentFilter:
    """Return the segments of a query string, which holds their numbers, or their exact names as typed by a user."""
    texts = dict.fromkeys(text.strip() for text in sent.get("segment_name", ()) if text.strip())
    numbers = dict.fromkeys(_number(text.strip()) for text in sent.get("segment", ()) if text.strip())
    by_text = name_lookup.find_by_name(Segment.objects.all(), texts)
    by_number, recent = _numbered_and_recent(numbers)
    chosen: dict[int, ChosenSegment] = {}
    fields: list[Field] = []
    errors: list[InvalidCondition] = []
    for text, number in [*((text, 0) for text in texts), *(("", number) for number in numbers)]:
        segments = by_text.get(text, []) if text else [by_number[number]] if number in by_number else []
        problem, same = "", []
        if len(segments) == 1:
            segment, problem = _read(segments[0], schema)
            chosen[segment.number] = segment
            text = segment.label
        elif segments:
            same = [(each.pk, name_lookup.unique_label(each)) for each in segments]
            problem = f"{len(segments)} segments have this name. Choose one of them."
        elif text:
            problem = "No segment has exactly this name. Enter the whole name, in the same case."
        else:
            problem = "This segment no longer exists; remove this filter."
            chosen[number] = ChosenSegment(number, f"#{number}")
        if problem:
            errors.append(InvalidCondition(problem, "segment", len(fields)))
        fields.append(Field(len(fields), text, problem, same))
    return SegmentFilter(list(chosen.values()), [*fields, Field(len(fields))], errors, recent)


def describe_invalid_condition(conditions: Iterable[Condition], schema: Schema) -> str:
    """Return the first condition of a segment that is no longer valid, and why; empty if all are valid."""
    for condition in conditions:
        try:
            query_builder.condition_filter(condition, schema)
        except InvalidCondition as invalid:
            return f"Its filter “{condition}” is no longer valid. {invalid}"
    return ""


def _numbered_and_recent(numbers: Iterable[int]) -> tuple[dict[int, Segment], list[str]]:
    """Return the segments with these numbers, and the labels of the newest segments (one query)."""
    newest = Q(pk__in=Segment.objects.order_by("-pk").values("pk")[:MAX_RECENT])
    read = {segment.pk: segment for segment in Segment.objects.filter(newest | Q(pk__in=numbers)).order_by("-pk")}
    return read, [name_lookup.unique_label(segment) for segment in list(read.values())[:MAX_RECENT]]


def _read(segment: Segment, schema: Schema) -> tuple[ChosenSegment, str]:
    """Return a segment and what is wrong with it, empty if nothing is."""
    label = name_lookup.unique_label(segment)
    try:
        conditions = query_builder.conditions_of(segment)
    except InvalidCondition as invalid:
        return ChosenSegment(segment.pk, label), f"This segment contains nobody. {invalid}"
    problem = describe_invalid_condition(conditions, schema)
    return ChosenSegment(segment.pk, label, conditions), f"This segment contains nobody. {problem}" if problem else ""


def _number(text: str) -> int:
    """Return the number of a segment; 0, which no segment has, for text that is not a number."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0
