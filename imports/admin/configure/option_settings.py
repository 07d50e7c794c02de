"""The options of the screen *Configure*: preset, record type, and how values are read (requirements section 3).

Each option applies to one import. A value that a user has chosen is kept until it is reset, also under another preset,
so the page shows the preset's default next to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
import pycountry
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from imports.admin import preset_descriptions
from imports.drafts import help_texts
from imports.jobs import stored_file
from imports.mapping import preset_choices
from imports.models import ImportJob
from imports.presets import PRESETS

Choices = Sequence[tuple[str, str]]

_SITES = ("default_country", "time_zone")
"""The options whose default comes from the site rather than from the preset."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A select of the options. ``value``: its present value; blank for the default, which is the first choice.

    ``usual``: the default in words. ``is_overridden``: whether the value differs from it. ``rare``: seldom changed.
    """

    name: str
    label: str
    choices: Choices
    value: str
    hint: str = ""
    usual: str = ""
    is_overridden: bool = False
    rare: bool = False

    @property
    def options(self) -> SafeString:
        return render_options(self.choices, self.value)

    @property
    def chosen(self) -> str:
        """The present value in words."""
        return next((label for value, label in self.choices if value == self.value), self.value)

    @property
    def told(self) -> str:
        """A note on a value that a user has chosen; blank for the default."""
        source = "site" if self.name in _SITES else "preset"
        if not (self.value and self.usual):
            return ""
        if self.is_overridden:
            return f"Changed from the {source} default ({self.usual})."
        return f"Set for this import; the same as the {source} default."


def render_options(choices: Choices, chosen: str) -> SafeString:
    """Return the choices of a select as HTML; loops in templates would take most of the page's time."""
    marked = ((value, " selected" if value == chosen else "", label) for value, label in choices)
    return format_html_join("\n", '<option value="{}"{}>{}</option>', marked)


def preset_settings(job: ImportJob) -> list[Setting]:
    """Return the settings of preset and record type; a change of either reads the file again."""
    presets = [(key, preset.label) for key, preset in PRESETS.items()]
    return [
        Setting("preset", "Preset", presets, job.preset),
        Setting("record_type", "Record type", ImportJob.RecordType.choices, job.record_type),
    ]


def value_settings(job: ImportJob) -> Iterator[Setting]:
    """Yield the settings that are stored with the job and do not read the file again; the rare ones last."""
    usual = stored_file.options(ImportJob(preset=job.preset))
    for name, (label, hint) in _VALUES.items():
        if not preset_choices.is_option(name, job.record_type):
            continue
        value, has = str(job.options.get(name, "")), getattr(usual, name)
        words = preset_descriptions.describe_option(name, usual)
        if name == "default_country":
            words, others = country_names().get(has, "none"), _countries()
        elif name == "time_zone":
            others = [(zone, zone.replace("_", " ")) for zone in preset_choices.time_zones()]
        else:
            others = [(text, help_texts.OPTION_VALUES.get(text, text)) for text in preset_choices.option_values(name)]
        first = f"{'Site' if name in _SITES else 'Preset'} default ({words})"
        differs, rare = value not in ("", str(has)), name in preset_choices.RARE_OPTIONS
        yield Setting(name, label, [("", first), *others], value, hint, words, differs, rare)


def overridden_settings(job: ImportJob) -> list[Setting]:
    """Return the settings that were changed from the defaults of the preset and the site."""
    return [setting for setting in value_settings(job) if setting.is_overridden] if job.options else []


_VALUES: Mapping[str, tuple[str, str]] = {
    "on_invalid_value": ("A value of the wrong type", "If its row fails, nothing of the row is imported."),
    "unknown_columns": ("A column that matches no attribute", "You can decide about each of them below."),
    "enforce_mandatory": (
        "Mandatory attributes are required",
        "Each needs a column, and each row a value for it.",
    ),
    "phone_format": ("Phone numbers", "Numbers in another format are of the wrong type."),
    "default_country": ("Country of phone numbers", "Applies to numbers without + and country code."),
    "bracket_dates": (
        "Date formats in headers",
        "For example birthday <dd/MM/yyyy>; also $D_ with Unix seconds in cells.",
    ),
    "iso_dates": ("Dates in ISO 8601", "For example 2024-02-29, in addition to dates whose header declares a format."),
    "default_time": ("Time of day", "For dates without a time whose header declares a format."),
    "time_zone": ("Time zone", "For dates with a time that do not name their time zone."),
    "genders": ("Genders", ""),
    "refuse_placeholders": ("Refuse identifiers such as null or n/a", ""),
    "exact_states": ("Subscription states must be spelled exactly", ""),
    "exact_session_dates": ("Session dates only in four forms of ISO 8601", ""),
    "other_dates_stay_text": (
        "Dates in another format are kept as text",
        "With a warning; otherwise they are of the wrong type.",
    ),
    "header_case": ("Headers of built-in attributes", "Which spellings are recognised."),
    "identifier_first": ("The identifier's column must be the first", "Otherwise the file is refused."),
    "forbidden_characters": ("Characters that other systems forbid in a header", "For example $ or a dot."),
    "alias_with_external_id": ("External ID and alias in one file", ""),
}
"""Labels and hints of the options."""


@cache
def country_names() -> Mapping[str, str]:
    """Return the countries with phone numbers of their own, by code, in the order of their names."""
    named = {
        country.alpha_2: getattr(country, "common_name", country.name)
        for country in pycountry.countries
        if country.alpha_2 in preset_choices.countries()
    }
    return dict(sorted(named.items(), key=lambda item: item[1]))


@cache
def _countries() -> Choices:
    code = phonenumbers.country_code_for_region
    return [(country, f"{name} (+{code(country)})") for country, name in country_names().items()]
