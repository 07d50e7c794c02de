"""Recognise files that are not tables by their content (FF-02)."""

import re

from imports.files.errors import Refusal, SourceError

SAMPLE_BYTES = 64 * 1024

_SIGNATURES = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"),
    (b"MM\x00*", "a TIFF picture"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls), or a workbook with a password"),
    (b"PK\x03\x04", "an archive inside an archive"),
    (b"\x1f\x8b", "an archive inside an archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive"),
    (b"PAR1", "a Parquet file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"{\\rtf", "a rich text document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\x00", "a program"),
)
_TAR = slice(257, 262)
_TEXTS = (
    (re.compile(r"\s*<(?:!doctype\s+html|html|head|body|table|script)\b", re.IGNORECASE), "a web page (HTML)"),
    (re.compile(r"\s*<\?xml\b", re.IGNORECASE), "an XML document"),
    (re.compile(r"\s*(?:\{\s*(?:\"|\})|\[\s*(?:[{\[\]\"]|-?\d|true|false|null))"), "JSON"),
)
_PARTS = (
    ("word/document.xml", "a Word document"),
    ("ppt/presentation.xml", "a PowerPoint presentation"),
    ("xl/workbook.bin", "a binary Excel workbook (.xlsb)"),
    ("META-INF/manifest.xml", "an OpenDocument or Java file"),
)
# All control characters but those that occur in text: tab, line feed, vertical tab, form feed, carriage return, escape.
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 27}) + b"\x7f"


def refuse_document(head: bytes, name: str) -> None:
    """Raise SourceError if the first bytes are those of a known format that is not a table."""
    for signature, kind in _SIGNATURES:
        if head.startswith(signature):
            raise not_a_table_error(name, kind)
    if head[_TAR] == b"ustar":
        raise not_a_table_error(name, "a tar archive")


def refuse_office_document(parts: set[str], name: str) -> None:
    """Raise SourceError if the files in a zip archive are the parts of a document."""
    for part, kind in _PARTS:
        if part in parts:
            raise not_a_table_error(name, kind)


def refuse_other_text(text: str, name: str) -> None:
    """Raise SourceError if the text is HTML, XML or JSON, or is not text."""
    for pattern, kind in _TEXTS:
        if pattern.match(text):
            raise not_a_table_error(name, kind)
    if is_binary(text.encode(errors="replace")):
        raise not_a_table_error(name, "a binary file")


def is_binary(sample: bytes) -> bool:
    """Return whether more than one byte in twenty is a control character, more than in a few damaged cells."""
    return (len(sample) - len(sample.translate(None, _CONTROLS))) * 20 > len(sample)


def not_a_table_error(name: str, kind: str) -> SourceError:
    """Return the error for a file that seems to be of another kind."""
    return SourceError(
        Refusal.NOT_A_TABLE,
        f"“{name}” seems to be {kind}, not a table. Save the table as CSV or .xlsx and upload that file.",
        kind=kind,
    )
