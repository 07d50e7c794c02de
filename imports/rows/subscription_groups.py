"""Read the subscription group and state of each row: two columns make one value (SB-09, AT-49, AT-50). Pure.

A row with only one of the two values is applied without a membership, and gets a warning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imports.files.batches import Batch
from imports.mapping.column_mapping import Column
from imports.rows.cells import JsonFragment, ParsedCells, to_json
from profiles.merging.consent import GROUP_ID, GROUP_STATE, group_key
from profiles.values.parsers import is_blank


@dataclass(frozen=True, slots=True)
class GroupColumns:
    """The columns of groups and states, as indexes of mapped columns."""

    group: int | None
    state: int | None
    headers: dict[int, str]
    positions: dict[int, int]

    @property
    def any(self) -> bool:
        return bool(self.headers)

    @property
    def is_pair(self) -> bool:
        return self.group is not None and self.state is not None


@dataclass(frozen=True, slots=True)
class MembershipProblem:
    """Why a row does not change a membership, with the value whose counterpart is missing."""

    code: str
    reason: str
    header: str
    value: str


def find_group_columns(columns: Sequence[Column]) -> GroupColumns:
    """Return the columns of groups and states; a file has at most one of each (HI-36)."""
    found = {c.definition.key: i for i, c in enumerate(columns) if c.definition.key in (GROUP_ID, GROUP_STATE)}
    return GroupColumns(
        found.get(GROUP_ID),
        found.get(GROUP_STATE),
        {i: columns[i].header for i in found.values()},
        {i: columns[i].position for i in found.values()},
    )


def membership_fragment(
    groups: GroupColumns, texts: Sequence[Sequence[str]], cells: Sequence[ParsedCells]
) -> JsonFragment:
    """Return the membership of each row as a part of its JSON; blank unless the row has both values."""
    assert groups.group is not None
    assert groups.state is not None
    ids, states = cells[groups.group].values or {}, cells[groups.state].values or {}
    pairs = list(zip(texts[groups.group], texts[groups.state], strict=True))
    shown = {
        (group, state): f"{to_json(group_key(ids[group]))}:{to_json(states[state])}"
        for group, state in set(pairs)
        if group in ids and state in states
    }
    return JsonFragment("", [shown.get(pair, "") for pair in pairs], "")


def find_problems(
    groups: GroupColumns, batch: Batch, cells: Sequence[ParsedCells]
) -> Iterator[tuple[int, MembershipProblem]]:
    """Yield the rows of a batch that have a group without a state, or a state without a group."""
    if groups.is_pair and not any(cells[i].blank for i in groups.headers):
        return
    for index, row in enumerate(batch.rows):
        group, state = (None if i is None else row[groups.positions[i]] for i in (groups.group, groups.state))
        flaw = _flaw(groups, group, state)
        if flaw is not None:
            yield index, flaw


def _flaw(groups: GroupColumns, group: str | None, state: str | None) -> MembershipProblem | None:
    has_group, has_state = (text is not None and not is_blank(text) for text in (group, state))
    if has_group and not has_state:
        reason = f"A subscription group without a state changes nothing: add {_named(groups.state, groups)}"
        return MembershipProblem("group_without_state", reason, groups.headers[groups.group or 0], group or "")
    if has_state and not has_group:
        reason = f"A subscription state without a group changes nothing: add {_named(groups.group, groups)}"
        return MembershipProblem("state_without_group", reason, groups.headers[groups.state or 0], state or "")
    return None


def _named(column: int | None, groups: GroupColumns) -> str:
    """Return the header of the column to fill in, or the name of the column to add."""
    if column is not None:
        return groups.headers[column]
    return f"a column {GROUP_ID if groups.group is None else GROUP_STATE}"
