"""One file in which every kind of row occurs, and the people whom it meets.

Some rows can go anywhere (hash lane), some must follow one another since they share addresses (serial lane).
"""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from random import Random

from profiles.models import Identifier, Profile

KNOWN = 60
NEW = 120
CHAINED = 50
"""Rows each of which brings the address of the next one: all of them must run in file order."""

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HEADERS = ["email", "email 2", "external_id", "first_name", "home_city", "labels", "badge"]
TARGETS = {"email 2": "email"}
NEW_ATTRIBUTE = "badge"


def store_people() -> None:
    """The people who are there before the import: past the engine, the same in every run."""
    people = [_known(n) for n in range(KNOWN)]
    people.append(_person("two", ["m1@x.co", "m2@x.co"], None, len(people)))
    stored = Profile.objects.bulk_create(people)
    Identifier.objects.bulk_create(
        Identifier(kind="email", value=value, profile=person)
        for person in stored
        for value in person.attributes["email"]
    )


def text(*, tied: bool = True) -> str:
    """The file: about 250 rows in an order that is mixed, and always the same.

    Not ``tied``: without the second address. Then few rows must follow one another, and hash buckets never wait for
    each other.
    """
    rows = [*_rows_of_known(), *_rows_of_new(), *_chain(), *_bad_rows()]
    mixed = Random(7)
    rows.sort(key=lambda _: mixed.random())
    lines = [HEADERS, *rows]
    stream = io.StringIO()
    csv.writer(stream).writerows(lines if tied else [[*line[:1], *line[2:]] for line in lines])
    return stream.getvalue()


OF_ANOTHER = "email,email 2,home_city\nk7@x.co,,Elsewhere\nk9@x.co,k11@x.co,\nn3@x.co,,Made by another\n"
"""A file that somebody else imports meanwhile: it makes and changes people of the other, and ties two of them."""


def name_of(profile: Profile, first_row: int | None) -> str:
    """What a person is called in every run: primary keys differ, and so do object ids that were made."""
    if len(profile.object_id) < 32:
        return profile.object_id
    return f"row {first_row}" if first_row else str(profile.attributes["email"])


def _known(n: int) -> Profile:
    return _person(f"o{n}", [f"k{n}@x.co"], f"e{n}" if n % 4 == 0 else None, n)


def _person(object_id: str, emails: list[str], external_id: str | None, age: int) -> Profile:
    when = LONG_AGO + timedelta(seconds=age)
    attributes = {"email": emails, "home_city": "Old town", "labels": ["old"]}
    return Profile(object_id=object_id, external_id=external_id, attributes=attributes, created=LONG_AGO, updated=when)


def _rows_of_known() -> list[list[str]]:
    """Changed, unchanged, and the person with two addresses, whom two rows find by one each."""
    rows = [
        [f"k{n}@x.co", "", "", "", "Old town" if n % 3 == 0 else f"City {n}", "" if n % 2 else "new", ""]
        for n in range(KNOWN)
    ]
    return [*rows, ["m1@x.co", "", "", "Em", "", "one", ""], ["m2@x.co", "", "", "Emma", "", "two", "gold"]]


def _rows_of_new() -> list[list[str]]:
    """People who come into being, some of them by two rows."""
    rows = [[f"n{n}@x.co", "", f"x{n}", f"Name {n}", 'Ry "new"', "a", f"b{n}"] for n in range(NEW)]
    return rows + [[f"N{n}@X.co", "", "", "Again", "", "b", ""] for n in range(0, NEW, 8)]


def _chain() -> list[list[str]]:
    return [[f"s{n}@x.co", f"s{n + 1}@x.co", "", f"Link {n}", "", f"l{n}", ""] for n in range(CHAINED)]


def _bad_rows() -> list[list[str]]:
    """Malformed ones, and one whose external id is somebody else's."""
    return [
        ["not an address", "", "", "Bad", "", "", ""],
        ["", "", "", "Nobody", "", "", ""],
        ["short@x.co", "row"],
        ["thief@x.co", "", "e4", "Thief", "", "", ""],
        ["robber@x.co", "", "e8", "Robber", "", "", ""],
    ]
