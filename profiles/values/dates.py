"""Read dates: a text becomes an ISO day or a UTC instant, or None where it is neither (requirements section 7).

A day is stored as `YYYY-MM-DD`, an instant as `YYYY-MM-DDTHH:MM:SSZ`: fixed width, so that texts sort in the order of
time. Fractions of a second are cut off. Nothing here guesses between day and month: a text has the format that the
header declares, or an ISO format, or it is not a date.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

Reader = Callable[[str], str | None]
"""Takes a text without outer white space; returns its stored form, or None if it has none of the reader's formats."""

_LONGEST = 40
"""No date has more characters; longer texts are refused before they are examined."""

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: f"{number:02}" for number, name in enumerate(_MONTH_NAMES, start=1)}

# The day part of each declared pattern, sliced by position: strptime takes forty times as long. The slices may be any
# text of the right width; `iso_day` then decides whether they are a day.
_DAY_PATTERNS: dict[str, Callable[[str], str]] = {
    "dd/MM/yyyy": lambda t: f"{t[6:]}-{t[3:5]}-{t[:2]}" if t[2] == t[5] == "/" else "",
    "MM/dd/yyyy": lambda t: f"{t[6:]}-{t[:2]}-{t[3:5]}" if t[2] == t[5] == "/" else "",
    "yyyy/dd/MM": lambda t: f"{t[:4]}-{t[8:]}-{t[5:7]}" if t[4] == t[7] == "/" else "",
    "yyyy/MM/dd": lambda t: f"{t[:4]}-{t[5:7]}-{t[8:]}" if t[4] == t[7] == "/" else "",
    "dd MMM yyyy": lambda t: f"{t[7:]}-{_MONTHS.get(t[3:6].lower(), '')}-{t[:2]}" if t[2] == t[6] == " " else "",
}
_TIME_PATTERN = " HH:mm:ss"
UNIX_FORMATS = frozenset({"Unix time", "UNIX", "unix"})
KNOWN_FORMATS = frozenset(_DAY_PATTERNS) | {day + _TIME_PATTERN for day in _DAY_PATTERNS} | UNIX_FORMATS
"""The formats that a header may have in angle brackets; the case matters (DT-01..DT-06, DT-10, DT-11)."""

_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_TIME = re.compile(_CLOCK)
_INSTANT = re.compile(
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}(?:\.[0-9]{{1,9}})?(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
# Eleven digits of seconds reach the year 5138; twelve and thirteen digits are milliseconds (DT-06).
_SECONDS = re.compile(r"-?[0-9]{1,11}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_MARK = "$D_"


is_plain_iso_day = re.compile(r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])").fullmatch
"""A quick test: each text that passes is one for `iso_day` too. It misses the days 29 to 31."""

has_iso_shape = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:Z|\+00:00)?)?").fullmatch
"""Whether a text has one of the four formats that session dates and the times of events may have (DT-12)."""


def day_reader(date_format: str | None, time_zone: str, iso: bool, marked: bool = True) -> Reader:
    """Return a reader of days (D-14, DT-13, DT-15).

    `date_format` is one of `KNOWN_FORMATS` and is tried first; a time after the day must be valid and is dropped. Then
    the reader tries `YYYY-MM-DD` if `iso`, and `$D_<seconds>` if `marked`. Unix seconds become a day of `time_zone`.
    Raises ValueError for an unknown format, ZoneInfoNotFoundError for an unknown zone.
    """
    zone = _zone(time_zone)
    declared = _declared(date_format)

    def read(text: str) -> str | None:
        if len(text) > _LONGEST:
            return None
        if declared is not None and (parts := declared(text)):
            return parts[0]
        if iso and (day := iso_day(text)):
            return day
        return _seconds_day(_bare_seconds(text, date_format, marked), zone)

    return read


def instant_reader(
    date_format: str | None, time_zone: str, default_time: str, iso: bool, marked: bool = True
) -> Reader:
    """Return a reader of instants in UTC (D-14..D-16, DT-01..DT-19).

    The formats are those of `day_reader`. A day of the declared format without a time gets `default_time`
    (`HH:MM:SS`), an ISO day gets midnight, and a text without an offset is read in `time_zone`.
    Raises ValueError for an unknown format or default time, ZoneInfoNotFoundError for an unknown zone.
    """
    zone = _zone(time_zone)
    declared = _declared(date_format)
    if not _TIME.fullmatch(default_time):
        raise ValueError("The default time must have the form HH:MM:SS.")

    def read(text: str) -> str | None:
        if len(text) > _LONGEST:
            return None
        if declared is not None and (parts := declared(text)):
            return _utc(f"{parts[0]}T{parts[1] or default_time}", zone)
        if iso and (instant := iso_instant(text, zone)):
            return instant
        if iso and iso_day(text):
            return _utc(f"{text}T00:00:00", zone)
        return _seconds_instant(_bare_seconds(text, date_format, marked))

    return read


