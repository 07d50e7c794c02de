"""The fields of a person's form: values as texts in boxes, and texts read back as values (design rule 4)."""

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
"""More values than a page can sensibly show in boxes."""

LONG_TEXT = 60
"""A text with more characters gets several lines."""

FIRST_FIELDS = ("first_name", "last_name", "email", "phone")
"""What the form of somebody new asks for."""


@dataclass(frozen=True, slots=True)
class Widget:
    """What a value is typed into: a list of names, or a box of an HTML type with a keyboard to go with it.

    Numbers, addresses and links have plain boxes: browsers send nothing at all for what they cannot read as a number,
    and refuse addresses that `values` takes.
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
    """One place to type in, or one select."""

    id: str
    text: str
    label: str
    problem: str = ""
    is_first: bool = True
    move_up: str = ""
    """What a button sends that moves the value up in its list."""


@dataclass(slots=True)
class Field:
    """One attribute, or an own field of the person, with the texts that are shown or were sent for it.

    ``stored`` is what the person has. A text that stands for it still is not read anew: nothing is lost that a box
    cannot show, and what came in under other rules may stay.
    """

    definition: Definition
    stored: Any = None
    texts: list[str] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    faults: list[FormError] = field(default_factory=list)
    meanwhile: list[str] | None = None
    """What somebody else saved after the page was opened."""

    @property
    def key(self) -> str:
        return self.definition.key

    @property
    def is_consent(self) -> bool:
        """Whether it says something about being written to (section 15)."""
        return self.definition.type is ValueType.SUBSCRIPTION or self.key in DND

    @property
    def name(self) -> str:
        return f"value-{quote(self.key, safe='')}"

    @property
    def is_list(self) -> bool:
        return self.definition.multi_valued or isinstance(self.stored, list)

    @property
    def fixed(self) -> bool:
        """Whether the value is only shown."""
        several = as_list(self.stored)
        return len(several) > MAX_LIST_LENGTH or not all(isinstance(value, Value) for value in several)

    @property
    def shown(self) -> list[str]:
        """The stored values as texts."""
        return [_shown(self.definition, value) for value in as_list(self.stored)]

    @property
    def widget(self) -> Widget:
        """The box for the type; a plain one where that could not show each of the texts."""
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
        """A box for each text, and an empty one for one more value of a list."""
        texts = [*self.texts, ""] if self.is_list or not self.texts else self.texts
        return [self._box(at, text) for at, text in enumerate(texts)]

    def _box(self, at: int, text: str) -> Box:
        label = self.definition.label
        if at:
            label = f"{label} {at + 1}" if text else f"{label}, one more"
        up = f"up:{self.name}:{at}" if at and text else ""
        return Box(f"id_{self.name}" + (f"-{at + 1}" if at else ""), text, label, self.problems.get(at, ""), not at, up)

    def read(self) -> Any:
        """The value of the texts, None for none; what is wrong with one goes to ``problems``."""
        if self.texts == self.shown:
            return self.stored
        known = dict(zip(self.shown, as_list(self.stored), strict=True))
        found = []
        for at, text in enumerate(self.texts):
            if not parsers.is_blank(text):
                try:
                    found.append(known[text] if text in known else _read(self.definition, text))
                except InvalidValue as problem:
                    self.problems[at] = f"{problem.reason}."
        if self.is_list:
            return found or None
        return found[0] if found else None

    def move_up(self, at: int) -> None:
        if 0 < at < len(self.texts):
            self.texts[at - 1 : at + 1] = reversed(self.texts[at - 1 : at + 1])


def person_fields(person: Profile | None, schema: Schema) -> list[Field]:
    """What the form of a person shows: what they have, what everybody must have, and what they said of each channel;
    for somebody new the usual."""
    known = {} if person is None else person.attributes
    first = FIRST_FIELDS if person is None else (*DND, *(channel.key for channel in Channel))
    shown = (d for d in schema.definitions.values() if d.key in known or d.mandatory or d.key in first)
    own = [each for each in _own(person) if each.key not in ALIAS_FIELDS or each.stored]
    fields = [*own, *(Field(definition, known.get(definition.key)) for definition in shown)]
    for each in fields:
        each.texts = each.shown
    return fields


def submitted_fields(sent: QueryDict, person: Profile | None, schema: Schema) -> list[Field]:
    """The fields of a form that came back, with its texts."""
    known = {} if person is None else person.attributes
    every = [*_own(person), *(Field(d, known.get(d.key)) for d in schema.definitions.values())]
    fields = [each for each in every if each.name in sent and not each.fixed]
    for each in fields:
        texts = [_normal(each.definition, text) for text in sent.getlist(each.name)]
        each.texts = [text for text in texts if text][: None if each.is_list else 1]
    return fields


def serialize_opened(fields: Iterable[Field]) -> str:
    """The texts of a page as it is sent out, to tell later in which fields somebody typed."""
    return json.dumps({each.name: each.shown for each in fields if not each.fixed})


def refresh_untyped(fields: Iterable[Field], was: str) -> None:
    """Let fields in which nobody typed, going by what the page showed when it was opened, show what is stored now."""
    try:
        before = dict(json.loads(was))
    except (TypeError, ValueError):
        return
    for each in fields:
        if each.texts == before.get(each.name, []):
            each.texts = each.shown


def empty_fields(key: str, schema: Schema) -> list[Field]:
    """Empty fields for one more attribute, or for an alias; none for what is neither."""
    if key == ALIAS:
        return [each for each in _own(None) if each.key in ALIAS_FIELDS]
    return [Field(schema.definitions[key])] if key in schema.definitions else []


def display_texts(value: Any, definition: Definition | None) -> list[str]:
    """A value for reading, each of a list by itself, by their names where they have one."""
    if definition is None:
        return list(map(str, as_list(value)))
    names = _choices(definition) or {}
    texts = [_shown(definition, each) for each in as_list(value)]
    if definition.type is ValueType.DATETIME:
        texts = [text.replace("T", " ") for text in texts]
    return [names.get(text, text) for text in texts]


def _own(person: Profile | None) -> list[Field]:
    """The fields of a person that are no attributes and can be changed."""
    return [
        Field(Definition(key, OWN_FIELDS[key], ValueType.TEXT, identifier=True), person and getattr(person, key))
        for key in (EXTERNAL_ID, *ALIAS_FIELDS)
    ]


def _choices(definition: Definition) -> Mapping[str, str] | None:
    """The names of a closed list; nobody is opted into a group (AT-50)."""
    names = choices(definition.type)
    if names is None or group_of(definition.key) is None:
        return names
    return {state: name for state, name in names.items() if state != SubscriptionState.OPTED_IN}


def _fits(widget: Widget, text: str) -> bool:
    """Whether a box shows a text as it is."""
    if widget.choices is not None:
        return text in widget.choices
    if widget.type == "date":
        return iso_day(text) is not None
    if widget.type == "datetime-local":
        return "Z" not in text and iso_instant(text) is not None
    return "\n" not in text


def _shown(definition: Definition, value: Any) -> str:
    """A value as the text that a person would type for it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if definition.type is ValueType.DATETIME and isinstance(value, str) and iso_instant(value) == value:
        try:
            moment = datetime.fromisoformat(value).astimezone(timezone.get_current_timezone())
        except OverflowError:
            return value
        return moment.isoformat()[:19]
    return _LINE_END.sub("\n", str(value))


def _normal(definition: Definition, text: str) -> str:
    """A text that a browser sent, with the line ends and seconds that it changed or left out."""
    text = _LINE_END.sub("\n", text)
    if definition.type is ValueType.DATETIME and _TO_THE_MINUTE.fullmatch(text):
        return f"{text}:00"
    return text


_LINE_END = re.compile("\r\n?")
_TO_THE_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


def _read(definition: Definition, text: str) -> Value:
    options = ValueOptions(
        default_country=settings.IMPORTS_DEFAULT_COUNTRY or None,
        time_zone=timezone.get_current_timezone_name(),
        max_bytes=MAX_OWN_FIELD_BYTES.get(definition.key, ValueOptions().max_bytes),
    )
    if group_of(definition.key) is not None:
        return parsers.membership_parser(options)(text)
    # Identifiers are read without outer white space; other texts keep it (D-13).
    return parsers.parser(definition.type, options)(text.strip() if definition.identifier else text)


def submitted_values(fields: Iterable[Field]) -> dict[str, Any]:
    """The values of all fields; what is wrong is left with its field."""
    return {each.key: each.read() for each in fields}
