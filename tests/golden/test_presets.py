"""What each preset makes of the same file: the table of docs/presets.md, seen over the whole way (section 3)."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError

from config.settings import BASE_DIR
from imports.models import ImportJob
from imports.presets import PRESETS
from profiles.models import Attribute, Profile
from tests.golden.way import Way

IDENTIFIERS = {
    "standard": ("external_id", "external_id"),
    "clevertap": ("identity", "external_id"),
    "expertflow": ("email", "email"),
    "braze": ("external_id", "external_id"),
}
"""By what each preset's files find people here: the header, and its name at the command line."""

KEY = "k1@x.co"
DOCUMENT = Path(BASE_DIR) / "docs" / "presets.md"
BEGIN, END = "<!-- presets: made by tests/golden/test_presets.py -->\n", "<!-- end of presets -->\n"


class Seen:
    """One file under one preset, and what came of it."""

    def __init__(self, way: Way, preset: str) -> None:
        self.way, self.preset = way, preset
        self.header, self.identifier = IDENTIFIERS[preset]

    def rows(self, header: str, *cells: str, more: tuple[str, ...] = (), identifier: str = "") -> ImportJob | None:
        """Import one row for each text of cells, under the header of this preset's identifier; None if refused."""
        lines = [f"{self.header},{header}", *(f"{KEY},{text}" for text in cells)]
        return self.file("\n".join(lines) + "\n", more, identifier)

    def file(self, text: str | bytes, more: tuple[str, ...] = (), identifier: str = "") -> ImportJob | None:
        """Import a whole file; None if it is refused."""
        try:
            action = "" if "events" in more else "update"
            return self.way.run(text, self.preset, identifier or self.identifier, action, *more)
        except CommandError as error:
            self.message = str(error)
            return None

    def value(self, key: str) -> Any:
        """What the only person has."""
        return Profile.objects.get().attributes.get(key)


Look = Callable[[Seen], str]


def taken(job: ImportJob | None) -> str:
    """What became of the file, in a word or two."""
    if job is None:
        return "refused"
    if job.failed:
        return "row fails"
    return "value dropped" if job.warnings else "taken"


def blank_header(seen: Seen) -> str:
    return taken(seen.rows(",plan", "a,b"))


def identifier_not_first(seen: Seen) -> str:
    return taken(seen.file(f"first_name,{seen.header}\nAnn,{KEY}\n"))


def identifier_in_capitals(seen: Seen) -> str:
    return taken(seen.file(f"{seen.header.capitalize()},first_name\n{KEY},Ann\n"))


def forbidden_character(seen: Seen) -> str:
    job = seen.rows("pl$n", "gold", more=("--map", "pl$n=plan"))
    return "taken, with a warning" if job and any("$" in each["reason"] for each in job.findings) else taken(job)


def unknown_column(seen: Seen) -> str:
    job = seen.rows("plan", "gold")
    return taken(job) if job is None else "new attribute"


def other_capitals(seen: Seen) -> str:
    job = seen.rows("First_name", "Ann")
    if job is None:
        return "refused"
    return "First name" if seen.value("first_name") == "Ann" else "attribute of its own"


def mandatory_column(seen: Seen) -> str:
    Attribute.objects.filter(key="last_name").update(mandatory=True)
    return taken(seen.rows("first_name", "Ann"))


def mandatory_value(seen: Seen) -> str:
    Attribute.objects.filter(key="last_name").update(mandatory=True)
    return taken(seen.rows("first_name,last_name", "Ann,"))


def blank_cell(seen: Seen) -> str:
    seen.rows("first_name,home_city", "Ann,Oslo")
    seen.rows("first_name,home_city", "Ann,")
    return "old value stays" if seen.value("home_city") == "Oslo" else "cleared"


def phone(text: str) -> Look:
    def look(seen: Seen) -> str:
        job = seen.rows("phone", text)
        found = taken(job)
        return f"{seen.value('phone')[0]}" if found == "taken" else found

    return look


def bad_email(seen: Seen) -> str:
    job = seen.rows("first_name,Email" if seen.preset == "clevertap" else "first_name,email", "Ann,invalid@")
    if seen.preset == "expertflow":  # which finds people by it
        job = seen.file("email\ninvalid@\n")
    return taken(job)


def gender(seen: Seen) -> str:
    return taken(seen.rows("Gender" if seen.preset == "clevertap" else "gender", "O"))


def bracketed_date(seen: Seen) -> str:
    header = "bought<dd/MM/yyyy>"
    job = seen.rows(header, "25/12/2023", more=("--map", f"{header}=bought"))
    return str(seen.value("bought")) if job else "refused"


def iso_date(seen: Seen) -> str:
    job = seen.rows("bought", "2023-12-25T18:30:00Z", more=("--map", "bought=bought"))
    kind = Attribute.objects.get(key="bought").type if job else ""
    return {"datetime": "date and time", "text": "text"}.get(kind, taken(job))


def semicolons(seen: Seen) -> str:
    return taken(seen.file(f"{seen.header};first_name\n{KEY};Ann\n"))


def latin_1(seen: Seen) -> str:
    return taken(seen.file(f"{seen.header},first_name\n{KEY},Andrée Müller\n".encode("latin-1")))


def packed(seen: Seen) -> str:
    return taken(seen.file(gzip.compress(f"{seen.header},first_name\n{KEY},Ann\n".encode())))


def placeholder(seen: Seen) -> str:
    return taken(seen.file(f"{seen.header},first_name\nnull,Ann\n"))


def unknown_object_id(seen: Seen) -> str:
    header = {"clevertap": "objectId", "braze": "braze_id"}.get(seen.preset, "object_id")
    return taken(seen.file(f"{header},first_name\nunknown,Ann\n", identifier="object_id"))


