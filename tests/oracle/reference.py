"""An import done the slow and obvious way: one row after another, each compared with every person (design rule 1).

Written from the requirements, and so simple that reading it is checking it. It shares no reading, matching, merging or
applying with the engine, which must come to the same end however it orders, cuts and spreads its work.
"""

import copy
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_CUSTOM = 256  # AT-12
AUTOMATIC = ("external_id", "object_id", "alias", "email", "phone")  # D-03
OWN = (
    "external_id", "object_id", "alias_label", "alias_name", "subscription_group_id", "subscription_state",
)  # fmt: skip
"""Columns that are no attributes."""
LONGEST_ALIAS = 255  # of label and of name, in bytes
ABOUT = {"dnd_email": "email", "dnd_phone": "phone"}  # SB-06


@dataclass(frozen=True)
class Field:
    """What a column goes to. ``kind``: text, email, phone, integer, flag, state, group or membership; ``channel``:
    people can be found by it."""

    key: str
    kind: str = "text"
    many: bool = False
    channel: bool = False
    custom: bool = False
    mandatory: bool = False


@dataclass(frozen=True)
class Order:
    """What is asked for: ``fields`` has one entry per column of the file, ``schema`` one per attribute."""

    schema: dict[str, Field]
    fields: Sequence[Field]
    identifier: str
    action: str
    drop_bad_values: bool = False
    most_values: int = 10
    exact_states: bool = False


@dataclass(eq=False)
class Person:
    """Somebody. ``number`` grows with age of the record; ``made_by`` is the row that made them, if a row did."""

    number: int
    object_id: str
    external_id: str | None
    attributes: dict[str, Any]
    updated: int
    made_by: int | None = None
    first_row: int | None = None
    alias: tuple[str, str] | None = None

    def recency(self) -> tuple[int, int]:
        """Of several people with one value the greatest is found: last changed, then made last (D-04)."""
        return self.updated, self.number

    def state(self) -> dict[str, Any]:
        """All that an import may change about them; the own fields under their names, the alias as one value."""
        own: dict[str, Any] = {} if self.external_id is None else {"external_id": self.external_id}
        if self.alias is not None:
            own["alias"] = list(self.alias)
        return copy.deepcopy(self.attributes | own)

    def reached_by_alias(self) -> tuple[str, str] | None:
        """Who has an external id is not found by alias, and may have that of somebody else (HI-19)."""
        return None if self.external_id is not None else self.alias


@dataclass
class Row:
    """What became of a row. ``codes``: every reason why it failed; ``changes``: ``{key: [old, new]}``; ``sound``: it is
    well-formed, so that only the people in its way can make it fail."""

    number: int
    outcome: str
    codes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    person: Person | None = None
    changes: dict[str, list[Any]] = field(default_factory=dict)
    key: tuple[str, str] | None = None
    sound: bool = False


class BadValue(Exception):
    """A text that is no value of its field; the argument is the code."""


class Refused(Exception):
    """A well-formed row that cannot be applied; the argument is the code."""


