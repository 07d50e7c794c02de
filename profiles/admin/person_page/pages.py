"""The content of a person's pages: fields, sources of values, history, and what a deletion removes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from profiles import history
from profiles.admin.event_list import event_lines
from profiles.admin.extensible import ExtensibleAdmin
from profiles.admin.labels import person_label
from profiles.admin.person_page import consent, form_fields
from profiles.admin.person_page.form_fields import Field
from profiles.admin.source import Source
from profiles.merging import alias
from profiles.merging.consent import consent_keys, group_of, is_consent
from profiles.models import Change, ChangeSet, Event, Profile
from profiles.schema import ALIAS, ALIAS_NAME, EXTERNAL_ID, OWN_IDENTIFIERS, Schema, identifier_of
from profiles.search import timeline
from profiles.writing import store
from profiles.writing.errors import ErrorKind, FormError

ENTRIES_SHOWN = 20
"""Change sets on one page of the history."""

EVENTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ValueWriter:
    """The source that wrote a value last, and its change set."""

    source: Source
    change_set: ChangeSet


@dataclass(frozen=True, slots=True)
class ReadOnlyValue:
    """A value that is shown but not edited. ``is_owned``: whether an import wrote it (AT-13)."""

    label: str
    texts: list[str]
    writer: ValueWriter | None
    is_consent: bool
    is_owned: bool


@dataclass(frozen=True, slots=True)
class ChangeCell:
    """A value before and after a change; None for no value."""

    label: str
    old: list[str] | None
    new: list[str] | None


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """The changes that one change set made to the person."""

    change: Change
    source: Source
    outcome: str
    cells: list[ChangeCell]


@dataclass(frozen=True, slots=True)
class PersonForm:
    """The fields to show on the page.

    ``version``: of the person that the fields show. ``was``: the texts that the page of that version showed, as
    submitted; empty for a page that shows the stored values.
    """

    fields: list[Field]
    version: int | None = None
    faults: tuple[FormError, ...] = ()
    focus: str = ""
    was: str = ""

    def has(self, why: ErrorKind) -> bool:
        return any(fault.kind is why for fault in self.faults)


def value_label(key: str, schema: Schema) -> str:
    """Return the label of an attribute, or of a field that every person has."""
    definition = schema.definitions.get(key)
    return definition.label if definition else OWN_IDENTIFIERS.get(key, key)


def person_page(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile | None, schema: Schema, form: PersonForm
) -> HttpResponse:
    """Return the page of a person, or for None of a new person."""
    may_save = admin.has_change_permission(request, person) if person else admin.has_add_permission(request)
    fields = form.fields if may_save or not person else []
    context: dict[str, Any] = {
        "title": _title(person, form),
        "may_save": may_save,
        "deleted": form.has(ErrorKind.GONE),
        "changed": form.has(ErrorKind.CHANGED),
        "shared": form.has(ErrorKind.SHARED),
        "faults": list(_assign_faults(form.faults, fields)),
        "fields": [(each, None) for each in fields],
        "shows_consent": any(each.is_consent for each in fields),
        "has_errors": bool(form.faults) or any(each.problems for each in fields),
        "focus": form.focus,
        "addable": _addable(fields, person, schema),
        "version": form.version,
        "was": form.was or form_fields.serialize_opened(fields),
    }
    if person is not None:
        context |= _stored_context(request, admin, person, schema, fields)
    return _rendered(request, admin, "profiles/person.html", person, context)


def delete_page(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile, schema: Schema, faults: tuple[FormError, ...]
) -> HttpResponse:
    """Return the page that shows what will be deleted with a person, and asks for confirmation."""
    sets = ChangeSet.objects.filter(members__profile=person)
    channels = [key for key in schema.identifiers if key in person.attributes]
    context = {
        "title": "Delete this person?",
        "name": person_label(person),
        "faults": faults,
        "version": store.to_microseconds(person.updated),
        "changes": sets.count(),
        "imports": sets.exclude(kind=ChangeSet.Kind.PERSON).count(),
        "events": person.events.count(),
        "identifiers": [
            (value_label(key, schema), form_fields.display_texts(person.attributes[key], None)) for key in channels
        ],
    }
    return _rendered(request, admin, "profiles/person_delete.html", person, context)


def _title(person: Profile | None, form: PersonForm) -> str:
    if person is not None:
        return person_label(person)
    return "Deleted person" if form.has(ErrorKind.GONE) else "Add person"


def _assign_faults(faults: Iterable[FormError], fields: Iterable[Field]) -> Iterator[FormError]:
    """Add each fault to its field; yield the faults without one."""
    by_key = {each.key: each for each in fields}
    for fault in faults:
        if fault.field in by_key:
            by_key[fault.field].faults.append(fault)
        else:
            yield fault


def _addable(fields: Iterable[Field], person: Profile | None, schema: Schema) -> dict[str, list[tuple[str, str]]]:
    """Return the attributes that can be added to the form, by group."""
    shown = {each.key for each in fields} | (person.attributes.keys() if person else set())
    groups: dict[str, list[tuple[str, str]]] = {
        "Identifiers": [], "Standard attributes": [], "Custom attributes": [], "Subscription groups": []
    }  # fmt: skip
    if ALIAS_NAME not in shown:
        groups["Identifiers"].append((ALIAS, OWN_IDENTIFIERS[ALIAS]))
    for key, definition in schema.definitions.items():
        if key not in shown:
            kind = "Custom attributes" if group_of(key) is None else "Subscription groups"
            groups["Standard attributes" if definition.built_in else kind].append((key, definition.label))
    return {name: members for name, members in groups.items() if members}


def _stored_context(
    request: HttpRequest, admin: ExtensibleAdmin, person: Profile, schema: Schema, fields: list[Field]
) -> dict[str, Any]:
    """Return the context of a stored person: values, their sources, history and events."""
    entries = Paginator(history.changes_of(person), ENTRIES_SHOWN).get_page(request.GET.get("history"))
    written = history.load_provenance(person)
    number, events = _events_page(request, person)
    used = [*written.writers.values(), *(change.change_set for change in entries), *(e.change_set for e in events)]
    change_sets = {one.pk: one for one in used}
    sources = admin.writers(request, list(change_sets.values()))
    writers = {key: ValueWriter(sources[change_set.pk], change_set) for key, change_set in written.writers.items()}
    edited = [each for each in fields if not each.fixed]
    return {
        "channels": consent.channel_lines(person, schema),
        "owned": written.import_owned,
        "fields": [(each, writers.get(identifier_of(each.key))) for each in edited],
        "read_only_values": list(
            _read_only_values(
                person, schema, {identifier_of(each.key) for each in edited}, writers, written.import_owned
            )
        ),
        "entries": entries,
        "history": [_entry(change, schema, sources) for change in entries],
        "may_delete": admin.has_delete_permission(request, person),
        **_events_context(number, events, person, sources),
    }


def _events_page(request: HttpRequest, person: Profile) -> tuple[int, list[Event]]:
    """Return the number of the requested page of events, and its events, plus one if another page follows."""
    text = request.GET.get("events", "")
    number = max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 8 else 1
    return number, timeline.page(person.events.all(), number, EVENTS_SHOWN)


def _events_context(number: int, events: list[Event], person: Profile, sources: Mapping[int, Source]) -> dict[str, Any]:
    """Return the context of the timeline, newest first; the total is not counted."""
    return {
        "events": event_lines(events[:EVENTS_SHOWN], sources),
        "events_newer": number - 1,
        "events_older": number + 1 if len(events) > EVENTS_SHOWN else 0,
        "events_address": f"{reverse('admin:profiles_event_changelist')}?person={person.pk}",
    }


def _read_only_values(
    person: Profile, schema: Schema, edited: set[str], writers: Mapping[str, ValueWriter], owned: set[str]
) -> Iterator[ReadOnlyValue]:
    """Yield the values that the form does not edit."""
    of_consent = consent_keys(schema)
    pair = None if person.alias_name is None else [person.alias_label, person.alias_name]
    values = {EXTERNAL_ID: person.external_id, ALIAS: pair, **person.attributes}
    for key in _in_order(values, schema):
        texts = _texts(key, values[key], schema)
        if key not in edited and texts is not None:
            yield ReadOnlyValue(
                value_label(key, schema), texts, writers.get(key), is_consent(key, of_consent), key in owned
            )


def _entry(change: Change, schema: Schema, sources: Mapping[int, Source]) -> HistoryEntry:
    cells = []
    for key in _in_order(change.changes, schema):
        old, new = (_texts(key, value, schema) for value in change.changes[key])
        cells.append(ChangeCell(value_label(key, schema), old, new))
    return HistoryEntry(change, sources[change.change_set_id], _outcome(change), cells)


def _in_order(keys: Iterable[str], schema: Schema) -> list[str]:
    """Sort keys by the schema, the fields that every person has first; PostgreSQL returns them in another order."""
    order = {key: place for place, key in enumerate([*OWN_IDENTIFIERS, *schema.definitions])}
    return sorted(keys, key=lambda key: order.get(key, len(order)))


def _texts(key: str, value: Any, schema: Schema) -> list[str] | None:
    if value is None:
        return None
    return [alias.text_of(value)] if key == ALIAS else form_fields.display_texts(value, schema.definitions.get(key))


def _outcome(change: Change) -> str:
    if change.outcome == Change.Outcome.IMPORTED:
        return "created"
    return "updated" if change.changes else "matched, unchanged"


def _rendered(
    request: HttpRequest, admin: ExtensibleAdmin, template: str, person: Profile | None, context: dict[str, Any]
) -> HttpResponse:
    page_context = {"opts": Profile._meta, "person": person, **context}
    return TemplateResponse(request, template, admin.admin_site.each_context(request) | page_context)
