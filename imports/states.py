"""Where a job stands, and the work that it is at."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """Where a job stands (D-10)."""

    DRAFT = "draft", "Draft"
    CHECKING = "checking", "Checking"
    READY = "ready", "Ready"
    AWAITING_APPROVAL = "awaiting_approval", "Awaiting approval"
    PENDING = "pending", "Pending"
    IN_PROGRESS = "in_progress", "In Progress"
    COMPLETED = "completed", "Completed"
    REJECTED = "rejected", "Rejected"
    CANCELLED = "cancelled", "Cancelled"
    STOPPED = "stopped", "Stopped"
    FAILED = "failed", "Failed"
    UNDOING = "undoing", "Undoing"
    UNDONE = "undone", "Undone"


CHECKED = (
    Status.READY,
    Status.AWAITING_APPROVAL,
    Status.PENDING,
    Status.IN_PROGRESS,
    Status.COMPLETED,
    Status.REJECTED,
    Status.STOPPED,
    Status.UNDOING,
    Status.UNDONE,
)
"""States of jobs whose mapping was found to be good, and whose columns are kept."""

FINISHED_STATUSES = (Status.COMPLETED, Status.STOPPED, Status.FAILED, Status.UNDOING, Status.UNDONE)
"""States of jobs that came to an end: their counts are those of what was done."""


class Step(models.TextChoices):
    """The work that a job in *draft*, *checking* or *in progress* is at. Each is cut into units (``Bucket``)."""

    IDLE = "", "Nothing to do"
    SCAN = "scan", "Reading the file"
    STAGE = "stage", "Checking the rows"
    PLAN = "plan", "Matching people"
    PREVIEW = "preview", "Working out the result"
    PREPARE = "prepare", "Planning the import"
    APPLY = "apply", "Importing"
