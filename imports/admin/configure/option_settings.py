"""The options of the second screen: what a file is taken for, and how its values are read (requirements section 3).

Each is a choice of one import. What was chosen by hand stays until it is given up, also under another preset, so the
page says beside each what the preset has.
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
"""The options that the site has, rather than the preset."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One select of the options. ``value`` is what it is set to; blank is what the first choice says.

    ``usual``: what it is where nobody chooses, in words; ``differs``: whether somebody chose something else.
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
        """What was chosen, in words."""
        return next((label for value, label in self.choices if value == self.value), self.value)

    @property
    def told(self) -> str:
        """What to know of a choice that was made by hand; blank where none was."""
        whose = "the site" if self.name in _SITES else "the preset"
        if not (self.value and self.usual):
            return ""
        if self.is_overridden:
            return f"Chosen by hand; {whose} has: {self.usual}."
        return f"Chosen by hand; {whose} has the same."


def render_options(choices: Choices, chosen: str) -> SafeString:
    """The choices of a select; the templates' own loops would take most of the page's time."""
    marked = ((value, " selected" if value == chosen else "", label) for value, label in choices)
    return format_html_join("\n", '<option value="{}"{}>{}</option>', marked)


def preset_settings(job: ImportJob) -> list[Setting]:
    """What the file is taken for; another one has it read again."""
    presets = [(key, preset.label) for key, preset in PRESETS.items()]
    return [
        Setting("preset", "Preset", presets, job.preset),
        Setting("record_type", "Record type", ImportJob.RecordType.choices, job.record_type),
    ]


def value_settings(job: ImportJob) -> Iterator[Setting]:
    """What is kept with the job and needs nothing to be read; the rare ones last."""
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
        first = f"as the {'site' if name in _SITES else 'preset'} has it: {words}"
        differs, rare = value not in ("", str(has)), name in preset_choices.RARE_OPTIONS
        yield Setting(name, label, [("", first), *others], value, hint, words, differs, rare)


def overridden_settings(job: ImportJob) -> list[Setting]:
    """What somebody chose to be otherwise than the preset and the site have it."""
    return [setting for setting in value_settings(job) if setting.is_overridden] if job.options else []


_VALUES: Mapping[str, tuple[str, str]] = {
    "on_invalid_value": ("A value that is not of its type", "Where its row fails, nothing of the row is imported."),
    "unknown_columns": ("A column that fits no attribute", "You can decide on each of them below."),
    "enforce_mandatory": (
        "Mandatory attributes are required",
        "Each needs a column, and each row a value for it.",
    ),
    "phone_format": ("Phone numbers", "Numbers in another format are not of their type."),
    "default_country": ("Country of phone numbers", "Numbers without + and country code are taken to be of it."),
    "bracket_dates": ("Date formats in headers", "Such as birthday <dd/MM/yyyy>; and $D_ with Unix seconds in cells."),
    "iso_dates": ("Dates as in ISO 8601", "Such as 2024-02-29, beside those whose header declares a format."),
    "default_time": ("Time of day", "Of dates whose header declares a format, where they have no time."),
    "time_zone": ("Time zone", "Of dates with a time that do not name their zone."),
    "genders": ("Genders", ""),
    "refuse_placeholders": ("Refuse identifiers such as null or n/a", ""),
    "exact_states": ("Subscription states by their exact spelling", ""),
    "exact_session_dates": ("Session dates in four shapes of ISO 8601 only", ""),
    "other_dates_stay_text": ("Dates of another form stay text", "With a warning; else they are not of their type."),
    "header_case": ("Headers of built-in attributes", "Which of them are taken for one though spelled otherwise."),
    "identifier_first": ("The identifier's column comes first", "Else the file is refused."),
    "forbidden_characters": ("Characters that other systems forbid in a header", "Such as $ or a dot."),
    "alias_with_external_id": ("External ID and alias in one file", ""),
}
"""Labels and hints of the options."""


@cache
def country_names() -> Mapping[str, str]:
    """Countries with phone numbers of their own, by code; the names in their order."""
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
