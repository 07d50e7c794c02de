"""The list of people: search, filters, a page and a count, fast for any number of people (section 17)."""

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
    """Show the list for a query string; one with blanks, as the form sends it, is redirected to a short one.

    Raises ``PermissionDenied``.
    """
    if not screen.has_view_permission(request):
        raise PermissionDenied
    sent = {name: [str(value) for value in request.GET.getlist(name)] for name in request.GET}
    schema_info = load_schema_info()
    query = parse_query(sent, schema_info, screen)
    current: dict[str, Any] = {"page": query.page, "exactly": query.exactly}
    if not query.errors and sorted(query.pairs(**current)) != sorted((n, each) for n in sent for each in sent[n]):
        return HttpResponseRedirect(query.address(**current))
    result = ResultPage() if query.errors else _search(query, schema_info)
    context = {
        "title": "People",
        "opts": Profile._meta,
        "may_add": screen.has_add_permission(request),
        "query": query,
        "result": result,
        **_message_context(query, result, schema_info),
        **filters.filter_context(query, sent, schema_info),
        "save_address": _save_address(request, query),
        **table.table_context(query, result, schema_info, screen, request),
    }
    site_context = admin.site.each_context(request)
    return TemplateResponse(request, screen.list_template, site_context | context | query.extra.context | extra)


def _save_address(request: HttpRequest, query: PeopleQuery) -> str:
    """Return the URL that saves the filters as a segment; empty if there are none or the user may not save them."""
    can_save = query.all_conditions and not query.errors and not query.text
    may_save = request.user.has_perm("profiles.add_segment")
    return f"{reverse('admin:profiles_segment_add')}{query.address()}" if can_save and may_save else ""


# --- result -------------------------------------------------------------------------------------


def _search(query: PeopleQuery, schema_info: SchemaInfo) -> ResultPage:
    """Return a page and the count, within the time limit; only the page if the count alone takes too long."""
    people = query_builder.find_people(query.all_conditions, schema_info.schema)
    if query.text:
        people = people.filter(quick_search.identifier_filter(query.text, schema_info.schema))
    rows: list[Profile] = []
    try:
        with statement_timeout(settings.IMPORTS_FILTER_SECONDS):
            rows = list(_with_last_import(listing.page(people, query.page, PAGE_SIZE)))
            count = _count(people, rows, query, schema_info)
    except StatementTimeout:
        return ResultPage(rows[:PAGE_SIZE], len(rows) > PAGE_SIZE, None, stopped=True)
    return ResultPage(rows[:PAGE_SIZE], len(rows) > PAGE_SIZE, count)


def _with_last_import(people: QuerySet[Profile]) -> QuerySet[Profile]:
    """Annotate people with the change set of the last import that wrote them, so that it needs no query of its own."""
    imports = Change.objects.filter(profile_id=OuterRef("pk"), change_set__kind__in=_IMPORTS)
    fields = JSONObject(id="change_set_id", kind="change_set__kind", source="change_set__source")
    return people.annotate(last_import=Subquery(imports.order_by("-change_set_id").values(fields=fields)[:1]))


_IMPORTS = (ChangeSet.Kind.IMPORT, ChangeSet.Kind.COMMAND, ChangeSet.Kind.INBOX)


def _count(
    people: QuerySet[Profile], rows: Sequence[Profile], query: PeopleQuery, schema_info: SchemaInfo
) -> Count | None:
    if len(rows) <= PAGE_SIZE and (rows or query.page == 1):
        return Count((query.page - 1) * PAGE_SIZE + len(rows), is_exact=True)
    is_estimable = not query.text and all(
        query_builder.is_estimable(condition, schema_info.schema, schema_info.indexed)
        for condition in query.all_conditions
    )
    return listing.count(people, exactly=query.exactly, is_estimable=is_estimable)


# --- messages -----------------------------------------------------------------------------------


def _message_context(query: PeopleQuery, result: ResultPage, schema_info: SchemaInfo) -> dict[str, Any]:
    """Return the context of the messages about an empty list, a stopped search or an estimated count."""
    return {
        "seconds": settings.IMPORTS_FILTER_SECONDS,
        "unmarked": _unmarked(query, schema_info),
        "searched": [*(label for label in ("External ID", "Object ID", "alias")), *_channels(schema_info)],
        "shown_so_far": (query.page - 1) * PAGE_SIZE + len(result.people),
        "exact_address": query.address(page=query.page, exactly=True),
        "first_address": query.address(),
    }


def _unmarked(query: PeopleQuery, schema_info: SchemaInfo) -> list[str]:
    """Return the labels of the filtered attributes that would be fast if they were marked as filterable."""
    used = {condition.key for condition in query.conditions if isinstance(condition, AttributeCondition)}
    return [a.label for a in schema_info.attributes if a.key in used and not a.filterable and not a.identifier]


def _channels(schema_info: SchemaInfo) -> list[str]:
    return [schema_info.schema.definitions[kind].label for kind in schema_info.schema.lookup_identifiers]
