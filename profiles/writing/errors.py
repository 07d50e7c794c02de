"""The errors of a form about a person, each with its field and the other person that it concerns. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ErrorKind(enum.StrEnum):
    """The kind of reason for which a form is refused."""

    CHANGED = "changed"
    GONE = "gone"
    TAKEN = "taken"
    SHARED = "shared"
    LIMIT = "limit"
    MISSING = "missing"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class FormError:
    """A reason for a refusal. ``field``: the key it concerns, empty for none. ``person``: the primary key of another
    person that it concerns."""

    kind: ErrorKind
    reason: str
    field: str = ""
    person: int | None = None


GONE = FormError(ErrorKind.GONE, "Somebody deleted this person after you opened the page. Nothing was saved.")


class EditRefused(Exception):
    """The form was refused, and nothing was written."""

    def __init__(self, *faults: FormError) -> None:
        super().__init__(*(fault.kind for fault in faults))
        self.faults = faults
