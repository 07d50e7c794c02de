"""The queue's own records, for superusers."""

from __future__ import annotations

from django.contrib import admin
from django_q.admin import FailAdmin
from django_q.models import Failure


class FailedTaskAdmin(FailAdmin):  # type: ignore[misc]
    """Without django-q's way to submit a task again: units of work are leased and counted by the engine."""

    actions = ()


admin.site.unregister(Failure)
admin.site.register(Failure, FailedTaskAdmin)
