"""Check changes of the schema against the values that people have, and apply them (requirements section 6).

No stored value ever changes with the schema: a change is refused if a value would have to be stored in another form.
The caller holds the schema lock exclusively (``lock``) from the first check to the commit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from profiles.attributes import identifier_index, lock, usage
from profiles.attributes.usage import AttributeValue
from profiles.merging.actions import as_list, is_same_json
from profiles.merging.consent import GROUP_PREFIX, is_reserved
from profiles.models import Attribute, load_schema
from profiles.schema import MAX_KEY_BYTES, RESERVED_KEYS, Definition
from profiles.values.parsers import parser
from profiles.values.types import InvalidValue, Parser, ValueOptions, ValueType

IDENTIFIER_TYPES = (ValueType.TEXT, ValueType.EMAIL, ValueType.PHONE)
"""The types that an identifier can have."""

MAX_EXAMPLES = 3
MAX_COUNTED = 1_000
"""Counting the people whose values prevent a change ends at this number."""

_EXAMPLE_LENGTH = 40
_DATE_FORMAT = re.compile(r".*<[^<>]+>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """The reason why the schema cannot be changed, and the field of the attribute that causes it."""

    field: str
    reason: str


def lock_schema(attribute_id: int | None = None) -> str:
    """Lock the schema exclusively until commit; return the reason if that is not possible now, else an empty text.

    ``attribute_id``: the attribute to be changed; until commit no worker records progress of its index.
    """
    try:
        lock.lock_schema_exclusive(attribute_id)
    except lock.SchemaBusy:
        return "An import or another user is saving people at the moment. Nothing was changed. Try again in a minute."
    return ""


def find_faults(old: Definition | None, new: Definition) -> list[Fault]:
    """Return all reasons against creating an attribute (``old`` None), or against changing it."""
    faults = [] if old else list(_key_faults(new.key))
    if new.identifier and new.type not in IDENTIFIER_TYPES:
        types = " or ".join(_words(each) for each in IDENTIFIER_TYPES)
        reason = f"People can be matched by an attribute of type {types}, not by one of type {_words(new.type)}."
        faults.append(Fault("identifier", reason))
    if faults or (old and _stored_form(old) == _stored_form(new)):
        return faults
    return _value_faults(new)


def changes_stored_form(old: Definition, new: Definition) -> bool:
    """Return whether values would be stored, or looked up, in another form."""
    return (_stored_form(old), _lookup(old)) != (_stored_form(new), _lookup(new))


def update_identifier_index(old: Definition | None, attribute: Attribute) -> None:
    """Start updating the identifier index after a change of the schema that has no faults and is stored.

    The caller queues the work that ``attribute.index_work`` then names.
    """
    new = attribute.definition
    is_looked_up = new.identifier or (old is not None and old.identifier)
    if is_looked_up and (old is None or _lookup(old) != _lookup(new)):
        identifier_index.start_rebuild(attribute, is_new=old is None)


def deletion_obstacle(old: Definition) -> str:
    """Return the reason why an attribute cannot be deleted; empty if it can."""
    if old.built_in:
        return "This attribute is built in. It cannot be deleted."
    people = usage.count_people(old.key)
    if people is None:
        return "Counting the people who have this attribute takes too long now. Try again when the site is less busy."
    if people:
        who = "1 person has a value" if people == 1 else f"{people:,} people have values"
        return (
            f"{who} of {old.key}. Filter the list of people by this attribute with “exists”, and empty the value of "
            "each person; then the attribute can be deleted."
        )
    if old.indexing and identifier_index.has_values(old.key):
        return "The index of this identifier is still being removed. Try again in a minute."
    return ""


def _key_faults(key: str) -> Iterator[Fault]:
    """Yield the faults of a key. Headers contain keys, so a key must be a possible header (AT-10)."""
    if len(key.encode()) > MAX_KEY_BYTES:
        yield Fault("key", f"The key is {len(key.encode()):,} bytes long; the limit is {MAX_KEY_BYTES}. Shorten it.")
    if key.casefold() in RESERVED_KEYS:
        yield Fault("key", f"{key.casefold()} is a field that every person has. Choose another key.")
    if is_reserved(key):
        reason = f"Keys that begin with {GROUP_PREFIX} are used for memberships in subscription groups"
        if not key.startswith(GROUP_PREFIX):
            reason = f"{key} is the name of a column for subscription groups"
        yield Fault("key", f"{reason}. Choose another key.")
    alike = [other for other in load_schema().definitions if other.casefold() == key.casefold() and other != key]
    if alike:
        reason = f"The attribute {alike[0]} exists already, and headers match it in upper and lower case"
        yield Fault("key", f"{reason}. Choose another key.")
    if _DATE_FORMAT.fullmatch(key):
        yield Fault("key", "A key cannot end in angle brackets: in a header they hold a date format. Remove them.")


def _stored_form(definition: Definition) -> tuple[Any, ...]:
    """Return the settings that the stored values depend on."""
    return definition.type, definition.multi_valued


def _lookup(definition: Definition) -> tuple[Any, ...]:
    """Return the settings that the identifier index depends on."""
    return definition.identifier, definition.type


@dataclass(slots=True)
class _Misfits:
    """The number of people whose values do not fit, and a few of the values as examples."""

    people: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, holder: AttributeValue, value: Any) -> None:
        self.people += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(f"{_shown(value)} (person {holder.name})")

    def sentence(self, one: str, several: str) -> str:
        """Return a sentence such as `3 people have …: “abc” (person 7), …`."""
        who = "1 person has" if self.people == 1 else f"{self.people:,} people have"
        if self.people >= MAX_COUNTED:
            who = f"At least {MAX_COUNTED:,} people have"
        more = ", …" if self.people > len(self.examples) else ""
        return f"{who} {one if self.people == 1 else several}: {', '.join(self.examples)}{more}."


def _value_faults(new: Definition) -> list[Fault]:
    """Return the faults of people's values: those that the new type cannot read, and those it would store otherwise."""
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
    return list(_misfit_faults(new, unreadable, other_form, other_shape))


