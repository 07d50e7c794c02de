"""A mapping as a JSON manifest: read into the choices that the second screen posts, and written from them (MP-09).

``{"columns": {HEADER: {"ctName": KEY, "dataType": TYPE, "dateFormat": FORMAT}}}``. A name that is null leaves its
column out; columns that are not named stay as they are.
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
from profiles.schema import KEY_BYTES, Schema
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.types import ValueType

LONGEST_BYTES = 1024**2
FAULTS_TOLD = 20

TYPES: Mapping[str, ValueType] = {
    "STRING": ValueType.TEXT,
    "INTEGER": ValueType.INTEGER,
    "FLOAT": ValueType.NUMBER,
    "BOOLEAN": ValueType.BOOLEAN,
    "Date": ValueType.DATETIME,
}
"""As CleverTap calls them. Beside these a type may be called as the schema does, so that a mapping comes back whole."""

_MEMBERS = ("ctName", "dataType", "dateFormat")


class InvalidManifest(Exception):
    """The text is no manifest, or asks for what cannot be; ``reasons`` say all of it."""

    def __init__(self, reasons: Sequence[str]) -> None:
        more = f"{len(reasons) - FAULTS_TOLD} more things are wrong"
        self.reasons = [*reasons[:FAULTS_TOLD], *([more] if len(reasons) > FAULTS_TOLD else [])]
        super().__init__("; ".join(self.reasons))


@dataclass(frozen=True, slots=True)
class Entry:
    """What a manifest says of one column. ``name`` None leaves it out; a blank type is not said."""

    header: str
    name: str | None
    type: str = ""
    date_format: str = ""


def check_size(size: int) -> None:
    """Raise ``WrongManifest`` for a file of so many bytes when no mapping is that large."""
    if size > LONGEST_BYTES:
        raise InvalidManifest([f"The mapping has {size:,} bytes and the limit is 1 MB. Choose the JSON of a mapping"])


def parse(content: bytes) -> list[Entry]:
    """What a manifest says, column by column. Raises ``WrongManifest`` with everything that is wrong by itself."""
    check_size(len(content))
    found = _loaded(content)
    columns = found.get("columns") if isinstance(found, dict) else None
    if not isinstance(columns, _Members) or not columns.pairs:
        raise InvalidManifest(
            ['The mapping has no columns. It looks like {"columns": {"header": {"ctName": "email"}}}']
        )
    reasons = [reason for header, said in columns.pairs for reason in _wrong(header, said)]
    headers = [header.strip() for header, _ in columns.pairs]
    reasons += [f"The mapping names column {h} twice. Keep one" for h in dict.fromkeys(headers) if headers.count(h) > 1]
    if reasons:
        raise InvalidManifest(reasons)
    return [_entry(header, said) for header, said in columns.pairs]


def resolve_choices(job: ImportJob, entries: Sequence[Entry]) -> dict[int, Choice]:
    """Where the columns of a job go, by position. Raises ``NotReady`` with every entry that does not fit it."""
    columns, schema = list(job.columns.all()), load_schema()
    named = configure.columns_by_header(columns, [entry.header for entry in entries])
    found = {named[entry.header].position: _choice(job, named[entry.header], entry, schema) for entry in entries}
    faults = [fault for entry in entries for fault in _misfits(entry, found[named[entry.header].position], schema)]
    if faults := faults + list(_twice(entries, named, found, schema)):
        raise InvalidMapping(faults)
    return found


def serialize(job: ImportJob) -> str:
    """The mapping of a job, to be used for another one; what is undecided is not in it."""
    columns = {column.header: _said(column) for column in job.columns.all() if column.target_kind != Target.UNDECIDED}
    return json.dumps({"columns": columns}, ensure_ascii=False, indent=2) + "\n"


# --- the text ---------------------------------------------------------------------------------------


class _Members(dict[str, Any]):
    """An object of JSON that remembers members of the same name. Raises ``UnicodeEncodeError`` for half a character."""

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
        reason = r"The mapping holds half a character, such as \ud83d without \ude00. Remove it, or complete it"
    except (ValueError, RecursionError):
        reason = "The mapping is not JSON that can be read: it has a number too long, or is nested too deeply"
    raise InvalidManifest([reason])


def _wrong(header: str, said: Any) -> Iterator[str]:
    """What is wrong with what a manifest says of a column, whatever the file and the schema."""
    if not isinstance(said, dict):
        yield f'Column {header} is to be an object, such as {{"ctName": "email"}}'
        return
    if unknown := [name for name in said if name not in _MEMBERS]:
        yield f"Column {header} has {', '.join(unknown)}, which means nothing; there are {', '.join(_MEMBERS)}"
    name, kind, date_format = (said.get(member) for member in _MEMBERS)
    if "ctName" not in said or not (name is None or (isinstance(name, str) and name.strip())):
        yield f"Column {header} has no ctName: the key of an attribute, or null to skip the column"
    elif name is not None and ("\0" in name or len(name.strip().encode()) > KEY_BYTES):
        yield f"The ctName of column {header} is longer than {KEY_BYTES} bytes or holds a NUL. Shorten it"
    if kind is not None and _type_named(kind) is None:
        yield f"The dataType {json.dumps(kind)[:80]} of column {header} is not known. It is one of {', '.join(TYPES)}"
    if date_format is None:
        return
    if not isinstance(date_format, str) or date_format not in KNOWN_FORMATS:
        known = ", ".join(sorted(KNOWN_FORMATS))
        yield f"The dateFormat {json.dumps(date_format)[:80]} of column {header} is not known. It is one of {known}"
    elif _type_named(kind) != "Date":
        yield f"Column {header} has a dateFormat, so its dataType must be Date"


def _type_named(kind: Any) -> str | None:
    """How a type is called that is said in any case; None for none."""
    said = kind.strip().lower() if isinstance(kind, str) else ""
    return next((name for name in (*TYPES, *ValueType) if str(name).lower() == said), None)


def _entry(header: str, said: Mapping[str, Any]) -> Entry:
    name = said["ctName"]
    return Entry(
        header.strip(),
        name.strip() if name is not None else None,
        _type_named(said.get("dataType")) or "",
        said.get("dateFormat") or "",
    )


# --- the columns of a job ---------------------------------------------------------------------------


def _choice(job: ImportJob, column: ImportColumn, entry: Entry, schema: Schema) -> Choice:
    """Where an entry sends its column, as a person who types the name sends it."""
    if entry.name is None:
        return Choice(Target.SKIP)
    (event_mapping if job.holds_events else column_mapping).map_to_name(column, entry.name, schema)
    choice = Choice(Target(column.target_kind), column.target, column.type, entry.date_format)
    if choice.kind is not Target.NEW or not entry.type:
        return choice
    # A date with no format of its own is of the kind that its values are.
    is_date = entry.type == "Date" and not entry.date_format and ValueType(choice.type) in DATES
    return choice if is_date else replace(choice, type=_meant(entry.type).value)


def _meant(name: str) -> ValueType:
    return TYPES[name] if name in TYPES else ValueType(name)


def _misfits(entry: Entry, choice: Choice, schema: Schema) -> Iterator[Fault]:
    """A type that is not that of the place where the column goes."""
    if not entry.type or choice.kind in (Target.NEW, Target.SKIP):
        return
    if choice.kind is Target.PROPERTY or choice.kind is Target.EVENT:
        reason = f"Column {entry.header} tells of an event: its values have the type that is found. "
        reason += "Leave dataType and dateFormat out"
        yield Fault("type_of_property", reason, entry.header)
        return
    has = _type_of(ValueType(choice.type)) if entry.type in TYPES else choice.type
    if has != entry.type and not (has == "FLOAT" and entry.type == "INTEGER"):
        reason = f"Column {entry.header} goes to {choice.key}, which exists and has dataType {has}, not {entry.type}. "
        yield Fault("type_differs", f"{reason}Leave dataType out, or choose another ctName", entry.header)


def _twice(
    entries: Sequence[Entry], named: Mapping[str, ImportColumn], found: Mapping[int, Choice], schema: Schema
) -> Iterator[Fault]:
    """Names that several columns have, where only one can go."""
    names, headers = NameResolver(schema), dict[str, list[str]]()
    for entry in entries:
        if key := found[named[entry.header].position].key:
            headers.setdefault(key, []).append(entry.header)
    for key, several in headers.items():
        if len(several) > 1 and not names.is_multi_valued(key):
            reason = f"Several columns have the ctName {key}, which holds one value: {', '.join(several)}. Keep one"
            yield Fault("target_twice", reason, several[-1])


def _said(column: ImportColumn) -> dict[str, str | None]:
    if column.target_kind == Target.SKIP:
        return {"ctName": None}
    said: dict[str, str | None] = {"ctName": column.target}
    if column.target_kind in (Target.NEW, Target.ATTRIBUTE) and column.type:
        kind = ValueType(column.type)
        said["dataType"] = _type_of(kind) if kind in DATES or kind in TYPES.values() else kind.value
    if said.get("dataType") == "Date" and (date_format := column_mapping.chosen_date_format(column)):
        said["dateFormat"] = date_format
    return said


def _type_of(kind: ValueType) -> str:
    """What a manifest calls a type; whatever is more than these is a text of some form."""
    if kind in DATES:
        return "Date"
    return next((name for name, each in TYPES.items() if each is kind), "STRING")
