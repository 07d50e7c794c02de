"""What the options make of a header row: what each header declares, what refuses the file, what deserves a look.

A file is measured when it is read; again before it is checked, since its options may have changed meanwhile. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from imports.mapping import headers
from imports.mapping.headers import Header, HeaderError, HeaderFault, brief
from imports.mapping.synonyms import normalize_name
from imports.presets import ForbiddenCharacters, HeaderCase, Options
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.type_inference import Shape, TypeInference
from profiles.values.types import ValueType

IDENTITIES = ("identity", "objectId", "external_id", "object_id", "braze_id", "Appboy ID")
"""The exact spellings of the two ids that a file of CleverTap is about, the first two its own (HI-01, D-02)."""

_IDENTITIES_ALIKE = {normalize_name(spelling): spelling for spelling in reversed(IDENTITIES)}
_LISTED = 30
"""So many headers are named in one sentence."""


class NamedColumn(Protocol):
    """A column of a file; ``name``, ``date_format`` and the type in ``statistics`` are what its header says."""

    position: int
    header: str
    name: str
    date_format: str
    statistics: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about the headers: one sentence, and the header that it is about first."""

    code: str
    reason: str
    column: str = ""


def check(texts: Sequence[str], options: Options) -> list[Header]:
    """Read a header row. Raises ``HeaderError`` with all that refuses the file under the options."""
    if found := faults(texts, options):
        raise HeaderError(HeaderFault(found[0].code), " ".join(fault.reason for fault in found))
    return headers.parse(texts, bracket_dates=options.bracket_dates)


def faults(texts: Sequence[str], options: Options) -> list[Finding]:
    """What refuses a file with this header row (D-11); empty when nothing does."""
    try:
        found = headers.parse(texts, bracket_dates=options.bracket_dates)
    except HeaderError as error:
        return [Finding(error.code, error.message)]
    if mark := _other_delimiter(found, options):
        reason = f"The header is one name, “{brief(found[0].text)}”, with {mark} in it. "
        return [Finding(HeaderFault.OTHER_DELIMITER, f"{reason}Save the table as CSV with commas between its values.")]
    return [*_identity_faults(found, options), *_forbidden_faults(found, options)]


def apply_headers(columns: Sequence[NamedColumn], options: Options) -> None:
    """Set what each header says under the options: a name, a date format, and the type of a new attribute (D-14)."""
    for column in columns:
        header = headers.parse_header(column.position, column.header, bracket_dates=options.bracket_dates)
        column.name, column.date_format = header.name, header.date_format or ""
        if "seen" in column.statistics:
            column.statistics["type"] = _type(header, column.statistics["seen"], options).value


def findings(columns: Sequence[NamedColumn], options: Options, *, events: bool = False) -> list[Finding]:
    """What the uploader should look at. ``events``: whether the file is to hold events."""
    found = [headers.parse_header(c.position, c.header, bracket_dates=options.bracket_dates) for c in columns]
    return [
        *_forbidden_warnings(found, options),
        *_unknown_formats(found),
        *([] if events else _no_attributes(found)),
    ]


def is_push_token(name: str) -> bool:
    """Whether a column holds push tokens, which are no attribute (AT-19)."""
    return normalize_name(name) in {"pushtoken", "pushtokens"}


def _type(header: Header, seen: Sequence[str], options: Options) -> ValueType:
    """Text under a format that nobody knows (DT-07, DT-10), and where the options know no such dates."""
    if header.unknown_format is not None:
        return ValueType.TEXT
    return TypeInference(map(Shape, seen)).type_under(iso=options.iso_dates, marked=options.bracket_dates)


def _other_delimiter(found: Sequence[Header], options: Options) -> str:
    """What stands between the names of a header where only commas are read; blank where nothing does (FF-07)."""
    if not options.csv_only or len(found) != 1:
        return ""
    named = {";": "a semicolon", "\t": "a tab", "|": "a bar"}
    return next((name for mark, name in named.items() if mark in found[0].text), "")


