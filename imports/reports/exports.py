"""Export the problems of rows through django-import-export: as CSV, piece by piece, and as workbooks (RP-11)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any

import xlsxwriter
from django.db.models import Q, QuerySet
from import_export import fields, resources

from imports.models import ImportJob, RowError
from imports.reports.results_workbook import NUMERIC_TYPES, write_line
from profiles.values.formula_escapes import escape

MAX_WORKBOOK_PROBLEMS = 100_000
"""Most problems in a workbook, which is built during the request; more are exported as CSV only."""
CHUNK_ROWS = 2_000


class ProblemResource(resources.ModelResource):  # type: ignore[misc]  # the package has no types
    """One problem of a row, or of a value in it; used for export only."""

    row = fields.Field("row", "Row")
    line = fields.Field("line", "Line")
    severity = fields.Field("severity", "Severity")
    column = fields.Field("column", "Column")
    value = fields.Field("value", "Value")
    code = fields.Field("code", "Code")
    reason = fields.Field("reason", "Reason")

    class Meta:
        model = RowError
        fields = export_order = ("row", "line", "severity", "column", "value", "code", "reason")


def iter_csv(job: ImportJob, problems: QuerySet[RowError]) -> Iterator[bytes]:
    """Yield problems as CSV in UTF-8, piece by piece, in row order; formulas are escaped (design rule 9)."""
    resource = ProblemResource()
    typed = {column.header for column in job.columns.all() if column.type in NUMERIC_TYPES}
    yield _csv([resource.get_export_headers()], bom=True)
    for chunk in _chunks(problems):
        yield _csv([_escaped_cells(resource.export_resource(problem), problem.column in typed) for problem in chunk])


def build_workbook(problems: QuerySet[RowError]) -> IO[bytes]:
    """Return a workbook of problems as a temporary file, which the caller closes.

    The caller passes at most ``MAX_WORKBOOK_PROBLEMS``.
    """
    resource, file = ProblemResource(), TemporaryFile()  # noqa: SIM115  the caller closes it
    with TemporaryDirectory() as folder:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        sheet = book.add_worksheet("Problems")
        write_line(sheet, 0, resource.get_export_headers(), book.add_format({"bold": True}))
        lines = (problem for chunk in _chunks(problems) for problem in chunk)
        for number, problem in enumerate(lines, 1):
            exported = resource.export_resource(problem)
            write_line(sheet, number, [problem.row, problem.line, *exported[2:]])
        book.close()
    file.seek(0)
    return file


def _chunks(problems: QuerySet[RowError]) -> Iterator[list[RowError]]:
    """Yield problems in pages; each begins after the last problem of the previous one."""
    chunk = list(problems[:CHUNK_ROWS])
    while chunk:
        yield chunk
        last = chunk[-1]
        later = Q(row__gt=last.row) | Q(row=last.row, pk__gt=last.pk)
        chunk = list(problems.filter(later, row__gte=last.row)[:CHUNK_ROWS]) if len(chunk) == CHUNK_ROWS else []


def _escaped_cells(cells: Sequence[Any], is_number: bool) -> list[str]:
    """Return exported cells with formulas escaped; cells of the file may contain them."""
    row, line, severity, column, value, *rest = map(str, cells)
    return [row, line, severity, escape(column), escape(value, is_number=is_number), *map(escape, rest)]


def _csv(lines: Iterable[Sequence[str]], *, bom: bool = False) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8", errors="replace")
