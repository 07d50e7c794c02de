"""A bucket's rows against the people they touch: what becomes of each row, and what is to be written.

The preview works every bucket out and writes nobody; apply writes what was worked out, and works a bucket out again
where people have moved since. So there is one place where rows become changes (design rule 1).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from imports import mapping, overlay, staging
from imports.models import Bucket, ImportJob, Step
from imports.tables import JobTables
from profiles import store
from profiles.merge import Action
from profiles.models import load_schema
from profiles.people import MAX_CUSTOM_ATTRIBUTES, Incoming, Link, Outcome, People, Person, Result, Rules
from profiles.schema import EXTERNAL_ID

Load = Callable[[Iterable[Link]], list[tuple[Link, Person]]]


def work_out(job: ImportJob, bucket: Bucket, base: int) -> People:
    """Apply the rows of a bucket in memory and store what came of it; the counts go to ``bucket.counts``.

    ``base``: microseconds; changes are dated from it. Returns the working set.
    """
    rules = _rules(job)
    plain = (
        [] if rules.crowded or bucket.lane == Bucket.Lane.SERIAL or not _mostly_new(job) else _plainly_new(job, bucket)
    )
    rows = staging.incoming(job, bucket, plain)
    people, results = _apply(rules, rows, base, store.load)
    tables = JobTables(job.pk)
    with connection.cursor() as cursor:
        store.copy(cursor, tables.results, _lines(bucket, rows, results, _told_by_people(people, results)))
        store.note(cursor, people, tables.written, bucket.number)
    bucket.counts = _counts(rows, results, people)
    for name in ("imported", "people"):
        bucket.counts[name] += len(plain)
    return people


def _mostly_new(job: ImportJob) -> bool:
    """Whether the plan found so few people that looking for nobody first is worth while."""
    found = job.buckets.filter(step=Step.PLAN).values_list("counts__found", flat=True).first()
    return found is not None and 2 * found < job.total


def _plainly_new(job: ImportJob, bucket: Bucket) -> list[int]:
    """Note in one statement the rows that can only make a new person: alone with their key, tied to nothing, and
    nobody holds the key. Returns their numbers. It is the first line of the matrix, without the way to Python."""
    tables = JobTables(job.pk)
    values = {"bucket": bucket.number, "first": bucket.first, "last": bucket.last}
    with connection.cursor() as cursor:
        cursor.execute(_PLAINLY_NEW.format(staged=tables.staged, born=tables.born), values)
        return [number for (number,) in cursor.fetchall()]


def work_out_serially(job: ImportJob, bucket: Bucket, base: int) -> None:
    """The same for a bucket whose rows must see what earlier buckets would have done; nothing of it is ever written."""
    rows = staging.incoming(job, bucket)
    people, results = _apply(_rules(job), rows, base, partial(overlay.load, job))
    with connection.cursor() as cursor:
        store.copy(cursor, JobTables(job.pk).results, _lines(bucket, rows, results, set()))
    overlay.save(job, people)
    bucket.counts = _counts(rows, results, people)


def _apply(rules: Rules, rows: Sequence[Incoming], base: int, load: Load) -> tuple[People, list[Result]]:
    people = People(rules, base)
    people.add(load(sought(rows)))
    return people, [people.apply(row) for row in rows]


def sought(rows: Iterable[Incoming]) -> list[Link]:
    """Each value that rows look somebody up by, once, and the external ids they bring, which others may own."""
    links = dict.fromkeys(row.key for row in rows)
    links |= {(EXTERNAL_ID, row.external_id): None for row in rows if row.external_id is not None}
    return list(links)


def _rules(job: ImportJob) -> Rules:
    """What the job asks for, under the schema with the attributes it would add."""
    columns = list(job.columns.all())
    known = mapping.resulting_schema(columns, load_schema())
    kinds = mapping.looked_up_kinds(job.identifier)
    limit = settings.IMPORTS_MAX_IDENTIFIER_VALUES
    targets = Counter(column.target for column in columns if column.target)
    crowded = max(targets.values(), default=0) > limit or len(targets) > MAX_CUSTOM_ATTRIBUTES
    return Rules.of(known, Action(job.action), kinds, limit, crowded)


def _counts(rows: Sequence[Incoming], results: Sequence[Result], people: People) -> dict[str, int]:
    """Rows by outcome; *updated* includes *unchanged* (D-07). ``people``: who was imported or updated."""
    found = Counter(result.outcome for result in results)
    return {
        "imported": found[Outcome.IMPORTED],
        "updated": found[Outcome.UPDATED] + found[Outcome.UNCHANGED],
        "unchanged": found[Outcome.UNCHANGED],
        "ignored": found[Outcome.IGNORED],
        "failed": found[Outcome.FAILED],
        "people": len(people.touched),
        "repeated": len(rows) - len({row.key for row in rows}),
        "cleared": sum(new is None for result in results if result.changes for _, new in result.changes.values()),
    }


def _told_by_people(people: People, results: Sequence[Result]) -> set[int]:
    """People whose only row says no more than what is to be written about them."""
    applied = [result.person.ref for result in results if result.person and result.outcome in _APPLIED]
    if len(applied) == len(people.touched):
        return set(people.touched)
    return {ref for ref, times in Counter(applied).items() if times == 1}


def _lines(bucket: Bucket, rows: Sequence[Incoming], results: Sequence[Result], told: set[int]) -> bytes:
    """A line for the table of results for each row about which no person tells enough."""
    lines = []
    for row, result in zip(rows, results, strict=True):
        if result.outcome in _APPLIED and result.person and result.person.ref in told:
            continue
        ref = r"\N" if result.person is None else result.person.ref
        changes = store.escape(orjson.dumps(result.changes).decode()) if result.changes else r"\N"
        lines.append(f"{bucket.number}\t{row.row}\t{result.outcome}\t{ref}\t{changes}\t{_refusal(result)}\n")
    return "".join(lines).encode()


_APPLIED = {Outcome.IMPORTED, Outcome.UPDATED, Outcome.UNCHANGED}


def _refusal(result: Result) -> str:
    refusal = result.refusal
    if refusal is None:
        return "\\N\t\\N\t\\N"
    return f"{refusal.code}\t{store.escape(refusal.reason)}\t{store.escape(refusal.column)}"


def write_problems(cursor: Any, job: ImportJob, bucket: Bucket) -> None:
    """A problem for each row of the bucket that is well-formed but was not applied, from what was worked out."""
    tables = JobTables(job.pk)
    headers = {column.target: column.header for column in reversed(job.columns.all())}
    names = {"results": tables.results, "staged": tables.staged}
    values = {"job": job.pk, "bucket": bucket.number, "step": bucket.step, "headers": orjson.dumps(headers).decode()}
    cursor.execute(_PROBLEMS.format(**names), values)


_PLAINLY_NEW = """
INSERT INTO {born} (bucket, first_row, moment, external_id)
SELECT %(bucket)s, row_no, row_no, CASE WHEN kind = 'external_id' THEN key END
FROM (SELECT row_no, kind, key, ties, count(*) OVER (PARTITION BY place) AS times
      FROM {staged} WHERE place BETWEEN %(first)s AND %(last)s) AS s
