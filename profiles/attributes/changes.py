"""What may be changed about the schema, checked against what people have (requirements section 6).

No stored value is ever changed with the schema: a change is refused where a value would have to be written in another
form. Whoever asks holds the schema alone (``schema_lock``) from the first question to the commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from profiles.attributes import identifier_index, lock, usage
from profiles.attributes.usage import AttributeValue
from profiles.merging.actions import as_list, is_same_json
from profiles.merging.consent import GROUP, is_reserved
from profiles.models import Attribute, load_schema
from profiles.schema import KEY_BYTES, RESERVED, Definition
from profiles.values.parsers import parser
from profiles.values.types import InvalidValue, Parser, ValueOptions, ValueType

IDENTIFIER_TYPES = (ValueType.TEXT, ValueType.EMAIL, ValueType.PHONE)
"""The types by which people are told apart."""

EXAMPLES = 3
MAX_COUNTED = 1_000
"""So many people are counted who are in the way of a change; then it is clear that it cannot be made."""

_EXAMPLE_LENGTH = 40
_DATE_FORMAT = re.compile(r".*<[^<>]+>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why the schema cannot be so, and which part of the attribute is to blame."""

    field: str
    reason: str


def lock_schema(attribute_id: int | None = None) -> str:
    """Hold the schema alone until commit; returns why that cannot be done now, empty if it is done.

    ``attribute_id``: what is to be changed; from then on no worker at its index notes how far that is.
    """
    try:
        lock.take_schema(attribute_id)
    except lock.SchemaBusy:
        return "People are being written just now. Nothing was changed; try again in a minute."
    return ""


def find_faults(old: Definition | None, new: Definition) -> list[Fault]:
    """Everything against making an attribute (``old`` None), or against making another one of it."""
    found = [] if old else list(_key_faults(new.key))
    if new.identifier and new.type not in IDENTIFIER_TYPES:
        kinds = " or ".join(_words(kind) for kind in IDENTIFIER_TYPES)
        found.append(Fault("identifier", f"People can be found by {kinds}, not by {_words(new.type)}."))
    if found or (old and _form(old) == _form(new)):
        return found
    return _value_faults(new)


def changes_stored_form(old: Definition, new: Definition) -> bool:
    """Whether values would be written, or looked up, in another way."""
    return (_form(old), _lookup(old)) != (_form(new), _lookup(new))


def apply_change(old: Definition | None, attribute: Attribute) -> None:
    """Have the index that people are found by follow a change of the schema that has no faults and is stored.

    The caller has the work queued that the attribute then tells of.
    """
    new = attribute.definition
    is_looked_up = new.identifier or (old is not None and old.identifier)
    if is_looked_up and (old is None or _lookup(old) != _lookup(new)):
        identifier_index.start_rebuild(attribute, is_new=old is None)


def deletion_obstacle(old: Definition) -> str:
    """Why an attribute has to stay; empty if it may go."""
    if old.built_in:
        return "This attribute belongs to every installation. It cannot be deleted."
    people = usage.count_people(old.key)
    if people is None:
        return "It takes too long to find out whether anybody has it. Try again when the site is less busy."
    if people:
        who = "1 person has a value" if people == 1 else f"{people:,} people have values"
        return (
            f"{who} of {old.key}. Find them in the list of people, by the filter for those who have this attribute, "
            "and empty it there; then it can be deleted."
        )
    if old.indexing and identifier_index.is_filled(old.key):
        return "What people were found by in it is still being cleared away. Try again in a minute."
    return ""


