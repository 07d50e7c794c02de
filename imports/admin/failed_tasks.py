"""The failed tasks of the queue, for superusers."""

from __future__ import annotations

from django.contrib import admin
from django_q.admin import FailAdmin
from django_q.models import Failure


class FailedTaskAdmin(FailAdmin):  # type: ignore[misc]
    """django-q's list without its action to submit a task again: the engine leases and counts work units itself."""

    actions = ()


admin.site.unregister(Failure)
admin.site.register(Failure, FailedTaskAdmin)
