"""Why a form is refused: each reason, with the field and the person that it is about. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class ErrorKind(enum.StrEnum):
    """Why a form is refused."""

    CHANGED = "changed"
    GONE = "gone"
    TAKEN = "taken"
    SHARED = "shared"
    LIMIT = "limit"
    MISSING = "missing"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class FormError:
    """A reason for a refusal. ``field``: the key it is about, empty for none. ``person``: whom else it concerns."""

    why: ErrorKind
    reason: str
    field: str = ""
    person: int | None = None


GONE = FormError(ErrorKind.GONE, "Somebody deleted this person meanwhile. Nothing was saved.")


class EditRefused(Exception):
    """Nothing was written."""

    def __init__(self, *faults: FormError) -> None:
        super().__init__(*(fault.why for fault in faults))
        self.faults = faults