def _key_faults(key: str) -> Iterator[Fault]:
    """A key is what a header names, so it must be one that a header can name (AT-10)."""
    if len(key.encode()) > KEY_BYTES:
        yield Fault("key", f"The key takes {len(key.encode()):,} bytes and the limit is {KEY_BYTES}. Shorten it.")
    if key.casefold() in RESERVED:
        yield Fault("key", f"{key.casefold()} is a field that every person has. Choose another key.")
    if is_reserved(key):
        reason = f"Keys that begin with {GROUP} hold who is in which subscription group"
        if not key.startswith(GROUP):
            reason = f"{key} names the subscription groups of a file's rows"
        yield Fault("key", f"{reason}. Choose another key.")
    alike = [other for other in load_schema().definitions if other.casefold() == key.casefold() and other != key]
    if alike:
        yield Fault("key", f"{alike[0]} is an attribute already, and headers name it in any case. Choose another key.")
    if _DATE_FORMAT.fullmatch(key):
        yield Fault("key", "A key cannot end in angle brackets: in a header they hold the format of a date.")


def _form(definition: Definition) -> tuple[Any, ...]:
    """What the stored values depend on."""
    return definition.type, definition.multi_valued


def _lookup(definition: Definition) -> tuple[Any, ...]:
    """What the index depends on."""
    return definition.identifier, definition.type


@dataclass(slots=True)
class _Misfits:
    """People whose values do not fit, of whom a few serve as examples."""

    people: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, holder: AttributeValue, value: Any) -> None:
        self.people += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"{_shown(value)} (person {holder.name})")

    def say(self, one: str, several: str) -> str:
        """`3 people have …: “abc” (person 7), …`"""
        who = "1 person has" if self.people == 1 else f"{self.people:,} people have"
        if self.people >= MAX_COUNTED:
            who = f"{MAX_COUNTED:,} people or more have"
        more = ", …" if self.people > len(self.examples) else ""
        return f"{who} {one if self.people == 1 else several}: {', '.join(self.examples)}{more}."


def _value_faults(new: Definition) -> list[Fault]:
    """Look at everybody's values: those that the new type cannot read, and those that it would store otherwise."""
    unreadable, other_form, other_shape = _Misfits(), _Misfits(), _Misfits()
    parse = parser(new.type, ValueOptions())
    for page in usage.iter_pages(new.key):
        for holder in page:
            if isinstance(holder.value, list) != new.multi_valued:
                other_shape.add(holder, next(iter(as_list(holder.value)), ""))
                continue
            misfit = _misfit(holder.value, parse)
            if misfit is not None:
                value, is_value = misfit
                (other_form if is_value else unreadable).add(holder, value)
        if max(each.people for each in (unreadable, other_form, other_shape)) >= MAX_COUNTED:
            break
    return list(_told(new, unreadable, other_form, other_shape))


def _misfit(value: Any, parse: Parser) -> tuple[Any, bool] | None:
    """The first value that would not stay as it is, and whether it is one of the type at all."""
    for each in as_list(value):
        try:
            if not is_same_json(parse(_text(each)), each):
                return each, True
        except InvalidValue:
            return each, False
    return None


def _told(new: Definition, unreadable: _Misfits, other_form: _Misfits, other_shape: _Misfits) -> Iterator[Fault]:
    instead = "Make a new attribute instead and import the values into it."
    words = _words(new.type)
    if other_shape.people:
        have = other_shape.say("it as a single value", "it as a single value")
        become = "a list"
        if not new.multi_valued:
            have, become = other_shape.say("it as a list", "it as a list"), "a single value"
        yield Fault("multi_valued", f"{have} It cannot become {become}. {instead}")
    if unreadable.people:
        have = unreadable.say(f"a value that is no {words}", f"values that are no {words}")
        yield Fault("type", f"{have} Correct them first, or keep the type.")
    if other_form.people:
        as_type = f"would have to be stored in another form as {words}"
        yield Fault("type", f"{other_form.say(f'a value that {as_type}', f'values that {as_type}')} {instead}")


def _words(kind: ValueType) -> str:
    return kind.value.replace("_", " ")


def _text(value: Any) -> str:
    """A stored value as a file would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_ISOLATED: Callable[[str], str] = "“\u2068{}\u2069”".format  # text from right to left turns nothing else around


def _shown(value: Any) -> str:
    text = "".join(character if character.isprintable() else "·" for character in _text(value))
    return _ISOLATED(text if len(text) <= _EXAMPLE_LENGTH else f"{text[:_EXAMPLE_LENGTH]}…")
