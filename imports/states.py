"""The statuses of jobs, and the steps of their work."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """The status of a job in its life (D-10)."""

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


CHECKED_STATUSES = (
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
"""Statuses of jobs whose mapping has passed the check, and whose columns are kept."""

FINISHED_STATUSES = (Status.COMPLETED, Status.STOPPED, Status.FAILED, Status.UNDOING, Status.UNDONE)
"""Statuses of jobs that have ended after the start: their counts are those of what was done."""


class Step(models.TextChoices):
    """The work that a job is waiting for or doing within its status. Each step is divided into units (``Bucket``)."""

    IDLE = "", "Nothing to do"
    SCAN = "scan", "Reading the file"
    STAGE = "stage", "Checking the rows"
    PLAN = "plan", "Matching people"
    PREVIEW = "preview", "Computing the result"
    PREPARE = "prepare", "Planning the import"
    APPLY = "apply", "Importing"
