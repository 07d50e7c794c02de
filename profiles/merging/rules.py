"""The rules by which rows are applied to people, and the results of rows. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from profiles.merging.actions import Action, Changes, KeyFunction
from profiles.merging.consent import DND
from profiles.merging.consent import consent_keys as consent_keys
from profiles.merging.person import Link, Person
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, Schema

MAX_CUSTOM_ATTRIBUTES = 256
"""The most attributes that are not built in that a person can have (AT-12)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of an import that determine how rows change people."""

    action: Action
    lists: Mapping[str, KeyFunction]
    identifiers: Mapping[str, Any]
    built_in: frozenset[str]
    lookup_kinds: frozenset[str]
    """The kinds that rows are looked up by, and external_id and alias, which only one person may have."""
    max_identifier_values: int = 10
    max_custom_attributes: int = MAX_CUSTOM_ATTRIBUTES
    may_exceed_limits: bool = True
    """Whether a single row may have more values than a person can have. If False, new persons need no check."""
    consent: frozenset[str] = frozenset()
    """Attributes that hold consent: no action clears them, and they do not count as custom attributes."""
    dnd: frozenset[str] = frozenset()
    """The keys of ``DND`` that rows may have; for files without them no row is checked for them."""

    @classmethod
    def of(
        cls,
        schema: Schema,
        action: Action,
        looked_up: Iterable[str],
        max_identifier_values: int = 10,
        may_exceed_limits: bool = True,
        dnd: Iterable[str] = DND,
    ) -> Rules:
        return cls(
            action=action,
            lists=schema.lists,
            identifiers=schema.identifiers,
            built_in=schema.built_in,
            lookup_kinds=frozenset([*looked_up, EXTERNAL_ID, ALIAS]),
            max_identifier_values=max_identifier_values,
            may_exceed_limits=may_exceed_limits,
            consent=consent_keys(schema),
            dnd=frozenset(dnd),
        )


class Outcome(enum.StrEnum):
    """The outcome of a row (D-07). *Unchanged* is counted as updated too."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a well-formed row cannot be applied."""

    code: str
    reason: str
    column: str = ""


@dataclass(slots=True)
class Result:
    """What one row did: its outcome, its person, and the values before and after."""

    outcome: Outcome
    person: Person | None = None
    changes: Changes | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class AddressFact:
    """A row's statement that an address is suppressed or not, whoever has it (SB-06). ``version``: that of the row's
    person before the work unit, None for a new person."""

    row: int
    version: int | None
    address: Link
    suppressed: bool


NO_SUCH_OBJECT_ID = Refusal("no_such_profile", "No profile with this ID", OBJECT_ID)
OBJECT_ID_DIFFERS = Refusal(
    "object_id_differs", "The matched person has another Object ID, which an import cannot change", OBJECT_ID
)
EXTERNAL_ID_TAKEN = Refusal("external_id_taken", "Another person has this External ID", EXTERNAL_ID)
ALIAS_TAKEN = Refusal("alias_taken", "Another person without an External ID has this alias", ALIAS)
