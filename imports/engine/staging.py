"""Check the rows of a file and store the valid ones in the job's table (design section 4).

``place`` keeps rows together: it is computed from the value that a row is looked up by, so rows with the same value
have the same place. Its upper bits are the slot of that value, shuffled by the job's salt. So a hash bucket covers few
slots, and not the same ones as the import that wrote the same people before: then an update finds room on its page.
A place below zero is *tangled* (see ``plan``): its original value is ``-place - 1``.

A crash of the database empties the table; it is then filled again from the file and compared.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import islice, repeat
from typing import Any

import orjson
from django.db import connection

from imports.files.batches import Position
from imports.job_tables import JobTables
from imports.jobs import stored_file
from imports.mapping import column_mapping, event_mapping
from imports.mapping.column_mapping import Target
from imports.mapping.headers import PROBLEM_HEADER
from imports.models import Bucket, ImportJob
from imports.rows.event_rows import EventChecker
from imports.rows.profile_rows import RowChecker
from imports.rows.results import CheckedRows, Events, Problem
from imports.states import Step
from profiles.database import copy_format
from profiles.merging.person import IncomingRow, Link
from profiles.models import load_schema
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, OWN_IDENTIFIERS
from profiles.writing import value_locks

BATCHES_PER_COPY = 16
"""Batches that one COPY writes."""

LOW_BITS = 31 - value_locks.SLOT_BITS
MAX_VALUE_LENGTH = 1_000
"""Characters of an invalid value that are stored with its problem."""


def split(job: ImportJob) -> list[Bucket]:
    """Return a work unit for each range of the file that can be staged separately: rows ``first`` + 1 to ``last``."""
    ends = [position["row"] for position in job.format["positions"]]
    if not job.format["splittable"]:
        ends = ends[-1:]
    starts = [0, *ends[:-1]]
    return [
        Bucket(job=job, step=Step.STAGE, number=number, first=first, last=last, size=last - first)
        for number, (first, last) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def stage(job: ImportJob, bucket: Bucket, *, again: bool = False) -> dict[str, int]:
    """Check one range of the file; copy its valid rows into the job's table and its problems into ``RowError``.

    Return the counts of the range: ``rows``, ``staged``, ``failed``, ``warnings``, ``tied`` (rows with ties) and
    ``checksum`` (CRC-32 of the copied lines). ``again``: the problems are stored already.
    """
    checker = _checker(job)
    positions = {position["row"]: Position(**position) for position in job.format["positions"]}
    counts = dict.fromkeys(("rows", "staged", "failed", "warnings", "tied", "checksum"), 0)
    with stored_file.open_stored(job) as source, connection.cursor() as cursor:
        batches = source.batches(positions.get(bucket.first), positions[bucket.last])
        while chunk := list(islice(batches, BATCHES_PER_COPY)):
            places: list[int] = []
            lines: list[bytes] = []
            problems: list[Problem] = []
            for batch in chunk:
                valid, invalid = checker.check(batch)
                counts["rows"] += len(batch.rows) + len(batch.ragged)
                places += (batch_places := _places(valid.keys, job.salt))
                lines += _lines(job, valid, batch_places, counts)
                problems += invalid
                counts["failed"] += len({problem.row for problem in invalid if not problem.warning})
                counts["warnings"] += sum(problem.warning for problem in invalid)
            # By place, so that the rows of a hash bucket are on few pages.
            in_order = sorted(range(len(lines)), key=places.__getitem__)
            copy_format.copy_lines(cursor, JobTables(job.pk).staged, b"".join(map(lines.__getitem__, in_order)))
            if not again:
                write_problems(cursor, job, Step.STAGE, problems)
    return counts


def _checker(job: ImportJob) -> RowChecker | EventChecker:
    columns, schema, options = list(job.columns.all()), load_schema(), stored_file.options(job)
    # A column of problems that is mapped to a target holds values, not the problems of an earlier import.
    skipped = (column for column in columns if column.target_kind == Target.SKIP)
    problem_column = next((column.position - 1 for column in skipped if column.header == PROBLEM_HEADER), None)
    if job.holds_events:
        # The time of upload, since it is the same when rows are staged again.
        layout = event_mapping.layout(columns, schema, options)
        return EventChecker(layout, job.identifier, options, job.created, problem_column)
    return RowChecker(column_mapping.layout(columns, schema), job.identifier, options, problem_column)


def place(link: Link, salt: int) -> int:
    """Return the place of the rows that are looked up by a value, from 0 to 2^31 - 1."""
    number = value_locks.link_number(link)
    return _shuffled(value_locks.slot_of_number(number), salt) << LOW_BITS | number & (1 << LOW_BITS) - 1


def bucket_slots(bucket: Bucket, salt: int) -> list[int]:
    """Return the slots that the places of a hash bucket belong to."""
    first, last = bucket.first >> LOW_BITS, bucket.last >> LOW_BITS
    return [slot for slot in range(value_locks.SLOT_COUNT) if first <= _shuffled(slot, salt) <= last]


def _shuffled(slot: int, salt: int) -> int:
    """Permute the slots by the salt of the job. The factor is odd, so no two slots become the same."""
    return (slot * (2 * salt + 1) + salt) & (value_locks.SLOT_COUNT - 1)


def _lines(job: ImportJob, valid: CheckedRows, places: Sequence[int], counts: dict[str, int]) -> list[bytes]:
    """Return valid rows in the text format of COPY; add to the counts ``staged``, ``tied`` and ``checksum``."""
    ties: Iterable[str] = repeat(r"\N")
    if valid.ties is not None:
        ties = [_array(place(link, job.salt) for link in links) if links else r"\N" for links in valid.ties]
        counts["tied"] += sum(map(bool, valid.ties))
    kinds = map(
        {kind: copy_format.escape(kind) for kind in {link[0] for link in valid.keys}}.get, (k for k, _ in valid.keys)
    )
    keys = _escaped([key for _, key in valid.keys], "\\\t\n\r")
    # JSON has nothing else to escape: it writes tabs and line breaks with a backslash itself.
    links, documents = _escaped(valid.links, "\\"), _escaped(valid.documents, "\\")
    if valid.events is not None:
        documents = _with_events(documents, valid.events)
    columns = (valid.numbers, valid.lines, places, kinds, keys, ties, links, documents)
    # Encoded one by one: encoding a line of ASCII only copies it, and few lines hold other characters.
    lines = [
        f"{n}\t{line}\t{at}\t{kind}\t{key}\t{tie}\t{link}\t{document}\n".encode()
        for n, line, at, kind, key, tie, link, document in zip(*columns, strict=False)
    ]
    counts["staged"] += len(lines)
    counts["checksum"] = zlib.crc32(b"".join(lines), counts["checksum"])
    return lines


def _with_events(documents: Iterable[str], events: Events) -> list[str]:
    """Return the document of each row, followed by the columns that only events have."""
    name = {text: copy_format.escape(text) for text in set(events.names)}.__getitem__
    columns = (documents, map(name, events.names), events.times, _escaped(events.properties, "\\"))
    return ["\t".join(line) for line in zip(*columns, strict=True)]


def _places(keys: Sequence[Link], salt: int) -> list[int]:
    """Return ``place`` of each key."""
    upper, lower, slot = _upper_bits(salt), (1 << LOW_BITS) - 1, value_locks.slot_of_number
    return [upper[slot(number)] | number & lower for number in map(value_locks.link_number, keys)]


@lru_cache(1)
def _upper_bits(salt: int) -> list[int]:
    """Return the upper bits of a place, by slot."""
    return [_shuffled(slot, salt) << LOW_BITS for slot in range(value_locks.SLOT_COUNT)]


def _escaped(texts: Sequence[str], special: str) -> Sequence[str]:
    """Escape texts for COPY. Special characters are rare, so all texts are searched for them at once."""
    together = "".join(texts)
    if any(character in together for character in special):
        return [copy_format.escape(text) for text in texts]
    return texts


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def write_problems(cursor: Any, job: ImportJob, step: Step, problems: Iterable[Problem], ignored: bool = False) -> None:
    """Store a ``RowError`` for each problem. ``ignored``: the problems report ignored rows."""
    lines = []
    escape = copy_format.escape
    for problem in problems:
        severity = "ignored" if ignored else "warning" if problem.warning else "error"
        raw = r"\N" if problem.raw is None else escape(orjson.dumps(_storable_cells(problem.raw)).decode())
        column, value = escape(_storable(problem.column)), escape(_storable(problem.value))
        lines.append(
            f"{job.pk}\t{step}\t{problem.row}\t{problem.line}\t{severity}\t{column}\t{value}\t"
            f"{problem.code}\t{escape(problem.reason)}\t{raw}\n"
        )
    columns = 'job_id, step, "row", line, severity, "column", value, code, reason, raw'
    copy_format.copy_lines(cursor, f"imports_rowerror ({columns})", "".join(lines).encode())


def load_rows(job: ImportJob, bucket: Bucket, numbers: Sequence[int] | None = None) -> list[IncomingRow]:
    """Return the staged rows of a bucket in file order; ``numbers`` restricts them to some row numbers.

    Rows of the serial lane, and tied rows, have all their links; other rows only their key.
    """
    values: list[Any] = [bucket.rows]
    where, links = "row_no = ANY(%s)", "links"
    if bucket.lane == Bucket.Lane.HASH:
        where, values = "place BETWEEN %s AND %s", [bucket.first, bucket.last]
        links = "CASE WHEN ties IS NOT NULL THEN links END"
    if numbers is not None:
        where, values = f"{where} AND row_no = ANY(%s)", [*values, list(numbers)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT row_no, kind, key, {links}, raw FROM {JobTables(job.pk).staged} WHERE {where} ORDER BY row_no",
            values,
        )
        return [build_row(*line) for line in cursor.fetchall()]


def build_row(row: int, kind: str, key: str, links: str | None, raw: str) -> IncomingRow:
    """Build a row from its staged columns. ``links`` is JSON, or None for a row without ties, of which only the key
    matters."""
    link = (kind, key)
    if links is None and kind not in OWN_IDENTIFIERS:
        return IncomingRow(row, link, [link], raw)
    all_links: list[Link] = [link] if links is None else [(kind, value) for kind, value in orjson.loads(links)]
    own = dict(all_links).get
    return IncomingRow(row, link, all_links, raw, own(EXTERNAL_ID), own(OBJECT_ID), own(ALIAS))


def is_lost(job: ImportJob) -> bool:
    """Whether the staged rows were emptied by a crash of the database, dropped, or created by another release."""
    if not JobTables(job.pk).are_current():
        return True
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {JobTables(job.pk).staged})")
        return not cursor.fetchone()[0] and any(counts.get("staged") for counts in _stage_counts(job))


def is_complete(job: ImportJob) -> bool:
    """Whether all staged rows are there: after a crash during the step only those staged since remain."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {JobTables(job.pk).staged}")
        return bool(cursor.fetchone()[0] == sum(counts.get("staged", 0) for counts in _stage_counts(job)))


