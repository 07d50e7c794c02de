"""The list of people: search, filters, a page of them, and how many there are, fast however many (section 17)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.people_list import filters, table
from profiles.admin.people_list.query import (
    PAGE_SIZE,
    PeopleQuery,
    ResultPage,
    SchemaInfo,
    load_schema_info,
    parse_query,
)
from profiles.database.statement_timeout import StatementTimeout, statement_timeout
from profiles.models import Change, ChangeSet, Profile
from profiles.search import listing, query_builder, quick_search
from profiles.search.conditions import AttributeCondition
from profiles.search.listing import Count


def people_list_view(request: HttpRequest, screen: ExtensibleAdmin, extra: dict[str, Any]) -> HttpResponse:
    """The list that the address asks for; an address with blanks, as the form sends it, is tidied first.

    Raises ``PermissionDenied``.
    """
    if not screen.has_view_permission(request):
        raise PermissionDenied
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    known = load_schema_info()
    asked = parse_query(sent, known, screen)
    here: dict[str, Any] = {"page": asked.page, "exactly": asked.exactly}
    if not asked.wrong and sorted(asked.pairs(**here)) != sorted((name, each) for name in sent for each in sent[name]):
        return HttpResponseRedirect(asked.address(**here))
    found = ResultPage() if asked.wrong else _find(asked, known)
    context = {
        "title": "People",
        "opts": Profile._meta,
        "may_add": screen.has_add_permission(request),
        "asked": asked,
        "found": found,
        **_told(asked, found, known),
        **filters.filter_context(asked, sent, known),
        "save_address": _save_address(request, asked),
        **table.table_context(asked, found, known, screen, request),
    }
    shown = admin.site.each_context(request) | context | asked.added.context | extra
    return TemplateResponse(request, screen.list_template, shown)


def _save_address(request: HttpRequest, asked: PeopleQuery) -> str:
    """Where the filters are saved as a segment; empty where there is nothing to save, or nobody who may."""
    is_sound = asked.all_conditions and not asked.wrong and not asked.text
    may_save = request.user.has_perm("profiles.add_segment")
    return f"{reverse('admin:profiles_segment_add')}{asked.address()}" if is_sound and may_save else ""


# --- who is found -------------------------------------------------------------------------------


def _find(asked: PeopleQuery, known: SchemaInfo) -> ResultPage:
    """A page and the count, within the time limit. A page that came in time stays when only counting takes too long."""
    people = query_builder.find_people(asked.all_conditions, known.schema)
    if asked.text:
        people = people.filter(quick_search.identifier_filter(asked.text, known.schema))
    rows: list[Profile] = []
    try:
        with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
            rows = list(_with_last_import(listing.page(people, asked.page, PAGE_SIZE)))
            count = _count(people, rows, asked, known)
    except StatementTimeout:
        return ResultPage(rows[:PAGE_SIZE], len(rows) > PAGE_SIZE, None, stopped=True)
    return ResultPage(rows[:PAGE_SIZE], len(rows) > PAGE_SIZE, count)


def _with_last_import(people: QuerySet[Profile]) -> QuerySet[Profile]:
    """People with what is known of the last import that wrote them, so that it needs no query of its own."""
    imports = Change.objects.filter(profile_id=OuterRef("pk"), change_set__kind__in=_IMPORTS)
    known = JSONObject(id="change_set_id", kind="change_set__kind", source="change_set__source")
    return people.annotate(last_import=Subquery(imports.order_by("-change_set_id").values(known=known)[:1]))


_IMPORTS = (ChangeSet.Kind.IMPORT, ChangeSet.Kind.COMMAND, ChangeSet.Kind.INBOX)


def _count(people: QuerySet[Profile], rows: Sequence[Profile], asked: PeopleQuery, known: SchemaInfo) -> Count | None:
    if len(rows) <= PAGE_SIZE and (rows or asked.page == 1):
        return Count((asked.page - 1) * PAGE_SIZE + len(rows), is_exact=True)
    is_estimable = not asked.text and all(
        query_builder.is_estimable(condition, known.schema, known.indexed) for condition in asked.all_conditions
    )
    return listing.count(people, exactly=asked.exactly, is_estimable=is_estimable)


# --- what is said about it ----------------------------------------------------------------------


def _told(asked: PeopleQuery, found: ResultPage, known: SchemaInfo) -> dict[str, Any]:
    """What the page says where there is nobody to show, or not everything is known."""
    return {
        "seconds": settings.IMPORTS_FILTER_SECONDS,
        "unmarked": _unmarked(asked, known),
        "searched": [*(label for label in ("External ID", "Object ID", "alias")), *_channels(known)],
        "shown_so_far": (asked.page - 1) * PAGE_SIZE + len(found.people),
        "exact_address": asked.address(page=asked.page, exactly=True),
        "first_address": asked.address(),
    }


def _unmarked(asked: PeopleQuery, known: SchemaInfo) -> list[str]:
    """The attributes of the filters that could be made fast by marking them filterable."""
    used = {condition.key for condition in asked.conditions if isinstance(condition, AttributeCondition)}
    return [a.label for a in known.attributes if a.key in used and not a.filterable and not a.identifier]


def _channels(known: SchemaInfo) -> list[str]:
    return [known.schema.definitions[kind].label for kind in known.schema.lookup_identifiers]
