"""What is done in the background so that people are found fast: look-up indexes of identifiers, indexes of filters."""

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
    """Make the indexes of an attribute what it asks for now; what takes longer goes back to the queue.

    Filters of an identifier need an index of their own until people can be found by it, so that comes last.
    """
    if identifier_index.update_index(attribute_id, settings.IMPORTS_TASK_SECONDS):
        queue.enqueue_index(attribute_id)
    else:
        filter_index.update_index(attribute_id)


def sweep() -> int:
    """Queue the work on identifiers again whose task was lost. Returns how many.

    The supervisor calls this every few seconds; what a worker holds at this moment is in good hands.
    """
    silent = Q(index_seen=None) | Q(index_seen__lt=timezone.now() - timedelta(seconds=settings.IMPORTS_SWEEP_SECONDS))
    lost = Attribute.objects.exclude(index_work="").filter(silent)
    if not lost.exists() or leases.queue_capacity() < 0:
        return 0
    with transaction.atomic():
        found = [attribute.pk for attribute in lost.select_for_update(skip_locked=True, no_key=True)]
        Attribute.objects.filter(pk__in=found).update(index_seen=Now())
        for number in found:
            queue.enqueue_index(number)
    return len(found)
