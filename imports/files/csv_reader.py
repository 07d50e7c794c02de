"""Read the rows of a CSV file: lines, quotes, and the errors of malformed ones.

A piece without a quote character is split directly, which is twice as fast as the csv module and gives the same rows.
Every other piece is parsed by csv in strict mode, so that an unclosed quote cannot extend to the end of the file.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import methodcaller

from imports.files.batches import Block
from imports.files.byte_streams import Reader
from imports.files.errors import Limits, Refusal, SourceError, format_bytes
from imports.files.quoting import QuoteFault, QuoteFaultKind, find_quote_fault

CHUNK_BYTES = 128 * 1024
"""Bytes that are read at a time."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How to parse the bytes: an encoding in which ASCII characters keep their bytes, the delimiter, and the limits."""

    encoding: str
    delimiter: str
    limits: Limits


def read_blocks(reader: Reader, dialect: Dialect, line: int) -> Iterator[Block]:
    """Parse all bytes of `reader`, which begin at the beginning of a record, after `line` physical lines.

    Raises SourceError with the line for malformed quotes, unreadable bytes, and cells or rows over their limit.
    """
    rest, more = b"", True
    while more:
        piece = reader.read(CHUNK_BYTES)
        more = bool(piece)
        data = rest + piece
        cut = _end_of_last_line(data) if more else len(data)
        block, unfinished = parse(data[:cut], dialect, line, last=not more)
        line += len(block.lengths)
        rest = unfinished + data[cut:]
        if len(rest) > dialect.limits.max_row_bytes:
            raise _row_too_large(dialect.limits, line + 1)
        yield block


def parse(data: bytes, dialect: Dialect, line: int, last: bool) -> tuple[Block, bytes]:
    """Parse whole lines. Return their rows, and the bytes of a last record that continues after `data`."""
    if b'"' in data or len(data) > dialect.limits.max_cell_bytes:
        return parse_quoted(data.splitlines(keepends=True), dialect, line, last)
    return parse_plain(data, dialect, line), b""


def parse_plain(data: bytes, dialect: Dialect, line: int) -> Block:
    """Parse lines that contain no quote character: each is either a record or empty. Raises SourceError."""
    try:
        text = data.decode(dialect.encoding)
    except UnicodeDecodeError as error:
        raise unreadable_text_error(dialect.encoding, line + len(data[: error.start + 1].splitlines())) from error
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    texts = text.split("\n")
    if not texts[-1]:
        texts.pop()
    lengths = list(map(len, data.splitlines(keepends=True)))
    delimiter = dialect.delimiter
    if "" not in texts:
        rows = [each.split(delimiter) for each in texts]
        return Block(rows, range(len(rows)), range(1, len(rows) + 1), lengths)
    filled = [index for index, each in enumerate(texts) if each]
    return Block([texts[index].split(delimiter) for index in filled], filled, [index + 1 for index in filled], lengths)


def parse_quoted(lines: list[bytes], dialect: Dialect, line: int, last: bool) -> tuple[Block, bytes]:
    """Parse lines by the csv module. Return their rows, and the bytes of a last, incomplete record."""
    # The setting is shared by the whole process: raise it if necessary, never lower it, since others may rely on it.
    csv.field_size_limit(max(csv.field_size_limit(), dialect.limits.max_cell_bytes))
    rows: list[list[str]] = []
    ends = [0]
    texts = map(methodcaller("decode", dialect.encoding), lines)
    reader = csv.reader(texts, delimiter=dialect.delimiter, strict=True)
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
    except UnicodeDecodeError as error:
        raise unreadable_text_error(dialect.encoding, line + reader.line_num + 1) from error
    except csv.Error:
        _refuse_unless_unfinished(lines[ends[-1] :], dialect, line + ends[-1], last)
    lengths = list(map(len, lines[: ends[-1]]))
    unfinished = b"".join(lines[ends[-1] :])
    if sum(lengths) > dialect.limits.max_cell_bytes:
        check_cell_sizes(rows, ends, dialect.limits, line)
    if [] not in rows:
        return Block(rows, ends[:-1], ends[1:], lengths), unfinished
    filled = [index for index, row in enumerate(rows) if row]
    starts, ends = [ends[index] for index in filled], [ends[index + 1] for index in filled]
    return Block([rows[index] for index in filled], starts, ends, lengths), unfinished


def check_cell_sizes(rows: list[list[str]], starts: Sequence[int], limits: Limits, line: int) -> None:
    """Raise SourceError for a cell over its limit. `starts`: the number of lines between `line` and each row."""
    limit = limits.max_cell_bytes
    for row, before in zip(rows, starts, strict=False):
        # No character takes more than four bytes, so most cells need not be encoded to be measured.
        if any(len(cell) * 4 > limit and len(cell.encode()) > limit for cell in row):
            raise _cell_too_large(limits, line + before + 1)


def unreadable_text_error(encoding: str, line: int) -> SourceError:
    """Return the error for bytes that are not valid in the encoding (FF-07)."""
    name = encoding.upper()
    return SourceError(
        Refusal.UNREADABLE_TEXT,
        f"The text is not {name} at line {line}. Save the file as UTF-8, or choose the encoding that it was saved in.",
        line,
    )


def _end_of_last_line(data: bytes) -> int:
    """Return where the last whole line of `data` ends. A CR as the last byte may be the first half of a CRLF."""
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1


def _refuse_unless_unfinished(lines: list[bytes], dialect: Dialect, line: int, last: bool) -> None:
    """Raise the SourceError of the first record of `lines`, unless the record only continues after them."""
    text = b"".join(lines).decode(dialect.encoding, errors="replace")
    limit = dialect.limits.max_cell_bytes
    fault = find_quote_fault(text, dialect.delimiter, limit)
    if fault and fault.kind is QuoteFaultKind.UNCLOSED and fault.size <= limit and not last:
        return
    raise _refusal(fault, line, dialect.limits) if fault else _cell_too_large(dialect.limits, line + 1)


def _refusal(fault: QuoteFault, line: int, limits: Limits) -> SourceError:
    opened, seen = line + fault.opened + 1, line + fault.seen + 1
    if fault.kind is QuoteFaultKind.TOO_LARGE or (fault.size > limits.max_cell_bytes and opened == seen):
        return _cell_too_large(limits, opened)
    if fault.kind is QuoteFaultKind.TEXT_AFTER and opened == seen:
        return SourceError(
            Refusal.TEXT_AFTER_QUOTE,
            f"Text follows the closing quote of a cell at line {seen}. "
            "Double each quote inside a quoted cell, or remove the quotes.",
            seen,
        )
    until = f"before line {seen}, where text follows it" if fault.kind is QuoteFaultKind.TEXT_AFTER else "in this file"
    return SourceError(
        Refusal.UNCLOSED_QUOTE,
        f"The quote that opens a cell at line {opened} is not closed {until}. "
        "Close the cell with a quote, or remove its opening quote.",
        opened,
    )


def _cell_too_large(limits: Limits, line: int) -> SourceError:
    size = format_bytes(limits.max_cell_bytes)
    return SourceError(
        Refusal.CELL_TOO_LARGE,
        f"A cell of the row at line {line} is larger than {size}. Shorten it, or check that its quotes are closed.",
        line,
    )


def _row_too_large(limits: Limits, line: int) -> SourceError:
    size = format_bytes(limits.max_row_bytes)
    return SourceError(
        Refusal.ROW_TOO_LARGE,
        f"The row at line {line} is larger than {size}. Check that every row ends with a line break.",
        line,
    )
