"""Build the indexes by which people are found fast, in the background: those of identifiers and those of filters."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from imports.jobs import leases, queue
from profiles.attributes import filter_index, identifier_index
from profiles.models import Attribute


def update_indexes(attribute_id: int) -> None:
    """Build or drop the indexes of an attribute, as its settings require now; what takes longer returns to the queue.

    Until people can be found by an identifier, its filters need their own index, so the filter's index comes last.
    """
    if identifier_index.continue_rebuild(attribute_id, settings.IMPORTS_TASK_SECONDS):
        queue.enqueue_index(attribute_id)
    else:
        filter_index.update_index(attribute_id)


def sweep() -> int:
    """Queue the index work of identifiers again whose task was lost. Return how many.

    The supervisor calls this every few seconds. Attributes that a worker has locked at this moment are skipped.
    """
    lost_before = timezone.now() - timedelta(seconds=settings.IMPORTS_SWEEP_SECONDS)
    lost = Attribute.objects.exclude(index_work="").filter(Q(index_seen=None) | Q(index_seen__lt=lost_before))
    if not lost.exists() or leases.queue_capacity() < 0:
        return 0
    with transaction.atomic():
        locked = [attribute.pk for attribute in lost.select_for_update(skip_locked=True, no_key=True)]
        Attribute.objects.filter(pk__in=locked).update(index_seen=Now())
        for attribute_id in locked:
            queue.enqueue_index(attribute_id)
    return len(locked)
