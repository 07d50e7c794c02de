"""The list of people: search, filters, a page of them, and how many there are, fast however many (section 17)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from profiles.admin.people_list import filters, group_filter, segment_filter, table
from profiles.attributes import filter_index
from profiles.database.statement_timeout import TookTooLong, time_limit
from profiles.models import Attribute, Change, ChangeSet, Profile, SubscriptionGroup
from profiles.schema import Schema
from profiles.search import condition_parameters, listing, query_builder, quick_search
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import AttributeCondition, Condition, InvalidCondition
from profiles.search.listing import Count

if TYPE_CHECKING:
    from profiles.admin.people import ProfileAdmin

PAGE_SIZE = 100
LAST_PAGE = 10_000_000
COLUMNS = ("home_city",)
MOST_COLUMNS = 5

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Added:
    """A filter that another part of the site adds: the condition, what its chip says, its part of the address, what
    is wrong with it, and what its part of the form shows."""

    condition: Condition | None = None
    label: str = ""
    parameters: Pairs = field(default_factory=list)
    wrong: Sequence[InvalidCondition] = ()
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Known:
    """The schema, of which attributes an index is there, and whether there are subscription groups."""

    attributes: Sequence[Attribute]
    schema: Schema
    indexed: frozenset[str]
    has_groups: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for."""

    conditions: Sequence[Condition]
    text: str
    columns: Sequence[str]
    added: Added
    groups: group_filter.Asked
    segments: segment_filter.Asked
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
            *(("show", key) for key in self.columns if tuple(self.columns) != COLUMNS),
            *([("p", str(page))] if page > 1 else []),
            *([("count", "exact")] if exactly else []),
            *more,
        ]

    def address(self, **parts: Any) -> str:
        """The address of the same list, or of one with something left out: see `pairs`."""
        return "?" + urlencode(self.pairs(**parts))


@dataclass(frozen=True, slots=True)
class Found:
    """A page of people. ``stopped``: the time limit ended the search, or only the count where there are people."""

    people: Sequence[Profile] = ()
    more: bool = False
    count: Count | None = None
    stopped: bool = False


def view(request: HttpRequest, screen: ProfileAdmin, extra: dict[str, Any]) -> HttpResponse:
    """The list that the address asks for; an address with blanks, as the form sends it, is tidied first.

    Raises ``PermissionDenied``.
    """
    if not screen.has_view_permission(request):
        raise PermissionDenied
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    known = what_is_known()
    asked = what_is_asked(sent, known, screen)
    here: dict[str, Any] = {"page": asked.page, "exactly": asked.exactly}
    if not asked.wrong and sorted(asked.pairs(**here)) != sorted((name, each) for name in sent for each in sent[name]):
        return HttpResponseRedirect(asked.address(**here))
    found = Found() if asked.wrong else _find(asked, known)
    context = {
        "title": "People",
        "opts": Profile._meta,
        "may_add": screen.has_add_permission(request),
        "asked": asked,
        "found": found,
        **_told(asked, found, known),
        **filters.context(asked, sent, known),
        "save_address": _save_address(request, asked),
        **table.context(asked, found, known, screen, request),
    }
    shown = admin.site.each_context(request) | context | asked.added.context | extra
    return TemplateResponse(request, screen.list_template, shown)


def what_is_known() -> Known:
    """The schema, and what else the filters need of it, with one query."""
    told = Attribute.objects.annotate(
        indexed=filter_index.standing(), has_groups=Exists(SubscriptionGroup.objects.all())
    )
    attributes = list(told.order_by("-built_in", "key"))
    schema = Schema.of(attribute.definition for attribute in attributes)
    indexed = frozenset(attribute.key for attribute in attributes if attribute.indexed)
    return Known(attributes, schema, indexed, any(attribute.has_groups for attribute in attributes))


# --- what is asked for --------------------------------------------------------------------------


