"""Reasons to refuse a whole file (D-11), and the limits that files are checked against."""

import enum
from dataclasses import dataclass


class Refusal(enum.StrEnum):
    """Code of the reason why a file cannot be read as a table; stored with the failed job."""

    EMPTY_FILE = "empty_file"
    TOO_LARGE = "too_large"
    NOT_A_TABLE = "not_a_table"
    NOT_CSV = "not_csv"
    NO_DATA_ROWS = "no_data_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    TOO_MANY_ROWS = "too_many_rows"
    SHEET_TOO_LARGE = "sheet_too_large"
    CELL_TOO_LARGE = "cell_too_large"
    ROW_TOO_LARGE = "row_too_large"
    UNCLOSED_QUOTE = "unclosed_quote"
    TEXT_AFTER_QUOTE = "text_after_quote"
    UNREADABLE_TEXT = "unreadable_text"
    UNKNOWN_ENCODING = "unknown_encoding"
    UNKNOWN_DELIMITER = "unknown_delimiter"
    ARCHIVE_CONTENT = "archive_content"
    ARCHIVE_ENCRYPTED = "archive_encrypted"
    ARCHIVE_DAMAGED = "archive_damaged"
    UNPACKED_TOO_LARGE = "unpacked_too_large"
    RATIO_TOO_HIGH = "ratio_too_high"
    WORKBOOK_DAMAGED = "workbook_damaged"
    UNKNOWN_SHEET = "unknown_sheet"


class SourceError(Exception):
    """The file as a whole cannot be read.

    `message`: for the user, one sentence with the place and one with the remedy. `line`: the physical line (the first
    is 1) of the fault, None if the fault has no line. `kind`: what the file seems to be if it is not a table.
    """

    def __init__(self, code: Refusal, message: str, line: int | None = None, kind: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.kind = kind


@dataclass(frozen=True)
class Limits:
    """Limits of one file. Sizes are in bytes and inclusive; the ratio is that of unpacked to packed size.

    `csv_only`: accept only unpacked CSV with commas, in UTF-8 (FF-02, FF-07). `uncounted_header`: the header of a
    column that was added to the file and does not count towards `max_columns`.
    """

    max_bytes: int = 500 * 1024**2
    max_columns: int = 1000
    uncounted_header: str = ""
    max_unpacked_bytes: int = 2 * 1024**3
    max_ratio: int = 200
    max_cell_bytes: int = 1024**2
    max_xlsx_rows: int = 200_000
    # A separate process reads workbooks. It keeps every cell up to the last one in memory, empty or not.
    max_xlsx_memory: int = 2 * 1024**3
    csv_only: bool = False

    @property
    def max_row_bytes(self) -> int:
        """Maximum size of one record in bytes, so that a file without line breaks cannot fill the memory."""
        return 8 * self.max_cell_bytes

    def check_size(self, size: int) -> None:
        """Raise SourceError if a file of `size` bytes is too large."""
        if size > self.max_bytes:
            raise SourceError(
                Refusal.TOO_LARGE,
                f"The file has {size:,} bytes and the limit is {format_bytes(self.max_bytes)}. "
                "Split it into smaller files.",
            )

    def check_csv(self, kind: str) -> None:
        """Raise SourceError if only CSV is accepted and the file is of another kind; `kind` is blank for a CSV."""
        if self.csv_only and kind:
            reason = f"The file is not a CSV: it seems to be {kind}. Save the table as CSV with commas, in UTF-8."
            raise SourceError(Refusal.NOT_CSV, reason, kind=kind)


def format_bytes(size: int) -> str:
    """Format a size for a sentence: `500 MB` for whole megabytes, else `1,234 bytes`."""
    if size and size % 1024**2 == 0:
        return f"{size // 1024**2:,} MB"
    return f"{size:,} bytes"
