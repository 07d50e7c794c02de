"""Read a file as a table: container, encoding, delimiter, header and rows (FF, RP-10).

`Source.detect` reads a new file once to its end and refuses what is not a table. `Source.reopen` uses the format that
was detected. Rows are read in batches with constant memory, whatever the size of the file; only a workbook is converted
as a whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO, Self

from imports.files import encoding as encodings
from imports.files.batches import BATCH_ROWS, Batch, Block, Position, iter_batches
from imports.files.byte_streams import FileSlice, Reader, ReaderSlice, read_up_to
from imports.files.containers import Container, detect_container, file_size, list_entries, make_opener
from imports.files.csv_reader import Dialect, read_blocks
from imports.files.delimiter import declared_delimiter, detect_delimiter, is_delimiter
from imports.files.errors import Limits, Refusal, SourceError
from imports.files.format import CONTAINER_LABELS, REQUIRED_CSV_FORMAT, Format, FormatChoices
from imports.files.signatures import (
    SAMPLE_BYTES,
    not_a_table_error,
    refuse_document,
    refuse_office_document,
    refuse_other_text,
)
from imports.files.xlsx_reader import Sheet, format_sheet_names

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Head:
    """The cells of the header, unchanged, and the position just after it."""

    cells: list[str]
    end: Position


class Source:
    """A file of known format. The file must be seekable and stay open; several iterations can share it."""

    def __init__(self, file: BinaryIO, file_format: Format, limits: Limits) -> None:
        self.format = file_format
        self._file = file
        self._limits = limits

    @classmethod
    def detect(cls, file: BinaryIO, name: str, limits: Limits, chosen: FormatChoices | None = None) -> Self:
        """Detect the format of a file from its content. `name` is used in messages only.

        The text is decoded once to its end, so a chosen encoding in which it is not valid is refused here. Raises
        SourceError for a file that is too large, is not a table, has no data rows or does not have the chosen sheet. If
        the limits accept only CSV, nothing is detected.
        """
        with _csv_errors(limits):
            source = cls._detect(file, name, limits, _choices(limits, chosen))
        if next(source.batches(size=1), None) is None:
            reason = f"{source._place()} has no data rows. Add at least one row below the header."
            raise SourceError(Refusal.NO_DATA_ROWS, f"{reason} {source.other_sheets}".strip())
        return source

    @classmethod
    def _detect(cls, file: BinaryIO, name: str, limits: Limits, chosen: FormatChoices) -> Self:
        container = _container(file, limits)
        if container is Container.XLSX:
            source = cls(file, Format(container, "", "", chosen.sheet or ""), limits)
            source.format = replace(source.format, sheet=source._sheet.name)
        else:
            source = cls(file, _text_format(file, name, container, limits, chosen), limits)
            _refuse_chosen_sheet(chosen.sheet)
        if "\0" in "".join(source.header()):
            raise not_a_table_error(name, "a binary file")
        return source

    @classmethod
    def detect_from_sample(
        cls, file: BinaryIO, name: str, limits: Limits, chosen: FormatChoices | None = None
    ) -> Self | None:
        """Predict the result of `detect` for a plain file in UTF-8 from its beginning; return None for all other files.

        If such a source can be read to its end without a SourceError, the prediction was right.
        """
        choices = _choices(limits, chosen)
        try:
            if choices.sheet or detect_container(file) is not Container.PLAIN or file_size(file) > limits.max_bytes:
                return None
            opener = make_opener(file, Container.PLAIN, limits)
            start = read_up_to(opener(), SAMPLE_BYTES)
            if encodings.guess_encoding(start, choices.encoding) != encodings.UTF_8:
                return None
            refuse_document(start, name)
            delimiter = _delimiter(opener, encodings.UTF_8, name, choices.delimiter)
            source = cls(file, Format(Container.PLAIN, encodings.UTF_8, delimiter), limits)
            return None if "\0" in "".join(source.header()) else source
        except SourceError:
            return None

    @staticmethod
    def check_first_bytes(file: BinaryIO, name: str, limits: Limits) -> None:
        """Raise SourceError for a new file that is not a table by its size or first bytes; `detect` reads all of it."""
        with _csv_errors(limits):
            container = _container(file, limits)
            if container is Container.XLSX:
                return
            if container is Container.ZIP:
                refuse_office_document({entry.filename for entry in list_entries(file)}, name)
            refuse_document(read_up_to(make_opener(file, container, limits)(), SAMPLE_BYTES), name)

    @classmethod
    def reopen(cls, file: BinaryIO, file_format: Format, limits: Limits) -> Self:
        """Return a source whose format was detected before. Nothing is read yet."""
        return cls(file, file_format, limits)

    @property
    def sheets(self) -> list[str]:
        """The names of the visible sheets of a workbook, in their order; none for other files."""
        return self._sheet.names if self.format.container is Container.XLSX else []

    @property
    def other_sheets(self) -> str:
        """A sentence on how to import another sheet; blank if there is no other, or the first one is not read."""
        if len(self.sheets) < 2 or self.format.sheet != self.sheets[0]:
            return ""
        remedy = "To import another one, choose it or move it to the front of the workbook"
        return f"Only the first sheet is read. {remedy}: {format_sheet_names(self.sheets[1:])}."

    def header(self) -> list[str]:
        """Return the cells of the first record that is not empty, unchanged, without a byte-order mark.

        Raises SourceError for an empty file, too many columns, and malformed first records.
        """
        return list(self._head.cells)

    def batches(
        self, start: Position | None = None, stop: Position | None = None, size: int = BATCH_ROWS
    ) -> Iterator[Batch]:
        """Yield the data rows after the header, `size` rows per batch including ragged ones.

        `start` and `stop` are ends of earlier batches: the rows between them are read, with the numbers and lines that
        they have in the whole file. Raises SourceError at a place where the file cannot be read.
        """
        start = start or self._head.end
        return iter_batches(self._blocks(start, stop), start, len(self._head.cells), size)

    def split_offsets(self, size: int) -> list[int]:
        """Return byte offsets at which to cut a plain file into parts of about `size` bytes; the last is its end.

        The cuts are after line breaks. A line break may be inside a cell; reading the part before it then raises
        SourceError.
        """
        end, offsets = file_size(self._file), [self._head.end.offset]
        for offset in range(offsets[0] + size, end, size):
            line_break = read_up_to(FileSlice(self._file, offset, end), size).find(b"\n")
            if line_break >= 0 and offset + line_break + 1 > offsets[-1]:
                offsets.append(offset + line_break + 1)
        return [*(offset for offset in offsets[1:] if offset < end), end]

    def lines_between(self, start: int, end: int) -> int:
        """Count the physical lines of a plain file between two byte offsets."""
        return len(read_up_to(FileSlice(self._file, start, end), end - start).splitlines())

    @cached_property
    def _head(self) -> _Head:
        offset, line = self._first_byte(), 0
        for block in self._blocks(Position(offset, 0, 0), None, head=True):
            for cells, end in zip(block.rows, block.ends, strict=True):
                if line == 0 and declared_delimiter(self.format.delimiter.join(cells) + "\n"):
                    continue
                self._check_columns(len(cells) - (self._limits.uncounted_header in cells))
                return _Head(cells, Position(offset + sum(block.lengths[:end]), line + end, 0))
            offset += sum(block.lengths)
            line += len(block.lengths)
        raise _empty_file(self._place(), "sheet" if len(self.sheets) > 1 else "file", self.other_sheets)

    def _place(self) -> str:
        return f"The sheet {format_sheet_names([self.format.sheet])}" if len(self.sheets) > 1 else "The file"

    def _check_columns(self, count: int) -> None:
        if count > self._limits.max_columns:
            raise SourceError(
                Refusal.TOO_MANY_COLUMNS,
                f"The header has {count:,} columns and the limit is {self._limits.max_columns:,}. "
                "Remove the columns that are not needed.",
            )

    def _blocks(self, start: Position, stop: Position | None, head: bool = False) -> Iterator[Block]:
        end = None if stop is None else stop.offset
        if self.format.container is Container.XLSX:
            return self._sheet.blocks(start, stop, None if head else len(self._head.cells))
        dialect = Dialect(self.format.encoding, self.format.delimiter, self._limits)
        if self.format.encoding in encodings.TRANSCODED:
            dialect = Dialect(encodings.UTF_8, self.format.delimiter, self._limits)
        return read_blocks(self._reader(start.offset, end), dialect, start.line)

    def _first_byte(self) -> int:
        """Return the offset of the text, after a byte-order mark."""
        if self.format.container is Container.XLSX:
            return 0
        return len(_BOM) if self._reader(0, len(_BOM)).read(len(_BOM)) == _BOM else 0

    def _reader(self, start: int, end: int | None) -> Reader:
        """Return a reader of the text's bytes from `start` to `end`, which are offsets as in `Position`."""
        if self.format.splittable:
            size = file_size(self._file)
            return FileSlice(self._file, start, size if end is None else end)
        reader = self._open()
        if self.format.encoding in encodings.TRANSCODED:
            reader = encodings.TranscodingReader(reader, self.format.encoding)
        return ReaderSlice(reader, start, end)

    @cached_property
    def _open(self) -> Callable[[], Reader]:
        return make_opener(self._file, self.format.container, self._limits)

    @cached_property
    def _sheet(self) -> Sheet:
        return Sheet(self._file, self._limits, self.format.sheet)


