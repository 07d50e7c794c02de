"""Problems of rows as django-import-export writes them: CSV, line by line, and workbooks (RP-11)."""

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
"""Problems that a workbook is made of while its person waits; all beyond are for CSV."""
CHUNK_ROWS = 2_000


class ProblemResource(resources.ModelResource):  # type: ignore[misc]  # which has no types
    """One problem of a row, or of a value in it. Nothing is ever imported by it."""

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
    """Problems as CSV, piece by piece, in the order of the rows; no text in it is a formula (design rule 9)."""
    resource = ProblemResource()
    typed = {column.header for column in job.columns.all() if column.type in NUMERIC_TYPES}
    yield _csv([resource.get_export_headers()], bom=True)
    for some in _chunks(problems):
        yield _csv([_harmless(resource.export_resource(problem), problem.column in typed) for problem in some])


def build_workbook(problems: QuerySet[RowError]) -> IO[bytes]:
    """Problems as a workbook, in a temporary file: at most ``MOST_IN_WORKBOOK``."""
    resource, file = ProblemResource(), TemporaryFile()  # noqa: SIM115  whoever sends it closes it
    with TemporaryDirectory() as folder:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        sheet = book.add_worksheet("Problems")
        write_line(sheet, 0, resource.get_export_headers(), book.add_format({"bold": True}))
        lines = (problem for some in _chunks(problems) for problem in some)
        for number, problem in enumerate(lines, 1):
            exported = resource.export_resource(problem)
            write_line(sheet, number, [problem.row, problem.line, *exported[2:]])
        book.close()
    file.seek(0)
    return file


def _chunks(problems: QuerySet[RowError]) -> Iterator[list[RowError]]:
    """In pages that each begin behind the last problem of the one before."""
    some = list(problems[:CHUNK_ROWS])
    while some:
        yield some
        last = some[-1]
        later = Q(row__gt=last.row) | Q(row=last.row, pk__gt=last.pk)
        some = list(problems.filter(later, row__gte=last.row)[:CHUNK_ROWS]) if len(some) == CHUNK_ROWS else []


def _harmless(cells: Sequence[Any], is_number: bool) -> list[str]:
    """Exported cells: those of the file may be formulas."""
    row, line, severity, column, value, *rest = map(str, cells)
    return [row, line, severity, escape(column), escape(value, is_number=is_number), *map(escape, rest)]


def _csv(lines: Iterable[Sequence[str]], *, bom: bool = False) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue().encode("utf-8-sig" if bom else "utf-8", errors="replace")
