"""Which type all values of an undeclared column have (D-21, AT-14..AT-22).

The guess takes only texts that their type gives back: a leading zero, a plus sign, an exponent or more digits than a
float holds make a text, since the number would lose them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import filterfalse

from profiles import dates
from profiles.value_types import LEAST_INTEGER, MOST_INTEGER, ValueType

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

_NUMBERS = {ValueType.INTEGER, ValueType.NUMBER}


class TypeGuess:
    """The type of a column, from all its texts, batch by batch. Once they are known to be mixed, adding is free."""

    def __init__(self, seen: Iterable[ValueType] = ()) -> None:
        """``seen``: what an earlier guess, or one over another part of the column, has seen."""
        self._seen = set(seen)

    def add(self, texts: Iterable[str]) -> None:
        """Take in the distinct texts of one batch, none of them blank."""
        for text in self._undecided(texts):
            self._seen.add(_type_of(text))
            if self.mixed:
                return

    @property
    def seen(self) -> frozenset[ValueType]:
        """The types of the texts so far, as far as they matter."""
        return frozenset(self._seen)

    @property
    def type(self) -> ValueType:
        """Boolean, integer, number, date, datetime, or text; text also for a column without texts."""
        if len(self._seen) == 1:
            return next(iter(self._seen))
        return ValueType.NUMBER if self._seen == _NUMBERS else ValueType.TEXT

    @property
    def mixed(self) -> bool:
        """Whether texts of different types were seen (AT-20). Integers among decimals are not a different type."""
        return len(self._seen) > 1 and self._seen != _NUMBERS

    def _undecided(self, texts: Iterable[str]) -> Iterable[str]:
        """The texts that could still change the answer."""
        if not self._seen:
            return texts
        if self.mixed:
            return ()
        if self.type is ValueType.TEXT:
            return filter(_PERHAPS_TYPED.fullmatch, [text for text in texts if text[0] in _PERHAPS_TYPED_BEGIN])
        return filterfalse(_SURE[self.type], texts)


_SURE: dict[ValueType, Callable[[str], object]] = {
    ValueType.INTEGER: _SURE_INTEGER.fullmatch,
    ValueType.NUMBER: _SURE_NUMBER.fullmatch,
    ValueType.BOOLEAN: {"true", "false", "TRUE", "FALSE", "True", "False"}.__contains__,
    ValueType.DATE: dates.iso_day,
    ValueType.DATETIME: dates.iso_instant,
}


def _type_of(text: str) -> ValueType:
    text = text.strip()
    if len(text) > _LONGEST:
        return ValueType.TEXT
    if _INTEGER.fullmatch(text):
        return ValueType.INTEGER if LEAST_INTEGER <= int(text) <= MOST_INTEGER else ValueType.TEXT
    if _DECIMAL.fullmatch(text):
        return ValueType.NUMBER if _is_exact(text) else ValueType.TEXT
    if text.lower() in {"true", "false"}:
        return ValueType.BOOLEAN
    if dates.iso_day(text):
        return ValueType.DATE
    if dates.iso_instant(text) or dates.marked_instant(text):
        return ValueType.DATETIME
    return ValueType.TEXT


def _is_exact(decimal: str) -> bool:
    """Whether a float keeps all digits; a zero with a sign would lose the sign."""
    significant = decimal.lstrip("-").replace(".", "").lstrip("0")
    return len(significant) <= _MOST_DIGITS and (bool(significant) or decimal[0] != "-")
