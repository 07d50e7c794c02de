"""What an action makes of the value a person has and the value a row brings (requirements 8.0, D-05, D-06). Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Attributes = dict[str, Any]
"""Values by attribute key. No key holds a blank: what is not known is not there."""

Changes = dict[str, list[Any]]
"""``{key: [old, new]}``; None stands for a value that is not there."""


class Action(enum.StrEnum):
    """What happens to a person whom a row finds (D-05)."""

    IGNORE = "ignore"
    UPDATE = "update"
    APPEND = "append"
    OVERWRITE = "overwrite"
    REPLACE = "replace"

    @property
    def label(self) -> str:
        return "Update (Merge)" if self is Action.UPDATE else self.value.capitalize()


@dataclass(frozen=True, slots=True)
class ListRule:
    """How the values of one list attribute are told apart: by their matching form (AT-09, D-28)."""

    form: Callable[[Any], Any]


def merge(old: Attributes, incoming: Mapping[str, Any], action: Action, lists: Mapping[str, ListRule]) -> Attributes:
    """The attributes of a matched person after a row.

    ``incoming`` holds the row's non-blank values; a key of ``lists`` holds a list without repetition. Neither
    argument is changed; the answer may share values with both.
    """
    if action is Action.IGNORE:
        return old
    if action is Action.REPLACE:
        return {key: _kept(old.get(key), value, lists.get(key)) for key, value in incoming.items()}
    new = dict(old)
    for key, value in incoming.items():
        new[key] = merge_value(old.get(key), value, action, lists.get(key))
    return new


def merge_value(old: Any, value: Any, action: Action, rule: ListRule | None) -> Any:
    """One cell of the matrix in requirements 8.0, for a row that supplies ``value``; ``old`` is None where blank."""
    if old is None:
        return value
    if action in (Action.IGNORE, Action.UPDATE):
        return old
    if rule is None or action is not Action.APPEND:
        return _kept(old, value, rule)
    return _appended(old, value, rule)


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """Which keys differ between two states of a person, as ``{key: [old, new]}``."""
    changes = {key: [old.get(key), value] for key, value in new.items() if not same(old.get(key), value)}
    for key, value in old.items():
        if key not in new:
            changes[key] = [value, None]
    return changes


def same(one: Any, other: Any) -> bool:
    """Whether two stored values are the same JSON; Python alone would take ``True`` for ``1``."""
    return one == other and type(one) is type(other)


def _kept(old: Any, value: Any, rule: ListRule | None) -> Any:
    """``value``, or the very old one where both say the same: no change is made of nothing."""
    return old if same(old, value) else value


def _appended(old: list[Any], value: list[Any], rule: ListRule) -> list[Any]:
    known = {rule.form(item) for item in old}
    added = [item for item in value if rule.form(item) not in known]
    return old + added if added else old