def twice(seen: Seen) -> str:
    job = seen.rows("first_name,home_city", "Ann,", "Ann,Oslo")
    assert job is not None
    assert (job.imported, job.updated) == (1, 1)
    return f"one person, {seen.value('home_city')}"


def id_and_alias(seen: Seen) -> str:
    text = f"{seen.header},user_alias_name,user_alias_label\n{KEY},n,l\n"
    skipped = ("--skip", "user_alias_name", "--skip", "user_alias_label")
    return taken(seen.file(text, more=skipped if seen.preset == "clevertap" else ()))


def events(seen: Seen) -> str:
    text = f"{seen.header},name,time,login.properties.from\n{KEY},login,2024-05-01,web\n"
    return taken(seen.file(text, more=("--type", "events")))


def data_points(seen: Seen) -> str:
    job = seen.rows("first_name", "Ann")
    assert job is not None
    return "shown" if job.preview.get("data_points") is not None else "not shown"


@dataclass(frozen=True)
class Statement:
    """One line of the table. ``expected``: one text for all presets, or the others by preset and ``rest``."""

    says: str
    ids: str
    look: Look
    expected: Mapping[str, str]


def line(says: str, ids: str, look: Look, rest: str = "", **others: str) -> Statement:
    return Statement(says, ids, look, {preset: others.get(preset, rest) for preset in IDENTIFIERS})


STATEMENTS = [
    line("a header is blank", "HI-04", blank_header, "refused"),
    line("the identifier is not the first column", "HI-03", identifier_not_first, "taken", clevertap="refused"),
    line(
        "the identifier's header begins with a capital",
        "HI-02, HI-37",
        identifier_in_capitals,
        "taken",
        clevertap="refused",
        braze="refused",
    ),
    line(
        "a header holds `$`",
        "HI-06",
        forbidden_character,
        "taken",
        standard="taken, with a warning",
        clevertap="refused",
    ),
    line("a column fits no attribute", "AT-01, D-18", unknown_column, "new attribute", expertflow="refused"),
    line("`First_name` as header", "HI-37", other_capitals, "First name", braze="attribute of its own"),
    line(
        "the column of a mandatory attribute is missing",
        "AT-02",
        mandatory_column,
        "taken",
        standard="refused",
        expertflow="refused",
    ),
    line(
        "a mandatory value is missing", "AT-03", mandatory_value, "taken", standard="row fails", expertflow="row fails"
    ),
    line("a cell is blank (Update)", "AT-18", blank_cell, "old value stays"),
    line(
        "phone `+1 (724) 123-4567`",
        "D-19",
        phone("+1 (724) 123-4567"),
        "+17241234567",
        clevertap="row fails",
        expertflow="row fails",
    ),
    line(
        "phone `01 123 111 0123`",
        "AT-63",
        phone("01 123 111 0123"),
        "011231110123",
        expertflow="row fails",
        braze="value dropped",
    ),
    line(
        "phone `+0987654321`",
        "AT-82",
        phone("+0987654321"),
        "+0987654321",
        clevertap="row fails",
        braze="value dropped",
    ),
    line("e-mail `invalid@`", "AT-80", bad_email, "row fails", braze="value dropped"),
    line("gender `O`", "AT-39, AT-64", gender, "taken", clevertap="row fails"),
    line(
        "`25/12/2023` under `bought<dd/MM/yyyy>`",
        "DT-08, DT-11",
        bracketed_date,
        "2023-12-25T12:00:00Z",
        expertflow="25/12/2023",
        braze="25/12/2023",
    ),
    line("ISO date and time, undeclared", "AT-14", iso_date, "date and time", clevertap="text"),
    line("semicolons between cells", "FF-07", semicolons, "refused", standard="taken"),
    line("not UTF-8", "FF-07", latin_1, "refused", standard="taken"),
    line("`.csv.gz`", "FF-02", packed, "refused", standard="taken"),
    line("the identifier is `null`", "HI-13", placeholder, "taken", clevertap="row fails", expertflow="row fails"),
    line("an unknown Object ID", "HI-21, HI-22", unknown_object_id, "row fails", expertflow="refused"),
    line("the same person twice", "D-08", twice, "one person, Oslo"),
    line("External ID and alias in one file", "FF-18", id_and_alias, "refused", clevertap="taken", expertflow="taken"),
    line("events", "EV-01, EV-02", events, "taken", clevertap="refused", expertflow="refused"),
    line("data points", "DP-05", data_points, "not shown", braze="shown"),
]


@pytest.mark.parametrize("preset", IDENTIFIERS)
@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.look.__name__)
def test_a_preset_does_what_the_table_says(way: Way, statement: Statement, preset: str) -> None:
    assert statement.look(Seen(way, preset)) == statement.expected[preset]


def test_the_document_has_the_table_that_the_tests_above_hold_the_product_to() -> None:
    """``PRESETS_TABLE=write`` in the environment puts it there."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    told, _, after = rest.partition(END)
    if os.environ.get("PRESETS_TABLE") == "write":
        DOCUMENT.write_text(f"{before}{BEGIN}{table()}{END}{after}", encoding="utf-8")
        return
    assert told == table(), "run these tests with PRESETS_TABLE=write in the environment"


def table() -> str:
    """The statements as Markdown."""
    names = " | ".join(PRESETS[preset].label for preset in IDENTIFIERS)
    lines = [f"| | {names} |", f"|{'---|' * (len(IDENTIFIERS) + 1)}"]
    for statement in STATEMENTS:
        cells = " | ".join(statement.expected[preset] for preset in IDENTIFIERS)
        lines.append(f"| {statement.says} ({statement.ids}) | {cells} |")
    return "\n".join(lines) + "\n"
