"""The packages as docs/architecture.md describes them; import-linter checks which package may import which."""

from __future__ import annotations

import ast
import re
import statistics
from functools import cache
from pathlib import Path

import pytest

from config.settings import BASE_DIR

ROOT = Path(BASE_DIR)
APPS = ("imports", "profiles")
TOP_LEVEL = {
    "imports": {"apps", "job_tables", "models", "presets", "states", "tasks"},
    "profiles": {"apps", "history", "models", "schema"},
}
"""The only modules next to the packages of an app."""
MAX_MODULE_LINES = 300
MAX_MEDIAN_FUNCTION_LINES = 8
FOLDERS = ("", "docs", "profiles/migrations", "templates")
"""Where a path in docs/architecture.md may begin."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the two apps by its dotted name, without migrations."""
    found = {}
    for path in sorted(path for app in APPS for path in (ROOT / app).rglob("*.py")):
        if "migrations" not in path.parts:
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/")).is_dir()


@pytest.mark.parametrize("app", APPS)
def test_no_other_module_is_next_to_the_packages(app: str) -> None:
    beside = {name.split(".")[1] for name in modules() if name.count(".") == 1 and name.startswith(app + ".")}
    assert {name for name in beside if not is_package(f"{app}.{name}")} == TOP_LEVEL[app]


def test_each_package_says_what_it_is_for() -> None:
    frameworks = re.compile(r"\.(management|templatetags)\b")
    silent = [name for name, tree in modules().items() if is_package(name) and not ast.get_docstring(tree)]
    assert [name for name in silent if not frameworks.search(name)] == []


def test_each_module_says_what_it_does() -> None:
    assert [name for name, tree in modules().items() if not is_package(name) and not ast.get_docstring(tree)] == []


def test_no_module_passes_on_the_names_of_another() -> None:
    """A name is imported from the module that defines it; ``__init__`` alone may gather what its package offers."""
    passed_on = [
        f"{name}: from {node.module} import {alias.name}"
        for name, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in modules() and not is_package(node.module)
        for alias in node.names
        if alias.name not in _defined(node.module)
    ]
    assert passed_on == []


def _defined(module: str) -> set[str]:
    """The names that a module assigns, or defines as functions and classes, at its top level."""
    found = set()
    for node in ast.walk(modules()[module]):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
    return found


def test_modules_and_functions_are_short() -> None:
    lines = {
        name: max((getattr(node, "end_lineno", 0) for node in tree.body), default=0) for name, tree in modules().items()
    }
    assert {name: count for name, count in lines.items() if count > MAX_MODULE_LINES} == {}
    functions = [node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    median = statistics.median((node.end_lineno or node.lineno) - node.lineno + 1 for node in functions)
    assert median <= MAX_MEDIAN_FUNCTION_LINES


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {name.split(".")[1] for name in modules() if name.count(".") == 1 and is_package(name)}
    assert {name for name in packages - {"templatetags"} if f"`{name}`" not in text} == set()


def test_the_architecture_names_only_files_that_exist() -> None:
    paths = re.findall(r"`([\w.]+(?:/[\w.]+)+/?|[\w]+\.md)`", _where_to_add())
    assert [path for path in paths if not any((ROOT / top / path).exists() for top in FOLDERS)] == []


def test_the_architecture_names_only_what_these_files_have() -> None:
    """The names in parentheses after a path occur in that file."""
    missing = [
        f"{path}: {name}"
        for path, names in re.findall(r"`([\w./]+\.py)` \(([^)]*)\)", _where_to_add())
        for name in re.findall(r"`([\w.]+)`", names)
        if not re.search(rf"\b{name.rpartition('.')[2]}\b", (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert missing == []


def _where_to_add() -> str:
    """Return the table without what is not built yet."""
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").partition("## Where do I add")[2]
    return re.sub(r"`(imports|tests)/api/`", "", table)
