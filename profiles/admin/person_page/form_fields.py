"""The fields of a person's form: convert values to texts in boxes, and texts back to values (design rule 4)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import QueryDict
from django.utils import timezone

from profiles.admin.choices import choices
from profiles.merging.actions import as_list
from profiles.merging.consent import DND, Channel, group_of
from profiles.models import Profile
from profiles.schema import ALIAS, ALIAS_FIELDS, EXTERNAL_ID, MAX_OWN_FIELD_BYTES, OWN_FIELDS, Definition, Schema
from profiles.values import parsers
from profiles.values.dates import iso_day, iso_instant
from profiles.values.types import InvalidValue, SubscriptionState, Value, ValueOptions, ValueType
from profiles.writing.errors import FormError

MAX_LIST_LENGTH = 200
"""A longer list is only shown, since a page cannot hold a box for each value."""

LONG_TEXT = 60
"""A text with more characters gets a box of several lines."""

FIRST_FIELDS = ("first_name", "last_name", "email", "phone")
"""The fields in the form of a new person."""


@dataclass(frozen=True, slots=True)
class Widget:
    """The form control of a value: a list of choices, or a box of an HTML type, with a matching on-screen keyboard.

    Numbers, e-mail addresses and URLs have plain boxes: browsers send nothing for text that they cannot read as a
    number, and refuse addresses that ``profiles.values`` accepts.
    """

    type: str = "text"
    mode: str = ""
    choices: Mapping[str, str] | None = None


_WIDGETS = {
    ValueType.INTEGER: Widget(mode="numeric"),
    ValueType.NUMBER: Widget(mode="decimal"),
    ValueType.DATE: Widget("date"),
    ValueType.DATETIME: Widget("datetime-local"),
    ValueType.EMAIL: Widget(mode="email"),
    ValueType.PHONE: Widget("tel"),
    ValueType.URL: Widget(mode="url"),
}


@dataclass(slots=True)
class Box:
    """One text box or one select."""

    id: str
    text: str
    label: str
    problem: str = ""
    is_first: bool = True
    up_command: str = ""
    """The value of the button that moves this value up in its list; empty for no button."""


@dataclass(slots=True)
class Field:
    """One attribute, or a field that every person has, with the texts that are shown or were sent for it.

    ``stored`` is the person's value. A text that still stands for it is not parsed again, so that nothing is lost that
    a box cannot show, and values stored under other rules may stay.
    """

    definition: Definition
    stored: Any = None
    texts: list[str] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    faults: list[FormError] = field(default_factory=list)
    stored_now: list[str] | None = None
    """The values that somebody else saved after the page was opened."""

    @property
    def key(self) -> str:
        return self.definition.key

    @property
    def is_consent(self) -> bool:
        """Whether the field is about consent (section 15)."""
        return self.definition.type is ValueType.SUBSCRIPTION or self.key in DND

    @property
    def name(self) -> str:
        return f"value-{quote(self.key, safe='')}"

    @property
    def is_list(self) -> bool:
        return self.definition.multi_valued or isinstance(self.stored, list)

    @property
    def fixed(self) -> bool:
        """Whether the value is only shown and cannot be edited."""
        values = as_list(self.stored)
        return len(values) > MAX_LIST_LENGTH or not all(isinstance(value, Value) for value in values)

    @property
    def shown(self) -> list[str]:
        """The stored values as texts."""
        return [_shown(self.definition, value) for value in as_list(self.stored)]

    @property
    def widget(self) -> Widget:
        """The form control for the type; a plain box if that control cannot show all of the texts."""
        kind = self.definition.type
        widget = replace(_WIDGETS.get(kind, Widget()), choices=_choices(self.definition))
        return widget if all(_fits(widget, text) for text in self.texts if text) else Widget()

    @property
    def is_long(self) -> bool:
        longest = LONG_TEXT if self.definition.type is ValueType.TEXT else MAX_OWN_FIELD_BYTES[EXTERNAL_ID]
        return any(len(text) > longest or "\n" in text for text in self.texts)

    @property
    def first_box(self) -> Box:
        return self.boxes()[0]

    def boxes(self) -> list[Box]:
        """Return a box for each text, and for a list an empty one to add a value."""
        texts = [*self.texts, ""] if self.is_list or not self.texts else self.texts
        return [self._box(at, text) for at, text in enumerate(texts)]

    def _box(self, at: int, text: str) -> Box:
        label = self.definition.label
        if at:
            label = f"{label} {at + 1}" if text else f"{label}, add another"
        up = f"up:{self.name}:{at}" if at and text else ""
        return Box(f"id_{self.name}" + (f"-{at + 1}" if at else ""), text, label, self.problems.get(at, ""), not at, up)

    def read(self) -> Any:
        """Parse the texts and return the value, None for none; store the errors in ``problems``."""
        if self.texts == self.shown:
            return self.stored
        stored = dict(zip(self.shown, as_list(self.stored), strict=True))
        values = []
        for at, text in enumerate(self.texts):
            if not parsers.is_blank(text):
                try:
                    values.append(stored[text] if text in stored else _read(self.definition, text))
                except InvalidValue as problem:
                    self.problems[at] = f"{problem.reason}."
        if self.is_list:
            return values or None
        return values[0] if values else None

    def swap_up(self, at: int) -> None:
        if 0 < at < len(self.texts):
            self.texts[at - 1 : at + 1] = reversed(self.texts[at - 1 : at + 1])


def person_fields(person: Profile | None, schema: Schema) -> list[Field]:
    """Return the fields in the form of a person: attributes with a value, mandatory ones, and consent for each channel;
    for a new person, the usual ones and the mandatory ones."""
    values = {} if person is None else person.attributes
    first = FIRST_FIELDS if person is None else (*DND, *(channel.key for channel in Channel))
    shown = (d for d in schema.definitions.values() if d.key in values or d.mandatory or d.key in first)
    own = [each for each in _own_fields(person) if each.key not in ALIAS_FIELDS or each.stored]
    fields = [*own, *(Field(definition, values.get(definition.key)) for definition in shown)]
    for each in fields:
        each.texts = each.shown
    return fields


def submitted_fields(sent: QueryDict, person: Profile | None, schema: Schema) -> list[Field]:
    """Return the fields of a submitted form, with its texts."""
    values = {} if person is None else person.attributes
    all_fields = [*_own_fields(person), *(Field(d, values.get(d.key)) for d in schema.definitions.values())]
    fields = [each for each in all_fields if each.name in sent and not each.fixed]
    for each in fields:
        texts = [_normal(each.definition, text) for text in sent.getlist(each.name)]
        each.texts = [text for text in texts if text][: None if each.is_list else 1]
    return fields


def serialize_opened(fields: Iterable[Field]) -> str:
    """Return the texts of a page as JSON, to detect later which fields the user changed."""
    return json.dumps({each.name: each.shown for each in fields if not each.fixed})


def refresh_untyped(fields: Iterable[Field], was: str) -> None:
    """Show the stored values in fields that the user left unchanged. ``was``: the result of `serialize_opened`."""
    try:
        before = dict(json.loads(was))
    except (TypeError, ValueError):
        return
    for each in fields:
        if each.texts == before.get(each.name, []):
            each.texts = each.shown


def empty_fields(key: str, schema: Schema) -> list[Field]:
    """Return empty fields for an attribute or an alias; none for another key."""
    if key == ALIAS:
        return [each for each in _own_fields(None) if each.key in ALIAS_FIELDS]
    return [Field(schema.definitions[key])] if key in schema.definitions else []


def display_texts(value: Any, definition: Definition | None) -> list[str]:
    """Return a value as texts to read, one for each value of a list; codes with a name are replaced by it."""
    if definition is None:
        return list(map(str, as_list(value)))
    names = _choices(definition) or {}
    texts = [_shown(definition, each) for each in as_list(value)]
    if definition.type is ValueType.DATETIME:
        texts = [text.replace("T", " ") for text in texts]
    return [names.get(text, text) for text in texts]


def _own_fields(person: Profile | None) -> list[Field]:
    """Return the fields that every person has and that can be changed: External ID and alias."""
    return [
        Field(Definition(key, OWN_FIELDS[key], ValueType.TEXT, identifier=True), person and getattr(person, key))
        for key in (EXTERNAL_ID, *ALIAS_FIELDS)
    ]


def _choices(definition: Definition) -> Mapping[str, str] | None:
    """Return the names of a closed list; without *opted in* for groups (AT-50)."""
    names = choices(definition.type)
    if names is None or group_of(definition.key) is None:
        return names
    return {state: name for state, name in names.items() if state != SubscriptionState.OPTED_IN}


def _fits(widget: Widget, text: str) -> bool:
    """Return whether a form control can show a text unchanged."""
    if widget.choices is not None:
        return text in widget.choices
    if widget.type == "date":
        return iso_day(text) is not None
    if widget.type == "datetime-local":
        return "Z" not in text and iso_instant(text) is not None
    return "\n" not in text


def _shown(definition: Definition, value: Any) -> str:
    """Return a value as the text to type for it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if definition.type is ValueType.DATETIME and isinstance(value, str) and iso_instant(value) == value:
        try:
            moment = datetime.fromisoformat(value).astimezone(timezone.get_current_timezone())
        except OverflowError:
            return value
        return moment.isoformat()[:19]
    return _LINE_BREAK.sub("\n", str(value))


def _normal(definition: Definition, text: str) -> str:
    """Return a text that a browser sent with the line ends and seconds that it changed or dropped."""
    text = _LINE_BREAK.sub("\n", text)
    if definition.type is ValueType.DATETIME and _TO_THE_MINUTE.fullmatch(text):
        return f"{text}:00"
    return text


_LINE_BREAK = re.compile("\r\n?")
_TO_THE_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


def _read(definition: Definition, text: str) -> Value:
    options = ValueOptions(
        default_country=settings.IMPORTS_DEFAULT_COUNTRY or None,
        time_zone=timezone.get_current_timezone_name(),
        max_bytes=MAX_OWN_FIELD_BYTES.get(definition.key, ValueOptions().max_bytes),
    )
    if group_of(definition.key) is not None:
        return parsers.membership_parser(options)(text)
    # Outer white space is removed from identifiers; other texts keep it (D-13).
    return parsers.parser(definition.type, options)(text.strip() if definition.identifier else text)


def submitted_values(fields: Iterable[Field]) -> dict[str, Any]:
    """Return the values of all fields by key; each field keeps its errors in ``problems``."""
    return {each.key: each.read() for each in fields}