def iso_day(text: str) -> str | None:
    """Return the text itself if it is a day `YYYY-MM-DD` of the years 0001 to 9999, else None.

    The positions are checked because `fromisoformat` alone also accepts `20231225` and `2023-W01-1`.
    """
    if len(text) != 10 or text[4] != "-" or text[7] != "-":
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def iso_instant(text: str, zone: ZoneInfo | None = None) -> str | None:
    """Return the UTC instant of `YYYY-MM-DDTHH:MM:SS`, optionally with a fraction and with `Z` or an offset, else None.

    `zone` is the time zone of a text without offset; None is UTC (DT-12, DT-14).
    """
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return None
    offset = match[1]
    if offset is None:
        return _utc(text[:19], zone)
    if offset == "Z" or offset == "+00:00":
        return text[:19] + "Z"
    return _shifted(datetime.fromisoformat(text[:19] + offset))


def marked_instant(text: str) -> str | None:
    """Return the UTC instant of `$D_<seconds>` (DT-15), else None."""
    return _seconds_instant(_bare_seconds(text, None, marked=True))


def _zone(name: str) -> ZoneInfo | None:
    """Return the zone of texts without offset; None for UTC, which needs no conversion."""
    return None if name in {"UTC", "Etc/UTC"} else ZoneInfo(name)


def _declared(date_format: str | None) -> Callable[[str], tuple[str, str] | None] | None:
    """Return a function that splits a text of the declared format into its ISO day and its time, which may be empty."""
    if date_format is None or date_format in UNIX_FORMATS:
        return None
    if date_format not in KNOWN_FORMATS:
        raise ValueError(f"Unknown date format: {date_format}")
    pattern = date_format.removesuffix(_TIME_PATTERN)
    width, to_iso = len(pattern), _DAY_PATTERNS[pattern]

    def cut(text: str) -> tuple[str, str] | None:
        time = text[width + 1 :]
        if len(text) != width and (text[width : width + 1] != " " or not _TIME.fullmatch(time)):
            return None
        day = iso_day(to_iso(text[:width]))
        return (day, time) if day else None

    return cut


def _bare_seconds(text: str, date_format: str | None, marked: bool) -> str:
    """Return the digits of `$D_<seconds>`, or of plain seconds in a column of Unix time; empty for other texts."""
    if marked and text.startswith(_EPOCH_MARK):
        text = text[len(_EPOCH_MARK) :]
    elif date_format not in UNIX_FORMATS:
        return ""
    return text if _SECONDS.fullmatch(text) else ""


def _seconds_instant(seconds: str) -> str | None:
    moment = _moment(seconds)
    return f"{moment.isoformat()[:19]}Z" if moment else None


def _seconds_day(seconds: str, zone: ZoneInfo | None) -> str | None:
    """Return the ISO day of Unix seconds in the zone."""
    moment = _moment(seconds)
    if moment is None:
        return None
    try:
        return moment.astimezone(zone or UTC).date().isoformat()
    except OverflowError:
        return None


def _moment(seconds: str) -> datetime | None:
    """Return Unix seconds as a UTC datetime; None for an empty text and for years outside 0001 to 9999."""
    if not seconds:
        return None
    try:
        return _EPOCH + timedelta(seconds=int(seconds))
    except OverflowError:
        return None


def _utc(text: str, zone: ZoneInfo | None) -> str | None:
    """Convert a valid `YYYY-MM-DDTHH:MM:SS` of the zone to UTC; an hour that occurs twice is the first one."""
    return f"{text}Z" if zone is None else _shifted(datetime.fromisoformat(text).replace(tzinfo=zone))


def _shifted(moment: datetime) -> str | None:
    """Convert an aware datetime to UTC; None if the result is outside of the years 0001 to 9999."""
    try:
        return f"{moment.astimezone(UTC).isoformat()[:19]}Z"
    except OverflowError:
        return None
