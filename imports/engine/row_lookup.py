"""Look up rows of a checked file, with their changes or problems (PV-01, PV-07): by number, by identifier, or page by
page by outcome. This module resolves nothing; it reads the tables of the preview."""

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
from imports.mapping.headers import PROPERTY_SEPARATOR
from imports.models import ImportJob, RowError
from imports.presets import Options
from profiles.merging import alias
from profiles.merging.person import IncomingRow, Link
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
"""Most rows that one query by identifier returns."""


def rows_between(job: ImportJob, first: int, last: int) -> list[dict[str, Any]]:
    """Return the rows ``first`` to ``last``, valid and failed, in file order; see ``rows_by_number``."""
    return rows_by_number(job, range(first, last + 1))


def rows_by_number(job: ImportJob, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """Return the rows with these numbers, valid and failed, in file order; numbers that the file lacks are left out.

    In each row, ``changes`` maps keys to values before and after, ``values`` has the values of the file that change
    nothing, and ``brings`` all values of the file for the row, both by key. A row that failed the check has ``cells``
    instead of ``brings``.
    """
    with connection.cursor() as cursor:
        event_columns = _EVENT if job.holds_events else ""
        cursor.execute(_ROWS.format(**_names(job), said=event_columns), [job.pk, list(numbers)])
        lines = cursor.fetchall()
    rows = {line[0]: _row(*line[:9]) for line in lines}
    if job.holds_events:
        targets = {column.target for column in job.columns.all()}
        for line in lines:
            _add_event(rows[line[0]], targets, line[4], *line[9:])
    problems = job.problems.filter(row__in=numbers).exclude(severity=RowError.Severity.IGNORED)
    for problem in problems.order_by("id"):
        row = rows.setdefault(problem.row, _failed_row(problem))
        row["problems"].append(
            {
                "severity": problem.severity,
                "code": problem.code,
                "reason": problem.reason,
                "column": problem.column,
                "value": problem.value,
            }
        )
    return [rows[number] for number in sorted(rows)]


def row_numbers_by_outcome(job: ImportJob, outcome: Outcome, after: int, most: int) -> list[int]:
    """Return the numbers of the first ``most`` rows after row ``after`` with an outcome, in file order.

    Read at most ``most`` rows of each bucket whose counts include the outcome, whatever the size of the file.
    """
    values = {"job": job.pk, "after": after, "most": most, "outcome": outcome.value}
    with connection.cursor() as cursor:
        in_write_set = outcome in _WRITE_SET_LINES and not job.holds_events
        query = _FAILED if outcome is Outcome.FAILED else _page_query(outcome, _names(job), in_write_set)
        cursor.execute(query, values)
        return [number for (number,) in cursor.fetchall()]


def _page_query(outcome: Outcome, names: dict[str, str], in_write_set: bool) -> str:
    rows = _IN_RESULTS.format(**names)
    if in_write_set:
        table, state = _WRITE_SET_LINES[outcome]
        rows += _IN_WRITE_SET.format(**names, table=names[table], state=state)
    return _PAGE.format(rows=rows, some=_HAS_OUTCOME[outcome])


def row_numbers_by_identifier(job: ImportJob, text: str) -> list[int]:
    """Return the numbers of rows with this identifier: valid rows in any spelling of it, failed rows with this text."""
    links = list(_links(job, text))
    numbers: list[int] = []
    with connection.cursor() as cursor:
        for kind, value in links:
            place = staging.place((kind, value), job.salt)
            cursor.execute(_BY_KEY.format(**_names(job)), [[place, -place - 1], kind, value, MAX_FOUND_ROWS])
            numbers += [number for (number,) in cursor.fetchall()]
        if job.preview.get("failed") and "\0" not in text:
            targets = [ALIAS_NAME if kind == ALIAS else kind for kind in column_mapping.lookup_kinds(job.identifier)]
            cursor.execute(_BAD_BY_CELL, [targets, job.pk, text, MAX_FOUND_ROWS])
            numbers += [number for (number,) in cursor.fetchall()]
    return sorted(numbers)


def _links(job: ImportJob, text: str) -> Iterator[Link]:
    """Yield the links that a text may mean: one of each kind that the rows are looked up by, where it is valid."""
    schema, options = load_schema(), stored_file.options(job)
    for kind in column_mapping.lookup_kinds(job.identifier):
        if kind == ALIAS:
            yield from ((kind, alias.matching_form(pair)) for pair in _pairs(job, text.strip()))
            continue
        form = _matching_form(kind, text.strip(), schema, options)
        if form is not None:
            yield kind, form


def _pairs(job: ImportJob, text: str) -> Iterator[alias.Pair]:
    """Yield the aliases that a text may mean: label and name around a colon, or a name under a label of the file.

    Labels are the samples of the column, which mostly has one label in all rows.
    """
    yield from alias.possible_pairs(text)
    column = job.columns.filter(target=ALIAS_LABEL).first()
    if column is not None and text:
        yield from ([label.strip(), text] for label in column.statistics.get("samples", ()))


def _matching_form(kind: str, text: str, schema: Schema, options: Options) -> str | None:
    """Return the matching form of a text as a kind of identifier, or None if it is no value of that kind."""
    definition = Definition(kind, kind, ValueType.TEXT) if kind in OWN_IDENTIFIERS else schema.definitions.get(kind)
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


def _row(
    number: int, line: int, key: str, outcome: str, person: int | None, changes: Any, raw: str, kind: str, links: str
) -> dict[str, Any]:
    values = orjson.loads(raw)
    row = staging.build_row(number, kind, key, links, raw)
    own = _own(row)
    after = values if outcome == Outcome.IMPORTED else {}
    changed = orjson.loads(changes) if changes else {name: [None, value] for name, value in after.items()}
    return {
        "row": number,
        "line": line,
        "key": alias.text_of(alias.parse_matching_form(key)) if kind == ALIAS else key,
        "outcome": outcome,
        "person": person if person and person > 0 else None,
        "changes": changed,
        "values": {name: value for name, value in values.items() if name not in changed},
        "brings": {name: value for name, value in own.items() if value is not None} | values,
        "problems": [],
    }


def _own(row: IncomingRow) -> dict[str, str | None]:
    """Return the own fields of a person in a row, None where it has no value for them."""
    pair = [None, None] if row.alias is None else alias.parse_matching_form(row.alias)
    return {EXTERNAL_ID: row.external_id, OBJECT_ID: row.object_id, **dict(zip(ALIAS_FIELDS, pair, strict=True))}


def _add_event(
    row: dict[str, Any], targets: Collection[str], person: int | None, name: str, time: str, properties: str
) -> None:
    """Add the values of an event to its row, by the target of their columns.

    Set ``made_by`` to the number of the row that creates the person of the event, None for a stored person.
    """
    values: dict[str, Any] = {NAME: name, TIME: time}
    for key, value in orjson.loads(properties).items():
        qualified = f"{name}{PROPERTY_SEPARATOR}{key}"
        values[qualified if qualified in targets else key] = value
    if row["outcome"] == Outcome.FAILED:
        row["values"] |= values
    else:
        row["changes"] |= {key: [None, value] for key, value in values.items()}
    row["brings"] |= values
    row["made_by"] = -person if person and person < 0 and row["outcome"] == Outcome.UPDATED else None


def _failed_row(problem: RowError) -> dict[str, Any]:
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


# The only row of a person has no line in the table of results: its outcome follows from the write set.
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

# A row that failed the check is not staged: its cells are stored only with its problem.
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

# The first rows of each bucket with the outcome, by the index (bucket, row_no); the first of all these are the page.
_PAGE = """
SELECT row_no FROM imports_bucket k CROSS JOIN LATERAL ({rows}) AS found
WHERE k.job_id = %(job)s AND k.step = 'preview' AND {some} ORDER BY row_no LIMIT %(most)s
"""

_IN_RESULTS = """
(SELECT r.row_no FROM {results} r WHERE r.bucket = k.number AND r.row_no > %(after)s AND r.outcome = %(outcome)s
 ORDER BY r.row_no LIMIT %(most)s)
"""

_IN_WRITE_SET = """
UNION ALL (SELECT p.first_row FROM {table} p WHERE p.bucket = k.number AND p.first_row > %(after)s AND {state}
    AND NOT EXISTS (SELECT FROM {results} r WHERE r.bucket = p.bucket AND r.row_no = p.first_row)
 ORDER BY p.first_row LIMIT %(most)s)
"""

_WRITE_SET_LINES = {
    Outcome.IMPORTED: ("inserted", "true"),
    Outcome.UPDATED: ("updated", "p.moment IS NOT NULL"),
    Outcome.UNCHANGED: ("updated", "p.moment IS NULL"),
}
"""The table of the write set that has the rows of an outcome, and the condition for its lines."""

_HAS_OUTCOME = {outcome: f"(k.counts->>'{outcome}')::int > 0" for outcome in Outcome} | {
    Outcome.UPDATED: "(k.counts->>'updated')::int > (k.counts->>'unchanged')::int"  # updated includes unchanged
}
"""The condition for buckets that have rows of an outcome."""
