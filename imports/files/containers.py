"""What a file is packed in, and what opens the table inside: gzip, zip, a workbook, or nothing (FF-02)."""

import enum
import struct
import zipfile
from collections.abc import Callable
from typing import BinaryIO

from imports.files.byte_streams import ChecksumReader, DecompressingReader, FileSlice, Reader, Window, archive_damaged
from imports.files.errors import Limits, Refusal, SourceError

_LOCAL_HEADER = struct.Struct("<4s22xHH")


class Container(enum.StrEnum):
    """How the table lies in the file; told by the first bytes, never by the file's name."""

    PLAIN = "plain"
    GZIP = "gzip"
    ZIP = "zip"
    XLSX = "xlsx"


def detect_container(file: BinaryIO) -> Container:
    """What the file is packed in. Raises SourceError for an archive that cannot be opened."""
    file.seek(0)
    head = file.read(4)
    if head.startswith(b"\x1f\x8b"):
        return Container.GZIP
    if head in (b"PK\x03\x04", b"PK\x05\x06"):
        names = {entry.filename.casefold().replace("\\", "/") for entry in entries(file)}
        return Container.XLSX if "xl/workbook.xml" in names else Container.ZIP
    return Container.PLAIN


def open_bytes(file: BinaryIO, container: Container, limits: Limits) -> Callable[[], Reader]:
    """What opens the file's bytes, unpacked, from their beginning; it may be called again and again.

    Raises SourceError for a zip that does not hold exactly one CSV. Not for workbooks, which have no such bytes.
    """
    size = file_size(file)
    if container is Container.ZIP:
        entry = the_only_table(entries(file))
        return lambda: open_entry(file, entry, limits)
    if container is Container.GZIP:
        return lambda: DecompressingReader(FileSlice(file, 0, size), size, Window.GZIP, limits)
    return lambda: FileSlice(file, 0, size)


def file_size(file: BinaryIO) -> int:
    """Size of the stored file in bytes."""
    file.seek(0, 2)
    return file.tell()


def entries(file: BinaryIO) -> list[zipfile.ZipInfo]:
    """The files in a zip archive, without folders. Raises SourceError where its directory cannot be read."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise archive_damaged("its directory cannot be read") from error


def the_only_table(files: list[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """The one file of an archive that is a table, past what file managers leave in one. Raises SourceError."""
    found = [each for each in files if not _is_by_product(each.filename)]
    if len(found) > 1:
        # Something to read may lie beside the table; then, and only then, the name decides.
        found = [each for each in found if each.filename.lower().endswith(".csv")] or found
    if len(found) == 1:
        return found[0]
    names = ", ".join(each.filename for each in found[:3]) + (", …" if len(found) > 3 else "")
    holds = f"holds {len(found)} files ({names})" if found else "holds no file"
    raise SourceError(
        Refusal.ARCHIVE_CONTENT, f"The zip archive {holds}, and one CSV is expected. Put exactly one CSV file into it."
    )


def open_entry(file: BinaryIO, entry: zipfile.ZipInfo, limits: Limits) -> Reader:
    """The unpacked bytes of one file in a zip archive. Raises SourceError, also while they are read."""
    if entry.flag_bits & 1:
        raise SourceError(
            Refusal.ARCHIVE_ENCRYPTED,
            f"“{entry.filename}” in the zip archive is protected by a password. Pack it without one.",
        )
    header = FileSlice(file, max(entry.header_offset, 0), entry.header_offset + _LOCAL_HEADER.size).read(
        _LOCAL_HEADER.size
    )
    if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
        raise archive_damaged(f"“{entry.filename}” cannot be found in it")
    _, name_size, extra_size = _LOCAL_HEADER.unpack(header)
    start = entry.header_offset + _LOCAL_HEADER.size + name_size + extra_size
    packed = FileSlice(file, start, start + entry.compress_size)
    if entry.compress_type == zipfile.ZIP_STORED:
        return ChecksumReader(packed, entry.CRC)
    if entry.compress_type == zipfile.ZIP_DEFLATED:
        return ChecksumReader(DecompressingReader(packed, entry.compress_size, Window.RAW, limits), entry.CRC)
    raise archive_damaged(f"“{entry.filename}” is packed by another method than deflate")


def _is_by_product(name: str) -> bool:
    base = name.rsplit("/", 1)[-1]
    return name.startswith("__MACOSX/") or base.startswith(".") or base.lower() in ("thumbs.db", "desktop.ini")