def what_is_asked(sent: Parameters, known: Known, screen: ProfileAdmin) -> Asked:
    """What an address of the list asks for, right or wrong."""
    found, wrong = condition_parameters.from_parameters(sent)
    added, chosen = screen.added(sent), segment_filter.read(sent, known.schema)
    groups = group_filter.read(sent, found)
    columns = [key for key in dict.fromkeys(sent.get("show", ())) if key in known.schema.definitions]
    return Asked(
        conditions=list(dict.fromkeys([*found, *groups.conditions])),
        text=_last(sent, "q"),
        columns=columns[:MOST_COLUMNS] or [key for key in COLUMNS if key in known.schema.definitions],
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
            query_builder.test(condition, schema)
        except InvalidCondition as invalid:
            invalid.row = _row_of(condition, sent)
            wrong.append(invalid)
    return wrong


def _row_of(condition: Condition, sent: Parameters) -> int:
    """Which row of the form says this."""
    for place, row in enumerate(condition_parameters.rows(sent)):
        alone = {name: [text] for name, text in zip(("attribute", "operator", "value"), row, strict=True)}
        if condition in condition_parameters.from_parameters(alone)[0]:
            return place
    return 0


def _last(sent: Parameters, name: str) -> str:
    return sent[name][-1].strip() if sent.get(name) else ""


def _page_number(text: str) -> int:
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdecimal() and len(text) < 10 else 1


def _save_address(request: HttpRequest, asked: Asked) -> str:
    """Where the filters are saved as a segment; empty where there is nothing to save, or nobody who may."""
    is_sound = asked.all_conditions and not asked.wrong and not asked.text
    may_save = request.user.has_perm("profiles.add_segment")
    return f"{reverse('admin:profiles_segment_add')}{asked.address()}" if is_sound and may_save else ""


# --- who is found -------------------------------------------------------------------------------


def _find(asked: Asked, known: Known) -> Found:
    """A page and the count, within the time limit. A page that came in time stays when only counting takes too long."""
    people = query_builder.people(asked.all_conditions, known.schema)
    if asked.text:
        people = people.filter(quick_search.holders(asked.text, known.schema))
    rows: list[Profile] = []
    try:
        with time_limit(settings.IMPORTS_FILTER_SECONDS):
            rows = list(_with_last_import(listing.page(people, asked.page, PAGE_SIZE)))
            count = _count(people, rows, asked, known)
    except TookTooLong:
        return Found(rows[:PAGE_SIZE], len(rows) > PAGE_SIZE, None, stopped=True)
    return Found(rows[:PAGE_SIZE], len(rows) > PAGE_SIZE, count)


def _with_last_import(people: QuerySet[Profile]) -> QuerySet[Profile]:
    """People with what is known of the last import that wrote them, so that it needs no query of its own."""
    imports = Change.objects.filter(profile_id=OuterRef("pk"), change_set__kind__in=_IMPORTS)
    known = JSONObject(id="change_set_id", kind="change_set__kind", source="change_set__source")
    return people.annotate(last_import=Subquery(imports.order_by("-change_set_id").values(known=known)[:1]))


_IMPORTS = (ChangeSet.Kind.IMPORT, ChangeSet.Kind.COMMAND, ChangeSet.Kind.INBOX)


def _count(people: QuerySet[Profile], rows: Sequence[Profile], asked: Asked, known: Known) -> Count | None:
    if len(rows) <= PAGE_SIZE and (rows or asked.page == 1):
        return Count((asked.page - 1) * PAGE_SIZE + len(rows), is_exact=True)
    is_estimable = not asked.text and all(
        query_builder.is_counted(condition, known.schema, known.indexed) for condition in asked.all_conditions
    )
    return listing.count(people, exactly=asked.exactly, is_estimable=is_estimable)


# --- what is said about it ----------------------------------------------------------------------


def _told(asked: Asked, found: Found, known: Known) -> dict[str, Any]:
    """What the page says where there is nobody to show, or not everything is known."""
    return {
        "seconds": settings.IMPORTS_FILTER_SECONDS,
        "unmarked": _unmarked(asked, known),
        "searched": [*(label for label in ("External ID", "Object ID", "alias")), *_channels(known)],
        "shown_so_far": (asked.page - 1) * PAGE_SIZE + len(found.people),
        "exact_address": asked.address(page=asked.page, exactly=True),
        "first_address": asked.address(),
    }


def _unmarked(asked: Asked, known: Known) -> list[str]:
    """The attributes of the filters that could be made fast by marking them filterable."""
    used = {condition.key for condition in asked.conditions if isinstance(condition, AttributeCondition)}
    return [a.label for a in known.attributes if a.key in used and not a.filterable and not a.identifier]


def _channels(known: Known) -> list[str]:
    return [known.schema.definitions[kind].label for kind in known.schema.found_by]
