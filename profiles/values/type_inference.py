"""Which type all values of an undeclared column have (D-21, AT-14..AT-22).

The guess takes only texts that their type gives back: a leading zero, a plus sign, an exponent or more digits than a
float holds make a text, since the number would lose them.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable
from itertools import filterfalse

from profiles.values import dates
from profiles.values.types import LEAST_INTEGER, MOST_INTEGER, ValueType

_LONGEST = 40
_MOST_DIGITS = 15
"""So many significant digits survive in a float."""

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")

# Quick tests, run over every text of a column that has been of one type so far. They may miss some texts of the type,
# which are then looked at closely, but never take one of another type.
_SURE_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_SURE_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,17}|-?[1-9][0-9]{0,6}\.[0-9]{1,8}|0\.[0-9]{1,8}")
# The other way round: whatever does not look like this is surely text.
_PERHAPS_TYPED = re.compile(
    r"\s*(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]+)?"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9:.Z+-]+)?"
    r"|\$D_-?[0-9]+|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])\s*"
)
_WHITE_SPACE = filter(str.isspace, map(chr, range(0x3001)))  # there is none beyond
_PERHAPS_TYPED_BEGIN = frozenset("-0123456789$TtFf").union(_WHITE_SPACE)


class Shape(enum.StrEnum):
    """What a text looks like: one of some types, or a moment as `$D_<seconds>` (DT-15)."""

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


_ALIKE = ({Shape.INTEGER, Shape.NUMBER}, {Shape.DATETIME, Shape.MARKED})
"""Shapes that are of one type, the second one of each."""


class TypeInference:
    """The type of a column, from all its texts, batch by batch. Once they are known to be mixed, adding is free."""

    def __init__(self, seen: Iterable[Shape] = ()) -> None:
        """``seen``: what an earlier guess, or one over another part of the column, has seen."""
        self._seen = set(seen)

    def add(self, texts: Iterable[str]) -> None:
        """Take in the distinct texts of one batch, none of them blank."""
        for text in self._undecided(texts):
            self._seen.add(_shape_of(text))
            if self.mixed:
                return

    @property
    def seen(self) -> frozenset[Shape]:
        """The shapes of the texts so far, as far as they matter."""
        return frozenset(self._seen)

    @property
    def type(self) -> ValueType:
        """Boolean, integer, number, date, datetime, or text; text also for a column without texts."""
        if len(self._seen) == 1:
            return next(iter(self._seen)).type
        if self._seen in _ALIKE:
            return ValueType.NUMBER if Shape.NUMBER in self._seen else ValueType.DATETIME
        return ValueType.TEXT

    def type_under(self, *, iso: bool, marked: bool) -> ValueType:
        """The type where dates as ISO 8601 writes them, or `$D_<seconds>`, may be nothing but text (D-14)."""
        texts = set() if iso else {Shape.DATE, Shape.DATETIME}
        texts |= set() if marked else {Shape.MARKED}
        return ValueType.TEXT if self._seen & texts else self.type

    @property
    def mixed(self) -> bool:
        """Whether texts of different types were seen (AT-20). Integers among decimals are not a different type."""
        return len(self._seen) > 1 and self._seen not in _ALIKE

    def _undecided(self, texts: Iterable[str]) -> Iterable[str]:
        """The texts that could still change the answer."""
        if not self._seen:
            return texts
        if self.mixed:
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
        return Shape.INTEGER if LEAST_INTEGER <= int(text) <= MOST_INTEGER else Shape.TEXT
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
    """Whether a float keeps all digits; a zero with a sign would lose the sign."""
    significant = decimal.lstrip("-").replace(".", "").lstrip("0")
    return len(significant) <= _MOST_DIGITS and (bool(significant) or decimal[0] != "-")