def _misfit(value: Any, parse: Parser) -> tuple[Any, bool] | None:
    """Return the first value that would not stay the same, and whether it is a value of the type."""
    for each in as_list(value):
        try:
            if not is_same_json(parse(_text(each)), each):
                return each, True
        except InvalidValue:
            return each, False
    return None


def _misfit_faults(
    new: Definition, unreadable: _Misfits, other_form: _Misfits, other_shape: _Misfits
) -> Iterator[Fault]:
    remedy = "Create a new attribute instead and import the values into it."
    type_ = f"the type {_words(new.type)}"
    if other_shape.people:
        now, then = ("a single value", "a list") if new.multi_valued else ("a list", "a single value")
        have = other_shape.sentence(f"{now} in this attribute", f"{now} in this attribute")
        yield Fault("multi_valued", f"{have} The attribute cannot become {then}. {remedy}")
    if unreadable.people:
        have = unreadable.sentence(f"a value that is not valid for {type_}", f"values that are not valid for {type_}")
        yield Fault("type", f"{have} Correct them first, or keep the type.")
    if other_form.people:
        text = f"would have to be stored in another form under {type_}"
        yield Fault("type", f"{other_form.sentence(f'a value that {text}', f'values that {text}')} {remedy}")


def _words(kind: ValueType) -> str:
    return kind.value.replace("_", " ")


def _text(value: Any) -> str:
    """Return a stored value as a file would contain it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_ISOLATED: Callable[[str], str] = "“\u2068{}\u2069”".format  # right-to-left text reorders nothing else


def _shown(value: Any) -> str:
    text = "".join(character if character.isprintable() else "·" for character in _text(value))
    return _ISOLATED(text if len(text) <= _EXAMPLE_LENGTH else f"{text[:_EXAMPLE_LENGTH]}…")
