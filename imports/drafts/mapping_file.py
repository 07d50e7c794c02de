"""Read a mapping from a JSON manifest into the choices that the screen *Configure* posts, and write one (MP-09).

``{"columns": {HEADER: {"ctName": KEY, "dataType": TYPE, "dateFormat": FORMAT}}}``. A ``ctName`` of null skips its
column; columns that are not named keep their targets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from imports.drafts import configure
from imports.drafts.configure import InvalidMapping
from imports.mapping import column_mapping, event_mapping
from imports.mapping.column_mapping import DATES, Choice, Target
from imports.mapping.synonyms import NameResolver
from imports.mapping.validation import Fault
from imports.models import ImportColumn, ImportJob
from profiles.models import load_schema
from profiles.schema import MAX_KEY_BYTES, Schema
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.types import ValueType

MAX_BYTES = 1024**2
MAX_REASONS = 20

TYPES: Mapping[str, ValueType] = {
    "STRING": ValueType.TEXT,
    "INTEGER": ValueType.INTEGER,
    "FLOAT": ValueType.NUMBER,
    "BOOLEAN": ValueType.BOOLEAN,
    "Date": ValueType.DATETIME,
}
"""CleverTap's names of types. The schema's names are accepted too, so that no type is lost by writing and reading."""

_MEMBERS = ("ctName", "dataType", "dateFormat")


class InvalidManifest(Exception):
    """The text is not a manifest, or an entry is invalid; ``reasons`` says why, at most ``MAX_REASONS`` times."""

    def __init__(self, reasons: Sequence[str]) -> None:
        more = f"There are {len(reasons) - MAX_REASONS} more errors"
        self.reasons = [*reasons[:MAX_REASONS], *([more] if len(reasons) > MAX_REASONS else [])]
        super().__init__("; ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class ManifestEntry:
    """What a manifest sets for one column. ``name`` None skips it; a blank type or date format is not set."""

    header: str
    name: str | None
    type: str = ""
    date_format: str = ""


def check_size(size: int) -> None:
    """Raise ``InvalidManifest`` for a file of more than ``MAX_BYTES``."""
    if size > MAX_BYTES:
        raise InvalidManifest([f"The mapping has {size:,} bytes and the limit is 1 MB. Choose the JSON of a mapping"])


def parse(content: bytes) -> list[ManifestEntry]:
    """Parse a manifest into one entry per column. Raises ``InvalidManifest`` with every error that needs no job."""
    check_size(len(content))
    found = _loaded(content)
    columns = found.get("columns") if isinstance(found, dict) else None
    if not isinstance(columns, _Members) or not columns.pairs:
        raise InvalidManifest(['The mapping has no columns. Write it as {"columns": {"header": {"ctName": "email"}}}'])
    reasons = [reason for header, value in columns.pairs for reason in _errors(header, value)]
    headers = [header.strip() for header, _ in columns.pairs]
    reasons += [f"The mapping names column {h} twice. Keep one" for h in dict.fromkeys(headers) if headers.count(h) > 1]
    if reasons:
        raise InvalidManifest(reasons)
    return [_entry(header, value) for header, value in columns.pairs]


def resolve_choices(job: ImportJob, entries: Sequence[ManifestEntry]) -> dict[int, Choice]:
    """Return the choices for a job's columns, by position. Raises ``InvalidMapping`` with every entry that misfits."""
    columns, schema = list(job.columns.all()), load_schema()
    named = configure.columns_by_header(columns, [entry.header for entry in entries])
    found = {named[entry.header].position: _choice(job, named[entry.header], entry, schema) for entry in entries}
    faults = [fault for entry in entries for fault in _misfits(entry, found[named[entry.header].position], schema)]
    if faults := faults + list(_duplicate_targets(entries, named, found, schema)):
        raise InvalidMapping(faults)
    return found


def serialize(job: ImportJob) -> str:
    """Return the mapping of a job as a manifest for other jobs; undecided columns are left out."""
    decided = [column for column in job.columns.all() if column.target_kind != Target.UNDECIDED]
    columns = {column.header: _members(column) for column in decided}
    return json.dumps({"columns": columns}, ensure_ascii=False, indent=2) + "\n"


# --- the text ---------------------------------------------------------------------------------------


