"""Bytes in turn, from a part of a file, and unpacked ones.

A packed file says of itself how much it holds, and a hostile one lies. So nothing here believes such a figure: bytes
are counted while they come out, and the unpacking stops at the limit.
"""

import enum
import zlib
from typing import BinaryIO, Protocol

from imports.files.errors import Limits, Refusal, SourceError, format_bytes

PACKED_PIECE = 64 * 1024
# Below this size nothing is a bomb, and a short file of nearly equal rows may well be packed two hundred times smaller.
RATIO_COUNTS_FROM = 1024**2


class Window(enum.IntEnum):
    """What stands around deflated bytes, as zlib wants it told: the frame of gzip, or nothing, as in a zip."""

    GZIP = 31
    RAW = -15


class Reader(Protocol):
    """Anything that gives bytes in turn, and no bytes at its end."""

    def read(self, size: int, /) -> bytes: ...


class FileSlice:
    """The bytes of a file from `start` to `end`.

    It keeps its own place, so that several readers may share one open file.
    """

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._at, self._end = file, start, end

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(min(size, self._end - self._at)) if self._at < self._end else b""
        self._at += len(data)
        return data


class DecompressingReader:
    """The bytes that deflated ones unpack to; gzip may hold several members, one after the other.

    Raises SourceError when more comes out than the limits allow, and when the packed bytes are damaged or cut off.
    """

    def __init__(self, packed: Reader, packed_size: int, window: Window, limits: Limits) -> None:
        self._packed, self._window = packed, window
        self._allowance = DecompressionBudget(packed_size, limits)
        self._engine = zlib.decompressobj(window)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        try:
            return self._read(size)
        except zlib.error as error:
            raise archive_damaged("its bytes cannot be unpacked") from error

    def _read(self, size: int) -> bytes:
        while not self._engine.eof or self._next_member():
            packed = self._pending or self._packed.read(PACKED_PIECE)
            data = self._engine.decompress(packed, size)
            self._pending = self._engine.unconsumed_tail or self._engine.unused_data
            if data:
                self._allowance.use(len(data))
                return data
            if not packed and not self._engine.eof:
                raise archive_damaged("it ends too early")
        return b""

    def _next_member(self) -> bool:
        if self._window != Window.GZIP:
            return False
        # Padding with zero bytes behind a member is allowed.
        self._pending = self._pending.lstrip(b"\0")
        while not self._pending:
            more = self._packed.read(PACKED_PIECE)
            if not more:
                return False
            self._pending = more.lstrip(b"\0")
        self._engine = zlib.decompressobj(self._window)
        return True


class DecompressionBudget:
    """Counts unpacked bytes against the limits. Raises SourceError as soon as one is passed."""

    def __init__(self, packed_size: int, limits: Limits) -> None:
        self._limits = limits
        self._most = max(packed_size * limits.max_ratio, RATIO_COUNTS_FROM)
        self._used = 0

    def use(self, size: int) -> None:
        self._used += size
        if self._used > self._limits.max_unpacked_bytes:
            raise SourceError(
                Refusal.UNPACKED_TOO_LARGE,
                f"The file unpacks to more than {format_bytes(self._limits.max_unpacked_bytes)}. "
                "Split it into smaller files.",
            )
        if self._used > self._most:
            raise SourceError(
                Refusal.RATIO_TOO_HIGH,
                f"The file unpacks to more than {self._limits.max_ratio} times its size. Upload it without packing it.",
            )


class ChecksumReader:
    """Passes a reader's bytes on and compares their checksum with the archive's at the end."""

    def __init__(self, reader: Reader, checksum: int) -> None:
        self._reader, self._expected, self._checksum = reader, checksum, 0

    def read(self, size: int, /) -> bytes:
        data = self._reader.read(size)
        self._checksum = zlib.crc32(data, self._checksum)
        if size and not data and self._checksum != self._expected:
            raise archive_damaged("its checksum does not fit")
        return data


class Section:
    """The bytes of another reader from `start` to `end`; what lies before is read and dropped."""

    def __init__(self, reader: Reader, start: int, end: int | None) -> None:
        self._reader, self._skip, self._left = reader, start, None if end is None else end - start

    def read(self, size: int, /) -> bytes:
        while self._skip:
            dropped = len(self._reader.read(min(self._skip, PACKED_PIECE)))
            if not dropped:
                return b""
            self._skip -= dropped
        if self._left is None:
            return self._reader.read(size)
        # Asked for no bytes, a decompressor gives all it has.
        data = self._reader.read(min(size, self._left)) if self._left else b""
        self._left -= len(data)
        return data


def read_up_to(reader: Reader, size: int) -> bytes:
    """The next `size` bytes, or fewer where the reader ends: a reader may give less than it is asked for."""
    data = b""
    while len(data) < size and (more := reader.read(size - len(data))):
        data += more
    return data


def archive_damaged(reason: str) -> SourceError:
    """The refusal of an archive that cannot be unpacked, for a reason that goes on after a colon."""
    return SourceError(
        Refusal.ARCHIVE_DAMAGED,
        f"The archive cannot be read: {reason}. Pack the file again, or upload it as plain CSV.",
    )
