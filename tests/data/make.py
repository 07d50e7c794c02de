"""Writes the files of this folder that no text editor can: packed ones, workbooks, other encodings, pictures.

Run `python tests/data/make.py` after a change here. The other files are written by hand.
"""

import codecs
import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import xlsxwriter

HERE = Path(__file__).parent
DAY = datetime(2023, 12, 25, tzinfo=UTC).replace(tzinfo=None)  # a workbook knows no time zones
PEOPLE = "email,name\nana@example.org,Ana\nbob@example.org,Bob\n"

Rows = Sequence[Sequence[object]]


def main() -> None:
    write_encodings()
    write_oddities()
    write_documents()
    write_archives()
    write_workbooks()


def write(name: str, data: bytes) -> None:
    (HERE / name).write_bytes(data)


def write_encodings() -> None:
    french = "prénom;email;ville\nHélène;helene@example.org;Orléans\nFrançois;francois@example.org;Besançon\n"
    polish = "imię,email,miasto\nŁukasz,lukasz@example.org,Łódź\nŚwiętosława,swieta@example.org,Częstochowa\n"
    russian = "имя,email,город\nИван,ivan@example.org,Москва\nОльга,olga@example.org,Санкт-Петербург\n"
    japanese = "名前,email,都市\n山田太郎,yamada@example.org,東京\nスズキ,suzuki@example.org,大阪\n"
    accents = "email,name\nzoe@example.org,Zoë\njiri@example.org,Jiří\n"
    write("latin1.csv", french.encode("cp1252"))
    write("cp1250.csv", polish.encode("cp1250"))
    write("cp1251.csv", russian.encode("cp1251"))
    write("shift-jis.csv", japanese.encode("cp932"))
    write("utf8-bom.csv", codecs.BOM_UTF8 + accents.encode())
    write("utf8-bom-quoted-header.csv", codecs.BOM_UTF8 + b'"email","name"\n"ana@example.org","Ana"\n')
    write("utf16le.csv", codecs.BOM_UTF16_LE + accents.encode("utf-16-le"))
    write("utf16be.csv", codecs.BOM_UTF16_BE + accents.encode("utf-16-be"))
    write("utf16le-no-bom.csv", accents.replace(",", "\t").encode("utf-16-le"))
    bad = b"email,name\nzoe@example.org,Zo\xc3\xab\njiri@example.org,Ji\xc5\x99\xc3\xad\neva@example.org,Ev\xe1\n"
    write("utf8-one-bad-byte.csv", bad)
    write("utf8-bom-bad-byte.csv", codecs.BOM_UTF8 + b"email,name\nana@example.org,Ana\nbob@example.org,B\xff\n")


def write_oddities() -> None:
    write("crlf.csv", PEOPLE.replace("\n", "\r\n").encode())
    write("cr-only.csv", PEOPLE.replace("\n", "\r").encode())
    write(
        "crlf-mixed.csv",
        b'email,note\r\nana@example.org,"one\ntwo\r\nthree\rfour"\nbob@example.org,x\rcid@example.org,y\r\n\r\n\ndan@example.org,z',
    )
    write("nul-byte.csv", b"email,name\nana@example.org,Ana\nbob@example.org,B\0b\ncid@example.org,Cid\n")
    write("only-empty-lines.csv", b"\r\n\n\r\n")
    write("empty.csv", b"")
    headers = ",".join(["email", *(f"c{number}" for number in range(1, 1001))])
    write("too-many-columns.csv", f"{headers}\nana@example.org{',' * 1000}\n".encode())
    long_text = "é" * 256 + "x"
    write(
        "too-long-value.csv", f"email,first_name\nana@example.org,{'x' * 512}\nbob@example.org,{long_text}\n".encode()
    )
    write("long-header.csv", f"email,{'é' * 61}\nana@example.org,x\n".encode())
    digits = "9" * 400
    write(
        "huge-integer.csv",
        f"email,account\nana@example.org,9223372036854775807\nbob@example.org,9223372036854775808\n"
        f"cid@example.org,{digits}\n".encode(),
    )


