"""Apply the options to a header row: what each header declares, faults that refuse the file, and findings. Pure.

The rules are applied when a file is read, and again before it is checked, since its options may have changed meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from imports.mapping import headers
from imports.mapping.headers import Header, HeaderError, HeaderFault, truncate
from imports.mapping.synonyms import normalize_name
from imports.presets import ForbiddenCharacters, HeaderCase, Options
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.type_inference import Shape, TypeInference
from profiles.values.types import ValueType

IDENTITIES = ("identity", "objectId", "external_id", "object_id", "braze_id", "Appboy ID")
"""Exact spellings of the two IDs of a CleverTap file; the first two are CleverTap's own (HI-01, D-02)."""

_SPELLINGS = {normalize_name(spelling): spelling for spelling in reversed(IDENTITIES)}
_LISTED = 30
"""Maximum number of headers that one sentence names."""


class NamedColumn(Protocol):
    """A column of a file; ``name``, ``date_format`` and the type in ``statistics`` depend on its header."""

    position: int
    header: str
    name: str
    date_format: str
    statistics: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about the headers, and the first header that it concerns."""

    code: str
    reason: str
    column: str = ""


def check(texts: Sequence[str], options: Options) -> list[Header]:
    """Read a header row. Raises ``HeaderError`` with all faults that refuse the file under the options."""
    if found := faults(texts, options):
        raise HeaderError(HeaderFault(found[0].code), " ".join(fault.reason for fault in found))
    return headers.parse_header_row(texts, bracket_dates=options.bracket_dates)


def faults(texts: Sequence[str], options: Options) -> list[Finding]:
    """Return the faults that refuse a file with this header row (D-11)."""
    try:
        found = headers.parse_header_row(texts, bracket_dates=options.bracket_dates)
    except HeaderError as error:
        return [Finding(error.code, error.message)]
    if mark := _other_delimiter(found, options):
        reason = f"The header is a single name, “{truncate(found[0].text)}”, that contains {mark}. "
        return [Finding(HeaderFault.OTHER_DELIMITER, f"{reason}Save the table as CSV with commas between its values.")]
    return [*_identity_faults(found, options), *_forbidden_faults(found, options)]


def apply_headers(columns: Sequence[NamedColumn], options: Options) -> None:
    """Set what each header declares under the options: name, date format, and type of a new attribute (D-14)."""
    for column in columns:
        header = headers.parse_header(column.position, column.header, bracket_dates=options.bracket_dates)
        column.name, column.date_format = header.name, header.date_format or ""
        if "seen" in column.statistics:
            column.statistics["type"] = _type(header, column.statistics["seen"], options).value


def findings(columns: Sequence[NamedColumn], options: Options, *, events: bool = False) -> list[Finding]:
    """Return what the uploader should check. ``events``: whether the file is imported as events."""
    found = [headers.parse_header(c.position, c.header, bracket_dates=options.bracket_dates) for c in columns]
    return [
        *_forbidden_warnings(found, options),
        *_unknown_formats(found),
        *([] if events else _no_attributes(found)),
    ]


def is_push_token(name: str) -> bool:
    """Return whether a column holds push tokens, which cannot be imported (AT-19)."""
    return normalize_name(name) in {"pushtoken", "pushtokens"}


def _type(header: Header, seen: Sequence[str], options: Options) -> ValueType:
    """Return the type of a new attribute: text for an unknown date format (DT-07, DT-10) and for dates that the options
    exclude."""
    if header.unknown_format is not None:
        return ValueType.TEXT
    return TypeInference(map(Shape, seen)).type_given(iso=options.iso_dates, marked=options.bracket_dates)


def _other_delimiter(found: Sequence[Header], options: Options) -> str:
    """Return the other delimiter in the header of a file that must have commas; blank if there is none (FF-07)."""
    if not options.csv_only or len(found) != 1:
        return ""
    delimiters = {";": "a semicolon", "\t": "a tab", "|": "a bar"}
    return next((name for mark, name in delimiters.items() if mark in found[0].text), "")


def _identity_faults(found: Sequence[Header], options: Options) -> Iterator[Finding]:
    """Check that an identity column exists, is spelled exactly and is the first, as far as the options require it
    (HI-01..HI-03)."""
    exact = options.header_case is HeaderCase.IDENTIFIERS_EXACT
    if not (exact or options.identifier_first):
        return
    alike = [header for header in found if normalize_name(header.name) in _SPELLINGS]
    valid = [header for header in alike if header.name in IDENTITIES or not exact]
    if not alike:
        reason = "An identity or objectId column is required. Add it as the first column, or choose another preset."
        yield Finding(HeaderFault.NO_IDENTITY, reason)
    elif not valid:
        spelling = _SPELLINGS[normalize_name(alike[0].name)]
        reason = f"The header “{alike[0].name}” of column {alike[0].position} must be written exactly “{spelling}”. "
        yield Finding(HeaderFault.MISSPELLED, f"{reason}Rename it.", alike[0].text)
    elif options.identifier_first and found[0] not in valid:
        reason = f"The column “{valid[0].name}” must be the first one, but is column {valid[0].position}. "
        yield Finding(HeaderFault.NOT_FIRST, f"{reason}Move it to the front.", valid[0].text)


def _forbidden_faults(found: Sequence[Header], options: Options) -> Iterator[Finding]:
    """Report all forbidden characters at once, each with its header (HI-06)."""
    bad = [header for header in found if header.forbidden]
    if bad and options.forbidden_characters is ForbiddenCharacters.REJECT:
        reason = (
            f"Headers contain forbidden characters: {_characters(bad)}. Rename the columns, or choose another preset."
        )
        yield Finding(HeaderFault.FORBIDDEN, reason, bad[0].text)


def _forbidden_warnings(found: Sequence[Header], options: Options) -> Iterator[Finding]:
    bad = [header for header in found if header.forbidden]
    if bad and options.forbidden_characters is ForbiddenCharacters.WARN:
        reason = f"Headers contain characters that other systems do not accept: {_characters(bad)}"
        yield Finding(HeaderFault.FORBIDDEN, reason, bad[0].text)


def _characters(bad: Sequence[Header]) -> str:
    """Return a list such as `$ in “$erial” (column 2), . and # in “a.b#” (column 3)`."""
    items = [f"{' and '.join(h.forbidden)} in “{h.name}” (column {h.position})" for h in bad[:_LISTED]]
    return ", ".join(items) + (f" and {len(bad) - _LISTED} more headers" if len(bad) > _LISTED else "")


def _unknown_formats(found: Sequence[Header]) -> Iterator[Finding]:
    """Report unknown date formats, with a known one that differs in upper and lower case only (DT-10)."""
    for header in found:
        if header.unknown_format is not None:
            similar = next(
                (known for known in sorted(KNOWN_FORMATS) if known.lower() == header.unknown_format.lower()), ""
            )
            hint = f"; to import dates, write {similar}" if similar else ""
            shown = truncate(header.unknown_format)
            reason = f"The date format {shown} of column “{header.name}” is unknown, so the column is imported as text"
            yield Finding("unknown_date_format", f"{reason}{hint}", header.text)


def _no_attributes(found: Sequence[Header]) -> Iterator[Finding]:
    """Report columns that do not belong in a file of attributes (AT-19, FF-19)."""
    for header in found:
        if is_push_token(header.name):
            reason = f"Push tokens cannot be imported; column “{header.name}” is skipped"
            yield Finding("push_tokens", reason, header.text)
    properties = [header.name for header in found if headers.is_event_property(header.name)]
    if properties and any(normalize_name(header.name) == "time" for header in found):
        reason = f"This looks like an event file: it has the columns time and “{properties[0]}”"
        yield Finding("looks_like_events", f"{reason}, which become attributes here", properties[0])
