"""The filter *Subscription group* of the list of people: a group by name or ID, and the state of its people (SB-09).

There may be thousands of groups, so users enter text: a whole name, or a part of it to choose from the groups that
contain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from django.db.models import Q

from profiles.admin import name_lookup
from profiles.admin.labels import group_label
from profiles.models import SubscriptionGroup
from profiles.search import condition_parameters
from profiles.search.condition_parameters import Parameters
from profiles.search.conditions import Condition, GroupState, InGroup, InvalidCondition

MAX_SAME_NAME = 20


@dataclass(frozen=True, slots=True)
class Field:
    """The field of the form for one group. ``same``: the groups that the text may mean, with their labels."""

    number: int
    text: str = ""
    state: str = GroupState.SUBSCRIBED
    problem: str = ""
    same: Sequence[tuple[InGroup, str]] = ()


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """The groups of a query string. ``names``: the labels of the groups in ``conditions``, by ID."""

    conditions: Sequence[InGroup]
    names: Mapping[str, str]
    fields: Sequence[Field]

    @property
    def errors(self) -> list[InvalidCondition]:
        return [InvalidCondition(field.problem, "group", field.number) for field in self.fields if field.problem]


def parse_groups(sent: Parameters, conditions: Iterable[Condition]) -> GroupFilter:
    """Return the groups among ``conditions``, which the query string has by ID, then those that were typed."""
    chosen = dict.fromkeys(each for each in conditions if isinstance(each, InGroup))
    names = group_names(chosen)
    fields = [Field(0, names[each.group], each.state) for each in chosen if each.group in names]
    typed = _typed(sent)
    by_text = name_lookup.find_by_name(
        SubscriptionGroup.objects.all(), (text for text, _ in typed), label, ("name", "group_id")
    )
    for text, state in typed:
        groups = by_text.get(text, [])
        try:
            condition = InGroup(_only(groups).group_id, condition_parameters.parse_group_state(state))
        except InvalidCondition as invalid:
            is_first = not any(field.problem for field in fields)
            candidates = _candidates(text, state, groups) if groups or is_first else ()
            problem = str(invalid)
            if candidates and not groups:
                problem += " Or choose one of the groups that contain it."
            fields.append(Field(0, text, state, problem, candidates))
            continue
        if condition not in chosen:
            chosen[condition], names[condition.group] = None, label(groups[0])
            fields.append(Field(0, label(groups[0]), condition.state))
    numbered = [replace(each, number=i) for i, each in enumerate([*fields, Field(0)])]
    return GroupFilter(list(chosen), names, numbered)


def group_names(conditions: Iterable[Condition]) -> dict[str, str]:
    """Return the labels of the groups in conditions, by ID (one query); a deleted group has none."""
    ids = {each.group for each in conditions if isinstance(each, InGroup)}
    groups = SubscriptionGroup.objects.filter(group_id__in=ids) if ids else []
    return {group.group_id: label(group) for group in groups}


def label(group: SubscriptionGroup) -> str:
    """Return the label of a group, which can also be typed for it: `Newsletter (E-mail), #7`."""
    return f"{group_label(group)}, #{group.pk}"


def _typed(sent: Parameters) -> list[tuple[str, str]]:
    texts, states = sent.get("group_name", ()), sent.get("group_name_state", ())
    pairs = zip_longest((text.strip() for text in texts), (state.strip() for state in states), fillvalue="")
    return [(text, state) for text, state in pairs if text]


def _only(groups: Sequence[SubscriptionGroup]) -> SubscriptionGroup:
    if not groups:
        raise InvalidCondition(
            "No subscription group has exactly this name or ID. Enter the whole name or ID, in the same case."
        )
    if len(groups) > 1:
        raise InvalidCondition(f"{len(groups)} subscription groups have this name. Choose one of them.")
    return groups[0]


def _candidates(text: str, state_text: str, groups: Sequence[SubscriptionGroup]) -> list[tuple[InGroup, str]]:
    """Return the groups that a text may mean: ``groups``, which have this name, or those whose name contains it."""
    state = GroupState(state_text) if state_text in set(GroupState) else GroupState.SUBSCRIBED
    if not groups and "\0" not in text:
        part = Q(name__icontains=text) | Q(group_id__icontains=text)
        groups = list(SubscriptionGroup.objects.filter(part)[:MAX_SAME_NAME])
    return [(InGroup(group.group_id, state), label(group)) for group in groups]