class _Members(dict[str, Any]):
    """A JSON object that keeps members of the same name. Raises ``UnicodeEncodeError`` for an unpaired surrogate."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        for text in (each for pair in pairs for each in pair if isinstance(each, str)):
            text.encode()
        self.pairs = pairs


def _loaded(content: bytes) -> Any:
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_Members)
    except UnicodeDecodeError:
        reason = "The mapping is not text in UTF-8. Save it as JSON in UTF-8"
    except json.JSONDecodeError as error:
        reason = f"The mapping is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
    except UnicodeEncodeError:
        reason = r"The mapping has half of a character, such as \ud83d without \ude00. Complete or remove it"
    except (ValueError, RecursionError):
        reason = "The mapping cannot be read: a number in it is too long, or it is nested too deeply"
    raise InvalidManifest([reason])


def _errors(header: str, value: Any) -> Iterator[str]:
    """Return the errors of a manifest's entry for one column, whatever the file and the schema."""
    if not isinstance(value, dict):
        yield f'Column {header} must be an object, such as {{"ctName": "email"}}'
        return
    if unknown := [name for name in value if name not in _MEMBERS]:
        yield f"Column {header} has {', '.join(unknown)}, which is not known. Use {', '.join(_MEMBERS)}"
    name, kind, date_format = (value.get(member) for member in _MEMBERS)
    if "ctName" not in value or not (name is None or (isinstance(name, str) and name.strip())):
        yield f"Column {header} has no ctName. Add the key of an attribute, or null to skip the column"
    elif name is not None and ("\0" in name or len(name.strip().encode()) > MAX_KEY_BYTES):
        yield f"The ctName of column {header} is longer than {MAX_KEY_BYTES} bytes or has a NUL character. Correct it"
    if kind is not None and _resolve_type(kind) is None:
        yield f"The dataType {json.dumps(kind)[:80]} of column {header} is not known. It is one of {', '.join(TYPES)}"
    if date_format is None:
        return
    if not isinstance(date_format, str) or date_format not in KNOWN_FORMATS:
        known = ", ".join(sorted(KNOWN_FORMATS))
        yield f"The dateFormat {json.dumps(date_format)[:80]} of column {header} is not known. It is one of {known}"
    elif _resolve_type(kind) != "Date":
        yield f"Column {header} has a dateFormat, so its dataType must be Date"


def _resolve_type(kind: Any) -> str | None:
    """Return the name of a type that is written in any case, or None if there is no such type."""
    lowered = kind.strip().lower() if isinstance(kind, str) else ""
    return next((name for name in (*TYPES, *ValueType) if str(name).lower() == lowered), None)


def _entry(header: str, value: Mapping[str, Any]) -> ManifestEntry:
    name = value["ctName"]
    return ManifestEntry(
        header.strip(),
        name.strip() if name is not None else None,
        _resolve_type(value.get("dataType")) or "",
        value.get("dateFormat") or "",
    )


# --- the columns of a job ---------------------------------------------------------------------------


def _choice(job: ImportJob, column: ImportColumn, entry: ManifestEntry, schema: Schema) -> Choice:
    """Return the choice that an entry makes for its column, by the rules for a name that a user types."""
    if entry.name is None:
        return Choice(Target.SKIP)
    (event_mapping if job.holds_events else column_mapping).map_to_name(column, entry.name, schema)
    choice = Choice(Target(column.target_kind), column.target, column.type, entry.date_format)
    if choice.kind is not Target.NEW or not entry.type:
        return choice
    # A date without a format of its own keeps the type that was detected in its values.
    is_date = entry.type == "Date" and not entry.date_format and ValueType(choice.type) in DATES
    return choice if is_date else replace(choice, type=_value_type(entry.type).value)


def _value_type(name: str) -> ValueType:
    return TYPES[name] if name in TYPES else ValueType(name)


def _misfits(entry: ManifestEntry, choice: Choice, schema: Schema) -> Iterator[Fault]:
    """Return a fault if the entry's type is not that of the column's target."""
    if not entry.type or choice.kind in (Target.NEW, Target.SKIP):
        return
    if choice.kind is Target.PROPERTY or choice.kind is Target.EVENT:
        reason = f"Column {entry.header} belongs to an event, and the type of its values is detected. "
        reason += "Leave dataType and dateFormat out"
        yield Fault("type_of_property", reason, entry.header)
        return
    actual = _type_of(ValueType(choice.type)) if entry.type in TYPES else choice.type
    if actual != entry.type and not (actual == "FLOAT" and entry.type == "INTEGER"):
        reason = f"Column {entry.header} goes to {choice.key}, which has dataType {actual}, not {entry.type}. "
        yield Fault("type_differs", f"{reason}Leave dataType out, or choose another ctName", entry.header)


def _duplicate_targets(
    entries: Sequence[ManifestEntry], named: Mapping[str, ImportColumn], found: Mapping[int, Choice], schema: Schema
) -> Iterator[Fault]:
    """Return a fault for each target that holds one value and that several columns have."""
    names, headers = NameResolver(schema), dict[str, list[str]]()
    for entry in entries:
        if key := found[named[entry.header].position].key:
            headers.setdefault(key, []).append(entry.header)
    for key, several in headers.items():
        if len(several) > 1 and not names.is_multi_valued(key):
            reason = f"Several columns have the ctName {key}, which holds one value: {', '.join(several)}. Keep one"
            yield Fault("target_twice", reason, several[-1])


def _members(column: ImportColumn) -> dict[str, str | None]:
    if column.target_kind == Target.SKIP:
        return {"ctName": None}
    members: dict[str, str | None] = {"ctName": column.target}
    if column.target_kind in (Target.NEW, Target.ATTRIBUTE) and column.type:
        kind = ValueType(column.type)
        members["dataType"] = _type_of(kind) if kind in DATES or kind in TYPES.values() else kind.value
    if members.get("dataType") == "Date" and (date_format := column_mapping.chosen_date_format(column)):
        members["dateFormat"] = date_format
    return members


def _type_of(kind: ValueType) -> str:
    """Return the name of a type in a manifest; a type that CleverTap does not have is STRING."""
    if kind in DATES:
        return "Date"
    return next((name for name, each in TYPES.items() if each is kind), "STRING")