WHERE times = 1 AND ties IS NULL AND kind <> 'object_id'
    AND NOT EXISTS (SELECT FROM profiles_identifier i WHERE i.kind = s.kind AND i.value = s.key)
    AND (kind <> 'external_id' OR NOT EXISTS (SELECT FROM profiles_profile p WHERE p.external_id = s.key))
RETURNING first_row
"""

_PROBLEMS = """
INSERT INTO imports_rowerror (job_id, step, "row", line, severity, "column", value, code, reason)
SELECT %(job)s, %(step)s, r.row_no, s.line, CASE r.outcome WHEN 'ignored' THEN 'ignored' ELSE 'error' END,
    coalesce(%(headers)s::json->>coalesce(r.about, s.kind), coalesce(r.about, s.kind)),
    CASE WHEN coalesce(r.about, s.kind) = s.kind THEN s.key
         ELSE coalesce((SELECT l->>1 FROM json_array_elements(s.links::json) l WHERE l->>0 = r.about LIMIT 1), '') END,
    coalesce(r.code, 'ignored'), coalesce(r.reason, 'Ignored - duplicate found')
FROM {results} r JOIN {staged} s USING (row_no)
WHERE r.bucket = %(bucket)s AND (r.outcome = 'failed' OR r.outcome = 'ignored' AND %(step)s = 'apply')
ORDER BY r.row_no
"""
