"""`manage.py make_people`: declare the arguments, open the file, and call `imports.sample_data.people`."""

import argparse
import io
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from imports.sample_data.people import MAX_NUMBER, Sink, write_people

STDOUT = "-"
SHARES = {  # all 0 to 1, 0 by default
    "known": "has the people of the same rows of this seed's plain file (one written without --known), with another "
    "city, plan and score; the other rows have people that are in no plain file. 0 writes the plain file itself",
    "bad": "has one problem each, in turn: e-mail, phone, country, date, score, blank e-mail, too many cells, too few "
    "cells, too long a text",
    "twice": "repeats the e-mail of an earlier row, with another city, plan and score",
}


class Command(BaseCommand):
    help = (
        "Write a varied CSV file of invented people: email, first_name, last_name, phone, country, language, "
        "home_city, dob, gender, plan, score. The same arguments give the same file. E-mails differ from row to row "
        "and from seed to seed."
    )
    requires_system_checks = ()  # it needs neither settings nor a database

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("rows", metavar="ROWS", type=_whole(1), help="how many people, 1 or more")
        parser.add_argument(
            "file",
            metavar="FILE",
            help="the file to write, in an existing folder; a file of that name is replaced; - is stdout",
        )
        parser.add_argument(
            "--seed", metavar="N", type=_whole(0), default=1, help="selects the people, 0 or more (default: 1)"
        )
        for name, meaning in SHARES.items():
            text = f"this share of rows, 0 to 1 (default: 0), {meaning}"
            parser.add_argument(f"--{name}", metavar="SHARE", type=_share, default=0.0, help=text)
        parser.add_argument(
            "--changed",
            action="store_true",
            help="write the same people in the same rows, each with another city, plan and score",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows, target = options["rows"], options["file"]
        shares = {name: options[name] for name in SHARES}
        if shares["bad"] + shares["twice"] > 1:
            raise CommandError("--bad and --twice together are above 1, but no row is both. Lower one.", returncode=2)
        began = time.perf_counter()
        try:
            with self._opened(target) as stream:
                write_people(rows, stream, options["seed"], version=2 if options["changed"] else 1, **shares)
        except BrokenPipeError:  # the reader of our stdout has closed it, and the flush at exit must not fail
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        except OSError as error:
            raise CommandError(f"Cannot write {target}: {error.strerror}.") from error
        seconds = time.perf_counter() - began
        self.stderr.write(f"{rows:,} rows in {seconds:.1f} s, {rows / seconds:,.0f} rows/s", _plain)

    @contextmanager
    def _opened(self, target: str) -> Iterator[Sink]:
        if target == STDOUT:
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(encoding="utf-8", newline="")
            yield self.stdout
            return
        path = Path(target).resolve()  # so that a link stays a link
        if not path.parent.is_dir():
            raise CommandError(f"Cannot write {target}: there is no folder {path.parent}. Create it first.")
        with _open_in_place(path) if path.exists() and not path.is_file() else _open_replacement(path) as stream:
            yield stream


@contextmanager
def _open_in_place(path: Path) -> Iterator[Sink]:
    """Open a pipe or a device, which must not be replaced by a file."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        yield stream


@contextmanager
def _open_replacement(path: Path) -> Iterator[Sink]:
    """Open a file in the folder of `path` that is renamed to it when all is written, and deleted after a failure."""
    part = path.with_name(f".make_people-{secrets.token_hex(4)}.part")
    try:
        with part.open("x", encoding="utf-8", newline="") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _plain(text: str) -> str:
    """Return the text without the style of errors, which stderr applies by default."""
    return text


def _whole(least: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        number = int(text)
        if not least <= number <= MAX_NUMBER:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {MAX_NUMBER}")
        return number

    return whole


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return share
