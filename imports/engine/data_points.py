"""Estimate the Braze data points that an import would cost, or cost (DP-01 .. DP-05), for presets that enable it.

One statement counts them, at the end of a step and before the job's tables are dropped, over the rows that are applied.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import connection

from imports.job_tables import JobTables
from imports.jobs import stored_file
from imports.models import ImportJob
from imports.states import Step
from profiles.merging import consent
from profiles.models import load_schema
from profiles.schema import OWN_FIELDS, Schema


def is_enabled(job: ImportJob) -> bool:
    """Whether the job's options ask for data points (DP-05)."""
    return stored_file.options(job).data_points


def count(job: ImportJob) -> int | None:
    """Return the data points of all rows that the job's step applies, or would apply; None where they are not counted.

    Every value costs one, and so does each value of a list; of events, every row costs one (DP-04). Ignored and failed
    rows cost nothing.
    """
    if not is_enabled(job):
        return None
    tables = JobTables(job.pk)
    points = "1" if job.holds_events else _VALUES.format(plain=_plain(job))
    left_out = _LEFT_OUT_BY_PREVIEW if job.step == Step.PREVIEW else _LEFT_OUT_BY_APPLY
    values: dict[str, Any] = {"job": job.pk, "free": _free(load_schema()), "prefix": consent.GROUP_PREFIX}
    with connection.cursor() as cursor:
        left_out = left_out.format(results=tables.results)
        cursor.execute(_POINTS.format(points=points, staged=tables.staged, left_out=left_out), values)
        return int(cursor.fetchone()[0])


def _plain(job: ImportJob) -> str:
    """Return the SQL condition for rows with as many points as keys: every column costs, and no two share a target."""
    targets = Counter(job.columns.exclude(target="").values_list("target", flat=True))
    schema = load_schema()
    is_plain = (
        not any(consent.is_free_of_data_points(key, schema) for key in targets)
        and max(targets.values(), default=0) <= 1
    )
    return _IS_PLAIN if is_plain else "false"


def _free(schema: Schema) -> list[str]:
    """Return the keys that cost nothing: own identifiers, and consent (DP-02, DP-03).

    E-mail and phone cost, even where people are matched by them (DP-04).
    """
    return [*OWN_FIELDS, *(key for key in schema.definitions if consent.is_free_of_data_points(key, schema))]


_POINTS = "SELECT coalesce(sum({points}), 0) FROM {staged} s WHERE NOT EXISTS ({left_out})"

# In JSON without escapes, a quote before a colon ends a key. Counting these takes a tenth of the time of parsing the
# JSON.
_VALUES = """
CASE WHEN {plain} THEN (octet_length(s.raw) - octet_length(replace(s.raw, '":', ''))) / 2 ELSE (
    SELECT coalesce(sum(CASE json_typeof(v.value) WHEN 'array' THEN json_array_length(v.value)
                                                  WHEN 'null' THEN 0 ELSE 1 END), 0)
    FROM json_each(s.raw::json) v WHERE NOT (v.key = ANY(%(free)s) OR starts_with(v.key, %(prefix)s))
) END
"""

_IS_PLAIN = r"""(strpos(s.raw, '\') = 0 AND strpos(s.raw, '"group:') = 0 AND strpos(s.raw, ':null') = 0)"""

_LEFT_OUT_BY_PREVIEW = "SELECT FROM {results} r WHERE r.row_no = s.row_no AND r.outcome IN ('ignored', 'failed')"

# Read from this logged table, since a crash of the database empties the results.
_LEFT_OUT_BY_APPLY = """
SELECT FROM imports_rowerror e
WHERE e.job_id = %(job)s AND e."row" = s.row_no AND e.step = 'apply' AND e.severity IN ('ignored', 'error')
"""
