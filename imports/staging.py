"""Checked rows into the database: one unlogged table per job, made and dropped here (design section 4).

``place`` says which rows may not be separated: it is made of the value a row is looked up by, so rows that look up
the same one have the same place. Its upper bits are the slot of that value, shuffled by the job's salt, so that a
hash bucket covers few slots, and other ones than the import that wrote the same people before did: then an update
finds room on its page. A place below zero is *tangled* (see ``plan``): ``-place - 1`` is what it was.

A crash of the database empties the table; then it is filled again from the file and compared.
"""

from __future__ import annotations

import gc
import secrets
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from imports import job_file, mapping
from imports.models import Bucket, ImportJob, Step
from imports.rows import Checked, Problem, RowChecker
from imports.source import Position
from profiles import schema, store
from profiles.people import Incoming, Link
from profiles.schema import EXTERNAL_ID

BATCH_ROWS = 2_000
LOW_BITS = 23
LONGEST_VALUE = 1_000
"""Characters of a bad value that are kept with the problem."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Names of the job's tables."""

    job_id: int

    @property
    def rows(self) -> str:
        return f"imports_staged_{self.job_id}"

    @property
    def results(self) -> str:
        return f"imports_result_{self.job_id}"

    @property
    def overlay(self) -> str:
        return f"imports_overlay_{self.job_id}"


def create(job: ImportJob) -> None:
    """Make the job's table of rows, empty."""
    tables = Staged(job.pk)
    drop(job)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE UNLOGGED TABLE {tables.rows} (row_no int NOT NULL, line int NOT NULL, place int NOT NULL,"
            " kind text NOT NULL, key text COLLATE \"C\" NOT NULL, ties int[], links text NOT NULL, raw text NOT NULL)"
        )


def create_results(job: ImportJob) -> None:
    """Make the table of outcomes, one per staged row; a preview fills it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {Staged(job.pk).results}")
        cursor.execute(
            f"CREATE UNLOGGED TABLE {Staged(job.pk).results} (row_no int NOT NULL, outcome text NOT NULL, person bigint,"
            " version bigint, changes text, code text, reason text, about text)"
        )


def drop(job: ImportJob) -> None:
    """Remove the job's tables, if they are there."""
    tables = Staged(job.pk)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {tables.rows}, {tables.results}, {tables.overlay}")


def parts(job: ImportJob) -> list[Bucket]:
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
    columns = mapping.layout(list(job.columns.all()), schema.load())
    checker = RowChecker(columns, job.identifier, job_file.options(job))
    linked = checker.looked_up | {EXTERNAL_ID}
    positions = {position["row"]: Position(**position) for position in job.format["positions"]}
    counts = dict.fromkeys(("rows", "staged", "failed", "warnings", "tied", "checksum"), 0)
    collecting = gc.isenabled()
    gc.disable()  # nothing here refers to itself; looking for it costs a fifth of the time
    try:
        with job_file.reopened(job) as source, connection.cursor() as cursor:
            for batch in source.batches(positions.get(bucket.first), positions[bucket.last], BATCH_ROWS):
                good, problems = checker.check(batch)
                counts["rows"] += len(batch.rows) + len(batch.ragged)
                counts["staged"] += len(good)
                _copy_rows(cursor, job, good, linked, counts)
                if not again:
                    write_problems(cursor, job, Step.STAGE, problems)
                failed = {problem.row for problem in problems if not problem.warning}
                counts["failed"] += len(failed)
                counts["warnings"] += sum(problem.warning for problem in problems)
    finally:
        if collecting:
            gc.enable()
    return counts


def place(link: Link, salt: int) -> int:
    """Where a looked-up value's rows go: 0 to 2^31 - 1."""
    number = zlib.crc32("=".join(link).encode())
    shuffled = ((number >> 24) * (2 * salt + 1) + salt) & (store.SLOTS - 1)
    return shuffled << LOW_BITS | number & (1 << LOW_BITS) - 1


def _copy_rows(
    cursor: Any, job: ImportJob, good: Sequence[Checked], linked: frozenset[str], counts: dict[str, int]
) -> None:
    escape = store.escape
    documents = _documents([row.values for row in good])
    links = _documents([row.links for row in good])
    lines = []
    for row, link, document in zip(good, links, documents, strict=True):
        kind, key = row.key
        ties = r"\N"
        if len(row.links) > 1:
            others = [str(place(other, job.salt)) for other in row.links if other[0] in linked and other != row.key]
            if others:
                ties = "{" + ",".join(others) + "}"
                counts["tied"] += 1
        at = place(row.key, job.salt)
        lines.append(f"{row.row}\t{row.line}\t{at}\t{escape(kind)}\t{escape(key)}\t{ties}\t{link}\t{document}\n")
    counts["checksum"] = zlib.crc32("".join(lines).encode(), counts["checksum"])
    store.copy(cursor, Staged(job.pk).rows, lines)


