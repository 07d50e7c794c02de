"""The options of the second screen: how the file is read, and how its values are (requirements section 3)."""

from __future__ import annotations

import enum
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import phonenumbers
import pycountry
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from imports import help_texts, job_file
from imports.admin import preset_words
from imports.delimiters import is_delimiter
from imports.encoding import ENCODINGS
from imports.models import ImportJob
from imports.presets import PRESETS, STANDARD, OnInvalid
from profiles.values import PhoneFormat

Choices = Sequence[tuple[str, str]]

_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "utf-32-le": "UTF-32 (little-endian)",
    "utf-32-be": "UTF-32 (big-endian)",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1257": "Baltic (Windows-1257)",
    "cp1258": "Vietnamese (Windows-1258)",
    "cp874": "Thai (Windows-874)",
    "iso8859-1": "Western European (ISO 8859-1)",
    "iso8859-2": "Central European (ISO 8859-2)",
    "iso8859-7": "Greek (ISO 8859-7)",
    "iso8859-9": "Turkish (ISO 8859-9)",
    "iso8859-15": "Western European (ISO 8859-15)",
    "koi8-r": "Russian (KOI8-R)",
    "koi8-u": "Ukrainian (KOI8-U)",
    "cp932": "Japanese (Windows-932)",
    "shift_jis": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC-JP)",
    "gb18030": "Chinese, simplified (GB 18030)",
    "gbk": "Chinese, simplified (GBK)",
    "big5": "Chinese, traditional (Big5)",
    "cp949": "Korean (Windows-949)",
    "euc_kr": "Korean (EUC-KR)",
    "mac-roman": "Western European (Mac Roman)",
    "cp437": "US (DOS 437)",
    "cp850": "Western European (DOS 850)",
    "cp852": "Central European (DOS 852)",
    "cp866": "Cyrillic (DOS 866)",
}
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", ":": "colon", "^": "caret", "~": "tilde"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One select of the options. ``value`` is what it is set to; blank is what the first choice says."""

    name: str
    label: str
    choices: Choices
    value: str
    hint: str

    @property
    def options(self) -> SafeString:
        return as_options(self.choices, self.value)


@dataclass(frozen=True, slots=True)
class Facts:
    """How the file is read and what its values mean, in a few words. A workbook has no encoding.

    ``telling``: a text that shows whether the encoding is right. ``refused``: why another reading was not taken.
    """

    encoding: str
    telling: str
    others: str
    refused: str


def as_options(choices: Choices, chosen: str) -> SafeString:
    """The choices of a select; the templates' own loops would take most of the page's time."""
    marked = ((value, " selected" if value == chosen else "", label) for value, label in choices)
    return format_html_join("\n", '<option value="{}"{}>{}</option>', marked)


def facts(job: ImportJob) -> Facts:
    """What a person should know without unfolding the options."""
    found, chosen = job.format.get("found", {}), job_file.options(job)
    name = _ENCODINGS.get(found.get("encoding", ""), found.get("encoding", ""))
    country = _country_names().get(chosen.default_country, chosen.default_country)
    parts = [f"delimiter {_delimiter(found['delimiter'])}"] if name else ["Excel workbook"]
    parts.append(f"phone numbers of {country}" if country else "no default country")
    parts.append(f"times in {chosen.time_zone}")
    if chosen.phone_format is not PhoneFormat.ANY:
        parts.append(f"phone numbers {preset_words.of_option('phone_format', chosen)}")
    if chosen.on_invalid_value is OnInvalid.DROP_VALUE:
        parts.append("bad values are left out")
    return Facts(name, job.format.get("telling", ""), ", ".join(parts), job.format.get("refused", ""))


def of_the_file(job: ImportJob) -> Iterator[Setting]:
    """What needs the file to be read again; nothing for a workbook, or where only one form is taken (FF-07)."""
    found = job.format.get("found", {})
    if not found.get("encoding") or job_file.options(job).csv_only:
        return
    encoding, delimiter = job.format.get("chosen_encoding", ""), job.format.get("chosen_delimiter", "")
    detected = "found in the file"
    name = detected if encoding else f"{detected}: {_ENCODINGS.get(found['encoding'], found['encoding'])}"
    yield Setting("encoding", "Encoding", [("", name), *_encodings(encoding)], encoding, "")
    name = detected if delimiter else f"{detected}: {_delimiter(found['delimiter'])}"
    marks = _DELIMITERS | ({delimiter: delimiter} if delimiter and delimiter not in _DELIMITERS else {})
    yield Setting("delimiter", "Delimiter", [("", name), *_sendable(marks)], _sent(delimiter), "")


