"""The rows of the list of people, and the links between its pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.people_list.query import PeopleQuery, ResultPage, SchemaInfo
from profiles.admin.source import Source
from profiles.merging.actions import as_list
from profiles.models import ChangeSet, Profile

IDENTIFIERS_SHOWN = 4
PAGES_AROUND = 2


@dataclass(frozen=True, slots=True)
class PersonLine:
    """The row of one person in the list."""

    address: str
    name: str
    identifiers: list[str]
    more: list[str]
    cells: list[Any]
    source: Source | None


@dataclass(frozen=True, slots=True)
class PageLink:
    """A link to a page of the list; None as the number stands for pages left out."""

    number: int | None
    address: str = ""
    here: bool = False


def table_context(
    query: PeopleQuery, result: ResultPage, schema_info: SchemaInfo, screen: ExtensibleAdmin, request: HttpRequest
) -> dict[str, Any]:
    """Return the context of the table and of the links below it."""
    last: dict[int, dict[str, Any]] = {_last_import(p): p.last_import for p in result.people if p.last_import}  # type: ignore[attr-defined]
    sources = screen.writers(request, [ChangeSet(**fields) for fields in last.values()])
    return {
        "columns": [schema_info.schema.definitions[key].label for key in query.columns],
        "lines": [_line(person, query, schema_info, sources) for person in result.people],
        "pages": list(_pages(query, result)),
        "previous": query.address(page=query.page - 1) if query.page > 1 else "",
        "next": query.address(page=query.page + 1) if result.more else "",
    }


def _line(person: Profile, query: PeopleQuery, schema_info: SchemaInfo, sources: dict[int, Source]) -> PersonLine:
    identifiers = list(_identifiers(person, schema_info))
    return PersonLine(
        address=reverse("admin:profiles_profile_change", args=[person.pk]),
        name=_name(person),
        identifiers=identifiers[:IDENTIFIERS_SHOWN],
        more=identifiers[IDENTIFIERS_SHOWN:],
        cells=[person.attributes.get(key, "") for key in query.columns],
        source=sources.get(_last_import(person)),
    )


def _last_import(person: Profile) -> int:
    """Return the primary key of the change set of the last import that wrote the person; 0 for none."""
    fields: dict[str, Any] = person.last_import or {}  # type: ignore[attr-defined]
    return int(fields.get("id", 0))


def _name(person: Profile) -> str:
    values = person.attributes
    name = values.get("name") or " ".join(str(values[key]) for key in ("first_name", "last_name") if values.get(key))
    return str(name).strip()


def _identifiers(person: Profile, schema_info: SchemaInfo) -> Iterator[str]:
    """Yield the identifiers of a person; the Object ID only if there are no others."""
    values = [person.external_id, person.alias_name]
    for kind in schema_info.schema.identifiers:
        values.extend(str(value) for value in as_list(person.attributes.get(kind)))
    yield from [value for value in values if value] or [person.object_id]


def _pages(query: PeopleQuery, result: ResultPage) -> Iterator[PageLink]:
    """Yield links to the first page, the pages around this one and the last, which is approximate for an estimate."""
    here, size = query.page, query.size
    last = max(-(-result.count.people // size), here) if result.count else here + result.more
    around = range(max(1, here - PAGES_AROUND), min(last, here + PAGES_AROUND) + 1)
    before = 0
    for number in sorted({1, *around, last}):
        if number > before + 1:
            yield PageLink(None)
        yield PageLink(number, query.address(page=number), number == here)
        before = number
