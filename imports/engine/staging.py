"""Checked rows into the job's table (design section 4).

``place`` says which rows may not be separated: it is made of the value a row is looked up by, so rows that look up
the same one have the same place. Its upper bits are the slot of that value, shuffled by the job's salt, so that a
hash bucket covers few slots, and other ones than the import that wrote the same people before did: then an update
finds room on its page. A place below zero is *tangled* (see ``plan``): ``-place - 1`` is what it was.

A crash of the database empties the table; then it is filled again from the file, and compared.
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
from imports.mapping.headers import PROBLEM
from imports.models import Bucket, ImportJob
from imports.rows.event_rows import EventChecker
from imports.rows.profile_rows import RowChecker
from imports.rows.results import CheckedRows, Events, Problem
from imports.states import Step
from profiles.database import copy_format
from profiles.merging.person import Incoming, Link
from profiles.models import load_schema
from profiles.schema import ALIAS, EXTERNAL_ID, OBJECT_ID, OWN_IDENTIFIERS
from profiles.writing import value_locks

BATCHES_PER_COPY = 16
"""Batches that are copied together."""

LOW_BITS = 31 - value_locks.SLOT_BITS
MAX_VALUE_LENGTH = 1_000
"""Characters of a bad value that are kept with the problem."""


def split(job: ImportJob) -> list[Bucket]:
    """The ranges of the file that can be staged by themselves, as units of work: row numbers, first excluded."""
    ends = [position["row"] for position in job.format["positions"]]
    if not job.format["splittable"]:
        ends = ends[-1:]
    starts = [0, *ends[:-1]]
    return [
        Bucket(job=job, step=Step.STAGE, number=number, first=first, last=last, size=last - first)
        for number, (first, last) in enumerate(zip(starts, ends, strict=True), 1)
    ]


def stage(job: ImportJob, bucket: Bucket, *, again: bool = False) -> dict[str, int]:
    """Check one range of the file and copy its good rows into the job's table, its problems into ``RowError``.

    Returns the counts of the range. ``again``: the problems are stored already.
    """
    checker = _checker(job)
    positions = {position["row"]: Position(**position) for position in job.format["positions"]}
    counts = dict.fromkeys(("rows", "staged", "failed", "warnings", "tied", "checksum"), 0)
    with stored_file.reopened(job) as source, connection.cursor() as cursor:
        batches = source.batches(positions.get(bucket.first), positions[bucket.last])
        while some := list(islice(batches, BATCHES_PER_COPY)):
            places: list[int] = []
            lines: list[bytes] = []
            problems: list[Problem] = []
            for batch in some:
                good, wrong = checker.check(batch)
                counts["rows"] += len(batch.rows) + len(batch.ragged)
                places += (at := _places(good.keys, job.salt))
                lines += _lines(job, good, at, counts)
                problems += wrong
                counts["failed"] += len({problem.row for problem in wrong if not problem.warning})
                counts["warnings"] += sum(problem.warning for problem in wrong)
            # By place, so that those of a hash bucket lie on few pages.
            in_order = sorted(range(len(lines)), key=places.__getitem__)
            copy_format.copy_lines(cursor, JobTables(job.pk).staged, b"".join(map(lines.__getitem__, in_order)))
            if not again:
                write_problems(cursor, job, Step.STAGE, problems)
    return counts


def _checker(job: ImportJob) -> RowChecker | EventChecker:
    columns, known, options = list(job.columns.all()), load_schema(), stored_file.options(job)
    # Values of somebody who sends that column anywhere are no marks.
    skipped = (column for column in columns if column.target_kind == Target.SKIP)
    marks = next((column.position - 1 for column in skipped if column.header == PROBLEM), None)
    if job.holds_events:
        # The upload is the moment that stays the same when rows have to be staged again.
        layout = event_mapping.layout(columns, known, options)
        return EventChecker(layout, job.identifier, options, job.created, marks)
    return RowChecker(column_mapping.layout(columns, known), job.identifier, options, marks)


def place(link: Link, salt: int) -> int:
    """Where a looked-up value's rows go: 0 to 2^31 - 1."""
    number = value_locks.link_number(link)
    return _shuffled(value_locks.slot_of_number(number), salt) << LOW_BITS | number & (1 << LOW_BITS) - 1


def bucket_slots(bucket: Bucket, salt: int) -> list[int]:
    """Which slots the places of a hash bucket belong to."""
    first, last = bucket.first >> LOW_BITS, bucket.last >> LOW_BITS
    return [slot for slot in range(value_locks.SLOTS) if first <= _shuffled(slot, salt) <= last]


def _shuffled(slot: int, salt: int) -> int:
    """The slots in another order for each job; an odd factor keeps them apart."""
    return (slot * (2 * salt + 1) + salt) & (value_locks.SLOTS - 1)


