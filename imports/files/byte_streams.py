"""Read the bytes of a part of a file in sequence, or the bytes that it unpacks to.

A packed file declares its unpacked size, and a hostile one declares a false size. The declared size is therefore never
used: the bytes are counted while they are unpacked, and unpacking stops at the limit.
"""

import enum
import zlib
from typing import BinaryIO, Protocol

from imports.files.errors import Limits, Refusal, SourceError, format_bytes

PACKED_CHUNK_BYTES = 64 * 1024
# The ratio is not checked below this size: so small a file is no bomb, and a short file of nearly equal rows can be
# packed to a two-hundredth of its size.
MIN_BYTES_FOR_RATIO = 1024**2


class WindowBits(enum.IntEnum):
    """The ``wbits`` of zlib: deflated bytes in the frame of gzip, or without a frame as in a zip archive."""

    GZIP = 31
    RAW = -15


class Reader(Protocol):
    """A readable stream of bytes; it returns no bytes at its end."""

    def read(self, size: int, /) -> bytes: ...


class FileSlice:
    """The bytes of a file from `start` to `end`.

    It tracks its own offset, so that several readers can share one open file.
    """

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file, self._offset, self._end = file, start, end

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._offset)
        data = self._file.read(min(size, self._end - self._offset)) if self._offset < self._end else b""
        self._offset += len(data)
        return data


class DecompressingReader:
    """The unpacked bytes of a deflated stream; a gzip stream may hold several members in sequence.

    Reading raises SourceError if the bytes exceed the limits, or if the packed bytes are damaged or cut off.
    """

    def __init__(self, packed: Reader, packed_size: int, window: WindowBits, limits: Limits) -> None:
        self._packed, self._window = packed, window
        self._budget = DecompressionBudget(packed_size, limits)
        self._decompressor = zlib.decompressobj(window)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        try:
            return self._read(size)
        except zlib.error as error:
            raise archive_damaged_error("its bytes cannot be unpacked") from error

    def _read(self, size: int) -> bytes:
        while not self._decompressor.eof or self._next_member():
            packed = self._pending or self._packed.read(PACKED_CHUNK_BYTES)
            data = self._decompressor.decompress(packed, size)
            self._pending = self._decompressor.unconsumed_tail or self._decompressor.unused_data
            if data:
                self._budget.use(len(data))
                return data
            if not packed and not self._decompressor.eof:
                raise archive_damaged_error("it ends too early")
        return b""

    def _next_member(self) -> bool:
        if self._window != WindowBits.GZIP:
            return False
        # Zero bytes are allowed as padding after a member.
        self._pending = self._pending.lstrip(b"\0")
        while not self._pending:
            more = self._packed.read(PACKED_CHUNK_BYTES)
            if not more:
                return False
            self._pending = more.lstrip(b"\0")
        self._decompressor = zlib.decompressobj(self._window)
        return True


class DecompressionBudget:
    """Count of unpacked bytes; ``use`` raises SourceError as soon as a limit is exceeded."""

    def __init__(self, packed_size: int, limits: Limits) -> None:
        self._limits = limits
        self._max_bytes = max(packed_size * limits.max_ratio, MIN_BYTES_FOR_RATIO)
        self._used = 0

    def use(self, size: int) -> None:
        self._used += size
        if self._used > self._limits.max_unpacked_bytes:
            raise SourceError(
                Refusal.UNPACKED_TOO_LARGE,
                f"The file unpacks to more than {format_bytes(self._limits.max_unpacked_bytes)}. "
                "Split it into smaller files.",
            )
        if self._used > self._max_bytes:
            raise SourceError(
                Refusal.RATIO_TOO_HIGH,
                f"The file unpacks to more than {self._limits.max_ratio} times its size. Upload it uncompressed.",
            )


class ChecksumReader:
    """The bytes of a reader; at the end their checksum is compared with that of the archive. Raises SourceError."""

    def __init__(self, reader: Reader, checksum: int) -> None:
        self._reader, self._expected, self._checksum = reader, checksum, 0

    def read(self, size: int, /) -> bytes:
        data = self._reader.read(size)
        self._checksum = zlib.crc32(data, self._checksum)
        if size and not data and self._checksum != self._expected:
            raise archive_damaged_error("its checksum does not match")
        return data


class ReaderSlice:
    """The bytes of another reader from `start` to `end`; the bytes before `start` are read and discarded."""

    def __init__(self, reader: Reader, start: int, end: int | None) -> None:
        self._reader, self._skip = reader, start
        self._remaining = None if end is None else end - start

    def read(self, size: int, /) -> bytes:
        while self._skip:
            dropped = len(self._reader.read(min(self._skip, PACKED_CHUNK_BYTES)))
            if not dropped:
                return b""
            self._skip -= dropped
        if self._remaining is None:
            return self._reader.read(size)
        # With a size of zero, a decompressor returns all its bytes.
        data = self._reader.read(min(size, self._remaining)) if self._remaining else b""
        self._remaining -= len(data)
        return data


def read_up_to(reader: Reader, size: int) -> bytes:
    """Return the next `size` bytes, fewer only at the end; one call of ``read`` may return fewer."""
    data = b""
    while len(data) < size and (more := reader.read(size - len(data))):
        data += more
    return data


def archive_damaged_error(reason: str) -> SourceError:
    """Return the error for an archive that cannot be unpacked. `reason` continues a sentence after a colon."""
    return SourceError(
        Refusal.ARCHIVE_DAMAGED,
        f"The archive cannot be read: {reason}. Create it again, or upload the file as plain CSV.",
    )
