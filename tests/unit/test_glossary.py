"""No word that docs/glossary.md lists as not used occurs in code, pages or documents."""

from __future__ import annotations

import ast
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from config.settings import BASE_DIR

ROOT = Path(BASE_DIR)
GLOSSARY = ROOT / "docs" / "glossary.md"
SECTION = "## Words that are not used\n"
SCOPES = ("prose", "names")
ROW = re.compile(r"^\| (`.+`) \| .+ \| ([a-z, ]+) \|$", re.MULTILINE)
PACKAGES = ("imports", "profiles", "config")


@dataclass(frozen=True)
class Text:
    """A piece of a file: its first line, and whether it is prose or names."""

    line: int
    scope: str
    content: str


def banned() -> dict[str, list[str]]:
    """The words and phrases that are not used, by scope. The list of the glossary is the only one."""
    found: dict[str, list[str]] = {scope: [] for scope in SCOPES}
    for cell, scopes in ROW.findall(GLOSSARY.read_text(encoding="utf-8").partition(SECTION)[2]):
        for scope in scopes.split(", "):
            found[scope] += re.findall(r"`([^`]+)`", cell)
    return found


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """What finds them, by scope; a phrase may go on in the next line, also of a comment."""
    return {
        scope: re.compile(r"\b(?:" + "|".join(map(_pattern, phrases)) + r")\b", re.IGNORECASE)
        for scope, phrases in banned().items()
    }


def _pattern(phrase: str) -> str:
    return r"[\s#]+".join(map(re.escape, phrase.split()))


def files() -> list[Path]:
    """What is searched: the code of the product without migrations, its pages, its documents without the glossary."""
    code = [path for name in PACKAGES for path in (ROOT / name).rglob("*.py") if "migrations" not in path.parts]
    pages = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    documents = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return sorted({*code, *pages, *documents} - {GLOSSARY})


def texts(path: Path) -> Iterator[Text]:
    """The pieces of a file, its own name among them."""
    yield Text(1, "names", words(path.stem))
    content = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from comments_and_names(content)
        yield from strings(content)
    else:
        yield Text(1, "prose", content)


def comments_and_names(content: str) -> Iterator[Text]:
    """Each name of a module, and its comments: those on lines that follow one another are one piece."""
    block, first, last = "", 0, 0
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield Text(token.start[0], "names", words(token.string))
        if token.type == tokenize.COMMENT:
            if block and token.start[0] != last + 1:
                yield Text(first, "prose", block)
                block = ""
            first = first if block else token.start[0]
            block, last = f"{block}\n{token.string}" if block else token.string, token.start[0]
    if block:
        yield Text(first, "prose", block)


def strings(content: str) -> Iterator[Text]:
    """Each string of a module: docstrings, messages, SQL."""
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Text(node.lineno, "prose", node.value)


def words(name: str) -> str:
    """A name as words: ``_is_at_work`` and ``IsAtWork`` are both "is at work"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_+", " ", name).strip()


def occurrences(pieces: Iterable[Text], patterns: dict[str, re.Pattern[str]]) -> Iterator[tuple[int, str]]:
    """The line and the word of each banned word in the pieces of a file, once per line."""
    seen = set()
    for text in pieces:
        for match in patterns[text.scope].finditer(text.content):
            word = " ".join(match[0].replace("#", " ").lower().split())
            found = text.line + text.content.count("\n", 0, match.start()), word
            if found not in seen:
                seen.add(found)
                yield found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("# a job is at\n# work\n", ["at work"]),
        ("def _is_at_work(): ...\n", ["at work"]),
        ('"""One.\n\nThe people\nwhom it finds."""\n', ["whom"]),
        ("x = f'{y} is told'\n", ["is told"]),
        ("class JobMove: ...\n", ["move"]),
        ("# the pointer may move, an asterisk stands for anything\n", []),
        ("store.Moved\n", []),
    ],
)
def test_it_finds_words_in_comments_strings_and_names(code: str, expected: list[str]) -> None:
    pieces = [*comments_and_names(code), *strings(code)]
    assert [word for _, word in occurrences(pieces, patterns())] == expected


def test_each_row_of_the_list_is_read() -> None:
    section = GLOSSARY.read_text(encoding="utf-8").partition(SECTION)[2]
    assert len(ROW.findall(section)) == section.count("\n| `") > 0
    assert all(banned().values())


def test_no_word_that_is_not_used_occurs() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {word}"
        for path in files()
        for line, word in occurrences(texts(path), patterns())
    ]
    assert not wrong, "Use the words of docs/glossary.md instead:\n" + "\n".join(wrong)
