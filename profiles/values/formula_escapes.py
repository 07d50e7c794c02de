"""Escape texts that a spreadsheet would read as formulas, by a `'` in front of them when CSV is written, and remove the
escape when a file is imported (design rule 9). Pure.

A text that looks escaped is escaped too, so that every text is read back unchanged. Numbers and phone numbers are
written unchanged if the type is known; nothing else is exempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FORMULA = re.compile(r"'*[=+\-@\t\r]").match
_ESCAPED = re.compile(r"'[=+\-@\t\r]").search
_NUMBER = re.compile(r"[+-]?[0-9 ().,/-]+").fullmatch


def escape(text: str, *, is_number: bool = False) -> str:
    """Return a text escaped, if it needs that. ``is_number``: its column holds numbers or phone numbers, so a text that
    looks like one is not escaped.

    A blank text is not a formula, and an import must read it as blank.
    """
    if not _is_formula(text) or (is_number and _NUMBER(text)):
        return text
    return f"'{text}"


def unescape(text: str) -> str:
    """Return a text without its escape."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def escape_cell(text: str, *, is_number: bool = False) -> str:
    """Escape a cell of a file, which may be escaped already, so that it is read back with the same value."""
    return escape(unescape(text), is_number=is_number)


def may_be_escaped(texts: Iterable[str]) -> bool:
    """Return whether any of the texts may be escaped, by one test of all of them; False is certain."""
    joined = "".join(texts)
    return "'" in joined and _ESCAPED(joined) is not None


def _is_formula(text: str) -> bool:
    return _FORMULA(text) is not None and not text.isspace()