def of_the_preset(job: ImportJob) -> list[Setting]:
    """What the file is taken for; another one has it read again."""
    presets = [(key, preset.label) for key, preset in PRESETS.items()]
    return [
        Setting("preset", "Preset", presets, job.preset, ""),
        Setting("record_type", "Record type", ImportJob.RecordType.choices, job.record_type, ""),
    ]


def of_the_values(job: ImportJob) -> Iterator[Setting]:
    """What is kept with the job and needs nothing to be read."""
    usual = job_file.options(ImportJob(preset=job.preset))
    for name, (label, hint) in _VALUES.items():
        if name == "default_country":
            first, others = f"as the site has it: {_country_names().get(usual.default_country, 'none')}", _countries()
        elif name == "time_zone":
            first, others = f"as the site has it: {usual.time_zone}", _zones()
        else:
            first, others = f"as the preset has it: {preset_words.of_option(name, usual)}", _choices_of(name)
        yield Setting(name, label, [("", first), *others], str(job.options.get(name, "")), hint)


_VALUES = {
    "on_invalid_value": ("A value that is not of its type", "Where its row fails, nothing of the row is imported."),
    "phone_format": ("Phone numbers", "Numbers in another format are not of their type."),
    "default_country": ("Country of phone numbers", "Numbers without + and country code are taken to be of it."),
    "iso_dates": ("Dates as in ISO 8601", "Such as 2024-02-29, beside those whose header declares a format."),
    "time_zone": ("Time zone", "Of dates with a time that do not name their zone."),
    "default_time": ("Time of day", "Of dates whose header declares a format, where they have no time."),
    "genders": ("Genders", ""),
    "refuse_placeholders": ("Refuse identifiers such as null or n/a", ""),
}
"""The options that a person may set otherwise for one import, with their labels and hints."""


def _choices_of(name: str) -> Choices:
    """The values of an option, in words; what a form sends stands for them."""
    kind = type(getattr(STANDARD.options, name))
    texts: Sequence[str] = _TEXTS.get(name, ())
    if kind is bool:
        texts = ("True", "False")
    elif issubclass(kind, enum.Enum):
        texts = [str(member) for member in kind]
    return [(text, help_texts.OPTION_VALUES.get(text, text)) for text in texts]


_TEXTS = {"default_time": ("00:00:00", "12:00:00", "23:59:59"), "genders": ("MFONP", "MF")}


def delimiter_sent(text: str) -> str:
    """The mark that a choice of the list stands for; a blank one for what is no delimiter."""
    mark = {"tab": "\t"}.get(text, text)
    return mark if is_delimiter(mark) else ""


def encoding_sent(text: str) -> str:
    return text if text in ENCODINGS else ""


def _sent(mark: str) -> str:
    """A tab would be lost among the blanks of a form."""
    return "tab" if mark == "\t" else mark


def _sendable(marks: Mapping[str, str]) -> Choices:
    named = {mark: f"{name} ({mark})" if mark.strip() and mark != name else name for mark, name in marks.items()}
    return [(_sent(mark), name) for mark, name in named.items()]


def _delimiter(mark: str) -> str:
    return _DELIMITERS.get(mark, mark)


def _encodings(chosen: str) -> Choices:
    names = [(name, _ENCODINGS.get(name, name)) for name in ENCODINGS]
    return names if not chosen or chosen in ENCODINGS else [(chosen, chosen), *names]


@cache
def _country_names() -> dict[str, str]:
    """Countries with phone numbers of their own, by code; the names in their order."""
    names = {
        country.alpha_2: getattr(country, "common_name", country.name)
        for country in pycountry.countries
        if country.alpha_2 in phonenumbers.SUPPORTED_REGIONS
    }
    return dict(sorted(names.items(), key=lambda item: item[1]))


@cache
def _countries() -> Choices:
    code = phonenumbers.country_code_for_region
    return [(country, f"{name} (+{code(country)})") for country, name in _country_names().items()]


@cache
def _zones() -> Choices:
    """Zones that are named after places, and UTC."""
    areas = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    places = [zone for zone in zoneinfo.available_timezones() if zone.partition("/")[0] in areas and "/" in zone]
    return [("UTC", "UTC"), *((zone, zone.replace("_", " ")) for zone in sorted(places))]
