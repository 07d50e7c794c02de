"""The filter *Subscription group* of the list of people: a group by its name or ID, and who is in it (SB-09).

There may be thousands of groups, so somebody types: a whole name, or a part of it to choose among those that have it.
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
    """One group of the form. ``same``: what may be meant instead, and how those groups are called."""

    number: int
    text: str = ""
    state: str = GroupState.SUBSCRIBED
    problem: str = ""
    same: Sequence[tuple[InGroup, str]] = ()


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """What the address says about groups. ``names``: what those of the conditions are called, by ID."""

    conditions: Sequence[InGroup]
    names: Mapping[str, str]
    fields: Sequence[Field]

    @property
    def wrong(self) -> list[InvalidCondition]:
        return [InvalidCondition(field.problem, "group", field.number) for field in self.fields if field.problem]


def parse_groups(sent: Parameters, found: Iterable[Condition]) -> GroupFilter:
    """The groups that somebody typed, after those among ``found``, which the address has by their IDs."""
    wanted = dict.fromkeys(each for each in found if isinstance(each, InGroup))
    names = group_names(wanted)
    fields = [Field(0, names[each.group], each.state) for each in wanted if each.group in names]
    typed = _typed(sent)
    known = name_lookup.find_by_name(
        SubscriptionGroup.objects.all(), (text for text, _ in typed), label, ("name", "group_id")
    )
    for text, said in typed:
        groups = known.get(text, [])
        try:
            meant = InGroup(_only(groups).group_id, condition_parameters.parse_group_state(said))
        except InvalidCondition as invalid:
            is_first = not any(field.problem for field in fields)
            instead = _instead(text, said, groups) if groups or is_first else ()
            problem = f"{invalid} Choose one of those that it is a part of." if instead and not groups else str(invalid)
            fields.append(Field(0, text, said, problem, instead))
            continue
        if meant not in wanted:
            wanted[meant], names[meant.group] = None, label(groups[0])
            fields.append(Field(0, label(groups[0]), meant.state))
    numbered = [replace(each, number=i) for i, each in enumerate([*fields, Field(0)])]
    return GroupFilter(list(wanted), names, numbered)


def group_names(conditions: Iterable[Condition]) -> dict[str, str]:
    """What the groups of conditions are called, by ID; one query. A group that is not there any more has no name."""
    ids = {each.group for each in conditions if isinstance(each, InGroup)}
    groups = SubscriptionGroup.objects.filter(group_id__in=ids) if ids else []
    return {group.group_id: label(group) for group in groups}


def label(group: SubscriptionGroup) -> str:
    """`Newsletter (E-mail), #7`: what a page calls a group, and what can be typed for it."""
    return f"{group_label(group)}, #{group.pk}"


def _typed(sent: Parameters) -> list[tuple[str, str]]:
    texts, states = sent.get("group_name", ()), sent.get("group_name_state", ())
    pairs = zip_longest((text.strip() for text in texts), (state.strip() for state in states), fillvalue="")
    return [(text, state) for text, state in pairs if text]


def _only(groups: Sequence[SubscriptionGroup]) -> SubscriptionGroup:
    if not groups:
        raise InvalidCondition("No subscription group has exactly this name or ID, with capitals.")
    if len(groups) > 1:
        raise InvalidCondition(f"{len(groups)} subscription groups are called so. Choose one of them.")
    return groups[0]


def _instead(text: str, said: str, groups: Sequence[SubscriptionGroup]) -> list[tuple[InGroup, str]]:
    """What somebody may have meant who typed a name that several groups have, or a part of one."""
    state = GroupState(said) if said in set(GroupState) else GroupState.SUBSCRIBED
    if not groups and "\0" not in text:
        part = Q(name__icontains=text) | Q(group_id__icontains=text)
        groups = list(SubscriptionGroup.objects.filter(part)[:MAX_SAME_NAME])
    return [(InGroup(group.group_id, state), label(group)) for group in groups]
