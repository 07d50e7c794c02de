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
from imports.mapping.headers import MAX_NAME_BYTES
from imports.mapping.synonyms import GUESSES, SYNONYMS
from imports.presets import MEGABYTE, PRESETS
from imports.states import Status
from profiles.merging.rules import MAX_CUSTOM_ATTRIBUTES
from profiles.models import load_schema
from profiles.schema import MAX_KEY_BYTES, MAX_OWN_FIELD_BYTES, OWN_FIELDS, Schema
from profiles.values.dates import KNOWN_FORMATS
from profiles.values.types import ValueOptions, ValueType


@dataclass(frozen=True, slots=True)
class HelpEntry:
    """A row of a table: its subject, the text about it, and a further text if there is one."""

    name: str
    says: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class StatusHelp:
    """A status, its meaning, and the transitions from it, by who may make them."""

    name: str
    says: str
    ways: dict[str, list[str]]


def help_view(request: HttpRequest) -> HttpResponse:
    """Return the whole page; each section has an anchor."""
    if not may_view(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    schema = load_schema()
    context: dict[str, Any] = {
        "title": "Help with imports",
        "limits": list(limits()),
        "types": list(types()),
        "date_formats": sorted(KNOWN_FORMATS),
        "synonyms": list(synonyms(schema)),
        "mandatory": [each.key for each in schema.definitions.values() if each.mandatory],
        "identifiers": list(identifiers(schema)),
        "actions": [HelpEntry(action.label, says) for action, says in guidance.ACTIONS.items()],
        "presets": list(PRESETS.values()),
        "presets_in_words": preset_descriptions.compare_presets(schema),
        "outcomes": [HelpEntry(outcome.value, says) for outcome, says in help_texts.OUTCOMES.items()],
        "not_run": help_texts.NOT_RUN,
        "approval": help_texts.APPROVAL[settings.IMPORTS_APPROVAL],
        "stages": list(statuses()),
        **samples.sample_choices(),
    }
    return render_page(request, "help", None, **context)


def limits() -> Iterator[HelpEntry]:
    """Yield each limit and its value."""
    enforced = Limits(max_bytes=settings.IMPORTS_MAX_MB * MEGABYTE)
    for limit in (each for each in fields(Limits) if each.type is int):
        number = getattr(enforced, limit.name)
        in_words = limit.name.endswith(("bytes", "memory"))
        yield HelpEntry(
            help_texts.LIMITS.get(limit.name, limit.name), format_bytes(number) if in_words else f"{number:,}"
        )
    yield HelpEntry("Name of an attribute, and header of a column", f"{min(MAX_KEY_BYTES, MAX_NAME_BYTES)} bytes")
    yield HelpEntry("Text in one value", f"{ValueOptions().max_bytes} bytes")
    for key, longest in MAX_OWN_FIELD_BYTES.items():
        yield HelpEntry(OWN_FIELDS[key], f"{longest:,} bytes")
    yield HelpEntry("Custom attributes of one person", str(MAX_CUSTOM_ATTRIBUTES))
    yield HelpEntry(
        "Values of one person for one identifier, such as e-mails", str(settings.IMPORTS_MAX_IDENTIFIER_VALUES)
    )


def types() -> Iterator[HelpEntry]:
    """Yield the types of values with examples."""
    for kind in ValueType:
        look = examples.TYPES[kind]
        yield HelpEntry(kind.value.replace("_", " "), look.says, ", ".join(look.examples))


def synonyms(schema: Schema) -> Iterator[HelpEntry]:
    """Yield other headers for each attribute: those of other systems, and those for which it is only suggested."""
    keys = [*OWN_FIELDS, *schema.definitions]
    for key in keys:
        says, more = (
            ", ".join(spelling for spelling, means in spellings.items() if means == key)
            for spellings in (SYNONYMS, GUESSES)
        )
        if says or more:
            yield HelpEntry(key, says, more)


def identifiers(schema: Schema) -> Iterator[tuple[str, list[HelpEntry]]]:
    """Yield the identifiers that people can be matched by, in groups, with what each suits (HI-29, HI-33)."""
    groups: dict[str, list[HelpEntry]] = {}
    for key, says in guidance.identifiers(schema).items():
        groups.setdefault(guidance.identifier_group(key, schema), []).append(
            HelpEntry(preset_choices.identifier_label(key, schema), says, key)
        )
    yield from groups.items()


def statuses() -> Iterator[StatusHelp]:
    """Yield the statuses that an import can reach, in order, with the transitions from each."""
    reached = {Status.DRAFT, *(rule.target for rule in TRANSITIONS.values())}
    for status in Status:
        if status in reached:
            ways: dict[str, list[str]] = {}
            for transition, rule in TRANSITIONS.items():
                if status in rule.sources:
                    name = help_texts.TRANSITIONS.get(transition, transition.capitalize())
                    ways.setdefault(str(rule.role), []).append(f"{name} → {rule.target.label}")
            yield StatusHelp(status.label, help_texts.STATUSES.get(status, ""), ways)
