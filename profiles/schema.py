"""What may be known about people, and which of it they can be found by (requirements section 6). Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from profiles import values
from profiles.values import ValueType

EXTERNAL_ID = "external_id"
OBJECT_ID = "object_id"
OWN_FIELDS = {EXTERNAL_ID: "External ID", OBJECT_ID: "Object ID"}
"""Identifiers that are fields of a person, not attributes."""

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


@dataclass(frozen=True)
class Schema:
    """All attributes by key, at one moment."""

    definitions: Mapping[str, Definition]

    @classmethod
    def of(cls, definitions: Iterable[Definition]) -> Schema:
        return cls({definition.key: definition for definition in definitions})

    @cached_property
    def identifiers(self) -> dict[str, Callable[[Any], str]]:
        """How a value of each channel identifier becomes its matching form."""
        return {d.key: partial(values.matching_form, d.type) for d in self.definitions.values() if d.identifier}

    @cached_property
    def lists(self) -> dict[str, Callable[[Any], Any]]:
        """The list attributes, and by what their values are told apart: their matching form (AT-09, D-28)."""
        return {d.key: self.identifiers.get(d.key, _itself) for d in self.definitions.values() if d.multi_valued}

    @cached_property
    def built_in(self) -> frozenset[str]:
        return frozenset(d.key for d in self.definitions.values() if d.built_in)


def _itself(value: Any) -> Any:
    return value
