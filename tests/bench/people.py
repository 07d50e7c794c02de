"""The files that are imported, and what must be known about their people afterwards, worked out without the engine."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imports.sample_data.people import write_people

SEED = 1
SAMPLE = 500
LISTS = frozenset({"email", "phone"})
TIDIED = frozenset({"email", "country", "language", "dob", "gender"})
"""Columns whose type takes no white space at its ends; text keeps it."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class People:
    """A file. ``sample``: what some of its people must be known by afterwards, by e-mail in matching form."""

    path: Path
    rows: int
    phones: int
    sample: Mapping[str, Document]


def write(folder: Path, rows: int, version: int) -> People:
    """Write the people of a version, always the same ones, and take a sample of them, spread evenly."""
    path = folder / f"people-{rows}-{version}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_people(rows, stream, seed=SEED, version=version)
    phones, sample, every = 0, {}, max(1, rows // SAMPLE)
    with path.open(encoding="utf-8", newline="") as stream:
        for number, cells in enumerate(csv.DictReader(stream)):
            phones += bool(cells["phone"])
            if number % every == 0 or number == rows - 1:
                document = _document(cells)
                sample[document["email"][0].casefold()] = document
    return People(path, rows, phones, sample)


def tidied(key: str, value: Any) -> Any:
    """A value without the dirt that the engine takes off, and the floor does not."""
    if isinstance(value, list):
        return [tidied(key, item) for item in value]
    if key == "phone":
        return "+" + re.sub(r"\D", "", value)
    return value.strip() if key in TIDIED else value


def _document(cells: Mapping[str, str]) -> Document:
    """What a row says about a person: no blanks, lists as lists, the score as a number."""
    known: Document = {}
    for key, text in cells.items():
        if text:
            value = tidied(key, int(text) if key == "score" else text)
            known[key] = [value] if key in LISTS else value
    return known
