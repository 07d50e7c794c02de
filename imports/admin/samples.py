"""Serve sample files (FF-12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import slugify

from imports.admin.pages import import_url, may_view
from imports.mapping import preset_choices, samples
from imports.models import ImportJob
from imports.presets import PRESETS, STANDARD, Preset
from profiles.models import load_schema
from profiles.schema import Schema

BYTE_ORDER_MARK = "\ufeff"
"""Lets spreadsheet programs recognise UTF-8; an import removes it."""

PEOPLE, EVENTS = ImportJob.RecordType.PROFILES.value, ImportJob.RecordType.EVENTS.value
SAMPLE_PARAMETERS = ("preset", "record_type", "identifier")
"""The parameters that identify a sample; a form sends them as one value, separated by colons."""


@dataclass(frozen=True, slots=True)
class SampleChoice:
    """A sample: the value that the form sends for it, and its label."""

    value: str
    label: str
    chosen: bool


def download_sample(request: HttpRequest) -> HttpResponse:
    """Return the sample for ``preset``, ``record_type`` and ``identifier`` as an attachment."""
    if not may_view(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    requested = {name: request.GET.get(name, "") for name in SAMPLE_PARAMETERS}
    if "sample" in request.GET:
        requested = dict(zip(SAMPLE_PARAMETERS, [*request.GET["sample"].split(":", 2), "", ""], strict=False))
    preset = PRESETS.get(requested["preset"] or STANDARD.key)
    record_type, schema = requested["record_type"] or PEOPLE, load_schema()
    supported = {} if preset is None else preset_choices.identifiers(preset, schema)
    identifier = requested["identifier"] or next(iter(supported), "")
    if preset is None or identifier not in supported or record_type not in _record_types(preset):
        text = "There is no such sample: its preset does not support this identifier or record type. Choose another."
        messages.error(request, text)
        return HttpResponseRedirect(f"{import_url('help')}#samples")
    return _file(preset, record_type, identifier, schema)


def sample_choices(chosen: str = f"{STANDARD.key}:{PEOPLE}:email") -> dict[str, Any]:
    """Return the context of the form for samples: the samples of each preset."""
    schema = load_schema()
    return {
        "sample_presets": [(preset.label, list(_of_preset(preset, schema, chosen))) for preset in PRESETS.values()],
    }


def _of_preset(preset: Preset, schema: Schema, chosen: str) -> Iterator[SampleChoice]:
    for record_type, what in _record_types(preset).items():
        for key in preset_choices.identifiers(preset, schema):
            value, spelled = f"{preset.key}:{record_type}:{key}", preset.spelling(key)
            label = preset_choices.identifier_label(key, schema)
            name = label if spelled == key else f"{label} ({spelled})"
            yield SampleChoice(value, f"{preset.label}: {what} by {name}", value == chosen)


def _record_types(preset: Preset) -> dict[str, str]:
    """Return the record types of a preset with their labels."""
    return {
        value: label
        for value, label in ImportJob.RecordType.choices
        if not preset_choices.unsupported_reason(preset, value)
    }


def _file(preset: Preset, record_type: str, identifier: str, schema: Schema) -> HttpResponse:
    options = preset.options.changed(
        {"default_country": settings.IMPORTS_DEFAULT_COUNTRY, "time_zone": settings.IMPORTS_TIME_ZONE}
    )
    make = samples.build_event_sample if record_type == EVENTS else samples.build_people_sample
    text = BYTE_ORDER_MARK + make(schema, preset, identifier, options)
    file = HttpResponse(text, content_type="text/csv; charset=utf-8")
    of_events = "-events" if record_type == EVENTS else ""
    name = slugify(preset.spelling(identifier))
    file["Content-Disposition"] = f'attachment; filename="sample-{preset.key}{of_events}-{name}.csv"'
    file["X-Content-Type-Options"] = "nosniff"
    return file