class Reference:
    """People, and rows applied to them one by one."""

    def __init__(self, people: list[Person], order: Order) -> None:
        self.people = people
        self.order = order
        self.before = {person: person.state() for person in people}
        self.ages = {person: person.updated for person in people}
        self.suppressed: dict[tuple[str, str], bool] = {}

    def apply(self, rows: Sequence[Sequence[str]]) -> list[Row]:
        """Apply the file; one answer per row, numbered from 1."""
        return [self.apply_row(number, cells) for number, cells in enumerate(rows, 1)]

    def changes(self, person: Person) -> dict[str, list[Any]]:
        """What all rows together changed about somebody who was there before."""
        return difference(self.before[person], person.state())

    # --- one row: cell count, identifier, mandatory values, formats, match, action (PS-27) ---

    def apply_row(self, number: int, cells: Sequence[str]) -> Row:
        """Apply one row to the people as they are by now."""
        if len(cells) != len(self.order.fields):
            return Row(number, "failed", ["malformed_row"])
        row = Row(number, "failed")
        values, bad = self.read_row(cells, row)
        row.key = self._key(values)
        half = self._half_alias(cells)
        row.codes = [*half, *self._identifier_problem(row, bad, half), *self._missing(cells)]
        row.codes += [code for column, code in bad if not self._identifies(column)]
        row.sound = not row.codes
        if not row.sound:
            return row
        try:
            self._match(row, values)
        except Refused as reason:
            row.codes.append(str(reason))
        return row

    def read_row(self, cells: Sequence[str], row: Row) -> tuple[list[Any], list[tuple[Field, str]]]:
        """A value per column, None where it is blank or bad, and what is bad (AT-18, D-17, HI-39)."""
        values: list[Any] = []
        bad: list[tuple[Field, str]] = []
        for column, cell in zip(self.order.fields, cells, strict=True):
            try:
                values.append(read(column, cell, self.order.exact_states) if cell.strip() else None)
            except BadValue as problem:
                values.append(None)
                if self.order.drop_bad_values and not self._identifies(column):
                    row.warnings.append(str(problem))
                else:
                    bad.append((column, str(problem)))
        filled = {column.key for column, cell in zip(self.order.fields, cells, strict=True) if cell.strip()}
        if "subscription_group_id" in filled and "subscription_state" not in filled:
            row.warnings.append("group_without_state")  # SB-09
        if "subscription_state" in filled and "subscription_group_id" not in filled:
            row.warnings.append("state_without_group")
        return values, bad

    def _identifies(self, column: Field) -> bool:
        """Whether the column is what the job was told to look people up by."""
        return identifier_of(column.key) == self.order.identifier

    def _identifier_problem(self, row: Row, bad: list[tuple[Field, str]], half: list[str]) -> list[str]:
        """A malformed identifier is a problem of its own; a row without any is told that it is blank (HI-35)."""
        malformed = [code for column, code in bad if self._identifies(column)]
        any_bad = any(identifier_of(column.key) in self._kinds() for column, _ in bad)
        return malformed or (["blank_identifier"] if row.key is None and not any_bad and not half else [])

    def _half_alias(self, cells: Sequence[str]) -> list[str]:
        """A name without a label, or a label without a name, means nobody, whatever people are found by (HI-17)."""
        pairs = zip(self.order.fields, cells, strict=True)
        blank = {not cell.strip() for column, cell in pairs if column.key in ("alias_label", "alias_name")}
        return ["alias_incomplete"] if len(blank) == 2 else []

    def _missing(self, cells: Sequence[str]) -> list[str]:
        pairs = zip(self.order.fields, cells, strict=True)
        return ["missing_mandatory" for column, cell in pairs if column.mandatory and not cell.strip()]

    def _kinds(self) -> Sequence[str]:
        return AUTOMATIC if self.order.identifier == "automatic" else [self.order.identifier]

    def _key(self, values: list[Any]) -> tuple[str, str] | None:
        """What the row is looked up by: the first kind, and of it the first column, that is not blank (D-03)."""
        for kind in self._kinds():
            if kind == "alias" and (pair := self.alias(values)):
                return kind, alias_form(pair)
            for column, value in zip(self.order.fields, values, strict=True):
                if column.key == kind and value is not None:
                    return kind, form(column, value)
        return None

    def _match(self, row: Row, values: list[Any]) -> None:
        assert row.key is not None
        found = [person for person in self.people if row.key in self._held(person)]
        if not found:
            self._create(row, values)
            return
        person = max(found, key=Person.recency)
        if self.order.action == "ignore":
            row.outcome = "ignored"
        else:
            self._change(row, values, person)

    def _held(self, person: Person) -> set[tuple[str, str]]:
        """Everything that somebody can be found by."""
        held = {("object_id", person.object_id), ("external_id", person.external_id or "")}
        if pair := person.reached_by_alias():
            held.add(("alias", alias_form(pair)))
        return held | identifiers(person, self.order.schema)

    # --- a row and its person ---

    def _create(self, row: Row, values: list[Any]) -> None:
        if self.own(values, "object_id") is not None:
            raise Refused("no_such_profile")  # a file never makes somebody under an object id (D-20)
        number = max([person.number for person in self.people], default=0) + 1
        person = Person(number, "", self.own(values, "external_id"), self.supplied(values), 0, row.number)
        person.alias = self.alias(values)
        self._check_owner(person)
        self._check_limits({}, person.attributes)
        self.people.append(person)
        self._write(person)
        self._suppress(person, person.attributes)
        person.first_row = row.number
        row.outcome, row.person = "imported", person
        row.changes = difference({}, person.attributes)

    def _change(self, row: Row, values: list[Any], person: Person) -> None:
        object_id = self.own(values, "object_id")
        if object_id not in (None, person.object_id):
            raise Refused("object_id_differs")
        changed = copy.deepcopy(person)
        supplied = self.own(values, "external_id")
        changed.external_id = self._cell(False, None, person.external_id, supplied) or person.external_id  # D-06
        changed.alias = self._cell(False, None, person.alias, self.alias(values)) or person.alias
        self._check_owner(changed)
        changed.attributes = self._merged(person.attributes, self.supplied(values))
        self._check_limits(person.attributes, changed.attributes)
        row.changes = difference(person.state(), changed.state())
        row.outcome, row.person = "updated" if row.changes else "unchanged", person
        person.first_row = person.first_row or row.number
        if row.changes:
            before = person.attributes
            person.external_id, person.alias = changed.external_id, changed.alias
            person.attributes = changed.attributes
            self._write(person)
            self._suppress(person, self._counting(before, self.supplied(values)))
        else:
            self._suppress(person, self._counting(person.attributes, self.supplied(values)))

    def _counting(self, old: dict[str, Any], supplied: dict[str, Any]) -> dict[str, Any]:
        """What of a row the action lets through (SB-13)."""
        return {key: v for key, v in supplied.items() if self.order.action != "update" or key not in old}

    def _suppress(self, person: Person, said: dict[str, Any]) -> None:
        """What a row says about addresses holds for whoever has them (SB-06)."""
        for key in said.keys() & ABOUT.keys():
            column = self.order.schema[ABOUT[key]]
            for value in as_list(person.attributes.get(column.key)):
                self.suppressed[column.key, form(column, value)] = said[key]

    def _write(self, person: Person) -> None:
        person.updated = max([other.updated for other in self.people], default=0) + 1

    def own(self, values: list[Any], key: str) -> str | None:
        """The own field of a person that the row brings."""
        return next((v for column, v in zip(self.order.fields, values, strict=True) if column.key == key), None)

    def alias(self, values: list[Any]) -> tuple[str, str] | None:
        """The label and name that the row brings: both or nothing."""
        label, name = self.own(values, "alias_label"), self.own(values, "alias_name")
        return None if label is None or name is None else (label, name)

    def supplied(self, values: list[Any]) -> dict[str, Any]:
        """The row's attributes; several columns make one list, of which each value stands once (AT-09)."""
        supplied: dict[str, Any] = {}
        for column, value in zip(self.order.fields, values, strict=True):
            if value is None or column.key in OWN:
                continue
            if column.many:
                supplied[column.key] = joined(column, supplied.get(column.key, []), [value])
            else:
                supplied[column.key] = value
        group, state = self.own(values, "subscription_group_id"), self.own(values, "subscription_state")
        if group is not None and state is not None:
            supplied[f"group:{group}"] = state
        return supplied

    def _merged(self, old: dict[str, Any], supplied: dict[str, Any]) -> dict[str, Any]:
        merged = {}
        for key in old.keys() | supplied.keys():
            column = self.order.schema.get(key)
            value = self._cell(column is not None and column.many, column, old.get(key), supplied.get(key))
            if value is None and is_consent(key):
                value = old.get(key)  # D-06
            if value is not None:
                merged[key] = value
        return merged

    def _cell(self, many: bool, column: Field | None, old: Any, cell: Any) -> Any:
        """One cell of the matrix in requirements 8.0; None is blank."""
        action = self.order.action
        if cell is None:
            return None if action == "replace" else old
        if old is None:
            return cell
        if action == "update":
            return old
        if action == "append" and many:
            assert column is not None
            return joined(column, old, cell)
        return cell

    def _check_owner(self, person: Person) -> None:
        """Only one person can have an external id, and of those who have none only one an alias (design rule 12)."""
        others = [other for other in self.people if other.number != person.number]
        if person.external_id is not None and person.external_id in [other.external_id for other in others]:
            raise Refused("external_id_taken")
        pair = person.reached_by_alias()
        if pair is not None and pair in [other.reached_by_alias() for other in others]:
            raise Refused("alias_taken")

    def _check_limits(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """What is too long already may stay so, but not grow (AT-08, AT-12)."""
        for key, column in self.order.schema.items():
            count = len(as_list(new.get(key)))
            if column.channel and count > self.order.most_values and count > len(as_list(old.get(key))):
                raise Refused("too_many_values")
        count = len(self._custom(new))
        if count > MOST_CUSTOM and count > len(self._custom(old)):
            raise Refused("too_many_attributes")

    def _custom(self, attributes: dict[str, Any]) -> list[str]:
        custom = [key for key in attributes if key not in self.order.schema or self.order.schema[key].custom]
        return [key for key in custom if not is_consent(key)]


def is_consent(key: str) -> bool:
    """Whether a value is what somebody said about being written to."""
    return key.startswith("group:") or key.endswith("_subscribe") or key in ABOUT


def read(column: Field, cell: str, exact_states: bool = False) -> Any:
    """A cell that is not blank as what is stored (D-13, D-19); raises BadValue."""
    if column.kind == "email":
        if not re.fullmatch(r"[\w.]+@\w+\.[a-z]{2,}", cell.strip()):
            raise BadValue("invalid_email")
        return cell.strip()
    if column.kind == "phone":
        number = re.sub(r"[ \-.()/]", "", cell)
        if not re.fullmatch(r"\+?[0-9]{7,15}", number):
            raise BadValue("invalid_phone")
        return number
    if column.kind == "integer":
        if not re.fullmatch(r"[0-9]+", cell.strip()):
            raise BadValue("invalid_integer")
        return int(cell)
    if column.key in ("alias_label", "alias_name") and len(cell.strip().encode()) > LONGEST_ALIAS:
        raise BadValue("too_long")
    if column.kind in ("flag", "state", "membership"):
        return read_consent(column, cell, exact_states)
    return cell.strip() if column.channel or column.key in OWN else cell


def identifier_of(key: str) -> str:
    """The identifier that a column belongs to."""
    return "alias" if key in ("alias_label", "alias_name") else key


def alias_form(pair: tuple[str, str]) -> str:
    """A label and a name as one text that no other two have: their JSON."""
    return json.dumps(pair, ensure_ascii=False, separators=(",", ":"))


def read_consent(column: Field, cell: str, exact_states: bool) -> Any:
    """What somebody said; where states need not be exact, true and false are states too (SB-03, SB-04, SB-07)."""
    text = cell.strip().lower()
    if column.kind == "flag":
        if text not in ("true", "false"):
            raise BadValue("invalid_boolean")
        return text == "true"
    text = cell if exact_states else {"true": "subscribed", "false": "unsubscribed"}.get(text, text)
    if text not in ["subscribed", "unsubscribed"] + ["opted_in"] * (column.kind == "state"):
        raise BadValue("invalid_subscription")
    return text


def form(column: Field, value: Any) -> str:
    """What a value is compared by: folded e-mail (D-28), digits of a phone (D-19), the text itself."""
    if column.kind == "email":
        return str(value).casefold()
    if column.kind == "phone":
        return re.sub("[^0-9]", "", value)
    return str(value).strip()


def joined(column: Field, values: list[Any], more: list[Any]) -> list[Any]:
    """A list with more values behind it, each of which stands once, as it was first given."""
    result = list(values)
    for value in more:
        if not any(_equal(column, value, other) for other in result):
            result.append(value)
    return result


def identifiers(person: Person, schema: dict[str, Field]) -> set[tuple[str, str]]:
    """Kind and matching form of each channel value that somebody has."""
    return {
        (key, form(column, value))
        for key, column in schema.items()
        if column.channel
        for value in as_list(person.attributes.get(key))
    }


def difference(old: dict[str, Any], new: dict[str, Any]) -> dict[str, list[Any]]:
    """``{key: [old, new]}`` of what differs, None for what is not there."""
    return {key: [old.get(key), new.get(key)] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def as_list(value: Any) -> list[Any]:
    """The values of an attribute, none where it is blank."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _equal(column: Field, one: Any, other: Any) -> bool:
    return form(column, one) == form(column, other) if column.channel else bool(one == other)
