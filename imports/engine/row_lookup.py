"""Rows of a file that is checked, with what each does or what is wrong with it (PV-01, PV-07): by number, by
identifier, or page by page through those of one outcome. Nothing is worked out here; the preview's tables tell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import orjson
from django.db import connection

from imports.engine import staging
from imports.job_tables import JobTables
from imports.jobs import stored_file
from imports.mapping import column_mapping
from imports.mapping.event_mapping import NAME, TIME
from imports.mapping.headers import EVENT_MARK
from imports.models import ImportJob, RowError
from imports.presets import Options
from profiles.merging import alias
from profiles.merging.person import Incoming, Link
from profiles.merging.rules import Outcome
from profiles.models import load_schema
from profiles.schema import (
    ALIAS,
    ALIAS_FIELDS,
    ALIAS_LABEL,
    ALIAS_NAME,
    EXTERNAL_ID,
    OBJECT_ID,
    OWN_IDENTIFIERS,
    Definition,
    Schema,
)
from profiles.values.parsers import matching_form, parser
from profiles.values.types import InvalidValue, ValueType

MAX_FOUND_ROWS = 50
"""At most so many rows are found by one identifier."""


def rows_between(job: ImportJob, first: int, last: int) -> list[dict[str, Any]]:
    """Rows by number, good and bad, in file order; ``values`` are those of the file that change nothing,
    ``brings`` are all that it has for the row."""
    return rows_by_number(job, range(first, last + 1))


def rows_by_number(job: ImportJob, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """The rows that have these numbers, good and bad, in file order; numbers that the file has not are left out."""
    with connection.cursor() as cursor:
        said = _EVENT if job.holds_events else ""
        cursor.execute(_ROWS.format(**_names(job), said=said), [job.pk, list(numbers)])
        lines = cursor.fetchall()
    found = {line[0]: _shown(*line[:9]) for line in lines}
    if job.holds_events:
        targets = {column.target for column in job.columns.all()}
        for line in lines:
            _add_event(found[line[0]], targets, line[4], *line[9:])
    problems = job.problems.filter(row__in=numbers).exclude(severity=RowError.Severity.IGNORED)
    for problem in problems.order_by("id"):
        row = found.setdefault(problem.row, _bad(problem))
        row["problems"].append(
            {
                "severity": problem.severity,
                "code": problem.code,
                "reason": problem.reason,
                "column": problem.column,
                "value": problem.value,
            }
        )
    return [found[number] for number in sorted(found)]


def row_numbers_by_outcome(job: ImportJob, outcome: Outcome, after: int, most: int) -> list[int]:
    """The first rows after a row that have an outcome, in file order.

    Reads that many rows of each bucket whose counts say that it has some, whatever the size of the file.
    """
    values = {"job": job.pk, "after": after, "most": most, "outcome": outcome.value}
    with connection.cursor() as cursor:
        told_by_people = outcome in _TELLING and not job.holds_events
        page = _FAILED if outcome is Outcome.FAILED else _page(outcome, _names(job), told_by_people)
        cursor.execute(page, values)
        return [number for (number,) in cursor.fetchall()]


def _page(outcome: Outcome, names: dict[str, str], told_by_people: bool) -> str:
    rows = _TOLD.format(**names)
    if told_by_people:
        table, state = _TELLING[outcome]
        rows += _TOLD_BY_PEOPLE.format(**names, table=names[table], state=state)
    return _PAGE.format(rows=rows, some=_SOME[outcome])


def row_numbers_by_identifier(job: ImportJob, text: str) -> list[int]:
    """The rows that look people up by this identifier, however it is written, and the bad ones that have it so."""
    links = list(_links(job, text))
    found: list[int] = []
    with connection.cursor() as cursor:
        for kind, value in links:
            place = staging.place((kind, value), job.salt)
            cursor.execute(_BY_KEY.format(**_names(job)), [[place, -place - 1], kind, value, MAX_FOUND_ROWS])
            found += [number for (number,) in cursor.fetchall()]
        if job.preview.get("failed") and "\0" not in text:
            targets = [ALIAS_NAME if kind == ALIAS else kind for kind in column_mapping.lookup_kinds(job.identifier)]
            cursor.execute(_BAD_BY_CELL, [targets, job.pk, text, MAX_FOUND_ROWS])
            found += [number for (number,) in cursor.fetchall()]
    return sorted(found)


def _links(job: ImportJob, text: str) -> Iterator[Link]:
    """What a text means as each of the kinds that the file's rows are looked up by."""
    known, options = load_schema(), stored_file.options(job)
    for kind in column_mapping.lookup_kinds(job.identifier):
        if kind == ALIAS:
            yield from ((kind, alias.form_of(pair)) for pair in _pairs(job, text.strip()))
            continue
        form = _form(kind, text.strip(), known, options)
        if form is not None:
            yield kind, form