_MARK = secrets.token_hex(16)
"""Stands between documents while they are one text; nobody can know it, so no file can hold it."""


def _documents(items: Sequence[Any]) -> list[str]:
    """Each item as JSON, ready for COPY. One call for all of them is faster than one for each."""
    if not items:
        return []
    parted: list[Any] = [_MARK] * (2 * len(items) - 1)
    parted[::2] = items
    return orjson.dumps(parted).decode()[1:-1].replace("\\", "\\\\").split(f',"{_MARK}",')


def write_problems(cursor: Any, job: ImportJob, step: Step, problems: Iterable[Problem], ignored: bool = False) -> None:
    """Store problems of rows, one ``RowError`` each."""
    lines = []
    escape = store.escape
    for problem in problems:
        severity = "ignored" if ignored else "warning" if problem.warning else "error"
        raw = r"\N" if problem.raw is None else escape(orjson.dumps(_storable(problem.raw)).decode())
        value = escape(_shown(problem.value))
        lines.append(
            f"{job.pk}\t{step}\t{problem.row}\t{problem.line}\t{severity}\t{escape(_shown(problem.column))}\t{value}\t"
            f"{problem.code}\t{escape(problem.reason)}\t{raw}\n"
        )
    columns = 'job_id, step, "row", line, severity, "column", value, code, reason, raw'
    store.copy(cursor, f"imports_rowerror ({columns})", lines)


def incoming(job: ImportJob, bucket: Bucket) -> list[Incoming]:
    """The staged rows of a bucket in file order."""
    where, values = selection(bucket)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT row_no, kind, key, links, raw FROM {Staged(job.pk).rows} WHERE {where} ORDER BY row_no", values
        )
        return [
            Incoming(row, (kind, key), [(k, v) for k, v in orjson.loads(links)], raw)
            for row, kind, key, links, raw in cursor.fetchall()
        ]


def selection(bucket: Bucket) -> tuple[str, list[Any]]:
    """Which staged rows a bucket holds, as a condition."""
    if bucket.lane == Bucket.Lane.SERIAL:
        return "row_no = ANY(%s)", [bucket.rows]
    return "place BETWEEN %s AND %s", [bucket.first, bucket.last]


def is_lost(job: ImportJob) -> bool:
    """Whether a crash of the database emptied the staged rows, or somebody dropped them."""
    expected = sum(counts.get("staged", 0) for counts in _done(job))
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [Staged(job.pk).rows])
        if cursor.fetchone()[0] is None:
            return True
        cursor.execute(f"SELECT EXISTS (SELECT FROM {Staged(job.pk).rows})")
        return bool(expected) and not cursor.fetchone()[0]


def is_complete(job: ImportJob) -> bool:
    """Whether all rows that were staged are there: a crash half-way leaves only those staged since."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {Staged(job.pk).rows}")
        return bool(cursor.fetchone()[0] == sum(counts.get("staged", 0) for counts in _done(job)))


def restore(job: ImportJob) -> None:
    """Stage the whole file again after a crash. Raises ``FileChanged`` unless it gives the very same rows."""
    create(job)
    for bucket in job.buckets.filter(step=Step.STAGE).order_by("number"):
        if stage(job, bucket, again=True) != bucket.counts:
            raise FileChanged
    if job.step == Step.PLAN:  # which does the rest itself
        return
    index(job)
    tangled = job.buckets.filter(step=job.step, lane=Bucket.Lane.SERIAL).values_list("rows", flat=True)
    with connection.cursor() as cursor:
        for rows in tangled:
            cursor.execute(f"UPDATE {Staged(job.pk).rows} SET place = -place - 1 WHERE row_no = ANY(%s)", [rows])


def index(job: ImportJob) -> None:
    """Make the staged rows quick to find, and known to the planner."""
    table = Staged(job.pk).rows
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE INDEX ON {table} (place)")
        cursor.execute(f"CREATE INDEX ON {table} (row_no)")
        cursor.execute(f"ANALYZE {table} (place, row_no, kind, key)")


class FileChanged(Exception):
    """The stored file no longer gives the rows that were checked."""


def _done(job: ImportJob) -> list[dict[str, int]]:
    return list(job.buckets.filter(step=Step.STAGE).values_list("counts", flat=True))


def _storable(cells: Sequence[str]) -> list[str]:
    return [_shown(cell) for cell in cells]


def _shown(text: str) -> str:
    """A text as it can be stored: shortened, NUL (which PostgreSQL cannot hold) as the picture of one."""
    return text[:LONGEST_VALUE].replace("\0", "\u2400")
