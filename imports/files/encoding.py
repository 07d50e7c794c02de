"""Detect the encoding of a file's text by its bytes, and check it over the whole file (FF-07)."""

import codecs
from collections.abc import Callable

from charset_normalizer import from_bytes

from imports.files.byte_streams import Reader, read_up_to
from imports.files.csv_reader import CHUNK_BYTES, unreadable_text_error
from imports.files.errors import Refusal, SourceError
from imports.files.quoting import count_lines
from imports.files.signatures import SAMPLE_BYTES, is_binary, not_a_table_error

Opener = Callable[[], Reader]

UTF_8 = "utf-8"
# In these, ASCII characters do not keep their bytes, so the text is converted to UTF-8 before it is split into lines.
TRANSCODED = frozenset({"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# These are tried first, the most common first; those of old systems only if none of these gives plausible text.
_COMMON = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("iso8859-2", "koi8-r", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_RARE = ("mac-roman", "cp850", "cp437", "cp852", "cp866")
_CHOSEN_ONLY = ("iso8859-1", "iso8859-15", "iso8859-9", "iso8859-7", "koi8-u", "shift_jis", "gbk", "euc_kr", "cp1258")
ENCODINGS = (UTF_8, *sorted(TRANSCODED), *_COMMON, *_RARE, *_CHOSEN_ONLY)
"""Every encoding that can be detected or chosen, under its name in Python."""


def resolve_encoding(name: str, start: bytes) -> str:
    """Return the entry of `ENCODINGS` that a user's spelling means.

    `start`: the first bytes of the file, whose byte-order mark decides the byte order of UTF-16 and UTF-32. Raises
    SourceError for an unknown name.
    """
    try:
        encoding = codecs.lookup(name).name
    except (LookupError, ValueError):
        encoding = ""
    encoding = {"utf-8-sig": UTF_8, "ascii": UTF_8}.get(encoding, encoding)
    if encoding in ("utf-16", "utf-32"):
        encoding = f"{encoding}-be" if encoding_from_bom(start) == f"{encoding}-be" else f"{encoding}-le"
    if encoding in ENCODINGS:
        return encoding
    raise SourceError(
        Refusal.UNKNOWN_ENCODING,
        f"The encoding “{name}” is not supported. Choose one of the list, such as UTF-8 or cp1252.",
    )


def encoding_from_bom(start: bytes) -> str | None:
    """Return the encoding that a byte-order mark at the start declares, or None."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def detect(opener: Opener, file_name: str, chosen: str | None = None) -> str:
    """Return the encoding of the text, checked over the whole text.

    That is the chosen one, else the one of its byte-order mark, else UTF-8, else one that gives plausible text. Raises
    SourceError with the line where the encoding is not valid, or because the file is not text.
    """
    start = read_up_to(opener(), SAMPLE_BYTES)
    certain = _certain(start, chosen)
    encoding = guess_encoding(start, chosen)
    try:
        check(opener(), encoding)
    except SourceError as error:
        if error.code is not Refusal.UNREADABLE_TEXT:
            raise
        if is_binary(start) and not encoding_from_bom(start):
            raise not_a_table_error(file_name, "a binary file") from error
        if certain:
            raise
        lines = _non_ascii_lines(opener())
        if not _mostly_utf_8(lines):
            for name in _guesses(b"".join(lines)):
                if _is_valid(opener(), name):
                    return name
        raise
    return encoding


def guess_encoding(start: bytes, chosen: str | None = None) -> str:
    """Return the likely encoding of a text by its first bytes. Raises SourceError for an unknown choice."""
    return _certain(start, chosen) or _by_zero_bytes(start) or UTF_8


def _certain(start: bytes, chosen: str | None) -> str | None:
    return resolve_encoding(chosen, start) if chosen is not None else encoding_from_bom(start)


def read_sample(reader: Reader, encoding: str) -> str:
    """Return the beginning of the text, whole lines only, without a byte-order mark. Raises SourceError."""
    text = TextDecoder(reader, encoding)
    parts: list[str] = []
    while sum(map(len, parts)) < SAMPLE_BYTES and not text.ended:
        parts.append(text.read(SAMPLE_BYTES))
    start = "".join(parts).removeprefix("\ufeff")
    return start if text.ended else start[: max(start.rfind("\n"), start.rfind("\r")) + 1] or start


def check(reader: Reader, encoding: str) -> None:
    """Raise SourceError with the line of the first bytes that are not valid in the encoding."""
    text = TextDecoder(reader, encoding)
    while not text.ended:
        text.read(CHUNK_BYTES)


class TextDecoder:
    """The bytes of a reader as text. ``read`` raises SourceError with the line of bytes that are not valid."""

    def __init__(self, reader: Reader, encoding: str) -> None:
        self._reader, self._encoding = reader, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._breaks = 0
        self._after_cr = False
        self.ended = False

    def read(self, size: int) -> str:
        """Return the text of the next `size` bytes; it may be empty before the end."""
        data = self._reader.read(size)
        self.ended = not data
        try:
            text = self._decoder.decode(data, final=self.ended)
        except UnicodeDecodeError as error:
            self._count(error.object[: error.start].decode(self._encoding, errors="replace"))
            raise unreadable_text_error(self._encoding, self._breaks + 1) from error
        self._count(text)
        return text

    def _count(self, text: str) -> None:
        if text:
            self._breaks += count_lines(text) - (self._after_cr and text.startswith("\n"))
            self._after_cr = text.endswith("\r")


class TranscodingReader:
    """The bytes of a reader, converted to UTF-8."""

    def __init__(self, reader: Reader, encoding: str) -> None:
        self._text = TextDecoder(reader, encoding)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        while not self._pending and not self._text.ended:
            self._pending = self._text.read(size).encode()
        data, self._pending = self._pending[:size], self._pending[size:]
        return data


def _is_valid(reader: Reader, encoding: str) -> bool:
    try:
        check(reader, encoding)
    except SourceError as error:
        if error.code is Refusal.UNREADABLE_TEXT:
            return False
        raise
    return True


def _by_zero_bytes(start: bytes) -> str | None:
    """Detect UTF-16 without a byte-order mark: every second byte of ASCII characters is zero."""
    even, odd = start[0::2], start[1::2]
    if odd.count(0) * 10 > len(odd) and even.count(0) * 100 < len(even):
        return "utf-16-le"
    if even.count(0) * 10 > len(even) and odd.count(0) * 100 < len(odd):
        return "utf-16-be"
    return None


def _non_ascii_lines(reader: Reader) -> list[bytes]:
    """Return the first lines that are not plain ASCII; only these distinguish one legacy encoding from another."""
    found: list[bytes] = []
    size, rest = 0, b""
    while size < SAMPLE_BYTES and (data := reader.read(CHUNK_BYTES)):
        *lines, rest = (rest + data).splitlines(keepends=True)
        for line in lines:
            if size < SAMPLE_BYTES and not line.isascii():
                found.append(line)
                size += len(line)
        if len(rest) > CHUNK_BYTES:
            rest = b""
    return found if rest.isascii() else [*found, rest]


def _mostly_utf_8(lines: list[bytes]) -> bool:
    """Return whether this is more likely a damaged UTF-8 file than one in another encoding: most lines are UTF-8."""
    return sum(map(_is_utf_8, lines)) * 2 > len(lines)


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _guesses(sample: bytes) -> list[str]:
    """Return the legacy encodings that give plausible text, the best first."""
    for group in (_COMMON, _RARE):
        if matches := list(from_bytes(sample, cp_isolation=list(group))):
            # Several encodings can give the same text, or equally plausible text: put the most common one first.
            score = (matches[0].chaos, matches[0].coherence)
            equal = [each for each in matches if (each.chaos, each.coherence) == score]
            tied = {codecs.lookup(name).name for match in equal for name in match.could_be_from_charset}
            others = [codecs.lookup(match.encoding).name for match in matches]
            return [name for name in group if name in tied] + [name for name in others if name not in tied]
    return []
