"""By which rules rows are applied to people, and what becomes of each. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from profiles.merging.actions import Action, Changes, Form
from profiles.merging.consent import DND
from profiles.merging.consent import consent_keys as consent_keys
from profiles.merging.person import Link, Person
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, Schema

MAX_CUSTOM_ATTRIBUTES = 256
"""So many attributes that are not built in can a person have (AT-12)."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What an import asks for, as far as people are concerned."""

    action: Action
    lists: Mapping[str, Form]
    identifiers: Mapping[str, Any]
    built_in: frozenset[str]
    linked: frozenset[str]
    """The kinds that rows are looked up by, and external_id and alias, which may be only one person's."""
    max_identifier_values: int = 10
    max_custom_attributes: int = MAX_CUSTOM_ATTRIBUTES
    crowded: bool = True
    """Whether a single row may bring more than a person can have. False saves looking into each new person."""
    consent: frozenset[str] = frozenset()
    """Attributes that hold consent: no action clears them, and they are no custom ones."""
    dnd: frozenset[str] = frozenset()
    """Those of ``DND`` that rows may bring; for other files nobody looks for them."""

    @classmethod
    def of(
        cls,
        schema: Schema,
        action: Action,
        looked_up: Iterable[str],
        max_identifier_values: int = 10,
        crowded: bool = True,
        dnd: Iterable[str] = DND,
    ) -> Rules:
        return cls(
            action=action,
            lists=schema.lists,
            identifiers=schema.identifiers,
            built_in=schema.built_in,
            linked=frozenset([*looked_up, EXTERNAL_ID, ALIAS]),
            max_identifier_values=max_identifier_values,
            crowded=crowded,
            consent=consent_keys(schema),
            dnd=frozenset(dnd),
        )


class Outcome(enum.StrEnum):
    """What became of a row (D-07). *Unchanged* is counted as updated too."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row that is well-formed cannot be applied."""

    code: str
    reason: str
    column: str = ""


@dataclass(slots=True)
class Result:
    """What one row did, to whom, and the cells before and after."""

    outcome: Outcome
    person: Person | None = None
    changes: Changes | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class AddressFact:
    """Something a row says about an address, whoever holds it (SB-06). ``version``: of its person before the row's
    bucket, None for somebody new."""

    row: int
    version: int | None
    address: Link
    suppressed: bool


NO_SUCH_OBJECT_ID = Refusal("no_such_profile", "No profile with this ID", OBJECT_ID)
OBJECT_ID_DIFFERS = Refusal(
    "object_id_differs", "The person found has another Object ID, which a file cannot change", OBJECT_ID
)
EXTERNAL_ID_TAKEN = Refusal("external_id_taken", "Another person has this External ID", EXTERNAL_ID)
ALIAS_TAKEN = Refusal("alias_taken", "Another person without an External ID has this alias", ALIAS)
