"""Find, reuse or decline the mapping of an earlier import with the same headers (design section 5.3)."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from imports.drafts import suggestions
from imports.jobs import lifecycle
from imports.jobs.transitions import Actor, Refused
from imports.mapping import column_mapping, event_mapping, preset_choices
from imports.mapping.column_mapping import Choice, Target
from imports.models import ImportJob
from imports.presets import PRESETS
from imports.states import CHECKED_STATUSES
from profiles.models import load_schema


def find_offer(job: ImportJob) -> ImportJob | None:
    """Return the newest import of the same preset, record type and headers whose mapping passed the check, or None.

    None also if a user has answered the offer, or if the job's own mapping has passed the check.
    """
    if not job.headers or job.remembered or job.schema_version:
        return None
    return _similar_jobs(job).select_related("created_by").order_by("-id").first()


def apply(job: ImportJob, actor: Actor, number: int) -> str:
    """Reuse the mapping, identifier, action and options of an earlier import. Return its name. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        earlier = _similar_jobs(job).filter(pk=number).first()
        if earlier is None:
            raise Refused("state", "The saved mapping is not there any more. Choose where the columns go.")
        _copy_settings(job, earlier)
        _copy_mapping(job, earlier)
    return earlier.name


def decline(job: ImportJob, actor: Actor) -> None:
    """Do not offer a saved mapping for this job again. Raises ``Refused``."""
    with transaction.atomic():
        lifecycle.lock_for_editing(job, actor)
        job.remembered = ImportJob.Remembered.DECLINED
        job.save(update_fields=["remembered"])


def _similar_jobs(job: ImportJob) -> QuerySet[ImportJob]:
    return ImportJob.objects.filter(headers=job.headers, status__in=CHECKED_STATUSES).exclude(pk=job.pk)


def _copy_settings(job: ImportJob, earlier: ImportJob) -> None:
    job.remembered = ImportJob.Remembered.USED
    job.options = earlier.options
    if earlier.identifier in preset_choices.identifiers(PRESETS[job.preset], load_schema()):
        job.identifier = earlier.identifier
    if earlier.action in PRESETS[job.preset].actions:
        job.action = earlier.action
    job.save(update_fields=["remembered", "options", "identifier", "action"])
    suggestions.refresh(job)


def _copy_mapping(job: ImportJob, earlier: ImportJob) -> None:
    """Map columns like those of the same header; the suggestion stays if the attribute no longer exists."""
    columns = list(job.columns.all())
    choices = {
        column.header: Choice(
            Target(column.target_kind), column.target, column.type, column_mapping.chosen_date_format(column)
        )
        for column in earlier.columns.all()
    }
    (event_mapping if job.holds_events else column_mapping).reapply_choices(columns, choices, load_schema())
    suggestions.save_columns(columns)
