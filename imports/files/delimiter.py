"""Detect the delimiter of a CSV file from its first records (FF-07)."""

import csv
import re

DELIMITERS = (",", ";", "\t", "|")
"""The delimiters that can be detected, the most common first."""

_RECORDS = 50
# A first line that declares the delimiter to Excel; it is not a row of the table.
_DECLARED = re.compile(r"sep=([^\r\n\"])(?=\r|\n)", re.IGNORECASE)


def is_delimiter(text: str) -> bool:
    """Return whether a user may choose the text as delimiter: one character that does not occur in plain values."""
    return len(text) == 1 and not text.isalnum() and text not in '"\r\n\0 .@+-_'


def declared_delimiter(sample: str) -> str | None:
    """Return the delimiter that a first line such as `sep=;` declares, or None."""
    match = _DECLARED.match(sample)
    return match[1] if match else None


def detect_delimiter(sample: str) -> str:
    """Return the delimiter with which most of the first records have as many cells as the header, else a comma.

    `sample` is the beginning of the text, whole lines only. Quotes are respected.
    """
    return declared_delimiter(sample) or max(DELIMITERS, key=lambda delimiter: _evidence(sample, delimiter))


def _evidence(sample: str, delimiter: str) -> float:
    """Return the number of delimiters in the header, weighted with the share of records that have the same number."""
    widths = []
    try:
        for row in csv.reader(re.split(r"(?<=\n)|(?<=\r)(?!\n)", sample), delimiter=delimiter):
            if row:
                widths.append(len(row))
            if len(widths) > _RECORDS:
                break
    except csv.Error:
        # The records before the fault are enough; the fault itself is reported when the rows are read.
        pass
    if not widths:
        return 0
    return (widths[0] - 1) * widths.count(widths[0]) / len(widths)