def _lines(job: ImportJob, good: CheckedRows, places: Sequence[int], counts: dict[str, int]) -> list[bytes]:
    """Good rows as COPY wants them."""
    ties: Iterable[str] = repeat(r"\N")
    if good.ties is not None:
        ties = [_array(place(link, job.salt) for link in links) if links else r"\N" for links in good.ties]
        counts["tied"] += sum(map(bool, good.ties))
    kinds = map(
        {kind: copy_format.escape(kind) for kind in {link[0] for link in good.keys}}.get, (k for k, _ in good.keys)
    )
    keys = _escaped([key for _, key in good.keys], "\\\t\n\r")
    # JSON has nothing else to escape: it writes tabs and line breaks with a backslash itself.
    links, documents = _escaped(good.links, "\\"), _escaped(good.documents, "\\")
    if good.events is not None:
        documents = _with_events(documents, good.events)
    columns = (good.numbers, good.lines, places, kinds, keys, ties, links, documents)
    # Encoded one by one: a line of ASCII is only copied, and few are not.
    lines = [
        f"{n}\t{line}\t{at}\t{kind}\t{key}\t{tie}\t{link}\t{document}\n".encode()
        for n, line, at, kind, key, tie, link, document in zip(*columns, strict=False)
    ]
    counts["staged"] += len(lines)
    counts["checksum"] = zlib.crc32(b"".join(lines), counts["checksum"])
    return lines


def _with_events(documents: Iterable[str], events: Events) -> list[str]:
    """The last column and those that only events have."""
    name = {text: copy_format.escape(text) for text in set(events.names)}.__getitem__
    columns = (documents, map(name, events.names), events.times, _escaped(events.properties, "\\"))
    return ["\t".join(line) for line in zip(*columns, strict=True)]


def _places(keys: Sequence[Link], salt: int) -> list[int]:
    """`place` for many."""
    upper, lower, slot = _upper_bits(salt), (1 << LOW_BITS) - 1, value_locks.slot_of_number
    return [upper[slot(number)] | number & lower for number in map(value_locks.link_number, keys)]


@lru_cache(1)
def _upper_bits(salt: int) -> list[int]:
    """By slot."""
    return [_shuffled(slot, salt) << LOW_BITS for slot in range(value_locks.SLOTS)]


def _escaped(texts: Sequence[str], special: str) -> Sequence[str]:
    """Texts as COPY wants them; hardly ever is there one of the special characters, which it wants escaped."""
    together = "".join(texts)
    if any(character in together for character in special):
        return [copy_format.escape(text) for text in texts]
    return texts


def _array(numbers: Iterable[int]) -> str:
    return "{" + ",".join(map(str, numbers)) + "}"


def write_problems(cursor: Any, job: ImportJob, step: Step, problems: Iterable[Problem], ignored: bool = False) -> None:
    """Store problems of rows, one ``RowError`` each."""
    lines = []
    escape = copy_format.escape
    for problem in problems:
        severity = "ignored" if ignored else "warning" if problem.warning else "error"
        raw = r"\N" if problem.raw is None else escape(orjson.dumps(_storable(problem.raw)).decode())
        value = escape(_shown(problem.value))
        lines.append(
            f"{job.pk}\t{step}\t{problem.row}\t{problem.line}\t{severity}\t{escape(_shown(problem.column))}\t{value}\t"
            f"{problem.code}\t{escape(problem.reason)}\t{raw}\n"
        )
    columns = 'job_id, step, "row", line, severity, "column", value, code, reason, raw'
    copy_format.copy_lines(cursor, f"imports_rowerror ({columns})", "".join(lines).encode())


def load_rows(job: ImportJob, bucket: Bucket, numbers: Sequence[int] | None = None) -> list[Incoming]:
    """The staged rows of a bucket in file order, or some of them; those of the serial lane with all their links."""
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


def build_row(row: int, kind: str, key: str, links: str | None, raw: str) -> Incoming:
    """A staged row. ``links`` None: it is tied to nothing, and only its key matters."""
    link = (kind, key)
    if links is None and kind not in OWN_IDENTIFIERS:
        return Incoming(row, link, [link], raw)
    found: list[Link] = [link] if links is None else [(kind, value) for kind, value in orjson.loads(links)]
    own = dict(found).get
    return Incoming(row, link, found, raw, own(EXTERNAL_ID), own(OBJECT_ID), own(ALIAS))


def is_lost(job: ImportJob) -> bool:
    """Whether a crash of the database emptied the staged rows, somebody dropped them, or another release of the project
    made the tables."""
    if not JobTables(job.pk).are_current():
        return True
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {JobTables(job.pk).staged})")
        return not cursor.fetchone()[0] and any(counts.get("staged") for counts in _done(job))


def is_complete(job: ImportJob) -> bool:
    """Whether all rows that were staged are there: a crash half-way leaves only those staged since."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {JobTables(job.pk).staged}")
        return bool(cursor.fetchone()[0] == sum(counts.get("staged", 0) for counts in _done(job)))


def restore(job: ImportJob) -> None:
    """Stage the whole file again after a crash. Raises ``FileChanged`` unless it gives the very same rows."""
    JobTables(job.pk).create_staged(events=job.holds_events)
    for bucket in job.buckets.filter(step=Step.STAGE).order_by("number"):
        if stage(job, bucket, again=True) != bucket.counts:
            raise FileChanged
    if job.step == Step.PLAN:  # which does the rest itself
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


def _done(job: ImportJob) -> list[dict[str, int]]:
    return list(job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True))


def _storable(cells: Sequence[str]) -> list[str]:
    return [_shown(cell) for cell in cells]


def _shown(text: str) -> str:
    """A text as it can be stored: shortened, NUL (which PostgreSQL cannot hold) as the picture of one."""
    return text[:MAX_VALUE_LENGTH].replace("\0", "\u2400")
