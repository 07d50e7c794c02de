"""A file of people as a table: what it is packed in, its encoding and delimiter, its header, and its rows (FF, RP-10).

`Source.detect` looks at a new file once, whole, and refuses what is no table. `Source.reopen` takes what was found.
Rows come in batches and in flat memory, whatever the size of the file; only a workbook is held whole.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import BinaryIO, Self

from imports.files import encoding as encodings
from imports.files.batches import BATCH_ROWS, Batch, Block, Position, assemble
from imports.files.byte_streams import FileSlice, Reader, Section, read_up_to
from imports.files.containers import Container, detect_container, entries, file_size, open_bytes
from imports.files.csv_reader import Dialect, read_blocks
from imports.files.delimiter import declared_delimiter, detect_delimiter, is_delimiter
from imports.files.errors import Limits, Refusal, SourceError
from imports.files.format import A_CSV, KINDS, Format, FormatChoices
from imports.files.signatures import SAMPLE, not_a_table, refuse_document, refuse_office_document, refuse_other_text
from imports.files.xlsx_reader import Sheet, format_sheet_names

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Head:
    """The header's cells as they stand in the file, and the place just after them."""

    cells: list[str]
    end: Position


class Source:
    """One file, its format known. The file must be seekable, stays open, and may be shared by several iterations."""

    def __init__(self, file: BinaryIO, file_format: Format, limits: Limits) -> None:
        self.format = file_format
        self._file = file
        self._limits = limits

    @classmethod
    def detect(cls, file: BinaryIO, name: str, limits: Limits, chosen: FormatChoices | None = None) -> Self:
        """Find out how a file is to be read. `name` only serves the messages; the content decides.

        The text is decoded once to its end, so a chosen encoding that does not fit is found here. Raises SourceError
        for a file that is too large, no table, has no data rows or not the chosen sheet. Where the limits want a CSV,
        nothing is detected.
        """
        with _as_csv(limits):
            source = cls._of(file, name, limits, _wanted(limits, chosen))
        if next(source.batches(size=1), None) is None:
            reason = f"{source._place()} has no data rows. Add at least one row below the header."
            raise SourceError(Refusal.NO_DATA_ROWS, f"{reason} {source.other_sheets}".strip())
        return source

    @classmethod
    def _of(cls, file: BinaryIO, name: str, limits: Limits, chosen: FormatChoices) -> Self:
        container = _container(file, limits)
        if container is Container.XLSX:
            source = cls(file, Format(container, "", "", chosen.sheet or ""), limits)
            source.format = replace(source.format, sheet=source._sheet.name)
        else:
            source = cls(file, _text_format(file, name, container, limits, chosen), limits)
            _refuse_sheet(chosen.sheet)
        if "\0" in "".join(source.header()):
            raise not_a_table(name, "a binary file")
        return source

    @classmethod
    def detect_from_sample(
        cls, file: BinaryIO, name: str, limits: Limits, chosen: FormatChoices | None = None
    ) -> Self | None:
        """What `detect` would very likely say of a plain file in UTF-8, from its beginning alone; None for all else.

        Whoever reads such a source to its end without a SourceError has been told the truth.
        """
        wanted = _wanted(limits, chosen)
        try:
            if wanted.sheet or detect_container(file) is not Container.PLAIN or file_size(file) > limits.max_bytes:
                return None
            opener = open_bytes(file, Container.PLAIN, limits)
            start = read_up_to(opener(), SAMPLE)
            if encodings.guess_encoding(start, wanted.encoding) != encodings.UTF_8:
                return None
            refuse_document(start, name)
            found = _delimiter(opener, encodings.UTF_8, name, wanted.delimiter)
            source = cls(file, Format(Container.PLAIN, encodings.UTF_8, found), limits)
            return None if "\0" in "".join(source.header()) else source
        except SourceError:
            return None

    @staticmethod
    def check_first_bytes(file: BinaryIO, name: str, limits: Limits) -> None:
        """Raise SourceError for a new file that its size or its first bytes show to be no table; `detect` sees all."""
        with _as_csv(limits):
            container = _container(file, limits)
            if container is Container.XLSX:
                return
            if container is Container.ZIP:
                refuse_office_document({entry.filename for entry in entries(file)}, name)
            refuse_document(read_up_to(open_bytes(file, container, limits)(), SAMPLE), name)

    @classmethod
    def reopen(cls, file: BinaryIO, file_format: Format, limits: Limits) -> Self:
        """A source whose format was detected before. Nothing is read yet."""
        return cls(file, file_format, limits)

    @property
    def sheets(self) -> list[str]:
        """The names of the sheets that a workbook shows, in their order; none for other files."""
        return self._sheet.names if self.format.container is Container.XLSX else []

    @property
    def other_sheets(self) -> str:
        """What to do where the first sheet is not the one that was meant; blank where there is no other, or it is."""
        if len(self.sheets) < 2 or self.format.sheet != self.sheets[0]:
            return ""
        remedy = "choose it or move it to the front of the workbook"
        return f"The first sheet was read. If another one is meant, {remedy}: {format_sheet_names(self.sheets[1:])}."

    def header(self) -> list[str]:
        """The cells of the first record that is not empty, as they stand there, without a byte-order mark.

        Raises SourceError for an empty file, too many columns, and what is wrong with the first records.
        """
        return list(self._head.cells)

    def batches(
        self, start: Position | None = None, stop: Position | None = None, size: int = BATCH_ROWS
    ) -> Iterator[Batch]:
        """The data rows behind the header, `size` of them at a time, well-formed and ragged ones together.

        `start` and `stop` are ends of earlier batches: rows after the one and up to the other are given, with the
        numbers and lines that they have in the whole file. Raises SourceError where the file cannot be read on.
        """
        start = start or self._head.end
        return assemble(self._blocks(start, stop), start, len(self._head.cells), size)

    def cuts(self, size: int) -> list[int]:
        """Where a plain file may well be cut into parts of about `size` bytes: behind line breaks, its end the last.

        A line break may stand inside of a cell. Then the part before it cannot be read, which raises SourceError.
        """
        end, found = file_size(self._file), [self._head.end.offset]
        for offset in range(found[0] + size, end, size):
            at = read_up_to(FileSlice(self._file, offset, end), size).find(b"\n")
            if at >= 0 and offset + at + 1 > found[-1]:
                found.append(offset + at + 1)
        return [*(offset for offset in found[1:] if offset < end), end]

    def lines_between(self, start: int, end: int) -> int:
        """How many physical lines the bytes of a plain file between two places have."""
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
                "Leave out the columns that are not needed.",
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
        """Where the text begins, behind a byte-order mark."""
        if self.format.container is Container.XLSX:
            return 0
        return len(_BOM) if self._reader(0, len(_BOM)).read(len(_BOM)) == _BOM else 0

    def _reader(self, start: int, end: int | None) -> Reader:
        """The text in bytes from `start` to `end`, which are counted as `Position` says."""
        if self.format.splittable:
            size = file_size(self._file)
            return FileSlice(self._file, start, size if end is None else end)
        reader = self._open()
        if self.format.encoding in encodings.TRANSCODED:
            reader = encodings.Transcoded(reader, self.format.encoding)
        return Section(reader, start, end)

    @cached_property
    def _open(self) -> Callable[[], Reader]:
        return open_bytes(self._file, self.format.container, self._limits)

    @cached_property
    def _sheet(self) -> Sheet:
        return Sheet(self._file, self._limits, self.format.sheet)


