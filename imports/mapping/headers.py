"""The text of one header: property name, declared date format, and what is wrong with it (HI-04, HI-36, D-12)."""

import enum
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from profiles.values.dates import KNOWN_FORMATS
from profiles.values.formula_escapes import unescape

LONGEST_NAME = 120
"""Bytes of UTF-8 that a property name may take (AT-10)."""

FORBIDDEN = "%><!|&.:;$'\"\\#"
"""The characters that presets may forbid in a property name (HI-06)."""

PROBLEM = "Import problem (not imported)"
"""The header of the column that says what was wrong with a row; an import skips it (RP-12)."""

EVENT_MARK = ".properties."
"""What stands between an event and its property in the header of a property."""

_SHOWN = 40
"""So many characters of a header stand in a sentence."""
_LISTED = 30
"""So many columns are named in one sentence."""
_LONGEST_TEXT = 2 * LONGEST_NAME
"""Characters of a whole header, of which a date format is a few."""

_UNSEEN = "\ufeff\u200b\u2060\u00ad\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters of which nothing is seen, and which tables bring along at the ends of their headers."""

_BLANK_LETTERS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and marks of which nothing is seen, beside the characters that Unicode counts as separators or controls."""


@dataclass(frozen=True, slots=True)
class Header:
    """One column's header.

    `position` counts from 1. `text` is the whole header without outer white space and without what keeps a spreadsheet
    from taking it for a formula (`profiles.values.formula_escapes`), `name` the property it names. At
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
    OTHER_DELIMITER = "other_delimiter"
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
    headers = [
        parse_header(position, text, bracket_dates=bracket_dates) for position, text in enumerate(texts, start=1)
    ]
    _refuse_blank(headers)
    _refuse_unstorable(headers)
    _refuse_repeated(headers)
    return headers


def parse_header(position: int, text: str, *, bracket_dates: bool = True) -> Header:
    """Read one header, whatever is wrong with it."""
    text = unescape(_stripped(text))
    text = _stripped(text)
    name, date_format = _parted(text) if bracket_dates else (text, "")
    if not date_format:
        return Header(position, text, text, None, None, _forbidden(text))
    if date_format in KNOWN_FORMATS:
        return Header(position, text, name, date_format, None, _forbidden(name))
    return Header(position, text, name, None, date_format, _forbidden(name))


def is_event_property(name: str) -> bool:
    """Whether a header names a property of an event, `<event>.properties.<property>`."""
    event, _, key = name.partition(EVENT_MARK)
    return bool(event.strip() and key.strip(". "))


def brief(text: str) -> str:
    """A text for a sentence; of a long one, the beginning."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _stripped(text: str) -> str:
    """A text without outer white space, and without the marks that nobody sees: of a byte order, of a direction."""
    return text.strip().strip(_UNSEEN).strip()


def _parted(text: str) -> tuple[str, str]:
    """The name and the format that angle brackets at the end hold; a blank one where they hold none.

    Not by a regular expression: it would try every blank of a long header anew.
    """
    name, bracket, rest = text.rpartition("<")
    date_format = rest.removesuffix(">").strip()
    if not bracket or not rest.endswith(">") or ">" in date_format:
        return text, ""
    return name.rstrip(), date_format


def _forbidden(name: str) -> str:
    """None in the property of an event, whose dots mean something (D-12)."""
    if is_event_property(name):
        return ""
    return "".join(dict.fromkeys(character for character in name if character in FORBIDDEN))


def _refuse_blank(headers: list[Header]) -> None:
    """All without a name: nothing is there, nothing can be seen, or a date format stands alone."""
    blank = [header.position for header in headers if not header.text]
    unseen = [header.position for header in headers if header.name and _is_invisible(header.name)]
    alone = [header for header in headers if header.text and not header.name]
    reasons = [f"{_columns(blank, 'has', 'have')} no header. Give every column a name."] if blank else []
    if blank and any(header.name == PROBLEM and header.position < blank[-1] for header in headers):
        reasons.append("Values to the right of what is said of a row belong into its columns: put them there.")
    if unseen:
        reasons.append(f"{_columns(unseen, 'has', 'have')} a header of which nothing can be seen. Type a name there.")
    if alone:
        formats = brief(", ".join(f"<{header.date_format or header.unknown_format}>" for header in alone))
        a_format = f"a date format, {formats}," if len(alone) == 1 else f"date formats, {formats},"
        reasons.append(
            f"{_columns([header.position for header in alone], 'has', 'have')} {a_format} but no name before it. "
            "Write the name first, such as: birthday <dd/MM/yyyy>."
        )
    if reasons:
        raise HeaderError(HeaderFault.BLANK, " ".join(reasons))


def _is_invisible(text: str) -> bool:
    """Whether nothing of a text can be seen; a NUL is told of by itself."""
    kinds = {unicodedata.category(character) for character in text if character not in _BLANK_LETTERS}
    return "\0" not in text and kinds <= {"Cc", "Cf", "Zs", "Zl", "Zp"}


def _refuse_unstorable(headers: list[Header]) -> None:
    for header in headers:
        if "\0" in header.name:
            raise HeaderError(
                HeaderFault.NUL_CHARACTER,
                f"The header of column {header.position} holds a NUL character. Remove it, or type the name again.",
            )
        size = len(header.name.encode())
        if size > LONGEST_NAME or len(header.text) > _LONGEST_TEXT:
            raise HeaderError(
                HeaderFault.TOO_LONG,
                f"The header of column {header.position}, “{brief(header.text)}”, takes "
                f"{max(size, len(header.text)):,} bytes and the limit is {LONGEST_NAME}. Shorten it.",
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
    """`Column 2 has`, `Columns 2 and 5 have`, `Columns 2, 3 and 5 have`; of very many the first ones."""
    if len(positions) == 1:
        return f"Column {positions[0]} {one}"
    listed, last = positions[: min(_LISTED, len(positions) - 1)], str(positions[-1])
    if len(positions) > _LISTED + 1:
        last = f"{len(positions) - _LISTED} more"
    return f"Columns {', '.join(map(str, listed))} and {last} {several}"
