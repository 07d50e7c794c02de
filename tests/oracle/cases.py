"""Imports for hypothesis to choose from: few people, few values, many ways to be in each other's way."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from tests.oracle.reference import AUTOMATIC, Field, Order, Person, Reference, joined

SCHEMA = {
    column.key: column
    for column in [
        Field("email", "email", many=True, channel=True),
        Field("phone", "phone", many=True, channel=True),
        Field("badge", many=True, channel=True, custom=True),
        Field("card", channel=True, custom=True),
        Field("first_name"),
        Field("home_city"),
        Field("age", "integer"),
        Field("labels", many=True),
        Field("plan", custom=True),
        Field("email_subscribe", "state"),
        Field("dnd_email", "flag"),
        Field("dnd_phone", "flag"),
        Field("group:g1", "membership"),
    ]
}
OWN = {
    "external_id": Field("external_id"),
    "object_id": Field("object_id"),
    "alias_label": Field("alias_label"),
    "alias_name": Field("alias_name"),
    "subscription_group_id": Field("subscription_group_id", "group"),
    "subscription_state": Field("subscription_state", "membership"),
}
ALIAS = ("alias_label", "alias_name")
PAIR = {"alias label", "alias name"}  # the headers of these
NEW = "plan"  # the attribute that only an import brings into being

IDENTIFIERS = ("external_id", "object_id", "alias", "email", "phone", "automatic", "badge", "card")
ACTIONS = ("update", "append", "overwrite", "replace", "ignore")

COLUMNS = {
    "external_id": "external_id",
    "object_id": "object_id",
    "alias label": "alias_label",
    "alias name": "alias_name",
    "email": "email",
    "email 2": "email",
    "email 3": "email",
    "phone": "phone",
    "phone 2": "phone",
    "badge": "badge",
    "badge 2": "badge",
    "card": "card",
    "first name": "first_name",
    "city": "home_city",
    "age": "age",
    "labels": "labels",
    "labels 2": "labels",
    "plan": "plan",
    "MSG-email": "email_subscribe",
    "MSG-dndEmail": "dnd_email",
    "MSG-dndPhone": "dnd_phone",
    "group": "subscription_group_id",
    "state": "subscription_state",
}
"""Headers of the file and what they go to."""

VALUES: dict[str, list[Any]] = {
    "email": ["a@x.co", "b@x.co", "c@x.co", "d@x.co", "A@X.co"],
    "phone": ["1000001", "1000002", "1000003", "1000004", "+1000001"],
    "badge": ["b1", "b2", "b3", "b4"],
    "card": ["c1", "c2", "c3"],
    "first_name": ["Ann", "Bo"],
    "home_city": ["Oslo", 'Ry "old"'],
    "age": [7, 8],
    "labels": ["l1", "l2", "L1"],
    "email_subscribe": ["opted_in", "unsubscribed"],
    "dnd_email": [True, False],
    "group:g1": ["subscribed", "unsubscribed"],
}
"""What people are made of."""

CELLS = {
    "external_id": ["e1", "e2", "e3", "e4", "e5", " e1 "],
    "object_id": ["o1", "o2", "o3", "unknown"],
    "alias_label": ["crm", "crm", "crm", "shop", " crm "],
    "alias_name": ["n1", "n2", "n3", ' n "4"', "n\\5"],
    "email": ["a@x.co", "b@x.co", "c@x.co", "d@x.co", "A@X.co", " b@x.co ", "e@x.co"],
    "phone": ["1000001", "1000002", "1000003", "+1000001", "100-00 02", "1000004", "1000005"],
    "badge": ["b1", "b2", "b3", "b4", "b5"],
    "card": ["c1", "c2", "c3", "c4"],
    "first_name": ["Ann", "Bo", "Cy"],
    "home_city": ["Oslo", "Rome", "tab\there", "back\\slash", "two\nlines"],
    "age": ["7", "8", "9"],
    "labels": ["l1", "l2", "l3", "L1"],
    "plan": ["gold", "free"],
    "email_subscribe": ["opted_in", "subscribed", "unsubscribed", "Unsubscribed", "true", " FALSE"],
    "dnd_email": ["true", "false", "TRUE"],
    "dnd_phone": ["true", "false", " False "],
    "subscription_group_id": ["g1", "g2", ' g "3" '],
    "subscription_state": ["subscribed", "unsubscribed", "subscribed ", "true"],
}
"""What rows are made of."""

ALIKE = [
    {},
    {
        "a@x.co": "gnyijstj@x.co",
        "A@X.co": "GNYIJSTJ@X.co",
        "b@x.co": "etislvlf@x.co",
        "1000001": "4953222560725",
        "+1000001": "+4953222560725",
        "1000002": "3776429662724",
        "100-00 02": "3776429-66 2724",
        "b1": "bckmescq",
        "b2": "bowkirmw",
        "e1": "euqmjwcz",
        "e2": "eebxcqwj",
        "c1": "cenyozyt",
        "c2": "caafhuaf",
        "n1": "nnidmovh",
        "n2": "nbubanxn",
    },
    {
        "b@x.co": "df@x.co",
        "1000002": "1000405",
        "100-00 02": "100-04 05",
        "b2": "b3d",
        "e2": "e0f",
        "c2": "cck",
        "n2": "n1i3",
    },
]
"""Other names for some values. The engine spreads values by a checksum: in the second set two of each kind have the
same one and cannot be told apart by it, in the third they are neighbours."""

BAD = {
    "email": "not an address",
    "phone": "12",
    "age": "old",
    "alias_name": "n" * 256,
    "email_subscribe": "maybe",
    "dnd_email": "no",
    "subscription_state": "opted_in",
}
BLANK = ["", "", "", " "]


@dataclass(frozen=True)
class Start:
    """Somebody who is there before the import. ``filler``: so many custom attributes that no row names."""

    external_id: str | None
    attributes: dict[str, Any]
    age: int
    filler: int = 0
    alias: tuple[str, str] | None = None

    def all_attributes(self) -> dict[str, Any]:
        return self.attributes | {f"filler {n}": n for n in range(self.filler)}


@dataclass(frozen=True)
class Case:
    """One import: who is there, what is asked for, and how the work is cut up and shared.

    ``disturbed``: somebody else writes people between preview and apply, though none of these, so that what the preview
    worked out must be worked out again.
    """

    people: list[Start]
    headers: list[str]
    rows: list[list[str]]
    identifier: str
    action: str
    bucket_rows: int
    hands: int
    salt: int = 0
    drop_bad_values: bool = False
    mandatory: bool = False
    most_values: int = 10
    disturbed: bool = False
    exact_states: bool = False

    record_type = "profiles"

    def reference(self) -> Reference:
        """Whoever applies the rows one by one."""
        return Reference(self.starting(), self.order())

    def text(self) -> str:
        """The file."""
        stream = io.StringIO()
        csv.writer(stream).writerows([self.headers, *self.rows])
        return stream.getvalue()

    def order(self) -> Order:
        """The same for the reference."""
        known = dict(SCHEMA)
        if self.mandatory:
            known["first_name"] = Field("first_name", mandatory=True)
        columns = [(OWN | known)[COLUMNS[header]] for header in self.headers]
        return Order(
            known, columns, self.identifier, self.action, self.drop_bad_values, self.most_values, self.exact_states
        )

    def starting(self) -> list[Person]:
        """The same people for the reference, in the order of their making."""
        return [
            Person(number, f"o{number}", start.external_id, start.all_attributes(), start.age, alias=start.alias)
            for number, start in enumerate(self.people, 1)
        ]


NUMBERS = st.integers(0, 2**32)


@st.composite
def cases(draw: st.DrawFn, identifier: str) -> Case:
    """Any import by one identifier.

    A column, a row or a person is one number from which the rest follows. So hypothesis can leave some of them out when
    it looks for the smallest counterexample, and does not, as it likes to, take the first of everything.
    """
    choice = Random(draw(NUMBERS))
    headers = some_headers(identifier, Random(draw(NUMBERS)))
    keys = identifying(identifier)
    alike = choice.choice([ALIKE[0], *ALIKE])
    mandatory = "first name" in headers and choice.random() < 0.2
    return Case(
        people=some_people(draw(several(0, 7)), alike),
        headers=headers,
        rows=[[_named(cell, alike) for cell in some_row(headers, keys, row)] for row in draw(several(1, 20))],
        identifier=identifier,
        action=choice.choice(ACTIONS),
        bucket_rows=choice.choice([1000, 1, 2, 3, 7]),
        hands=choice.choice([1, 1, 2, 4]),
        salt=choice.randrange(1000),
        drop_bad_values=not mandatory and choice.random() < 0.1,
        mandatory=mandatory,
        most_values=choice.choice([10, 10, 3, 2]),
        disturbed=choice.random() < 0.3,
        exact_states=choice.random() < 0.2,
    )


def several(least: int, most: int) -> st.SearchStrategy[list[Random]]:
    counts = st.integers(least, most)
    return counts.flatmap(lambda count: st.lists(NUMBERS.map(Random), min_size=count, max_size=count))


def kinds(identifier: str) -> Sequence[str]:
    """The kinds that rows are looked up by."""
    return AUTOMATIC if identifier == "automatic" else (identifier,)


def identifying(identifier: str) -> Sequence[str]:
    """The keys of columns that hold these kinds."""
    return [key for kind in kinds(identifier) for key in (ALIAS if kind == "alias" else (kind,))]


def some_headers(identifier: str, choice: Random) -> list[str]:
    """A few columns in any order, one of them at least to look people up by."""
    kinds = identifying(identifier)
    own = [header for header, key in COLUMNS.items() if key in kinds]
    chosen = {choice.choice([header for header in own if header != "object_id"] or own)}
    chosen |= {header for header in own if choice.random() < 0.4}
    chosen |= {header for header in COLUMNS if choice.random() < (0.1 if header == "object_id" else 0.25)}
    if not chosen.isdisjoint(PAIR):  # which stand together or not at all
        chosen = chosen | PAIR if identifier == "alias" or choice.random() < 0.7 else chosen - PAIR
    if chosen.isdisjoint(own):
        chosen.add("email")
    return choice.sample(sorted(chosen), len(chosen))


def some_row(headers: Sequence[str], identifying: Sequence[str], choice: Random) -> list[str]:
    if choice.random() < 0.02:
        return ["x"] * choice.randint(1, len(headers) + 1)
    cells = [_cell(COLUMNS[header], COLUMNS[header] in identifying, choice) for header in headers]
    if set(headers) >= PAIR and choice.random() < 0.9:  # seldom is one of them blank without the other
        label, name = (headers.index(header) for header in sorted(PAIR))
        if not (cells[label].strip() and cells[name].strip()):
            cells[label] = cells[name] = ""
    return cells


def _cell(key: str, identifies: bool, choice: Random) -> str:
    kind, blank = choice.random(), 0.1 if identifies else 0.7 if key == "object_id" else 0.25
    if kind < blank:
        return choice.choice(BLANK)
    if kind < blank + 0.03 and key in BAD:
        return BAD[key]
    return choice.choice(CELLS[key])


def _named(text: str, alike: dict[str, str]) -> str:
    """The same value under its other name, with the blanks around it."""
    return text.replace(text.strip(), alike.get(text.strip(), text.strip())) if text.strip() else text


def some_people(choices: Sequence[Random], alike: dict[str, str]) -> list[Start]:
    """People with distinct external ids, where they have any; those who have none with distinct aliases."""
    free = [_named(f"e{number}", alike) for number in range(1, len(choices) + 1)]
    aliases = [(label, _named(f"n{number}", alike)) for number in (1, 2, 3) for label in ("crm", "crm", "shop")]
    people = [
        Start(
            external_id=free.pop(choice.randrange(len(free))) if choice.random() < 0.5 else None,
            attributes={key: _values(SCHEMA[key], choice, alike) for key in VALUES if choice.random() < 0.6},
            age=choice.randint(1, 4),
            filler=choice.randint(252, 257) if choice.random() < 0.05 else 0,
            alias=choice.choice(aliases) if choice.random() < 0.6 else None,
        )
        for choice in choices
    ]
    taken: set[tuple[str, str] | None] = {None}
    for at, start in enumerate(people):
        if start.external_id is None:
            people[at] = replace(start, alias=None) if start.alias in taken else start
            taken.add(start.alias)
    return people


def _values(column: Field, choice: Random, alike: dict[str, str]) -> Any:
    if not column.many:
        value = choice.choice(VALUES[column.key])
        return _named(value, alike) if isinstance(value, str) else value
    values = choice.choices(VALUES[column.key], k=choice.randint(1, 3))
    return joined(column, [], [_named(value, alike) for value in values])
