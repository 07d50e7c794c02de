"""What may be known about people, and which of it they can be found by (requirements section 6). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from profiles.values import parsers
from profiles.values.types import ValueType

EXTERNAL_ID = "external_id"
OBJECT_ID = "object_id"
ALIAS = "alias"
ALIAS_LABEL = "alias_label"
ALIAS_NAME = "alias_name"
ALIAS_FIELDS = (ALIAS_LABEL, ALIAS_NAME)

OWN_FIELDS = {
    EXTERNAL_ID: "External ID",
    OBJECT_ID: "Object ID",
    ALIAS_LABEL: "Alias label",
    ALIAS_NAME: "Alias name",
}
"""What a column may go to that is a field of a person, not an attribute."""

OWN_IDENTIFIERS = {EXTERNAL_ID: "External ID", OBJECT_ID: "Object ID", ALIAS: "Alias"}
"""What people are found by that is no attribute. The alias is two fields, which identify together only (HI-18)."""

RESERVED = frozenset([*OWN_FIELDS, *OWN_IDENTIFIERS])
"""Keys that no attribute can have."""

LONGEST_OWN_FIELD = {EXTERNAL_ID: 1024, OBJECT_ID: 64, ALIAS_LABEL: 255, ALIAS_NAME: 255}
"""In bytes of UTF-8."""

KEY_BYTES = 120
"""Longest attribute key in bytes of UTF-8 (AT-10)."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute as the engine needs it."""

    key: str
    label: str
    type: ValueType
    multi_valued: bool = False
    mandatory: bool = False
    identifier: bool = False
    built_in: bool = False
    indexing: bool = False
    """Whether there still is work on its look-up index, though every writer of an identifier keeps it already."""
    turn: int = 0
    """Grows with each change of what people are found by in it."""

    @property
    def finds_people(self) -> bool:
        """Whether people can be found by it now."""
        return self.identifier and not self.indexing


@dataclass(frozen=True)
class Schema:
    """All attributes by key, at one moment."""

    definitions: Mapping[str, Definition]

    @classmethod
    def of(cls, definitions: Iterable[Definition]) -> Schema:
        return cls({definition.key: definition for definition in definitions})

    @cached_property
    def identifiers(self) -> dict[str, Callable[[Any], str]]:
        """How a value of each channel identifier becomes its matching form: of all whose index is kept."""
        return {d.key: partial(parsers.matching_form, d.type) for d in self.definitions.values() if d.identifier}

    @cached_property
    def found_by(self) -> dict[str, Callable[[Any], str]]:
        """The same for those that people can be found by now: their index is whole (``identifier_index``)."""
        return {key: form for key, form in self.identifiers.items() if self.definitions[key].finds_people}

    @cached_property
    def lists(self) -> dict[str, Callable[[Any], Any]]:
        """The list attributes, and by what their values are told apart: their matching form (AT-09, D-28)."""
        return {d.key: self.identifiers.get(d.key, _itself) for d in self.definitions.values() if d.multi_valued}

    @cached_property
    def built_in(self) -> frozenset[str]:
        return frozenset(d.key for d in self.definitions.values() if d.built_in)


def fields_of(identifier: str) -> tuple[str, ...]:
    """The places of columns that make up an identifier."""
    return ALIAS_FIELDS if identifier == ALIAS else (identifier,)


def identifier_of(target: str) -> str:
    """The identifier that a place of columns belongs to, if it is one at all."""
    return ALIAS if target in ALIAS_FIELDS else target


def _itself(value: Any) -> Any:
    return value
