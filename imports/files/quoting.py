"""Locate the malformed quotes of a record that the csv module refuses."""

import enum
from dataclasses import dataclass


class QuoteFaultKind(enum.Enum):
    """The cell never ends, text follows its closing quote, or the cell is over its limit."""

    UNCLOSED = enum.auto()
    TEXT_AFTER = enum.auto()
    TOO_LARGE = enum.auto()


@dataclass(frozen=True, slots=True)
class QuoteFault:
    """The first fault of a record.

    `opened` counts the line breaks before the beginning of the cell, `seen` those before the fault. `size` is the
    number of characters from the beginning of the cell to the fault.
    """

    kind: QuoteFaultKind
    opened: int
    seen: int
    size: int


def find_quote_fault(text: str, delimiter: str, limit: int) -> QuoteFault | None:
    """Find the first cell of `text` that is not closed, is followed by text, or is longer than `limit` characters.

    `text` begins at the beginning of a record and ends where the input of the csv module ended. Return None if there is
    no such cell.
    """
    at = 0
    while at < len(text):
        quoted = text[at] == '"'
        close = _closing_quote(text, at + 1) if quoted else _end_of_cell(text, at, delimiter)
        if close < 0:
            return QuoteFault(QuoteFaultKind.UNCLOSED, count_lines(text[:at]), count_lines(text), len(text) - at - 1)
        after = text[close + 1 : close + 2] if quoted else ""
        if after and after not in (delimiter, "\r", "\n"):
            return QuoteFault(QuoteFaultKind.TEXT_AFTER, count_lines(text[:at]), count_lines(text[:close]), close - at)
        if close - at - quoted > limit:
            return QuoteFault(QuoteFaultKind.TOO_LARGE, count_lines(text[:at]), count_lines(text[:close]), close - at)
        at = close + 1 + quoted
    return None


def count_lines(text: str) -> int:
    """Count the line breaks in `text`; LF, CR and CRLF each count as one."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _end_of_cell(text: str, at: int, delimiter: str) -> int:
    """Return the end of the unquoted cell that begins at `at`. A quote inside such a cell is an ordinary character."""
    stops = [stop for stop in (text.find(mark, at) for mark in (delimiter, "\n", "\r")) if stop >= 0]
    return min(stops, default=len(text))


def _closing_quote(text: str, at: int) -> int:
    """Return where the quoted cell that begins at `at` closes, or -1. A doubled quote stands for one quote."""
    while (close := text.find('"', at)) >= 0 and text[close + 1 : close + 2] == '"':
        at = close + 2
    return close
