"""Protect running imports from changes of the schema.

Until an import is started, a change of the schema does no harm: the import is checked again (design section 5.7). From
then on its checked rows are written unchanged, so the schema must not change until the import has ended, and must be
the same when it is resumed.
"""

from __future__ import annotations

from imports.mapping import column_mapping
from imports.models import ImportJob
from imports.states import Status
from profiles.attributes import lock
from profiles.models import load_schema

_APPLIED = (Status.PENDING, Status.IN_PROGRESS, Status.UNDOING)


def schema_change_blocker() -> str:
    """Return why the types of the schema cannot change now, or an empty text if they can.

    The caller must hold the exclusive lock of the schema.
    """
    job = ImportJob.objects.filter(status__in=_APPLIED).first()
    if job is None:
        return ""
    return f"The import “{job.name}” is running. Nothing was changed; try again when it has ended."


def is_schema_unchanged(job: ImportJob) -> bool:
    """Return whether the schema is still the one under which a partly applied job was checked.

    Hold the schema's shared lock, so that the answer stays true until commit.
    """
    lock.lock_schema_shared()
    columns, schema = list(job.columns.all()), load_schema()
    has_deleted_attributes = bool(column_mapping.new_definitions(columns, schema))
    return not has_deleted_attributes and column_mapping.schema_version(columns, schema) == job.schema_version
