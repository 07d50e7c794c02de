"""The address of sample files (FF-12)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.text import slugify

from imports import guidance, samples
from imports.admin.pages import address, may_look
from imports.mapping import AUTOMATIC
from imports.presets import PRESETS, STANDARD
from profiles.models import load_schema
from profiles.schema import OWN_IDENTIFIERS

BYTE_ORDER_MARK = "\ufeff"
"""By which spreadsheets know UTF-8; an import takes it off."""


@dataclass(frozen=True, slots=True)
class Found:
    """What people of a sample can be found by."""

    key: str
    label: str
    chosen: bool


def view(request: HttpRequest) -> HttpResponse:
    """A sample for ``preset`` and ``identifier`` as a file to keep."""
    if not may_look(request):
        raise PermissionDenied("Only Admins, Creators and Approvers can work with imports.")
    known = load_schema()
    preset = request.GET.get("preset") or STANDARD.key
    identifier = request.GET.get("identifier") or AUTOMATIC
    if preset not in PRESETS or identifier not in guidance.identifiers(known):
        messages.error(request, "There is no such sample: its preset or identifier is not known. Choose another one.")
        return HttpResponseRedirect(f"{address('help')}#samples")
    options = PRESETS[preset].options.changed(
        {"default_country": settings.IMPORTS_DEFAULT_COUNTRY, "time_zone": settings.IMPORTS_TIME_ZONE}
    )
    text = BYTE_ORDER_MARK + samples.sample(known, identifier, options)
    file = HttpResponse(text, content_type="text/csv; charset=utf-8")
    file["Content-Disposition"] = f'attachment; filename="sample-{preset}-{slugify(identifier)}.csv"'
    file["X-Content-Type-Options"] = "nosniff"
    return file


def offered(chosen: str = "email") -> dict[str, Any]:
    """What the form for a sample offers."""
    known, labels = load_schema(), {AUTOMATIC: "Automatic", **OWN_IDENTIFIERS}
    found = [
        Found(key, labels.get(key) or known.definitions[key].label, key == chosen)
        for key in guidance.identifiers(known)
    ]
    return {"sample_identifiers": found, "sample_presets": PRESETS}
