"""What an action makes of the value a person has and the value a row brings (requirements 8.0, D-05, D-06). Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from typing import Any

from profiles.merging.consent import is_consent

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


Form = Callable[[Any], Any]
"""What a value of a list is told apart by (AT-09, D-28)."""


def merge(
    old: Attributes,
    incoming: Mapping[str, Any],
    action: Action,
    lists: Mapping[str, Form],
    consent: Collection[str] = (),
) -> Changes:
    """What a row changes about a matched person; a value that stays the same is not in it.

    ``incoming`` holds the row's non-blank values; a key of ``lists`` holds a list without repetition.
    ``consent``: attributes that *Replace* keeps, as it keeps memberships of groups (D-06, SB-13).
    """
    if action is Action.IGNORE:
        return {}
    known = old.get
    if action is Action.UPDATE:
        return {key: [None, value] for key, value in incoming.items() if known(key) is None}
    changes: Changes = {
        key: [before, value]
        for key, value in incoming.items()
        if (before := known(key)) != value
        or (before.__class__ is not value.__class__ and not is_same_json(before, value))
    }
    if action is Action.APPEND:
        _append(changes, lists)
    if action is Action.REPLACE:
        changes |= {
            key: [value, None] for key, value in old.items() if key not in incoming and not is_consent(key, consent)
        }
    return changes


def _append(changes: Changes, lists: Mapping[str, Form]) -> None:
    """Let lists grow instead of being replaced; those that do not grow do not change."""
    for key in changes.keys() & lists.keys():
        before, value = changes[key]
        after = append_values(before or [], value, lists[key])
        if after is before:
            del changes[key]
        else:
            changes[key] = [before, after]


def merge_value(old: Any, value: Any, action: Action) -> Any:
    """The same for one field of a person that no action clears: the value afterwards; None stands for blank."""
    if value is None or (old is not None and action in (Action.IGNORE, Action.UPDATE)):
        return old
    return value


def append_values(old: list[Any], value: list[Any], form: Form) -> list[Any]:
    """A list and what is new in another, in this order; the old list itself where nothing is."""
    known = {form(item) for item in old}
    added = [item for item in value if form(item) not in known]
    return old + added if added else old


def combine_changes(first: Changes, then: Changes) -> Changes:
    """Two changes, one after the other, as one: the oldest old and the newest new, nothing where they are the same."""
    both = {key: [first[key][0] if key in first else old, new] for key, (old, new) in then.items()}
    return {key: change for key, change in (first | both).items() if not is_same_json(*change)}


def as_list(value: Any) -> list[Any]:
    """The values of an attribute, whether it holds several, one or none."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: ``1`` and ``1.0`` are, ``1`` and ``True`` only in Python."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)
