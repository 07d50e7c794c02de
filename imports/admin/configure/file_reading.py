"""How the file is read, on the screen *Configure*: encoding, delimiter or sheet, main options (FF-02, FF-07)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from imports.admin import preset_descriptions
from imports.admin.configure.option_settings import Choices, Setting, country_names
from imports.files.delimiter import is_delimiter
from imports.files.encoding import ENCODINGS
from imports.files.xlsx_reader import isolate_direction
from imports.jobs import stored_file
from imports.models import ImportJob
from imports.presets import OnInvalid
from profiles.values.types import PhoneFormat

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
class ReadingSummary:
    """How the file is read, in a few words. A workbook has no encoding.

    ``sheet``: the sheet that is read, if the workbook has several. ``telling``: a text of the file that shows whether
    the encoding is right. ``others``: delimiter and main options. ``refused``: why the file was not read otherwise.
    """

    encoding: str
    sheet: str
    telling: str
    others: str
    refused: str


def summarize(job: ImportJob) -> ReadingSummary:
    """Return the summary that the page shows while the options are folded."""
    found, chosen = job.format.get("found", {}), stored_file.options(job)
    name = _ENCODINGS.get(found.get("encoding", ""), found.get("encoding", ""))
    country = country_names().get(chosen.default_country, chosen.default_country)
    parts = [f"delimiter {_delimiter(found['delimiter'])}"] if name else ["Excel workbook"]
    parts.append(f"default country {country}" if country else "no default country")
    parts.append(f"times in {chosen.time_zone}")
    if chosen.phone_format is not PhoneFormat.ANY:
        parts.append(f"phone numbers {preset_descriptions.describe_option('phone_format', chosen)}")
    if chosen.on_invalid_value is OnInvalid.DROP_VALUE:
        parts.append("invalid values are left out")
    sheet = found["sheet"] if len(job.format.get("sheets", [])) > 1 else ""
    return ReadingSummary(name, sheet, job.format.get("telling", ""), ", ".join(parts), job.format.get("refused", ""))


def file_settings(job: ImportJob) -> Iterator[Setting]:
    """Yield the settings that require the file to be read again; none for a workbook of one sheet or a fixed format."""
    found, sheets = job.format.get("found", {}), job.format.get("sheets", [])
    if len(sheets) > 1:
        # By number, since a form does not return every name unchanged.
        numbered = [(str(number), isolate_direction(name)) for number, name in enumerate(sheets, start=1)]
        yield Setting("sheet", "Sheet", numbered, str(sheets.index(found["sheet"]) + 1))
    if not found.get("encoding") or stored_file.options(job).csv_only:
        return
    encoding, delimiter = job.format.get("chosen_encoding", ""), job.format.get("chosen_delimiter", "")
    detected = "detected"
    name = detected if encoding else f"{detected}: {_ENCODINGS.get(found['encoding'], found['encoding'])}"
    yield Setting("encoding", "Encoding", [("", name), *_encodings(encoding)], encoding, "")
    name = detected if delimiter else f"{detected}: {_delimiter(found['delimiter'])}"
    marks = _DELIMITERS | ({delimiter: delimiter} if delimiter and delimiter not in _DELIMITERS else {})
    yield Setting("delimiter", "Delimiter", [("", name), *_sendable(marks)], _sent(delimiter), "")


def _delimiter_sent(job: ImportJob, text: str) -> str:
    """Return the delimiter that a choice of the list stands for; blank if it is none."""
    mark = {"tab": "\t"}.get(text, text)
    return mark if is_delimiter(mark) else ""


def _encoding_sent(job: ImportJob, text: str) -> str:
    return text if text in ENCODINGS else ""


def _sheet_sent(job: ImportJob, text: str) -> str:
    """Return the name of the sheet with a number; the sheet that is read now if there is no such number."""
    sheets: list[str] = job.format.get("sheets", [])
    numbers = {str(number): name for number, name in enumerate(sheets, start=1)}
    return numbers.get(text, stored_file.chosen_format(job).get("sheet", ""))


FORM_PARSERS: Mapping[str, Callable[[ImportJob, str], str]] = {
    "encoding": _encoding_sent,
    "delimiter": _delimiter_sent,
    "sheet": _sheet_sent,
}
"""Turn the choices of the page into values; a blank value is detected from the file."""


def _sent(mark: str) -> str:
    """Return a delimiter as the form sends it: a tab as a word, since forms strip white space."""
    return "tab" if mark == "\t" else mark


def _sendable(marks: Mapping[str, str]) -> Choices:
    named = {mark: f"{name} ({mark})" if mark.strip() and mark != name else name for mark, name in marks.items()}
    return [(_sent(mark), name) for mark, name in named.items()]


def _delimiter(mark: str) -> str:
    return _DELIMITERS.get(mark, mark)


def _encodings(chosen: str) -> Choices:
    names = [(name, _ENCODINGS.get(name, name)) for name in ENCODINGS]
    return names if not chosen or chosen in ENCODINGS else [(chosen, chosen), *names]
