"""The help page: formats, limits, actions, statuses and answers, taken from the code that enforces them (FQ-11)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from imports import examples, guidance, help_texts
from imports.admin import sample
from imports.admin.pages import may_look, page
from imports.admin.upload import UploadForm
from imports.cells import LONGEST_OWN_FIELD
from imports.headers import LONGEST_NAME
from imports.mapping import AUTOMATIC
from imports.models import Status
from imports.moves import MOVES
from imports.names import SYNONYMS
from imports.presets import MEGABYTE, PRESETS, Preset
from imports.refusal import Limits, in_bytes
from profiles.dates import KNOWN_FORMATS
from profiles.models import load_schema
from profiles.people import MAX_CUSTOM_ATTRIBUTES
from profiles.schema import EXTERNAL_ID, KEY_BYTES, OBJECT_ID, OWN_FIELDS, Schema
from profiles.values import ValueOptions, ValueType


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a table: what it is about, what is to say of it, and more where there is more."""

    name: str
    says: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A status with its ways out, by whom they are open to."""

    name: str
    says: str
    ways: dict[str, list[str]]


def view(request: HttpRequest) -> HttpResponse:
    """The whole page; its sections have addresses of their own."""
    if not may_look(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    known = load_schema()
    context: dict[str, Any] = {
        "title": "Help with imports",
        "megabytes": settings.IMPORTS_MAX_MB,
        "limits": list(limits()),
        "types": list(types()),
        "date_formats": sorted(KNOWN_FORMATS),
        "synonyms": list(synonyms()),
        "mandatory": [each.key for each in known.definitions.values() if each.mandatory],
        "identifiers": list(identifiers(known)),
        "actions": [Line(action.label, says) for action, says in guidance.ACTIONS.items()],
        "presets": list(map(preset_table, PRESETS.values())),
        "outcomes": [Line(outcome.value, says) for outcome, says in help_texts.OUTCOMES.items()],
        "record_types": list(UploadForm.base_fields["record_type"].choices),  # type: ignore[attr-defined]
        "not_run": help_texts.NOT_RUN,
        "approval": help_texts.APPROVAL[settings.IMPORTS_APPROVAL],
        "stages": list(stages()),
        **sample.offered(),
    }
    return page(request, "help", None, **context)


def limits() -> Iterator[Line]:
    """Everything that is too much, and how much is not."""
    enforced = Limits(max_bytes=settings.IMPORTS_MAX_MB * MEGABYTE)
    for limit in (each for each in fields(Limits) if each.type is int):
        number = getattr(enforced, limit.name)
        in_words = limit.name.endswith(("bytes", "memory"))
        yield Line(help_texts.LIMITS.get(limit.name, limit.name), in_bytes(number) if in_words else f"{number:,}")
    yield Line("Name of an attribute, and header of a column", f"{min(KEY_BYTES, LONGEST_NAME)} bytes")
    yield Line("Text in one value", f"{ValueOptions().max_bytes} bytes")
    for key, longest in LONGEST_OWN_FIELD.items():
        yield Line(OWN_FIELDS[key], f"{longest:,} bytes")
    yield Line("Attributes of one person that are not built in", str(MAX_CUSTOM_ATTRIBUTES))
    yield Line(
        "Values of one person under one identifier, such as e-mails", str(settings.IMPORTS_MAX_IDENTIFIER_VALUES)
    )


def types() -> Iterator[Line]:
    """The types of values with examples."""
    for kind in ValueType:
        look = examples.TYPES[kind]
        yield Line(kind.value.replace("_", " "), look.says, ", ".join(look.examples))


def synonyms() -> Iterator[Line]:
    """Other headers that mean the same, by attribute."""
    for key in dict.fromkeys(SYNONYMS.values()):
        yield Line(key, ", ".join(spelling for spelling, means in SYNONYMS.items() if means == key))


def identifiers(known: Schema) -> Iterator[Line]:
    """What people can be found by, and what that suits."""
    labels = {AUTOMATIC: "Automatic", EXTERNAL_ID: OWN_FIELDS[EXTERNAL_ID], OBJECT_ID: OWN_FIELDS[OBJECT_ID]}
    for key, says in guidance.identifiers(known).items():
        yield Line(labels.get(key) or known.definitions[key].label, says, key)


def preset_table(preset: Preset) -> tuple[Preset, list[Line], str]:
    """A preset, its options in words, and the actions it offers."""
    options = preset.options.to_json()
    lines = [
        Line(help_texts.OPTIONS.get(name, name), help_texts.OPTION_VALUES.get(str(value), str(value)))
        for name, value in options.items()
    ]
    return preset, lines, ", ".join(action.label for action in preset.actions)


def stages() -> Iterator[Stage]:
    """The statuses that an import can come to, in their order, with who may do what there."""
    reached = {Status.DRAFT, *(rule.target for rule in MOVES.values())}
    for status in Status:
        if status in reached:
            ways: dict[str, list[str]] = {}
            for move, rule in MOVES.items():
                if status in rule.sources:
                    name = help_texts.MOVES.get(move, move.capitalize())
                    ways.setdefault(str(rule.role), []).append(f"{name} → {rule.target.label}")
            yield Stage(status.label, help_texts.STATUSES.get(status, ""), ways)
