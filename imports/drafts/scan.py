"""The step *scan*: a stored file becomes a draft with columns and what is suggested for them.

A large plain file is cut at line breaks and read in parts at once. Where a cell holds such a line break, the part
before it cannot be read; then the file is read again as a whole, which also tells what is wrong, if anything is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from imports.drafts import reread, suggestions
from imports.files.column_statistics import TELLING_CHARACTERS, Scan, scan
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


def parts(job: ImportJob) -> list[Bucket]:
    """The parts in which the file is to be read, from byte to byte; one of them for a file that cannot be cut."""
    with stored_file.open_sampled(job) as source:
        ends = source.cuts(PART_BYTES) if source is not None else []
    if len(ends) < 2:
        return [_whole(job)]
    return [
        Bucket(job=job, step=Step.SCAN, number=number, first=first, last=last)
        for number, (first, last) in enumerate(zip([0, *ends], ends, strict=False), 1)
    ]


def read(job: ImportJob, bucket: Bucket) -> dict[str, Any]:
    """Read one part. Raises ``SourceError`` or ``HeaderError`` where a file cannot be imported."""
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
        pass  # the whole file will tell
    return {"unread": 1}


def end(job: ImportJob) -> None:
    """Store the file's form, its columns and what is suggested for them, and make the job a draft to work on."""
    found = list(job.buckets.filter(step=Step.SCAN).order_by("number").values_list("counts", flat=True))
    if len(found) > 1 and (any("unread" in part for part in found) or not sum(part["rows"] for part in found)):
        job.buckets.filter(step=Step.SCAN).delete()
        _whole(job).save()
        return
    reread.check_columns(job, found[0]["header"])
    _store(job, found[0], reduce(_joined, map(Scan.from_json, found)))
    lifecycle.advance_to_step(job, Step.IDLE)


def _check_header(source: Source, options: Options) -> None:
    """Raise ``HeaderError`` for a header that cannot be used; of the wrong sheet perhaps."""
    try:
        header_rules.check(source.header(), options)
    except HeaderError as error:
        raise HeaderError(error.code, f"{error.message} {source.other_sheets}".strip()) from error


def _whole(job: ImportJob) -> Bucket:
    return Bucket(job=job, step=Step.SCAN, number=1)


def _joined(first: Scan, then: Scan) -> Scan:
    first.join(then)
    return first


def _store(job: ImportJob, part: dict[str, Any], found: Scan) -> None:
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
                "mixed": statistics.guess.mixed,
            },
        )
        for header, statistics in zip(header_rules.check(part["header"], options), found.columns, strict=True)
    ]
    header_rules.apply_headers(columns, options)
    known = load_schema()
    of_kind = event_mapping if job.holds_events else column_mapping
    of_kind.suggest(columns, known, options)
    of_kind.reapply_choices(columns, reread.saved_choices(job), known)
    job.columns.all().delete()
    ImportColumn.objects.bulk_create(columns)
    ImportJob.objects.filter(pk=job.pk).update(
        format=job.format,
        total=found.rows,
        findings=_findings(job, found.ragged, columns, options),
        salt=secrets.randbelow(1 << 20),
        # The same as of the file whose rows were corrected, so that its mapping is offered again.
        headers=column_mapping.fingerprint(
            job.preset, job.record_type, [column.header for column in columns if column.name != headers.PROBLEM]
        ),
    )
    job.refresh_from_db()


def _telling(header: Iterable[str], found: Scan) -> str:
    """A text of the file that shows whether its encoding is right; none where all of it is plain ASCII."""
    headers_of_letters = (text[:TELLING_CHARACTERS] for text in header if not text[:TELLING_CHARACTERS].isascii())
    return next(filter(None, (column.telling for column in found.columns)), "") or next(headers_of_letters, "")


def _findings(job: ImportJob, ragged: int, columns: Sequence[ImportColumn], options: Options) -> list[dict[str, Any]]:
    """What the uploader should know about the file, worst first."""
    rows = "1 row has" if ragged == 1 else f"{ragged:,} rows have"
    told = [{"code": suggestions.RAGGED, "reason": f"{rows} too many or too few cells and will fail"}] if ragged else []
    return told + _sheets(job) + suggestions.findings(job, columns, options)


def _sheets(job: ImportJob) -> list[dict[str, Any]]:
    sheets = job.format["sheets"]
    if len(sheets) < 2:
        return []
    read = format_sheet_names([job.format["found"]["sheet"]])
    return [{"code": suggestions.SHEETS, "reason": f"The workbook has {len(sheets):,} sheets; {read} is read"}]