def _container(file: BinaryIO, limits: Limits) -> Container:
    """Return the container of a new file. Raises SourceError for an empty or too large file."""
    size = file_size(file)
    if not size:
        raise _empty_file()
    limits.check_size(size)
    container = detect_container(file)
    limits.check_csv(CONTAINER_LABELS.get(container, ""))
    return container


@contextmanager
def _csv_errors(limits: Limits) -> Iterator[None]:
    """If only CSV is accepted, replace errors whose remedy would not help by ones that ask for a CSV."""
    try:
        yield
    except SourceError as error:
        if limits.csv_only and error.code is Refusal.UNREADABLE_TEXT:
            message = f"The text is not UTF-8 at line {error.line}. Save the file as UTF-8."
            raise SourceError(error.code, message, error.line) from error
        limits.check_csv("a damaged archive" if error.code is Refusal.ARCHIVE_DAMAGED else error.kind)
        raise


def _choices(limits: Limits, chosen: FormatChoices | None) -> FormatChoices:
    """Return the parts of the format that are not to be detected."""
    return REQUIRED_CSV_FORMAT if limits.csv_only else chosen or FormatChoices()


def _refuse_chosen_sheet(chosen: str | None) -> None:
    """Raise SourceError if a sheet was chosen for a file without sheets."""
    if chosen:
        name = format_sheet_names([chosen])
        reason = f"The file is not an Excel workbook and has no sheet {name}. Do not choose a sheet for it."
        raise SourceError(Refusal.UNKNOWN_SHEET, reason)


