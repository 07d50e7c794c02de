"""Parse the cells of a header row: property name, declared date format, and faults (HI-04, HI-36, D-12)."""

import enum
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from profiles.values.dates import KNOWN_FORMATS
from profiles.values.formula_escapes import unescape

MAX_NAME_BYTES = 120
"""Maximum size of a property name in bytes of UTF-8 (AT-10)."""

FORBIDDEN_CHARACTERS = "%><!|&.:;$'\"\\#"
"""The characters that presets may forbid in a property name (HI-06)."""

PROBLEM_HEADER = "Import problem (not imported)"
"""Header of the column with the problem of each row to correct; an import skips it (RP-12)."""

PROPERTY_SEPARATOR = ".properties."
"""Text between the names of the event and of the property in a property's header."""

_SHOWN = 40
"""Maximum number of characters of a header in a sentence."""
_LISTED = 30
"""Maximum number of columns that one sentence names."""
_LONGEST_TEXT = 2 * MAX_NAME_BYTES
"""Maximum number of characters of a whole header, including a date format."""

_INVISIBLE = "\ufeff\u200b\u2060\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Invisible characters that files have at the ends of headers."""

_INVISIBLE_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Invisible letters and marks, in addition to the characters that Unicode counts as separators or controls."""


@dataclass(frozen=True, slots=True)
class Header:
    """One column's header.

    `position` counts from 1. `text` is the whole header without outer white space and without the escape that keeps a
    spreadsheet from reading it as a formula (`profiles.values.formula_escapes`); `name` is the property it names. At
    most one of `date_format` (a known format) and `unknown_format` is set. `forbidden` holds each forbidden character
    of the name once, in the order of the name; the preset decides whether they are a fault.
    """

    position: int
    text: str
    name: str
    date_format: str | None
    unknown_format: str | None
    forbidden: str


class HeaderFault(enum.StrEnum):
    """Code of the reason why a header row cannot be used."""

    BLANK = "blank_header"
    REPEATED = "repeated_header"
    TOO_LONG = "long_header"
    NUL_CHARACTER = "nul_character"
    FORBIDDEN = "forbidden_character"
    NO_IDENTITY = "identity_column_missing"
    MISSPELLED = "identity_misspelled"
    OTHER_DELIMITER = "other_delimiter"
    NOT_FIRST = "identity_not_first"


class HeaderError(Exception):
    """The header row cannot be used. `message` names the columns and the remedy for the user."""

    def __init__(self, code: HeaderFault, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def parse_header_row(texts: Sequence[str], *, bracket_dates: bool = True) -> list[Header]:
    """Read the cells of a header row (D-12, D-13).

    ``bracket_dates``: whether angle brackets at the end declare a date format; if not, they are part of the name
    (D-14). Raises HeaderError for blank (HI-04), too long (AT-10) and repeated headers (HI-36), and for NUL characters.
    """
    headers = [
        parse_header(position, text, bracket_dates=bracket_dates) for position, text in enumerate(texts, start=1)
    ]
    _refuse_blank(headers)
    _refuse_unstorable(headers)
    _refuse_repeated(headers)
    return headers


def parse_header(position: int, text: str, *, bracket_dates: bool = True) -> Header:
    """Read one header without checking it for faults."""
    text = unescape(_stripped(text))
    text = _stripped(text)
    name, date_format = _split(text) if bracket_dates else (text, "")
    if not date_format:
        return Header(position, text, text, None, None, _forbidden(text))
    if date_format in KNOWN_FORMATS:
        return Header(position, text, name, date_format, None, _forbidden(name))
    return Header(position, text, name, None, date_format, _forbidden(name))


def is_event_property(name: str) -> bool:
    """Return whether a header names a property of an event, `<event>.properties.<property>`."""
    event, _, key = name.partition(PROPERTY_SEPARATOR)
    return bool(event.strip() and key.strip(". "))


def truncate(text: str) -> str:
    """Return a text for a sentence, cut if it is long."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _stripped(text: str) -> str:
    """Remove outer white space and invisible characters, such as byte-order and direction marks."""
    return text.strip().strip(_INVISIBLE).strip()