def _identity_faults(found: Sequence[Header], options: Options) -> Iterator[Finding]:
    """An identity must be there, spelled exactly, and first, as the options say (HI-01..HI-03)."""
    exact = options.header_case is HeaderCase.IDENTIFIERS_EXACT
    if not (exact or options.identifier_first):
        return
    alike = [header for header in found if normalize_name(header.name) in _IDENTITIES_ALIKE]
    named = [header for header in alike if header.name in IDENTITIES or not exact]
    if not alike:
        reason = "An identity or objectId column is required. Add it as the first one, or choose another preset."
        yield Finding(HeaderFault.NO_IDENTITY, reason)
    elif not named:
        wanted = _IDENTITIES_ALIKE[normalize_name(alike[0].name)]
        reason = (
            f"The header “{alike[0].name}” of column {alike[0].position} must be written “{wanted}”, in exactly these "
        )
        yield Finding(HeaderFault.MISSPELLED, f"{reason}letters. Rename it.", alike[0].text)
    elif options.identifier_first and found[0] not in named:
        reason = f"The header “{named[0].name}” must be the first one, and is that of column {named[0].position}. "
        yield Finding(HeaderFault.NOT_FIRST, f"{reason}Make it the first column.", named[0].text)


def _forbidden_faults(found: Sequence[Header], options: Options) -> Iterator[Finding]:
    """All forbidden characters at once, each with its header (HI-06)."""
    bad = [header for header in found if header.forbidden]
    if bad and options.forbidden_characters is ForbiddenCharacters.REJECT:
        reason = (
            f"Characters that a header may not have: {_characters(bad)}. Rename the columns, or choose another preset."
        )
        yield Finding(HeaderFault.FORBIDDEN, reason, bad[0].text)


def _forbidden_warnings(found: Sequence[Header], options: Options) -> Iterator[Finding]:
    bad = [header for header in found if header.forbidden]
    if bad and options.forbidden_characters is ForbiddenCharacters.WARN:
        reason = f"Characters that other systems do not take in a header: {_characters(bad)}"
        yield Finding(HeaderFault.FORBIDDEN, reason, bad[0].text)


def _characters(bad: Sequence[Header]) -> str:
    """`$ in “$erial” (column 2), . and # in “a.b#” (column 3)`."""
    named = [f"{' and '.join(h.forbidden)} in “{h.name}” (column {h.position})" for h in bad[:_LISTED]]
    return ", ".join(named) + (f" and {len(bad) - _LISTED} headers more" if len(bad) > _LISTED else "")


def _unknown_formats(found: Sequence[Header]) -> Iterator[Finding]:
    """A format that is not known, perhaps for its capitals (DT-10)."""
    for header in found:
        if header.unknown_format is not None:
            meant = next(
                (known for known in sorted(KNOWN_FORMATS) if known.lower() == header.unknown_format.lower()), ""
            )
            hint = f"; write {meant} for dates" if meant else ""
            shown = brief(header.unknown_format)
            reason = f"The date format {shown} of column “{header.name}” is not known, so it holds text"
            yield Finding("unknown_date_format", f"{reason}{hint}", header.text)


def _no_attributes(found: Sequence[Header]) -> Iterator[Finding]:
    """Columns that do not belong in a file of attributes (AT-19, FF-19)."""
    for header in found:
        if is_push_token(header.name):
            reason = f"Push tokens cannot be imported; column “{header.name}” is skipped"
            yield Finding("push_tokens", reason, header.text)
    properties = [header.name for header in found if headers.is_event_property(header.name)]
    if properties and any(normalize_name(header.name) == "time" for header in found):
        reason = f"This looks like an event file: it has the columns time and “{properties[0]}”"
        yield Finding("looks_like_events", f"{reason}, which become attributes here", properties[0])
