"""The delimiter of a CSV file, told by its first records (FF-07)."""

import csv
import re

DELIMITERS = (",", ";", "\t", "|")
"""What is looked for, the commonest first."""

_RECORDS = 50
# The first line by which Excel is told the delimiter; no row of the table.
_DECLARED = re.compile(r"sep=([^\r\n\"])(?=\r|\n)", re.IGNORECASE)


def is_delimiter(text: str) -> bool:
    """Whether a user may choose it: one character that cannot be part of a value's plain text."""
    return len(text) == 1 and not text.isalnum() and text not in '"\r\n\0 .@+-_'


def declared_delimiter(sample: str) -> str | None:
    """The delimiter that a line like `sep=;` at the start declares."""
    found = _DECLARED.match(sample)
    return found[1] if found else None


def detect_delimiter(sample: str) -> str:
    """The delimiter by which most of the first records have as many cells as the header; a comma if none has.

    `sample` is the beginning of the text, whole lines only. Quotes are respected.
    """
    return declared_delimiter(sample) or max(DELIMITERS, key=lambda delimiter: _evidence(sample, delimiter))


def _evidence(sample: str, delimiter: str) -> float:
    """How many delimiters the header has, weighted with the share of records that have as many."""
    widths = []
    try:
        for row in csv.reader(re.split(r"(?<=\n)|(?<=\r)(?!\n)", sample), delimiter=delimiter):
            if row:
                widths.append(len(row))
            if len(widths) > _RECORDS:
                break
    except csv.Error:
        # What the sample shows until then is enough; the fault is reported when the rows are read.
        pass
    if not widths:
        return 0
    return (widths[0] - 1) * widths.count(widths[0]) / len(widths)
