"""Rank the attributes that a column may map to, by header, by words in the header, and by the shape of its first values
(MP-04)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from imports.mapping.column_mapping import MappedColumn, is_valid_target
from imports.mapping.synonyms import NameResolver
from profiles.schema import Schema
from profiles.values.types import ValueType

MAX_SUGGESTIONS = 4
_SHAPES = {r"[^@\s]+@[^@\s]+\.[^@\s]+": "email", r"\+?[0-9][0-9 ().\-/]{6,}": "phone"}
"""Patterns of the values of some attributes."""


def rank_targets(columns: Sequence[MappedColumn], schema: Schema) -> dict[int, list[str]]:
    """Return for each column, by position, at most `MAX_SUGGESTIONS` keys that it may map to, the best first."""
    names = NameResolver(schema)
    words: dict[str, list[str]] = {}
    for key, definition in schema.definitions.items():
        for word in _words(key) | _words(definition.label):
            words.setdefault(word, []).append(key)
    found = {}
    for column in columns:
        by_name = [names.find(column.name, exact=True), names.find(column.name, exact=False)]
        by_word = [key for word in sorted(_words(column.name)) for key in words.get(word, [])]
        candidates = [*by_name, *by_word, *_by_values(column)]
        valid = (key for key in candidates if key and is_valid_target(key, schema))
        found[column.position] = list(dict.fromkeys(valid))[:MAX_SUGGESTIONS]
    return found


def _words(name: str) -> set[str]:
    return {word for word in re.findall(r"[^\W_]+", name.casefold()) if len(word) > 2}


def _by_values(column: MappedColumn) -> list[str]:
    """Return the attribute whose pattern all first values match; other texts may be labels."""
    samples = column.statistics.get("samples", [])
    for pattern, key in _SHAPES.items():
        if samples and all(re.fullmatch(pattern, sample.strip()) for sample in samples):
            return [key]
    return ["labels"] if column.statistics.get("type", ValueType.TEXT) == ValueType.TEXT else []