def _pairs(job: ImportJob, text: str) -> Iterator[alias.Pair]:
    """The aliases that a text means: label and name with a colon between, or the name alone under a label that the
    file was seen to have, which is mostly the same in all rows."""
    yield from alias.possible_pairs(text)
    column = job.columns.filter(target=ALIAS_LABEL).first()
    if column is not None and text:
        yield from ([label.strip(), text] for label in column.statistics.get("samples", ()))


def _form(kind: str, text: str, known: Schema, options: Options) -> str | None:
    """The matching form of a text as one kind of identifier; None if it is no value of that kind."""
    definition = Definition(kind, kind, ValueType.TEXT) if kind in OWN_IDENTIFIERS else known.definitions.get(kind)
    if definition is None or not text:
        return None
    try:
        return matching_form(definition.type, parser(definition.type, options.values)(text))
    except InvalidValue:
        return None


def _names(job: ImportJob) -> dict[str, str]:
    tables = JobTables(job.pk)
    return {
        "staged": tables.staged,
        "results": tables.results,
        "inserted": tables.inserted,
        "updated": tables.updated,
    }


def _shown(
    number: int, line: int, key: str, outcome: str, person: int | None, changes: Any, raw: str, kind: str, links: str
) -> dict[str, Any]:
    values = orjson.loads(raw)
    row = staging.build_row(number, kind, key, links, raw)
    own = _own(row)
    after = values if outcome == Outcome.IMPORTED else {}
    shown = orjson.loads(changes) if changes else {name: [None, value] for name, value in after.items()}
    return {
        "row": number,
        "line": line,
        "key": alias.text_of(alias.pair_of(key)) if kind == ALIAS else key,
        "outcome": outcome,
        "person": person if person and person > 0 else None,
        "changes": shown,
        "values": {name: value for name, value in values.items() if name not in shown},
        "brings": {name: value for name, value in own.items() if value is not None} | values,
        "problems": [],
    }


def _own(row: Incoming) -> dict[str, str | None]:
    """The person's own fields that a row brings."""
    pair = [None, None] if row.alias is None else alias.pair_of(row.alias)
    return {EXTERNAL_ID: row.external_id, OBJECT_ID: row.object_id, **dict(zip(ALIAS_FIELDS, pair, strict=True))}


def _add_event(
    row: dict[str, Any], targets: Collection[str], person: int | None, name: str, time: str, properties: str
) -> None:
    """What an event says, by the targets of the columns it came from; ``made_by``: the row that makes its person."""
    said: dict[str, Any] = {NAME: name, TIME: time}
    for key, value in orjson.loads(properties).items():
        of_one = f"{name}{EVENT_MARK}{key}"
        said[of_one if of_one in targets else key] = value
    if row["outcome"] == Outcome.FAILED:
        row["values"] |= said
    else:
        row["changes"] |= {key: [None, value] for key, value in said.items()}
    row["brings"] |= said
    row["made_by"] = -person if person and person < 0 and row["outcome"] == Outcome.UPDATED else None


