"""The query string of the list of people, parsed, and its result; shared by the list, its filters and segments."""

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
    """The schema, the attributes with an index, and whether there are subscription groups."""

    attributes: Sequence[Attribute]
    schema: Schema
    indexed: frozenset[str]
    has_groups: bool


@dataclass(frozen=True, slots=True)
class PeopleQuery:
    """The query string of the list, parsed: filters, search, columns and page, and what is invalid."""

    conditions: Sequence[Condition]
    text: str
    columns: Sequence[str]
    extra: ExtraFilter
    groups: group_filter.GroupFilter
    segments: segment_filter.SegmentFilter
    page: int
    exactly: bool
    errors: Sequence[InvalidCondition]
    size: int = PAGE_SIZE

    @property
    def all_conditions(self) -> list[Condition]:
        extra = [self.extra.condition] if self.extra.condition else []
        return list(dict.fromkeys([*self.conditions, *extra, *self.segments.conditions]))

    @property
    def is_narrowed(self) -> bool:
        return bool(self.conditions or self.text or self.extra.parameters or self.segments.chosen)

    def pairs(
        self,
        *,
        without: Condition | None = None,
        without_segment: int = 0,
        text: bool = True,
        extra: bool = True,
        page: int = 1,
        exactly: bool = False,
        more: Iterable[tuple[str, str]] = (),
    ) -> Pairs:
        """Return the parameters of the query string, with some left out or more added on request."""
        return [
            *([("q", self.text)] if text and self.text else []),
            *(self.extra.parameters if extra else []),
            *(("segment", str(each.number)) for each in self.segments.chosen if each.number != without_segment),
            *condition_parameters.to_parameters(c for c in self.conditions if c != without),
            *(("show", key) for key in self.columns if tuple(self.columns) != DEFAULT_COLUMNS),
            *([("p", str(page))] if page > 1 else []),
            *([("count", "exact")] if exactly else []),
            *more,
        ]

    def address(self, **parts: Any) -> str:
        """Return the query string of the list; ``parts`` as for `pairs`."""
        return "?" + urlencode(self.pairs(**parts))


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of people. ``stopped``: the time limit ended the search or, if there are people, only the count."""

    people: Sequence[Profile] = ()
    more: bool = False
    count: Count | None = None
    stopped: bool = False


def load_schema_info() -> SchemaInfo:
    """Return the schema and what else the filters need (one query)."""
    annotated = Attribute.objects.annotate(
        indexed=filter_index.has_index(), has_groups=Exists(SubscriptionGroup.objects.all())
    )
    attributes = list(annotated.order_by("-built_in", "key"))
    schema = Schema.of(attribute.definition for attribute in attributes)
    indexed = frozenset(attribute.key for attribute in attributes if attribute.indexed)
    return SchemaInfo(attributes, schema, indexed, any(attribute.has_groups for attribute in attributes))


# --- parsing ------------------------------------------------------------------------------------


def parse_query(sent: Parameters, schema_info: SchemaInfo, screen: ExtensibleAdmin) -> PeopleQuery:
    """Parse a query string of the list, valid or not."""
    conditions, errors = condition_parameters.from_parameters(sent)
    extra, segments = screen.extra_filter(sent), segment_filter.parse_segments(sent, schema_info.schema)
    groups = group_filter.parse_groups(sent, conditions)
    columns = [key for key in dict.fromkeys(sent.get("show", ())) if key in schema_info.schema.definitions]
    return PeopleQuery(
        conditions=list(dict.fromkeys([*conditions, *groups.conditions])),
        text=_last(sent, "q"),
        columns=columns[:MAX_COLUMNS] or [key for key in DEFAULT_COLUMNS if key in schema_info.schema.definitions],
        extra=extra,
        groups=groups,
        segments=segments,
        page=_page_number(_last(sent, "p")),
        exactly=_last(sent, "count") == "exact",
        errors=[
            *errors,
            *_invalid_conditions(conditions, sent, schema_info.schema),
            *extra.errors,
            *groups.errors,
            *segments.errors,
        ],
    )


def _invalid_conditions(conditions: Iterable[Condition], sent: Parameters, schema: Schema) -> list[InvalidCondition]:
    """Return the errors of well-formed conditions: an unknown attribute, or a value that is not of its type."""
    errors = []
    for condition in conditions:
        try:
            query_builder.condition_filter(condition, schema)
        except InvalidCondition as invalid:
            invalid.row = _row_of(condition, sent)
            errors.append(invalid)
    return errors


def _row_of(condition: Condition, sent: Parameters) -> int:
    """Return which row of the form holds the condition."""
    for number, row in enumerate(condition_parameters.form_rows(sent)):
        single = {name: [text] for name, text in zip(("attribute", "operator", "value"), row, strict=True)}
        if condition in condition_parameters.from_parameters(single)[0]:
            return number
    return 0


def _last(sent: Parameters, name: str) -> str:
    return sent[name][-1].strip() if sent.get(name) else ""


def _page_number(text: str) -> int:
    return min(max(int(text), 1), MAX_PAGE) if text.isascii() and text.isdecimal() and len(text) < 10 else 1
