"""Merge the values of a row into those of a person by an action (requirements 8.0, D-05, D-06). Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from typing import Any

from profiles.merging.consent import is_consent

Attributes = dict[str, Any]
"""Values by attribute key. No value is blank: a key without a value is missing."""

Changes = dict[str, list[Any]]
"""``{key: [old, new]}``; None stands for a missing value."""


class Action(enum.StrEnum):
    """What an import does to a matched person (D-05)."""

    IGNORE = "ignore"
    UPDATE = "update"
    APPEND = "append"
    OVERWRITE = "overwrite"
    REPLACE = "replace"

    @property
    def label(self) -> str:
        return "Update (Merge)" if self is Action.UPDATE else self.value.capitalize()


KeyFunction = Callable[[Any], Any]
"""Returns the form in which a value of a list is compared with the others (AT-09, D-28)."""


def merge(
    old: Attributes,
    incoming: Mapping[str, Any],
    action: Action,
    lists: Mapping[str, KeyFunction],
    consent: Collection[str] = (),
) -> Changes:
    """Return what a row changes about a matched person, without values that stay the same.

    ``incoming`` holds the row's non-blank values; a key of ``lists`` holds a list without repetition.
    ``consent``: attributes that *Replace* keeps, as it keeps group memberships (D-06, SB-13).
    """
    if action is Action.IGNORE:
        return {}
    get = old.get
    if action is Action.UPDATE:
        return {key: [None, value] for key, value in incoming.items() if get(key) is None}
    changes: Changes = {
        key: [before, value]
        for key, value in incoming.items()
        if (before := get(key)) != value
        or (before.__class__ is not value.__class__ and not is_same_json(before, value))
    }
    if action is Action.APPEND:
        _append(changes, lists)
    if action is Action.REPLACE:
        changes |= {
            key: [value, None] for key, value in old.items() if key not in incoming and not is_consent(key, consent)
        }
    return changes


def _append(changes: Changes, lists: Mapping[str, KeyFunction]) -> None:
    """Extend lists instead of replacing them; remove the change of a list that does not grow."""
    for key in changes.keys() & lists.keys():
        before, value = changes[key]
        after = append_values(before or [], value, lists[key])
        if after is before:
            del changes[key]
        else:
            changes[key] = [before, after]


def merge_value(old: Any, value: Any, action: Action) -> Any:
    """Return the merged value of one own field of a person, which no action clears; None stands for blank."""
    if value is None or (old is not None and action in (Action.IGNORE, Action.UPDATE)):
        return old
    return value


def append_values(old: list[Any], value: list[Any], form: KeyFunction) -> list[Any]:
    """Return a list followed by the new items of another; the old list itself if there are none."""
    old_forms = {form(item) for item in old}
    added = [item for item in value if form(item) not in old_forms]
    return old + added if added else old


def combine_changes(first: Changes, then: Changes) -> Changes:
    """Combine two successive changes: the first old value and the last new one of each key, unless they are equal."""
    both = {key: [first[key][0] if key in first else old, new] for key, (old, new) in then.items()}
    return {key: change for key, change in (first | both).items() if not is_same_json(*change)}


def as_list(value: Any) -> list[Any]:
    """Return the values of an attribute as a list, whether it holds several, one or none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_same_json(one: Any, other: Any) -> bool:
    """Return whether two values are equal as JSON: ``1`` and ``1.0`` are; ``1`` and ``True`` are so only in Python."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
