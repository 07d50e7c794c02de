"""The encoding of a file's text: told by its bytes, and checked over the whole file (FF-07)."""

import codecs
from collections.abc import Callable

from charset_normalizer import from_bytes

from imports.files.byte_streams import Reader, read_up_to
from imports.files.csv_reader import PIECE, unreadable
from imports.files.errors import Refusal, SourceError
from imports.files.quoting import count_lines
from imports.files.signatures import SAMPLE, is_binary, not_a_table

Opener = Callable[[], Reader]

UTF_8 = "utf-8"
# These do not keep ASCII as it is, so their text is turned into UTF-8 before anything looks for a line break in it.
TRANSCODED = frozenset({"utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"})
_MARKS = (
    (codecs.BOM_UTF8, UTF_8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Tried first, in the order of their use; the ones of old systems only when none of these gives sensible text.
_COMMON = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("iso8859-2", "koi8-r", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
)
_RARE = ("mac-roman", "cp850", "cp437", "cp852", "cp866")
_CHOSEN_ONLY = ("iso8859-1", "iso8859-15", "iso8859-9", "iso8859-7", "koi8-u", "shift_jis", "gbk", "euc_kr", "cp1258")
ENCODINGS = (UTF_8, *sorted(TRANSCODED), *_COMMON, *_RARE, *_CHOSEN_ONLY)
"""Every encoding that can be detected or chosen, by the name that Python gives it."""


def resolve_encoding(name: str, start: bytes) -> str:
    """The entry of `ENCODINGS` that a user's spelling means. `start` are the file's first bytes, for their mark.

    Raises SourceError for a name that is none.
    """
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        found = ""
    found = {"utf-8-sig": UTF_8, "ascii": UTF_8}.get(found, found)
    if found in ("utf-16", "utf-32"):
        found = f"{found}-be" if encoding_from_bom(start) == f"{found}-be" else f"{found}-le"
    if found in ENCODINGS:
        return found
    raise SourceError(
        Refusal.UNKNOWN_ENCODING,
        f"The encoding “{name}” is not one that can be read. Choose one of the list, such as UTF-8 or cp1252.",
    )


def encoding_from_bom(start: bytes) -> str | None:
    """The encoding that a byte-order mark at the start tells, if there is one."""
    return next((name for mark, name in _MARKS if start.startswith(mark)), None)


def detect(opener: Opener, file_name: str, chosen: str | None = None) -> str:
    """The encoding of the whole text: the chosen one, or by its mark, or UTF-8, or one that gives sensible text.

    Raises SourceError: with the line where the encoding does not fit, or because the file is no text at all.
    """
    start = read_up_to(opener(), SAMPLE)
    certain = _certain(start, chosen)
    found = guess_encoding(start, chosen)
    try:
        check(opener(), found)
    except SourceError as error:
        if error.code is not Refusal.UNREADABLE_TEXT:
            raise
        if is_binary(start) and not encoding_from_bom(start):
            raise not_a_table(file_name, "a binary file") from error
        if certain:
            raise
        foreign = _foreign_lines(opener())
        if not _mostly_utf_8(foreign):
            for name in _guesses(b"".join(foreign)):
                if _fits(opener(), name):
                    return name
        raise
    return found


def guess_encoding(start: bytes, chosen: str | None = None) -> str:
    """The encoding of a text that begins like this, before the rest of it was looked at. Raises SourceError."""
    return _certain(start, chosen) or _by_zero_bytes(start) or UTF_8


def _certain(start: bytes, chosen: str | None) -> str | None:
    return resolve_encoding(chosen, start) if chosen is not None else encoding_from_bom(start)


def sample(reader: Reader, encoding: str) -> str:
    """The beginning of the text, whole lines only, without a byte-order mark."""
    text = Text(reader, encoding)
    parts: list[str] = []
    while sum(map(len, parts)) < SAMPLE and not text.ended:
        parts.append(text.read(SAMPLE))
    start = "".join(parts).removeprefix("\ufeff")
    return start if text.ended else start[: max(start.rfind("\n"), start.rfind("\r")) + 1] or start


def check(reader: Reader, encoding: str) -> None:
    """Raise SourceError with the line of the first bytes that the encoding does not know."""
    text = Text(reader, encoding)
    while not text.ended:
        text.read(PIECE)


class Text:
    """A reader's bytes as text. Raises SourceError with the line for bytes that the encoding does not know."""

    def __init__(self, reader: Reader, encoding: str) -> None:
        self._reader, self._encoding = reader, encoding
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._breaks = 0
        self._after_cr = False
        self.ended = False

    def read(self, size: int) -> str:
        """What the next `size` bytes mean; may be empty before the end."""
        data = self._reader.read(size)
        self.ended = not data
        try:
            text = self._decoder.decode(data, final=self.ended)
        except UnicodeDecodeError as error:
            self._count(error.object[: error.start].decode(self._encoding, errors="replace"))
            raise unreadable(self._encoding, self._breaks + 1) from error
        self._count(text)
        return text

    def _count(self, text: str) -> None:
        if text:
            self._breaks += count_lines(text) - (self._after_cr and text.startswith("\n"))
            self._after_cr = text.endswith("\r")


class Transcoded:
    """A reader's text in UTF-8 bytes."""

    def __init__(self, reader: Reader, encoding: str) -> None:
        self._text = Text(reader, encoding)
        self._pending = b""

    def read(self, size: int, /) -> bytes:
        while not self._pending and not self._text.ended:
            self._pending = self._text.read(size).encode()
        data, self._pending = self._pending[:size], self._pending[size:]
        return data


def _fits(reader: Reader, encoding: str) -> bool:
    try:
        check(reader, encoding)
    except SourceError as error:
        if error.code is Refusal.UNREADABLE_TEXT:
            return False
        raise
    return True


def _by_zero_bytes(start: bytes) -> str | None:
    """UTF-16 without a mark: letters, digits and delimiters of ASCII leave every second byte zero."""
    even, odd = start[0::2], start[1::2]
    if odd.count(0) * 10 > len(odd) and even.count(0) * 100 < len(even):
        return "utf-16-le"
    if even.count(0) * 10 > len(even) and odd.count(0) * 100 < len(odd):
        return "utf-16-be"
    return None


def _foreign_lines(reader: Reader) -> list[bytes]:
    """The first lines that are not plain ASCII: all that can tell one legacy encoding from another."""
    found: list[bytes] = []
    size, left = 0, b""
    while size < SAMPLE and (data := reader.read(PIECE)):
        *lines, left = (left + data).splitlines(keepends=True)
        for line in lines:
            if size < SAMPLE and not line.isascii():
                found.append(line)
                size += len(line)
        if len(left) > PIECE:
            left = b""
    return found if left.isascii() else [*found, left]


def _mostly_utf_8(lines: list[bytes]) -> bool:
    """Whether damage in a UTF-8 file is likelier than another encoding, in which every letter would come out wrong."""
    return sum(map(_is_utf_8, lines)) * 2 > len(lines)


def _is_utf_8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _guesses(sample: bytes) -> list[str]:
    """Legacy encodings that give sensible text, the best first."""
    for group in (_COMMON, _RARE):
        if matches := list(from_bytes(sample, cp_isolation=list(group))):
            # Several encodings may give the very same text, or text that is as sensible: the commonest is first.
            score = (matches[0].chaos, matches[0].coherence)
            equal = [each for each in matches if (each.chaos, each.coherence) == score]
            tied = {codecs.lookup(name).name for match in equal for name in match.could_be_from_charset}
            others = [codecs.lookup(match.encoding).name for match in matches]
            return [name for name in group if name in tied] + [name for name in others if name not in tied]
    return []
