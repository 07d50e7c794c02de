"""The lines of the list of people, and the links between its pages."""

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
    """One person as the list shows them."""

    address: str
    name: str
    identifiers: list[str]
    more: list[str]
    cells: list[Any]
    source: Source | None


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page of the list; no number stands for those left out."""

    number: int | None
    address: str = ""
    here: bool = False


def table_context(
    asked: PeopleQuery, found: ResultPage, known: SchemaInfo, screen: ExtensibleAdmin, request: HttpRequest
) -> dict[str, Any]:
    """What the table and the links below it show."""
    last: dict[int, dict[str, Any]] = {_last_import(p): p.last_import for p in found.people if p.last_import}  # type: ignore[attr-defined]
    sources = screen.writers(request, [ChangeSet(**known) for known in last.values()])
    return {
        "columns": [known.schema.definitions[key].label for key in asked.columns],
        "lines": [_line(person, asked, known, sources) for person in found.people],
        "pages": list(_pages(asked, found)),
        "previous": asked.address(page=asked.page - 1) if asked.page > 1 else "",
        "next": asked.address(page=asked.page + 1) if found.more else "",
    }


def _line(person: Profile, asked: PeopleQuery, known: SchemaInfo, sources: dict[int, Source]) -> PersonLine:
    held = list(_identifiers(person, known))
    return PersonLine(
        address=reverse("admin:profiles_profile_change", args=[person.pk]),
        name=_name(person),
        identifiers=held[:IDENTIFIERS_SHOWN],
        more=held[IDENTIFIERS_SHOWN:],
        cells=[person.attributes.get(key, "") for key in asked.columns],
        source=sources.get(_last_import(person)),
    )


def _last_import(person: Profile) -> int:
    """The primary key of the change set that was the last import to write them; 0 for none."""
    known: dict[str, Any] = person.last_import or {}  # type: ignore[attr-defined]
    return int(known.get("id", 0))


def _name(person: Profile) -> str:
    known = person.attributes
    name = known.get("name") or " ".join(str(known[key]) for key in ("first_name", "last_name") if known.get(key))
    return str(name).strip()


def _identifiers(person: Profile, known: SchemaInfo) -> Iterator[str]:
    """What the person is found by; their system's id only where they have nothing else."""
    held = [person.external_id, person.alias_name]
    for kind in known.schema.identifiers:
        held.extend(str(value) for value in as_list(person.attributes.get(kind)))
    shown = [value for value in held if value]
    yield from shown or [person.object_id]


def _pages(asked: PeopleQuery, found: ResultPage) -> Iterator[PageLink]:
    """The first page, those around this one, and the last, which an estimate of the count may miss by a little."""
    here, size = asked.page, asked.size
    last = max(-(-found.count.people // size), here) if found.count else here + found.more
    around = range(max(1, here - PAGES_AROUND), min(last, here + PAGES_AROUND) + 1)
    before = 0
    for number in sorted({1, *around, last}):
        if number > before + 1:
            yield PageLink(None)
        yield PageLink(number, asked.address(page=number), number == here)
        before = number
