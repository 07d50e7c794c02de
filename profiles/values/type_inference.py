"""Infer the type of a column without a declared type from all of its values (D-21, AT-14..AT-22).

A text counts as a number only if it can be restored from the number: a leading zero, a plus sign, an exponent or more
digits than a float holds make the column text, since the number would lose them.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from itertools import filterfalse

from profiles.values import dates
from profiles.values.types import MAX_INTEGER, MIN_INTEGER, ValueType

_LONGEST = 40
_MOST_DIGITS = 15
"""The number of significant digits that a float always keeps."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")

# Quick tests, applied to every text of a column whose texts so far have one type. They may miss some texts of the type,
# which are then examined in full, but never accept a text of another type.
_SURE_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_SURE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}|-?[1-9][0-9]{0,6}\.[0-9]{1,8}|0\.[0-9]{1,8}")
# The opposite: a text that does not match is certainly text.
_PERHAPS_TYPED = re.compile(
    r"\s*(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]+)?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.Z+-]+)?"
    r"|\$D_-?[0-9]+|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])\s*"
)
_WHITE_SPACE = filter(str.isspace, map(chr, range(0x3001)))  # there is none beyond
_PERHAPS_TYPED_BEGIN = frozenset("-0123456789$TtFf").union(_WHITE_SPACE)


class Shape(enum.StrEnum):
    """The form of a text: one of some types, or a moment as `$D_<seconds>` (DT-15)."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    MARKED = "marked"

    @property
    def type(self) -> ValueType:
        return ValueType.DATETIME if self is Shape.MARKED else ValueType(self.value)


_COMPATIBLE = ({Shape.INTEGER, Shape.NUMBER}, {Shape.DATETIME, Shape.MARKED})
"""Pairs of shapes that together have the type of the second one."""


class TypeInference:
    """Infers the type of a column from its texts, batch by batch. Once the texts are mixed, more texts cost nothing."""

    def __init__(self, seen: Iterable[Shape] = ()) -> None:
        """``seen``: the shapes seen by an inference from another part of the column."""
        self._seen = set(seen)

    def add(self, texts: Iterable[str]) -> None:
        """Add the distinct texts of one batch, none of them blank."""
        for text in self._undecided(texts):
            self._seen.add(_shape_of(text))
            if self.is_mixed:
                return

    @property
    def seen(self) -> frozenset[Shape]:
        """The shapes of the texts so far, as far as they affect the type."""
        return frozenset(self._seen)

    @property
    def type(self) -> ValueType:
        """Boolean, integer, number, date, datetime, or text; text also for a column without texts."""
        if len(self._seen) == 1:
            return next(iter(self._seen)).type
        if self._seen in _COMPATIBLE:
            return ValueType.NUMBER if Shape.NUMBER in self._seen else ValueType.DATETIME
        return ValueType.TEXT

    def type_given(self, *, iso: bool, marked: bool) -> ValueType:
        """Return the type under the rules of a preset (D-14).

        ``iso``: whether ISO 8601 dates are dates, not text. ``marked``: the same for `$D_<seconds>`.
        """
        texts = set() if iso else {Shape.DATE, Shape.DATETIME}
        texts |= set() if marked else {Shape.MARKED}
        return ValueType.TEXT if self._seen & texts else self.type

    @property
    def is_mixed(self) -> bool:
        """Whether the texts have different types (AT-20). Integers among decimals are not a different type."""
        return len(self._seen) > 1 and self._seen not in _COMPATIBLE

    def _undecided(self, texts: Iterable[str]) -> Iterable[str]:
        """Return the texts that could still change the type."""
        if not self._seen:
            return texts
        if self.is_mixed:
            return ()
        if self.type is ValueType.TEXT:
            return filter(_PERHAPS_TYPED.fullmatch, [text for text in texts if text[0] in _PERHAPS_TYPED_BEGIN])
        only = next(iter(self._seen)) if len(self._seen) == 1 else Shape(self.type)
        return filterfalse(_SURE[only], texts)


_SURE: dict[Shape, Callable[[str], object]] = {
    Shape.INTEGER: _SURE_INTEGER.fullmatch,
    Shape.NUMBER: _SURE_NUMBER.fullmatch,
    Shape.BOOLEAN: {"true", "false", "TRUE", "FALSE", "True", "False"}.__contains__,
    Shape.DATE: dates.iso_day,
    Shape.DATETIME: dates.iso_instant,
    Shape.MARKED: dates.marked_instant,
}


def _shape_of(text: str) -> Shape:
    text = text.strip()
    if len(text) > _LONGEST:
        return Shape.TEXT
    if _INTEGER.fullmatch(text):
        return Shape.INTEGER if MIN_INTEGER <= int(text) <= MAX_INTEGER else Shape.TEXT
    if _DECIMAL.fullmatch(text):
        return Shape.NUMBER if _is_exact(text) else Shape.TEXT
    if text.lower() in {"true", "false"}:
        return Shape.BOOLEAN
    if dates.iso_day(text):
        return Shape.DATE
    if dates.iso_instant(text):
        return Shape.DATETIME
    return Shape.MARKED if dates.marked_instant(text) else Shape.TEXT


def _is_exact(decimal: str) -> bool:
    """Return whether a float keeps all digits. A zero with a sign would lose the sign."""
    significant = decimal.lstrip("-").replace(".", "").lstrip("0")
    return len(significant) <= _MOST_DIGITS and (bool(significant) or decimal[0] != "-")