def _bad(problem: RowError) -> dict[str, Any]:
    return {
        "row": problem.row,
        "line": problem.line,
        "key": "",
        "outcome": Outcome.FAILED.value,
        "person": None,
        "changes": {},
        "values": {},
        "problems": [],
        "cells": problem.raw,
    }


# A row that is a person's only one has no line among the results: what is to be written about the person tells it.
_ROWS = """
SELECT s.row_no, s.line, s.key,
    coalesce(r.outcome, CASE WHEN b.first_row IS NOT NULL THEN 'imported' WHEN t.moment IS NULL THEN 'unchanged'
                             ELSE 'updated' END),
    coalesce(r.person, t.person), coalesce(r.changes, t.changes::text), s.raw, s.kind, s.links{said}
FROM {staged} s
JOIN imports_bucket k ON k.job_id = %s AND k.step = 'preview'
    AND CASE k.lane WHEN 'hash' THEN s.place BETWEEN k.first AND k.last ELSE s.row_no = ANY(k.rows) END
LEFT JOIN {results} r ON r.bucket = k.number AND r.row_no = s.row_no
LEFT JOIN {inserted} b ON b.bucket = k.number AND b.first_row = s.row_no AND r.row_no IS NULL
LEFT JOIN {updated} t ON t.bucket = k.number AND t.first_row = s.row_no AND r.row_no IS NULL
WHERE s.row_no = ANY(%s)
"""

_EVENT = """, s.name, to_char(s.time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), s.properties::text"""

_BY_KEY = "SELECT row_no FROM {staged} WHERE place = ANY(%s) AND kind = %s AND key = %s ORDER BY row_no LIMIT %s"

# A bad row is not among those that are checked: the cells that it was told with are all there is of it.
_BAD_BY_CELL = """
SELECT DISTINCT e."row" FROM imports_rowerror e
JOIN imports_importcolumn c ON c.job_id = e.job_id AND c.target = ANY(%s)
WHERE e.job_id = %s AND e.severity = 'error' AND lower(btrim(e.raw ->> (c.position - 1))) = lower(btrim(%s))
ORDER BY e."row" LIMIT %s
"""

_FAILED = """
SELECT DISTINCT "row" FROM imports_rowerror
WHERE job_id = %(job)s AND "row" > %(after)s AND severity = 'error' ORDER BY "row" LIMIT %(most)s
"""

# From each bucket that has any, the first few by the index (bucket, row); the first few of those are the page.
_PAGE = """
SELECT row_no FROM imports_bucket k CROSS JOIN LATERAL ({rows}) AS found
WHERE k.job_id = %(job)s AND k.step = 'preview' AND {some} ORDER BY row_no LIMIT %(most)s
"""

_TOLD = """
(SELECT r.row_no FROM {results} r WHERE r.bucket = k.number AND r.row_no > %(after)s AND r.outcome = %(outcome)s
 ORDER BY r.row_no LIMIT %(most)s)
"""

_TOLD_BY_PEOPLE = """
UNION ALL (SELECT p.first_row FROM {table} p WHERE p.bucket = k.number AND p.first_row > %(after)s AND {state}
    AND NOT EXISTS (SELECT FROM {results} r WHERE r.bucket = p.bucket AND r.row_no = p.first_row)
 ORDER BY p.first_row LIMIT %(most)s)
"""

_TELLING = {
    Outcome.IMPORTED: ("inserted", "true"),
    Outcome.UPDATED: ("updated", "p.moment IS NOT NULL"),
    Outcome.UNCHANGED: ("updated", "p.moment IS NULL"),
}
"""Which table of people tells of rows of an outcome, and which of its lines."""

_SOME = {outcome: f"(k.counts->>'{outcome}')::int > 0" for outcome in Outcome} | {
    Outcome.UPDATED: "(k.counts->>'updated')::int > (k.counts->>'unchanged')::int"  # which are counted among them
}
"""Whether a bucket has rows of an outcome."""
