"""The text of one header: property name, declared date format, and what is wrong with it (HI-04, HI-36, D-12)."""

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass

from profiles.dates import KNOWN_FORMATS
from profiles.escapes import unescaped

LONGEST_NAME = 120
"""Bytes of UTF-8 that a property name may take (AT-10)."""

FORBIDDEN = "%><!|&.:;$'\"\\#"
"""The characters that presets may forbid in a property name (HI-06)."""

PROBLEM = "Import problem (not imported)"
"""The header of the column that says what was wrong with a row; an import skips it (RP-12)."""

_SUFFIXED = re.compile(r"(?P<name>.*?)\s*<(?P<format>[^<>]+)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """One column's header.

    `position` counts from 1. `text` is the whole header without outer white space and without what keeps a spreadsheet
    from taking it for a formula (`profiles.escapes`), `name` the property it names. At
    most one of `date_format`, which the dates know, and `unknown_format`, which they do not, is set. `forbidden` holds
    each forbidden character of the name once, in the order of the name; whether it matters is the preset's choice.
    """

    position: int
    text: str
    name: str
    date_format: str | None
    unknown_format: str | None
    forbidden: str


class HeaderFault(enum.StrEnum):
    """What makes a header row unusable."""

    BLANK = "blank_header"
    REPEATED = "repeated_header"
    TOO_LONG = "long_header"
    NUL_CHARACTER = "nul_character"
    FORBIDDEN = "forbidden_character"
    NO_IDENTITY = "identity_column_missing"
    MISSPELLED = "identity_misspelled"
    NOT_FIRST = "identity_not_first"


class HeaderError(Exception):
    """The header row as a whole cannot be used. `message` names the columns and the remedy, for the user."""

    def __init__(self, code: HeaderFault, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse(texts: Sequence[str], *, bracket_dates: bool = True) -> list[Header]:
    """Read the cells of a header row (D-12, D-13).

    ``bracket_dates``: whether angle brackets at the end declare a date format; else they are part of the name (D-14).
    Raises HeaderError for blank (HI-04), too long (AT-10) and repeated headers (HI-36), and for NUL characters.
    """
    headers = [read(position, text, bracket_dates=bracket_dates) for position, text in enumerate(texts, start=1)]
    _refuse_blank(headers)
    _refuse_unstorable(headers)
    _refuse_repeated(headers)
    return headers


def read(position: int, text: str, *, bracket_dates: bool = True) -> Header:
    """Read one header, whatever is wrong with it."""
    text = text.strip()
    if position == 1:
        text = text.removeprefix("\ufeff").strip()
    text = unescaped(text)
    found = _SUFFIXED.fullmatch(text) if bracket_dates else None
    if not found:
        return Header(position, text, text, None, None, _forbidden(text))
    name, date_format = found["name"], found["format"].strip()
    if date_format in KNOWN_FORMATS:
        return Header(position, text, name, date_format, None, _forbidden(name))
    return Header(position, text, name, None, date_format, _forbidden(name))


_EVENT_PROPERTY = re.compile(r"[^.]+\.properties\..+", re.DOTALL)


def is_event_property(name: str) -> bool:
    """Whether a header names a property of an event, `<event>.properties.<property>`."""
    return _EVENT_PROPERTY.fullmatch(name) is not None


def _forbidden(name: str) -> str:
    """None in the property of an event, whose dots mean something (D-12)."""
    if is_event_property(name):
        return ""
    return "".join(dict.fromkeys(character for character in name if character in FORBIDDEN))


def _refuse_blank(headers: list[Header]) -> None:
    blank = [header.position for header in headers if not header.name]
    if blank:
        raise HeaderError(HeaderFault.BLANK, f"{_columns(blank, 'has', 'have')} no header. Give every column a name.")


def _refuse_unstorable(headers: list[Header]) -> None:
    for header in headers:
        if "\0" in header.name:
            raise HeaderError(
                HeaderFault.NUL_CHARACTER,
                f"The header of column {header.position} holds a NUL character. Remove it, or type the name again.",
            )
        size = len(header.name.encode())
        if size > LONGEST_NAME:
            raise HeaderError(
                HeaderFault.TOO_LONG,
                f"The header of column {header.position}, “{header.name[:40]}…”, takes {size:,} bytes and the limit is "
                f"{LONGEST_NAME}. Shorten it.",
            )


def _refuse_repeated(headers: list[Header]) -> None:
    """Two columns of one name would write one attribute, also where only one of them declares a date format."""
    positions: dict[str, list[int]] = {}
    for header in headers:
        positions.setdefault(header.name, []).append(header.position)
    for name, repeated in positions.items():
        if len(repeated) > 1:
            raise HeaderError(
                HeaderFault.REPEATED,
                f"{_columns(repeated, 'has', 'have')} the same header “{name}”. Rename or remove all but one.",
            )


def _columns(positions: list[int], one: str, several: str) -> str:
    """`Column 2 has`, `Columns 2 and 5 have`, `Columns 2, 3 and 5 have`."""
    if len(positions) == 1:
        return f"Column {positions[0]} {one}"
    return f"Columns {', '.join(map(str, positions[:-1]))} and {positions[-1]} {several}"
