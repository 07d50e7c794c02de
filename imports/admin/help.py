"""The help page: formats, limits, actions, statuses and answers, taken from the code that enforces them (FQ-11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from imports.admin import preset_descriptions, samples
from imports.admin.pages import may_view, render_page
from imports.drafts import help_texts
from imports.files.errors import Limits, format_bytes
from imports.jobs.transitions import TRANSITIONS
from imports.mapping import examples, guidance, preset_choices
from imports.mapping.headers import LONGEST_NAME
from imports.mapping.synonyms import GUESSES, SYNONYMS
from imports.presets import MEGABYTE, PRESETS
from imports.states import Status
from profiles.merging.rules import MAX_CUSTOM_ATTRIBUTES
from profiles.models import load_schema
from profiles.schema import KEY_BYTES, LONGEST_OWN_FIELD, OWN_FIELDS, Schema
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.types import ValueOptions, ValueType


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """One line of a table: what it is about, what is to say of it, and more where there is more."""

    name: str
    says: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class StatusHelp:
    """A status with its ways out, by whom they are open to."""

    name: str
    says: str
    ways: dict[str, list[str]]


def help_view(request: HttpRequest) -> HttpResponse:
    """The whole page; its sections have addresses of their own."""
    if not may_view(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    known = load_schema()
    context: dict[str, Any] = {
        "title": "Help with imports",
        "limits": list(limits()),
        "types": list(types()),
        "date_formats": sorted(KNOWN_FORMATS),
        "synonyms": list(synonyms(known)),
        "mandatory": [each.key for each in known.definitions.values() if each.mandatory],
        "identifiers": list(identifiers(known)),
        "actions": [HelpEntry(action.label, says) for action, says in guidance.ACTIONS.items()],
        "presets": list(PRESETS.values()),
        "presets_in_words": preset_descriptions.compare_presets(known),
        "outcomes": [HelpEntry(outcome.value, says) for outcome, says in help_texts.OUTCOMES.items()],
        "not_run": help_texts.NOT_RUN,
        "approval": help_texts.APPROVAL[settings.IMPORTS_APPROVAL],
        "stages": list(statuses()),
        **samples.sample_choices(),
    }
    return render_page(request, "help", None, **context)


def limits() -> Iterator[HelpEntry]:
    """Everything that is too much, and how much is not."""
    enforced = Limits(max_bytes=settings.IMPORTS_MAX_MB * MEGABYTE)
    for limit in (each for each in fields(Limits) if each.type is int):
        number = getattr(enforced, limit.name)
        in_words = limit.name.endswith(("bytes", "memory"))
        yield HelpEntry(
            help_texts.LIMITS.get(limit.name, limit.name), format_bytes(number) if in_words else f"{number:,}"
        )
    yield HelpEntry("Name of an attribute, and header of a column", f"{min(KEY_BYTES, LONGEST_NAME)} bytes")
    yield HelpEntry("Text in one value", f"{ValueOptions().max_bytes} bytes")
    for key, longest in LONGEST_OWN_FIELD.items():
        yield HelpEntry(OWN_FIELDS[key], f"{longest:,} bytes")
    yield HelpEntry("Attributes of one person that are not built in", str(MAX_CUSTOM_ATTRIBUTES))
    yield HelpEntry(
        "Values of one person under one identifier, such as e-mails", str(settings.IMPORTS_MAX_IDENTIFIER_VALUES)
    )


def types() -> Iterator[HelpEntry]:
    """The types of values with examples."""
    for kind in ValueType:
        look = examples.TYPES[kind]
        yield HelpEntry(kind.value.replace("_", " "), look.says, ", ".join(look.examples))


def synonyms(known: Schema) -> Iterator[HelpEntry]:
    """Other headers that mean the same, by attribute: as systems spell it, and what is only suggested for it."""
    keys = [*OWN_FIELDS, *known.definitions]
    for key in keys:
        says, more = (
            ", ".join(spelling for spelling, means in spellings.items() if means == key)
            for spellings in (SYNONYMS, GUESSES)
        )
        if says or more:
            yield HelpEntry(key, says, more)


def identifiers(known: Schema) -> Iterator[tuple[str, list[HelpEntry]]]:
    """What people can be found by, by what it is, and what it suits (HI-29, HI-33)."""
    groups: dict[str, list[HelpEntry]] = {}
    for key, says in guidance.identifiers(known).items():
        groups.setdefault(guidance.group(key, known), []).append(HelpEntry(preset_choices.label(key, known), says, key))
    yield from groups.items()


def statuses() -> Iterator[StatusHelp]:
    """The statuses that an import can come to, in their order, with who may do what there."""
    reached = {Status.DRAFT, *(rule.target for rule in TRANSITIONS.values())}
    for status in Status:
        if status in reached:
            ways: dict[str, list[str]] = {}
            for transition, rule in TRANSITIONS.items():
                if status in rule.sources:
                    name = help_texts.TRANSITIONS.get(transition, transition.capitalize())
                    ways.setdefault(str(rule.role), []).append(f"{name} → {rule.target.label}")
            yield StatusHelp(status.label, help_texts.STATUSES.get(status, ""), ways)
