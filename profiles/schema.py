"""Attribute definitions: what may be known about people, and which of it they can be found by (requirements section 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from profiles import values
from profiles.merge import ListRule
from profiles.models import Attribute
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
    def identifiers(self) -> dict[str, Callable[[object], str]]:
        """How a value of each channel identifier becomes its matching form."""
        return {d.key: partial(values.matching_form, d.type) for d in self.definitions.values() if d.identifier}

    @cached_property
    def lists(self) -> dict[str, ListRule]:
        """The list attributes, and how their values are told apart."""
        return {
            d.key: ListRule(self.identifiers.get(d.key, _itself)) for d in self.definitions.values() if d.multi_valued
        }

    @cached_property
    def built_in(self) -> frozenset[str]:
        return frozenset(d.key for d in self.definitions.values() if d.built_in)


def load() -> Schema:
    """The schema as it is stored now (one query)."""
    rows = Attribute.objects.values_list(
        "key", "label", "type", "multi_valued", "mandatory", "identifier", "built_in", named=True
    )
    return Schema.of(
        Definition(r.key, r.label, ValueType(r.type), r.multi_valued, r.mandatory, r.identifier, r.built_in)
        for r in rows
    )


def add(definitions: Iterable[Definition]) -> None:
    """Store new custom attributes; one that came into being meanwhile stays as it is."""
    Attribute.objects.bulk_create(
        [
            Attribute(key=d.key, label=d.label, type=d.type, multi_valued=d.multi_valued, identifier=d.identifier)
            for d in definitions
        ],
        ignore_conflicts=True,
    )


def _itself(value: object) -> object:
    return value
