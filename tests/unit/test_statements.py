"""The documents define every statement, section and rule that the project cites, and tests prove the statements.

Run with ``-s`` to print how many statements the tests cite.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DESIGN = ROOT / "docs" / "design.md"
FOLDERS = ("config", "docs", "imports", "profiles", "templates", "tests")
PAGES = ("README.md", "CHANGELOG.md")
SUFFIXES = {".css", ".html", ".js", ".md", ".py"}

RULES_SECTION = "6"
"""The section of the design whose numbered list holds the rules."""

UNCITED = "Statements that no test cites"
"""The heading of the list of exceptions: a table of IDs and reasons."""

ROW = re.compile(r"^\| \**([A-Z]{1,2}-\d\d)\**(?: · ([MSGE/]+))? \|(.*)", re.M)
HEADING = re.compile(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", re.M)
ITEM = re.compile(r"^(\d+)\. ", re.M)

ID = re.compile(r"(?<![\w-])([A-Z]{1,2})-(\d\d)(?!\d)(?:(?: ?(?:\.\.|…) ?| to |–)(?:\1-)?(\d\d)(?!\d))?")
TEST_NAME = re.compile(r"\btest_\w+")
ID_IN_NAME = re.compile(r"_([a-z]{1,2})_(\d\d)(?:_to_(\d\d))?(?![^\W_])")

NUMBERS = r"(\d+(?:\.\d+)?(?:(?:, | and |-)\d+(?:\.\d+)?)*)"
RULE = re.compile(rf"\brules?\s+{NUMBERS}")
SECTION = re.compile(rf"\b(?:(design|requirements)\s+)?sections?\s+{NUMBERS}|\brequirements\s+{NUMBERS}")


class Citation(NamedTuple):
    """A place that refers to a statement, or to a section of a document."""

    place: str
    name: str


def test_every_cited_statement_is_defined() -> None:
    defined = statements().keys()
    unknown = [each for each in cited_statements(files()) if each.name not in defined]
    assert not unknown, listed(unknown, "Correct the ID, or define the statement in docs/requirements.md")


def test_every_cited_section_and_rule_exists() -> None:
    defined = {f"requirements {number}" for number in sections(requirements())} | set(design_sections())
    unknown = [each for each in cited_sections(files()) if each.name not in defined]
    assert not unknown, listed(unknown, "Correct the number (a rule is design 6.N), or add the section to the document")


def test_every_statement_is_cited_by_a_test_or_listed_as_uncited() -> None:
    binding = {name for name, strength in statements().items() if set(strength) & {"M", "S"}}
    cited = {each.name for each in cited_statements(files("tests"))}
    excused = exceptions()
    print(f"{len(binding)} statements M or S: {len(binding & cited)} cited by tests, {len(excused)} listed as uncited")
    forgotten, stale = sorted(binding - cited - excused.keys()), sorted(excused.keys() & cited)
    assert not forgotten, (
        f"No test cites {forgotten}: cite the ID in the test that proves it, or list it in “{UNCITED}”"
    )
    assert not stale, f"A test cites {stale}: remove them from the list “{UNCITED}”"
    assert excused.keys() <= binding, f"Not a statement M or S: {sorted(excused.keys() - binding)}"
    assert all(excused.values()), "Each exception has a reason"


# --- the documents ------------------------------------------------------------------------------


def requirements() -> str:
    return "\n".join(path.read_text() for path in sorted(DESIGN.parent.glob("requirements*.md")))


def statements() -> dict[str, str]:
    """Each defined ID with its strength, which is blank for decisions, scenarios and outside facts."""
    return {row[1]: row[2] or "" for row in ROW.finditer(parted()[0])}


def exceptions() -> dict[str, str]:
    """Each ID that no test cites, with the reason."""
    return {row[1]: row[3].strip(" |") for row in ROW.finditer(parted()[1])}


def parted() -> tuple[str, str]:
    """The requirements without the list of exceptions, and that list."""
    before, *after = re.split(rf"^## \d+\. {UNCITED}$", requirements(), flags=re.M)
    assert len(after) == 1, f"docs/requirements.md has no section “{UNCITED}”, or several"
    uncited, separator, rest = after[0].partition("\n## ")
    return before + separator + rest, uncited


def sections(document: str) -> set[str]:
    """The numbers of a document's sections."""
    return set(HEADING.findall(document))


def design_sections() -> Iterator[str]:
    """The design's sections, and the numbered items of each as a section of it."""
    for part in re.split(r"^(?=## \d)", DESIGN.read_text(), flags=re.M)[1:]:
        (number, *_), items = HEADING.findall(part), ITEM.findall(part)
        yield f"design {number}"
        yield from (f"design {number}.{item}" for item in items)


# --- who cites them -----------------------------------------------------------------------------


def files(*folders: str) -> Iterator[Path]:
    """The project's own texts; those of some folders where any are named."""
    for folder in folders or FOLDERS:
        yield from sorted(path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)
    yield from (() if folders else (ROOT / page for page in PAGES))


def cited_statements(paths: Iterable[Path]) -> Iterator[Citation]:
    families = {name.partition("-")[0] for name in statements()}
    for path in paths:
        text = path.read_text()
        for found in ID.finditer(text):
            yield from spread(place(path, text, found), found[1], found[2], found[3])
        for name in TEST_NAME.finditer(text):
            for found in ID_IN_NAME.finditer(name[0]):
                if found[1].upper() in families:
                    yield from spread(place(path, text, name), found[1].upper(), found[2], found[3])


def cited_sections(paths: Iterable[Path]) -> Iterator[Citation]:
    """Sections are the requirements' where no document is named; in the design they are its own."""
    for path in paths:
        text = path.read_text()
        here = "design" if path == DESIGN else "requirements"
        for found in RULE.finditer(text):
            for number in re.findall(r"\d+", found[1]):
                yield Citation(place(path, text, found), f"design {RULES_SECTION}.{number}")
        for found in SECTION.finditer(text):
            document = found[1] or ("requirements" if found[3] else here)
            for number in re.findall(r"[\d.]+", found[2] or found[3]):
                yield Citation(place(path, text, found), f"{document} {number}")


def spread(where: str, family: str, first: str, last: str | None) -> Iterator[Citation]:
    """Each ID of a range."""
    for number in range(int(first), int(last or first) + 1):
        yield Citation(where, f"{family}-{number:02}")


def place(path: Path, text: str, found: re.Match[str]) -> str:
    return f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, found.start()) + 1}"


def listed(unknown: Iterable[Citation], remedy: str) -> str:
    return "\n".join([f"{remedy}:", *(f"  {each.place}: {each.name}" for each in unknown)])
