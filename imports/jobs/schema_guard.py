"""What imports have to do with a change of the schema.

Until an import is started, a change does no harm: it is checked again (design section 5.7). From then on its checked
rows are written as they are, so the schema has to stay until it has ended, and has to be the same when it is resumed.
"""

from __future__ import annotations

from imports.mapping import column_mapping
from imports.models import ImportJob
from imports.states import Status
from profiles.attributes import lock
from profiles.models import load_schema

_APPLIED = (Status.PENDING, Status.IN_PROGRESS, Status.UNDOING)


def schema_change_blocker() -> str:
    """Why the schema cannot change now in what values are; empty if it can. The caller holds the schema alone."""
    job = ImportJob.objects.filter(status__in=_APPLIED).first()
    if job is None:
        return ""
    return f"The import “{job.name}” is writing people just now. Nothing was changed; try again when it has ended."


def is_schema_unchanged(job: ImportJob) -> bool:
    """Whether the schema is the one that a job, which was applied in part, was checked under; it stays so to commit."""
    lock.share_schema()
    columns, known = list(job.columns.all()), load_schema()
    gone = bool(column_mapping.new_definitions(columns, known))
    return not gone and column_mapping.schema_version(columns, known) == job.schema_version
