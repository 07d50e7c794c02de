"""The step *scan*: read a stored file once, and give the draft its columns and suggestions for them.

A large plain file is cut at line breaks, and its parts are read in parallel. If a cut falls on a line break within a
cell, the part before it cannot be read; then the file is read again as a whole, which also reports what is wrong, if
anything is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from imports.drafts import reread, suggestions
from imports.files.column_statistics import ENCODING_SAMPLE_CHARACTERS, ScanResult, scan
from imports.files.errors import SourceError
from imports.files.format import Format
from imports.files.source import Source
from imports.files.xlsx_reader import format_sheet_names
from imports.jobs import lifecycle, stored_file
from imports.mapping import column_mapping, event_mapping, header_rules, headers
from imports.mapping.headers import HeaderError
from imports.models import Bucket, ImportColumn, ImportJob
from imports.presets import Options
from imports.states import Step
from profiles.models import load_schema

PART_BYTES = 5 * 1024**2


def split(job: ImportJob) -> list[Bucket]:
    """Return the work units that read the file, each a range of bytes; a single one if the file cannot be cut."""
    with stored_file.open_sampled(job) as source:
        ends = source.split_offsets(PART_BYTES) if source is not None else []
    if len(ends) < 2:
        return [_whole(job)]
    return [
        Bucket(job=job, step=Step.SCAN, number=number, first=first, last=last)
        for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False), 1)
    ]


def read_part(job: ImportJob, bucket: Bucket) -> dict[str, Any]:
    """Read one part. Raises ``SourceError`` or ``HeaderError`` if the file cannot be imported."""
    options = stored_file.options(job)
    if not bucket.last:
        with stored_file.open_detected(job) as source:
            _check_header(source, options)
            form = {"format": source.format.to_json(), "sheets": source.sheets, "header": source.header()}
            return form | scan(source).to_json()
    try:
        with stored_file.open_sampled(job) as source:
            if source is not None:
                header_rules.check(source.header(), options)
                found = scan(source, bucket.first, bucket.last)
                return {"format": source.format.to_json(), "header": source.header(), **found.to_json()}
    except (SourceError, HeaderError):
        pass  # reading the whole file will report it
    return {"unread": 1}


def finish(job: ImportJob) -> None:
    """Store the file's format, columns and suggestions, and end the step; or have the file read again as a whole."""
    parts = list(job.buckets.filter(step=Step.SCAN).order_by("number").values_list("counts", flat=True))
    if len(parts) > 1 and (any("unread" in part for part in parts) or not sum(part["rows"] for part in parts)):
        job.buckets.filter(step=Step.SCAN).delete()
        _whole(job).save()
        return
    reread.check_column_count(job, parts[0]["header"])
    _store(job, parts[0], reduce(_joined, map(ScanResult.from_json, parts)))
    lifecycle.advance_to_step(job, Step.IDLE)


def _check_header(source: Source, options: Options) -> None:
    """Raise ``HeaderError`` for a header that cannot be used; the message names the other sheets of a workbook."""
    try:
        header_rules.check(source.header(), options)
    except HeaderError as error:
        raise HeaderError(error.code, f"{error.message} {source.other_sheets}".strip()) from error


def _whole(job: ImportJob) -> Bucket:
    return Bucket(job=job, step=Step.SCAN, number=1)


def _joined(first: ScanResult, then: ScanResult) -> ScanResult:
    first.join(then)
    return first


def _store(job: ImportJob, part: dict[str, Any], found: ScanResult) -> None:
    form = Format.from_json(part["format"])
    job.format = reread.without_reread_state(job.format) | {
        "found": part["format"],
        "sheets": part.get("sheets", []),
        "splittable": form.splittable,
        "positions": found.to_json()["positions"],
        "telling": _telling(part["header"], found),
    }
    options = stored_file.options(job)
    columns = [
        ImportColumn(
            job=job,
            position=header.position,
            header=header.text,
            statistics={
                "filled": statistics.filled,
                "samples": statistics.samples,
                "seen": sorted(statistics.guess.seen),
                "mixed": statistics.guess.is_mixed,
            },
        )
        for header, statistics in zip(header_rules.check(part["header"], options), found.columns, strict=True)
    ]
    header_rules.apply_headers(columns, options)
    schema = load_schema()
    of_kind = event_mapping if job.holds_events else column_mapping
    of_kind.suggest(columns, schema, options)
    of_kind.reapply_choices(columns, reread.saved_choices(job), schema)
    job.columns.all().delete()
    ImportColumn.objects.bulk_create(columns)
    ImportJob.objects.filter(pk=job.pk).update(
        format=job.format,
        total=found.rows,
        findings=_findings(job, found.ragged, columns, options),
        salt=secrets.randbelow(1 << 20),
        # A file of corrected rows gets the fingerprint of the original file, so that its mapping is offered again.
        headers=column_mapping.fingerprint(
            job.preset, job.record_type, [column.header for column in columns if column.name != headers.PROBLEM_HEADER]
        ),
    )
    job.refresh_from_db()


def _telling(header: Iterable[str], found: ScanResult) -> str:
    """Return a text of the file that shows whether its encoding is right; empty if the file is plain ASCII."""
    non_ascii_headers = (
        text[:ENCODING_SAMPLE_CHARACTERS] for text in header if not text[:ENCODING_SAMPLE_CHARACTERS].isascii()
    )
    return next(filter(None, (column.telling for column in found.columns)), "") or next(non_ascii_headers, "")


def _findings(job: ImportJob, ragged: int, columns: Sequence[ImportColumn], options: Options) -> list[dict[str, Any]]:
    """Return what the uploader should know about the file, the worst first."""
    rows = "1 row has" if ragged == 1 else f"{ragged:,} rows have"
    reason = f"{rows} too many or too few cells and will fail"
    of_rows = [{"code": suggestions.RAGGED, "reason": reason}] if ragged else []
    return of_rows + _sheets(job) + suggestions.findings(job, columns, options)


def _sheets(job: ImportJob) -> list[dict[str, Any]]:
    sheets = job.format["sheets"]
    if len(sheets) < 2:
        return []
    read = format_sheet_names([job.format["found"]["sheet"]])
    return [{"code": suggestions.SHEETS, "reason": f"The workbook has {len(sheets):,} sheets; {read} is read"}]
