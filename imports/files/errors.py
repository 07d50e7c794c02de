"""Why a file is refused as a whole (D-11), and the limits that it is measured against."""

import enum
from dataclasses import dataclass


class Refusal(enum.StrEnum):
    """Everything that makes a file unreadable as a table; stored with the failed job."""

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

    `message` is one sentence with the place and one with the remedy, both for the user. `line` is the physical line
    (the first is 1) where the fault was seen, None where the fault belongs to no line. `kind`: what the file seems to
    be, where it is no table.
    """

    def __init__(self, code: Refusal, message: str, line: int | None = None, kind: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line
        self.kind = kind


@dataclass(frozen=True)
class Limits:
    """What one file may hold. Sizes are in bytes and inclusive; the ratio is unpacked to packed size.

    `csv_only`: nothing but CSV as it is, with commas and in UTF-8 (FF-02, FF-07). `uncounted_header`: that of a column
    which is none of the file's own, so that it may have one more.
    """

    max_bytes: int = 500 * 1024**2
    max_columns: int = 1000
    uncounted_header: str = ""
    max_unpacked_bytes: int = 2 * 1024**3
    max_ratio: int = 200
    max_cell_bytes: int = 1024**2
    max_xlsx_rows: int = 200_000
    # Workbooks are read in a process of their own, which keeps every cell up to the last one in memory, empty or not.
    max_xlsx_memory: int = 2 * 1024**3
    csv_only: bool = False

    @property
    def max_row_bytes(self) -> int:
        """Most bytes that one record may take, so that a file without line breaks cannot fill the memory."""
        return 8 * self.max_cell_bytes

    def check_size(self, size: int) -> None:
        """Raise SourceError for a file of so many bytes when that is too many."""
        if size > self.max_bytes:
            raise SourceError(
                Refusal.TOO_LARGE,
                f"The file has {size:,} bytes and the limit is {format_bytes(self.max_bytes)}. "
                "Split it into smaller files.",
            )

    def check_csv(self, kind: str) -> None:
        """Raise SourceError for a file that has to be a CSV and is of another kind, which is blank for a CSV."""
        if self.csv_only and kind:
            reason = f"The file is not a CSV, it seems to be {kind}. Save the table as CSV with commas, in UTF-8."
            raise SourceError(Refusal.NOT_CSV, reason, kind=kind)


def format_bytes(size: int) -> str:
    """A size for a sentence: `500 MB` where it is whole, `1,234 bytes` where it is not."""
    if size and size % 1024**2 == 0:
        return f"{size // 1024**2:,} MB"
    return f"{size:,} bytes"