def _split(text: str) -> tuple[str, str]:
    """Split a header into its name and the date format in angle brackets at its end, blank if there is none.

    A regular expression would take quadratic time for a long header with many blanks.
    """
    name, bracket, rest = text.rpartition("<")
    date_format = rest.removesuffix(">").strip()
    if not bracket or not rest.endswith(">") or ">" in date_format:
        return text, ""
    return name.rstrip(), date_format


def _forbidden(name: str) -> str:
    """Return the forbidden characters of a name; none for an event property, whose dots have a meaning (D-12)."""
    if is_event_property(name):
        return ""
    return "".join(dict.fromkeys(character for character in name if character in FORBIDDEN_CHARACTERS))


def _refuse_blank(headers: list[Header]) -> None:
    """Raise HeaderError with all headers without a name: blank, invisible, or only a date format."""
    blank = [header.position for header in headers if not header.text]
    invisible = [header.position for header in headers if header.name and _is_invisible(header.name)]
    nameless = [header for header in headers if header.text and not header.name]
    reasons = [f"{_columns(blank, 'has', 'have')} no header. Give every column a name."] if blank else []
    if blank and any(header.name == PROBLEM_HEADER and header.position < blank[-1] for header in headers):
        reasons.append(f"Move values that are to the right of “{PROBLEM_HEADER}” into the columns that they belong to.")
    if invisible:
        reasons.append(f"{_columns(invisible, 'has', 'have')} a header without visible characters. Type a name there.")
    if nameless:
        formats = truncate(", ".join(f"<{header.date_format or header.unknown_format}>" for header in nameless))
        a_format = f"a date format, {formats}," if len(nameless) == 1 else f"date formats, {formats},"
        reasons.append(
            f"{_columns([header.position for header in nameless], 'has', 'have')} {a_format} but no name before it. "
            "Write the name first, such as: birthday <dd/MM/yyyy>."
        )
    if reasons:
        raise HeaderError(HeaderFault.BLANK, " ".join(reasons))


def _is_invisible(text: str) -> bool:
    """Return whether a text has no visible characters; a NUL is reported separately."""
    kinds = {unicodedata.category(character) for character in text if character not in _INVISIBLE_LETTERS}
    return "\0" not in text and kinds <= {"Cc", "Cf", "Zs", "Zl", "Zp"}


def _refuse_unstorable(headers: list[Header]) -> None:
    for header in headers:
        if "\0" in header.name:
            raise HeaderError(
                HeaderFault.NUL_CHARACTER,
                f"The header of column {header.position} contains a NUL character. Remove it, or type the name again.",
            )
        size = len(header.name.encode())
        if size > MAX_NAME_BYTES or len(header.text) > _LONGEST_TEXT:
            raise HeaderError(
                HeaderFault.TOO_LONG,
                f"The header of column {header.position}, “{truncate(header.text)}”, has "
                f"{max(size, len(header.text)):,} bytes and the limit is {MAX_NAME_BYTES}. Shorten it.",
            )


def _refuse_repeated(headers: list[Header]) -> None:
    """Raise HeaderError for columns of the same name, with or without a date format: both would write one attribute."""
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
    """Return `Column 2 has`, `Columns 2 and 5 have` or `Columns 2, 3 and 5 have`; of many only the first ones."""
    if len(positions) == 1:
        return f"Column {positions[0]} {one}"
    listed, last = positions[: min(_LISTED, len(positions) - 1)], str(positions[-1])
    if len(positions) > _LISTED + 1:
        last = f"{len(positions) - _LISTED} more"
    return f"Columns {', '.join(map(str, listed))} and {last} {several}"