def write_documents() -> None:
    write("pdf.csv", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n")
    write("picture.csv", _png())
    write(
        "old-excel.csv",
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(24) + b"\x3e\x00\x03\x00\xfe\xff\x09\x00" + bytes(100),
    )
    write("binary.csv", bytes((number * 167 + number // 7) % 256 for number in range(600)))


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


def write_archives() -> None:
    people = PEOPLE.encode()
    write("people.csv.gz", _gzip(people))
    write("gzip-named.csv", _gzip(people))
    write("two-members.csv.gz", _gzip(people[:30]) + _gzip(people[30:]))
    write("cut-off.csv.gz", _gzip(people)[:-12])
    write("bomb.csv.gz", _gzip(b"email,name\n" + b"ana@example.org,Ana\n" * 200_000))
    write("archive-in-archive.csv.gz", _gzip(_gzip(people)))
    junk = {"people/": b"", "__MACOSX/people/._people.csv": b"\0\5\x16\7", "people/.DS_Store": b"\0"}
    write("one-csv.zip", _zip({**junk, "people/people.csv": people}))
    write("csv-and-readme.zip", _zip({"README.txt": b"Exported on Monday.\n", "people.csv": people}))
    write("two-csv.zip", _zip({"people.csv": people, "more.csv": people}))
    write("no-csv.zip", _zip({"folder/": b""}))
    write("picture-in-archive.zip", _zip({"people.csv": _png()}))
    write("password.zip", _mark_encrypted(_zip({"people.csv": people})))
    write("lying-size.zip", _claim_size(_zip({"people.csv": people}), len(people), 30))
    write("damaged.zip", _zip({"people.csv": people})[:-10])


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _mark_encrypted(data: bytes) -> bytes:
    """Set the first flag bit in the local and in the central header."""
    central = data.index(b"PK\1\2")
    marked = bytearray(data)
    marked[6] |= 1
    marked[central + 8] |= 1
    return bytes(marked)


def _claim_size(data: bytes, real: int, claimed: int) -> bytes:
    """Let both headers tell a smaller unpacked size; whoever believes it reads no more."""
    return data.replace(struct.pack("<I", real), struct.pack("<I", claimed))


def write_workbooks() -> None:
    people: list[list[object]] = [["email", "zip", "visits", "score", "member", "joined", "seen"]]
    ana = ["ana@example.org", "08014", 3, 2.5, True, date(2023, 12, 25), DAY + timedelta(hours=18, minutes=30)]
    bob = ["bob@example.org", "28001", 1e16, 1e-7, False, date(1900, 3, 1), DAY + timedelta(days=66, seconds=1)]
    write("people.xlsx", _workbook([*people, ana, bob]))
    write("workbook-named.csv", _workbook([["email", "name"], ["ana@example.org", "Ana"]]))
    odd = [
        [],
        ["email", "name"],
        ["ana@example.org", "Ana"],
        [],
        ["bob@example.org", "Bob", "", "stray"],
        ["cid@example.org"],
    ]
    write("odd-rows.xlsx", _workbook(odd))
    write("hidden-sheet.xlsx", _workbook([["email"], ["ana@example.org"]], hidden=[["internal"], ["1"]]))
    write("far-corner.xlsx", _workbook([["email", "name"], ["ana@example.org", "Ana"]], far=(1048575, 16383)))
    write("no-rows.xlsx", _workbook([["email", "name"]]))
    write("word-document.xlsx", _zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<document/>"}))


def _workbook(rows: Rows, hidden: Rows | None = None, far: tuple[int, int] | None = None) -> bytes:
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True})
    book.set_properties({"created": DAY})
    if hidden:
        first = book.add_worksheet("internal")
        first.hide()
        _fill(book, first, hidden)
    sheet = book.add_worksheet("people")
    if hidden:
        sheet.activate()
        sheet.set_first_sheet()
    _fill(book, sheet, rows)
    if far:
        sheet.write(*far, "x")
    book.close()
    return packed.getvalue()


def _fill(book: xlsxwriter.Workbook, sheet: xlsxwriter.worksheet.Worksheet, rows: Rows) -> None:
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, datetime):
                sheet.write_datetime(row, column, cell, moment)
            elif isinstance(cell, date):
                sheet.write_datetime(row, column, cell, day)
            elif cell != "":
                sheet.write(row, column, cell)


if __name__ == "__main__":
    main()
