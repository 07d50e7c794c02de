"""The schema: the attributes of people, and which of them are identifiers (requirements section 6). Pure."""

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
"""Targets of columns that are fields of a person, not attributes."""

OWN_IDENTIFIERS = {EXTERNAL_ID: "External ID", OBJECT_ID: "Object ID", ALIAS: "Alias"}
"""Identifiers that are not attributes. The alias consists of two fields, which identify only together (HI-18)."""

RESERVED_KEYS = frozenset([*OWN_FIELDS, *OWN_IDENTIFIERS])
"""Keys that no attribute can have."""

MAX_OWN_FIELD_BYTES = {EXTERNAL_ID: 1024, OBJECT_ID: 64, ALIAS_LABEL: 255, ALIAS_NAME: 255}
"""The longest value of each own field, in bytes of UTF-8."""

MAX_KEY_BYTES = 120
"""Longest attribute key in bytes of UTF-8 (AT-10)."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute, without its database row."""

    key: str
    label: str
    type: ValueType
    multi_valued: bool = False
    mandatory: bool = False
    identifier: bool = False
    built_in: bool = False
    indexing: bool = False
    """Whether its identifier index is still being built or cleared. Writers keep the index of an identifier anyway."""
    turn: int = 0
    """Grows with each change to what its identifier index should hold."""

    @property
    def is_lookup_ready(self) -> bool:
        """Whether people can be found by it now: it is an identifier and its index is complete."""
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
        """The function from a value to its matching form, by key, for each channel identifier whose index is kept."""
        return {d.key: partial(parsers.matching_form, d.type) for d in self.definitions.values() if d.identifier}

    @cached_property
    def lookup_identifiers(self) -> dict[str, Callable[[Any], str]]:
        """The part of ``identifiers`` that people can be found by now: the index is complete (``identifier_index``)."""
        return {key: form for key, form in self.identifiers.items() if self.definitions[key].is_lookup_ready}

    @cached_property
    def lists(self) -> dict[str, Callable[[Any], Any]]:
        """The function from a value to the form it is compared in, for each list attribute (AT-09, D-28)."""
        return {d.key: self.identifiers.get(d.key, _identity) for d in self.definitions.values() if d.multi_valued}

    @cached_property
    def built_in(self) -> frozenset[str]:
        return frozenset(d.key for d in self.definitions.values() if d.built_in)


def identifier_fields(identifier: str) -> tuple[str, ...]:
    """Return the targets of columns that make up an identifier."""
    return ALIAS_FIELDS if identifier == ALIAS else (identifier,)


def identifier_of(target: str) -> str:
    """Return the identifier that a target of columns belongs to: ``alias`` for its two fields, else the target."""
    return ALIAS if target in ALIAS_FIELDS else target


def _identity(value: Any) -> Any:
    return value
