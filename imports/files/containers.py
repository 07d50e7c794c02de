"""Detect the container of a file, and open the table in it: gzip, zip, a workbook, or a plain file (FF-02)."""

import enum
import struct
import zipfile
from collections.abc import Callable
from typing import BinaryIO

from imports.files.byte_streams import (
    ChecksumReader,
    DecompressingReader,
    FileSlice,
    Reader,
    WindowBits,
    archive_damaged_error,
)
from imports.files.errors import Limits, Refusal, SourceError

_LOCAL_HEADER = struct.Struct("<4s22xHH")


class Container(enum.StrEnum):
    """What the table is packed in. Detected by the first bytes, never by the file's name."""

    PLAIN = "plain"
    GZIP = "gzip"
    ZIP = "zip"
    XLSX = "xlsx"


def detect_container(file: BinaryIO) -> Container:
    """Return the container of the file. Raises SourceError for an archive that cannot be opened."""
    file.seek(0)
    head = file.read(4)
    if head.startswith(b"\x1f\x8b"):
        return Container.GZIP
    if head in (b"PK\x03\x04", b"PK\x05\x06"):
        names = {entry.filename.casefold().replace("\\", "/") for entry in list_entries(file)}
        return Container.XLSX if "xl/workbook.xml" in names else Container.ZIP
    return Container.PLAIN


def make_opener(file: BinaryIO, container: Container, limits: Limits) -> Callable[[], Reader]:
    """Return a function that opens the unpacked bytes of the file at their beginning; it may be called repeatedly.

    Raises SourceError for a zip archive that does not hold exactly one CSV. Not for workbooks, which are not read as
    bytes.
    """
    size = file_size(file)
    if container is Container.ZIP:
        entry = find_only_table(list_entries(file))
        return lambda: open_entry(file, entry, limits)
    if container is Container.GZIP:
        return lambda: DecompressingReader(FileSlice(file, 0, size), size, WindowBits.GZIP, limits)
    return lambda: FileSlice(file, 0, size)


def file_size(file: BinaryIO) -> int:
    """Return the size of the file in bytes, as it is stored."""
    file.seek(0, 2)
    return file.tell()


def list_entries(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """Return the files of a zip archive, without folders. Raises SourceError if its directory cannot be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise archive_damaged_error("its directory cannot be read") from error


def find_only_table(files: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Return the only table of an archive, ignoring files that file managers add. Raises SourceError."""
    tables = [each for each in files if not _is_by_product(each.filename)]
    if len(tables) > 1:
        # The archive may also hold a file such as a README. Only in this case the names decide.
        tables = [each for each in tables if each.filename.lower().endswith(".csv")] or tables
    if len(tables) == 1:
        return tables[0]
    names = ", ".join(each.filename for each in tables[:3]) + (", …" if len(tables) > 3 else "")
    holds = f"contains {len(tables)} files ({names})" if tables else "contains no file"
    raise SourceError(Refusal.ARCHIVE_CONTENT, f"The zip archive {holds}. Put exactly one CSV file into it.")


def open_entry(file: BinaryIO, entry: zipfile.ZipInfo, limits: Limits) -> Reader:
    """Return the unpacked bytes of one file of a zip archive. Raises SourceError, also while they are read."""
    if entry.flag_bits & 1:
        raise SourceError(
            Refusal.ARCHIVE_ENCRYPTED,
            f"“{entry.filename}” in the zip archive is protected by a password. Create the archive without one.",
        )
    header = FileSlice(file, max(entry.header_offset, 0), entry.header_offset + _LOCAL_HEADER.size).read(
        _LOCAL_HEADER.size
    )
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise archive_damaged_error(f"“{entry.filename}” cannot be found in it")
    _, name_size, extra_size = _LOCAL_HEADER.unpack(header)
    start = entry.header_offset + _LOCAL_HEADER.size + name_size + extra_size
    packed = FileSlice(file, start, start + entry.compress_size)
    if entry.compress_type == zipfile.ZIP_STORED:
        return ChecksumReader(packed, entry.CRC)
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        return ChecksumReader(DecompressingReader(packed, entry.compress_size, WindowBits.RAW, limits), entry.CRC)
    raise archive_damaged_error(f"“{entry.filename}” is not compressed with the Deflate method")


def _is_by_product(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return name.startswith("__MACOSX/") or base.startswith(".") or base.lower() in ("thumbs.db", "desktop.ini")