def restore(job: ImportJob) -> None:
    """Stage the whole file again after a crash. Raise ``FileChanged`` unless it gives exactly the same rows."""
    JobTables(job.pk).create_staged(events=job.holds_events)
    for bucket in job.buckets.filter(step=Step.STAGE).order_by("number"):
        if stage(job, bucket, again=True) != bucket.counts:
            raise FileChanged
    if job.step == Step.PLAN:  # this step creates the indexes and the tangled places itself
        return
    JobTables(job.pk).index_places()
    JobTables(job.pk).index_rows()
    planned = Step.PREVIEW if job.step == Step.PREPARE else job.step
    tangled = job.buckets.filter(step=planned, lane=Bucket.Lane.SERIAL).values_list("rows", flat=True)
    with connection.cursor() as cursor:
        for rows in tangled:
            cursor.execute(f"UPDATE {JobTables(job.pk).staged} SET place = -place - 1 WHERE row_no = ANY(%s)", [rows])


class FileChanged(Exception):
    """The stored file no longer gives the rows that were checked."""


def _stage_counts(job: ImportJob) -> list[dict[str, int]]:
    return list(job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True))


def _storable_cells(cells: Sequence[str]) -> list[str]:
    return [_storable(cell) for cell in cells]


def _storable(text: str) -> str:
    """Shorten a text to ``MAX_VALUE_LENGTH`` and replace NUL, which PostgreSQL cannot store, by U+2400 (␀)."""
    return text[:MAX_VALUE_LENGTH].replace("\0", "\u2400")
