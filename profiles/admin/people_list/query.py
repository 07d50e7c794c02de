"""What the address of the list of people asks for, and what it finds; shared by the list, its filters and segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists
from django.utils.http import urlencode

from profiles.admin.extensible import MAX_PAGE, ExtensibleAdmin, ExtraFilter, Pairs
from profiles.admin.people_list import group_filter, segment_filter
from profiles.attributes import filter_index
from profiles.models import Attribute, Profile, SubscriptionGroup
from profiles.schema import Schema
from profiles.search import condition_parameters, query_builder
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import Condition, InvalidCondition
from profiles.search.listing import Count

PAGE_SIZE = 100
DEFAULT_COLUMNS = ("home_city",)
MAX_COLUMNS = 5


@dataclass(frozen=True, slots=True)
class SchemaInfo:
    """The schema, of which attributes an index is there, and whether there are subscription groups."""

    attributes: Sequence[Attribute]
    schema: Schema
    indexed: frozenset[str]
    has_groups: bool


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """What the address of the page asks for."""

    conditions: Sequence[Condition]
    text: str
    columns: Sequence[str]
    added: ExtraFilter
    groups: group_filter.GroupFilter
    segments: segment_filter.SegmentFilter
    page: int
    exactly: bool
    wrong: Sequence[InvalidCondition]
    size: int = PAGE_SIZE

    @property
    def all_conditions(self) -> list[Condition]:
        added = [self.added.condition] if self.added.condition else []
        return list(dict.fromkeys([*self.conditions, *added, *self.segments.conditions]))

    @property
    def is_narrowed(self) -> bool:
        return bool(self.conditions or self.text or self.added.parameters or self.segments.chosen)

    def pairs(
        self,
        *,
        without: Condition | None = None,
        without_segment: int = 0,
        text: bool = True,
        added: bool = True,
        page: int = 1,
        exactly: bool = False,
        more: Iterable[tuple[str, str]] = (),
    ) -> Pairs:
        """What the address says, or what it says with something left out, or with more."""
        return [
            *([("q", self.text)] if text and self.text else []),
            *(self.added.parameters if added else []),
            *(("segment", str(each.number)) for each in self.segments.chosen if each.number != without_segment),
            *condition_parameters.to_parameters(c for c in self.conditions if c != without),
            *(("show", key) for key in self.columns if tuple(self.columns) != DEFAULT_COLUMNS),
            *([("p", str(page))] if page > 1 else []),
            *([("count", "exact")] if exactly else []),
            *more,
        ]

    def address(self, **parts: Any) -> str:
        """The address of the same list, or of one with something left out: see `pairs`."""
        return "?" + urlencode(self.pairs(**parts))


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of people. ``stopped``: the time limit ended the search, or only the count where there are people."""

    people: Sequence[Profile] = ()
    more: bool = False
    count: Count | None = None
    stopped: bool = False


def load_schema_info() -> SchemaInfo:
    """The schema, and what else the filters need of it, with one query."""
    told = Attribute.objects.annotate(
        indexed=filter_index.has_index(), has_groups=Exists(SubscriptionGroup.objects.all())
    )
    attributes = list(told.order_by("-built_in", "key"))
    schema = Schema.of(attribute.definition for attribute in attributes)
    indexed = frozenset(attribute.key for attribute in attributes if attribute.indexed)
    return SchemaInfo(attributes, schema, indexed, any(attribute.has_groups for attribute in attributes))


# --- what is asked for --------------------------------------------------------------------------


def parse_query(sent: Parameters, known: SchemaInfo, screen: ExtensibleAdmin) -> PeopleQuery:
    """What an address of the list asks for, right or wrong."""
    found, wrong = condition_parameters.from_parameters(sent)
    added, chosen = screen.added(sent), segment_filter.parse_segments(sent, known.schema)
    groups = group_filter.parse_groups(sent, found)
    columns = [key for key in dict.fromkeys(sent.get("show", ())) if key in known.schema.definitions]
    return PeopleQuery(
        conditions=list(dict.fromkeys([*found, *groups.conditions])),
        text=_last(sent, "q"),
        columns=columns[:MAX_COLUMNS] or [key for key in DEFAULT_COLUMNS if key in known.schema.definitions],
        added=added,
        groups=groups,
        segments=chosen,
        page=_page_number(_last(sent, "p")),
        exactly=_last(sent, "count") == "exact",
        wrong=[*wrong, *_meaningless(found, sent, known.schema), *added.wrong, *groups.wrong, *chosen.wrong],
    )


def _meaningless(found: Iterable[Condition], sent: Parameters, schema: Schema) -> list[InvalidCondition]:
    """What is wrong with conditions that are well-formed: no such attribute, or a value that is none of its type."""
    wrong = []
    for condition in found:
        try:
            query_builder.condition_filter(condition, schema)
        except InvalidCondition as invalid:
            invalid.row = _row_of(condition, sent)
            wrong.append(invalid)
    return wrong


def _row_of(condition: Condition, sent: Parameters) -> int:
    """Which row of the form says this."""
    for place, row in enumerate(condition_parameters.form_rows(sent)):
        alone = {name: [text] for name, text in zip(("attribute", "operator", "value"), row, strict=True)}
        if condition in condition_parameters.from_parameters(alone)[0]:
            return place
    return 0


def _last(sent: Parameters, name: str) -> str:
    return sent[name][-1].strip() if sent.get(name) else ""


def _page_number(text: str) -> int:
    return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
