"""The identifiers, actions and options that a preset offers, and faults for choices it does not offer (requirements
section 3, D-05).

Pages list these choices, and the check of a job enforces them, whether it comes from a page or from the command line.
"""

from __future__ import annotations

import enum
import zoneinfo
from collections.abc import Iterable, Sequence
from functools import cache

import phonenumbers
import pycountry

from imports.mapping import guidance
from imports.mapping.column_mapping import AUTOMATIC
from imports.mapping.validation import Fault, join_headers
from imports.presets import CHANNELS, PRESETS, Options, Preset
from profiles.merging.actions import Action
from profiles.schema import OWN_IDENTIFIERS, Schema

EVENTS = "events"
"""The record type that not every preset accepts."""

OPTIONS = (
    "on_invalid_value",
    "unknown_columns",
    "enforce_mandatory",
    "phone_format",
    "default_country",
    "bracket_dates",
    "iso_dates",
    "default_time",
    "time_zone",
)
"""The options that a user can change for one import, in the order in which pages show them."""

RARE_OPTIONS = (
    "genders",
    "refuse_placeholders",
    "exact_states",
    "exact_session_dates",
    "other_dates_stay_text",
    "header_case",
    "identifier_first",
    "forbidden_characters",
    "alias_with_external_id",
)
"""The same for options that are rarely changed. The others cannot be chosen, such as sizes and data points."""

_NOT_OF_EVENTS = frozenset({"unknown_columns", "enforce_mandatory", "genders", "exact_states", "exact_session_dates"})

_LABELS = {AUTOMATIC: "Automatic", **OWN_IDENTIFIERS}


def identifiers(preset: Preset, schema: Schema) -> dict[str, str]:
    """Return the identifiers that a preset offers, with the files or people they suit (HI-14, HI-29)."""
    every = guidance.identifiers(schema)
    if preset.identifiers is None:
        return every
    offered = schema.lookup_identifiers if preset.identifiers == CHANNELS else preset.identifiers
    return {key: text for key, text in every.items() if key in offered}


def pending_identifiers(preset: Preset, schema: Schema) -> list[str]:
    """Return the identifiers of a preset that cannot be used yet because their index is being built."""
    offered = schema.identifiers if preset.identifiers in (None, CHANNELS) else preset.identifiers or ()
    return [key for key in offered if key in schema.identifiers and key not in schema.lookup_identifiers]


def identifier_label(key: str, schema: Schema) -> str:
    """Return the label of an identifier."""
    return _LABELS.get(key) or schema.definitions[key].label


def default_action(preset: Preset) -> str:
    """Return the action that is preselected; blank if the user has to choose one."""
    return preset.default_action or ""


def unsupported_reason(preset: Preset, record_type: str) -> str:
    """Return why a preset does not accept files of a record type; blank if it does (EV-02)."""
    return preset.no_events_reason if record_type == EVENTS and not preset.events else ""


def is_option(name: str, record_type: str) -> bool:
    """Return whether a user can set the option for a file of that record type."""
    return name in (*OPTIONS, *RARE_OPTIONS) and not (record_type == EVENTS and name in _NOT_OF_EVENTS)


def option_values(name: str) -> Sequence[str]:
    """Return the values that an option can be set to, as text."""
    if name == "default_country":
        return countries()
    if name == "time_zone":
        return time_zones()
    kind = type(getattr(Options(), name))
    if kind is bool:
        return ("True", "False")
    return [str(member) for member in kind] if issubclass(kind, enum.Enum) else _TEXTS[name]


_TEXTS = {"default_time": ("00:00:00", "12:00:00", "23:59:59"), "genders": ("MFONP", "MF")}


@cache
def countries() -> Sequence[str]:
    """Return the codes of the countries that have phone numbers."""
    return [each.alpha_2 for each in pycountry.countries if each.alpha_2 in phonenumbers.SUPPORTED_REGIONS]


@cache
def time_zones() -> Sequence[str]:
    """Return UTC and the time zones that are named after places."""
    areas = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    places = [zone for zone in zoneinfo.available_timezones() if zone.partition("/")[0] in areas and "/" in zone]
    return ["UTC", *sorted(places)]


def faults(preset: Preset, record_type: str, identifier: str, action: str, schema: Schema) -> list[Fault]:
    """Return faults for choices that the preset does not offer; missing choices are not reported here."""
    found = []
    if reason := unsupported_reason(preset, record_type):
        found.append(Fault("record_type", reason))
    offered = identifiers(preset, schema)
    if identifier in guidance.identifiers(schema) and identifier not in offered:
        found.append(
            Fault("identifier_not_offered", _not_offered(preset, "does not match people by", identifier, offered))
        )
    if action and action not in preset.actions:
        name = Action(action).label
        labels = [each.label for each in preset.actions]
        found.append(Fault("action_not_offered", _not_offered(preset, "does not offer", name, labels)))
    return found


def suggest_preset(headers: Iterable[str], current: Preset) -> Preset | None:
    """Return the other preset that a header row matches best, by the number of its signs; None if there is none (D-01).

    A file that was exported from here has headers of several systems, and needs no preset but Standard.
    """
    found = set(headers)
    if not found.isdisjoint(current.signature_headers) or "object_id" in found:
        return None
    best = max(PRESETS.values(), key=lambda preset: len(preset.signature_headers & found))
    return best if best.signature_headers & found else None


def _not_offered(preset: Preset, verb: str, chosen: str, offered: Iterable[str]) -> str:
    choices = join_headers([preset.spelling(key) for key in offered])
    return f"The preset {preset.label} {verb} {preset.spelling(chosen)}; choose one of {choices}, or another preset"
