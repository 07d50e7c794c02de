"""Texts that a spreadsheet would take for formulas: a `'` before them in what is written as CSV, and taken off again by
an import (design rule 9). Pure.

A text that looks as if it had been escaped is escaped too, so that every text comes back as it was. Numbers and phones
whose type is known are written as they are; nothing else is exempt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_FORMULA = re.compile(r"'*[=+\-@\t\r]").match
_ESCAPED = re.compile(r"'[=+\-@\t\r]").search
_NUMBER = re.compile(r"[+-]?[0-9 ().,/-]+").fullmatch


def escape(text: str, *, is_number: bool = False) -> str:
    """A text as it is written. ``is_number``: its place holds numbers or phones, so one that looks so stays as it is.

    A blank text is no formula, and an import must find it blank.
    """
    if not _is_formula(text) or (is_number and _NUMBER(text)):
        return text
    return f"'{text}"


def unescape(text: str) -> str:
    """A text as it was meant."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def escape_cell(text: str, *, is_number: bool = False) -> str:
    """A cell of a file, which may be escaped already, as it is written so that it is read as it was."""
    return escape(unescape(text), is_number=is_number)


def may_be_escaped(texts: Iterable[str]) -> bool:
    """Whether any of many texts may be: False is sure, and known by one look at all of them together."""
    together = "".join(texts)
    return "'" in together and _ESCAPED(together) is not None


def _is_formula(text: str) -> bool:
    return _FORMULA(text) is not None and not text.isspace()