def _text_format(file: BinaryIO, name: str, container: Container, limits: Limits, chosen: FormatChoices) -> Format:
    """Detect the format of a file that is not a workbook. Raises SourceError."""
    if container is Container.ZIP:
        refuse_office_document({entry.filename for entry in list_entries(file)}, name)
    opener = make_opener(file, container, limits)
    refuse_document(read_up_to(opener(), SAMPLE_BYTES), name)
    encoding = encodings.detect(opener, name, chosen.encoding)
    return Format(container, encoding, _delimiter(opener, encoding, name, chosen.delimiter))


def _delimiter(opener: Callable[[], Reader], encoding: str, name: str, chosen: str | None) -> str:
    """Return the chosen delimiter, else detect it at the beginning of the text. Raises SourceError."""
    sample = encodings.read_sample(opener(), encoding)
    refuse_other_text(sample, name)
    if chosen is None:
        return detect_delimiter(sample)
    if is_delimiter(chosen):
        return chosen
    raise SourceError(
        Refusal.UNKNOWN_DELIMITER,
        f"“{chosen}” cannot be a delimiter. Choose a comma, a semicolon, a tab, a bar or another single symbol.",
    )


def _empty_file(place: str = "The file", kind: str = "file", more: str = "") -> SourceError:
    message = f"{place} is empty. Choose a {kind} with a header row and at least one data row. {more}".strip()
    return SourceError(Refusal.EMPTY_FILE, message)