def _container(file: BinaryIO, limits: Limits) -> Container:
    """What a new file is packed in. Raises SourceError for one that is empty or too large."""
    size = file_size(file)
    if not size:
        raise _empty_file()
    limits.check_size(size)
    container = detect_container(file)
    limits.check_csv(KINDS.get(container, ""))
    return container


@contextmanager
def _as_csv(limits: Limits) -> Iterator[None]:
    """Say of a file that has to be a CSV what keeps it from being one, and no remedy that would not help."""
    try:
        yield
    except SourceError as error:
        if limits.csv_only and error.code is Refusal.UNREADABLE_TEXT:
            message = f"The text is not UTF-8 at line {error.line}. Save the file as UTF-8."
            raise SourceError(error.code, message, error.line) from error
        limits.check_csv("a damaged archive" if error.code is Refusal.ARCHIVE_DAMAGED else error.kind)
        raise


def _wanted(limits: Limits, chosen: FormatChoices | None) -> FormatChoices:
    """What is not to be detected."""
    return A_CSV if limits.csv_only else chosen or FormatChoices()


def _refuse_sheet(chosen: str | None) -> None:
    """Raise SourceError where a sheet was chosen of a file that has none."""
    if chosen:
        named = format_sheet_names([chosen])
        reason = f"The file is no Excel workbook and has no sheet {named}. Leave the choice of a sheet out."
        raise SourceError(Refusal.UNKNOWN_SHEET, reason)


def _text_format(file: BinaryIO, name: str, container: Container, limits: Limits, chosen: FormatChoices) -> Format:
    """The format of what is not a workbook. Raises SourceError."""
    if container is Container.ZIP:
        refuse_office_document({entry.filename for entry in entries(file)}, name)
    opener = open_bytes(file, container, limits)
    refuse_document(read_up_to(opener(), SAMPLE), name)
    found = encodings.detect(opener, name, chosen.encoding)
    return Format(container, found, _delimiter(opener, found, name, chosen.delimiter))


def _delimiter(opener: Callable[[], Reader], encoding: str, name: str, chosen: str | None) -> str:
    """The chosen delimiter, or the one that the beginning of the text shows. Raises SourceError."""
    sample = encodings.sample(opener(), encoding)
    refuse_other_text(sample, name)
    if chosen is None:
        return detect_delimiter(sample)
    if is_delimiter(chosen):
        return chosen
    raise SourceError(
        Refusal.UNKNOWN_DELIMITER,
        f"“{chosen}” cannot be a delimiter. Choose a comma, a semicolon, a tab, a bar or another single mark.",
    )


def _empty_file(place: str = "The file", kind: str = "file", more: str = "") -> SourceError:
    told = f"{place} is empty. Choose a {kind} with a header row and at least one data row. {more}".strip()
    return SourceError(Refusal.EMPTY_FILE, told)
