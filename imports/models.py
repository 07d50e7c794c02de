"""The models of an import: the job, its columns, work units, problems and transitions, notices and downloads."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from imports.mapping.column_mapping import Target
from imports.states import CHECKED_STATUSES, Status, Step
from profiles.merging.actions import Action
from profiles.models import ChangeSet
from profiles.values.types import ValueType


class ImportJob(models.Model):
    """One import of one file, from upload to its end. ``lifecycle`` alone changes ``status`` and ``step``."""

    class Source(models.TextChoices):
        ADMIN = "admin"
        API = "api"
        COMMAND = "command"
        INBOX = "inbox"

    class RecordType(models.TextChoices):
        PROFILES = "profiles", "Customers"
        EVENTS = "events", "Custom events"

    class Remembered(models.TextChoices):
        """The user's answer to the offer of a mapping from an earlier import."""

        OPEN = "", "Not answered"
        USED = "used", "Used"
        DECLINED = "declined", "Declined"

    class Targeting(models.TextChoices):
        FILTER = "filter", "Create targeting filter"
        SEGMENT = "segment", "Create targeting filter and add to new segment"
        NONE = "none", "Do not make available for targeting"

    name = models.CharField(max_length=255)
    file = models.FileField(upload_to="imports/%Y/%m/", max_length=500)
    file_name = models.CharField(max_length=255)
    file_size = models.BigIntegerField(default=0, help_text="In bytes.")
    format = models.JSONField(
        default=dict, blank=True, help_text="Container, encoding and delimiter, as detected or chosen."
    )
    source = models.CharField(max_length=10, choices=Source, default=Source.ADMIN)

    preset = models.CharField(max_length=20, default="standard")
    record_type = models.CharField(max_length=10, choices=RecordType, default=RecordType.PROFILES)
    identifier = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=10, choices=[(a.value, a.label) for a in Action], blank=True)
    options = models.JSONField(default=dict, blank=True)
    targeting = models.CharField(max_length=10, choices=Targeting, default=Targeting.FILTER)
    headers = models.CharField(
        max_length=64, blank=True, help_text="Fingerprint of the preset, the record type and the headers."
    )
    remembered = models.CharField(max_length=10, choices=Remembered, default=Remembered.OPEN, blank=True)

    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    step = models.CharField(max_length=10, choices=Step, default=Step.IDLE, blank=True)
    reason = models.TextField(blank=True, help_text="Why the job was refused, failed or rejected.")
    reason_code = models.CharField(max_length=50, blank=True)
    findings = models.JSONField(
        default=list, blank=True, help_text="What the scan and the mapping report about the file."
    )
    preview = models.JSONField(default=dict, blank=True)
    snapshot = models.TextField(
        blank=True, help_text="Transactions that PostgreSQL had committed when the preview was made."
    )
    schema_version = models.CharField(max_length=64, blank=True)
    salt = models.IntegerField(default=0)
    seconds = models.JSONField(default=dict, blank=True, help_text="Duration of each step, in seconds.")

    total = models.IntegerField(default=0)
    imported = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    ignored = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    not_run = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0, help_text="Updated rows that changed nothing.")
    people = models.IntegerField(default=0)
    warnings = models.IntegerField(default=0)
    data_points = models.BigIntegerField(null=True, help_text="An estimate; blank if they are not counted.")

    change_set = models.OneToOneField(ChangeSet, models.SET_NULL, null=True, blank=True, related_name="job")
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="imports"
    )
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    step_started = models.DateTimeField(null=True, blank=True)
    queued = models.DateTimeField(null=True, blank=True, help_text="When its next work was last queued.")
    step_failures = models.SmallIntegerField(default=0, help_text="How often its step failed to begin or end.")

    class Meta:
        verbose_name = "import"
        verbose_name_plural = "imports"
        ordering = ["-id"]
        permissions = [
            ("upload_csv", "Can upload, check and submit imports"),
            ("approve_import", "Can approve, reject and act on anyone's imports"),
        ]
        indexes = [
            models.Index(fields=["status", "-id"], name="job_status"),
            models.Index(fields=["step"], condition=~Q(step=""), name="job_at_work"),
            models.Index(fields=["created_by", "status", "-id"], name="job_of_person"),
            models.Index(fields=["headers", "-id"], condition=Q(status__in=CHECKED_STATUSES), name="job_headers"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holds_events(self) -> bool:
        """Whether the rows are events, not people."""
        return self.record_type == self.RecordType.EVENTS


_TARGETS = {
    Target.UNDECIDED: "Not decided yet",
    Target.SKIP: "Skip this column",
    Target.FIELD: "Field of a person",
    Target.ATTRIBUTE: "Attribute",
    Target.NEW: "New attribute",
    Target.EVENT: "Name or time of the event",
    Target.PROPERTY: "Property of the event",
}


class ImportColumn(models.Model):
    """One column of the file and its target, which the mapping page edits."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="columns")
    position = models.IntegerField(help_text="The first column is 1.")
    header = models.TextField()
    name = models.TextField(help_text="The header without its date format.")
    date_format = models.CharField(max_length=40, blank=True)
    target_kind = models.CharField(max_length=10, choices=_TARGETS, default=Target.UNDECIDED)
    target = models.CharField(max_length=120, blank=True, help_text="Key of the field or attribute.")
    type = models.CharField(
        max_length=20, choices=[(t.value, t.value.replace("_", " ")) for t in ValueType], blank=True
    )
    suggested = models.BooleanField(default=True, help_text="False once a user has chosen the target.")
    statistics = models.JSONField(
        default=dict, help_text="Filled cells, samples, and the types detected in the values."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="column_position")]
        ordering = ["position"]


class Bucket(models.Model):
    """A work unit: leased before it is done, marked done in the transaction that does it.

    A *hash* bucket holds the rows whose ``place`` is between ``first`` and ``last``; buckets of the hash lane may run
    in parallel. A *serial* bucket holds the listed ``rows``; the serial buckets of a step run in order. A *whole*
    bucket is a step that is not divided, or the bytes of the file from ``first`` to ``last``.
    """

    class Lane(models.TextChoices):
        WHOLE = "whole"
        HASH = "hash"
        SERIAL = "serial"

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="buckets")
    step = models.CharField(max_length=10, choices=Step)
    number = models.IntegerField()
    lane = models.CharField(max_length=10, choices=Lane, default=Lane.WHOLE)
    first = models.BigIntegerField(default=0)
    last = models.BigIntegerField(default=0)
    rows = ArrayField(models.IntegerField(), null=True)
    size = models.IntegerField(default=0, help_text="Number of rows.")
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=36, blank=True)
    attempts = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    done = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "step", "number"], name="bucket_number")]


class RowError(models.Model):
    """A problem of a row, or of a value in it (RP-09)."""

    class Severity(models.TextChoices):
        ERROR = "error"
        IGNORED = "ignored"
        WARNING = "warning"

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="problems", db_constraint=False, db_index=False)
    step = models.CharField(max_length=10, choices=Step)
    row = models.IntegerField(help_text="The first data row is 1.")
    line = models.IntegerField(help_text="The physical line in the file; the first one is 1.")
    severity = models.CharField(max_length=10, choices=Severity)
    column = models.TextField(blank=True)
    value = models.TextField(blank=True)
    code = models.CharField(max_length=50)
    reason = models.TextField()
    raw = models.JSONField(null=True, help_text="The cells of the row.")

    class Meta:
        indexes = [models.Index(fields=["job", "row"], name="problem_row")]


class JobTransition(models.Model):
    """A transition of a job for the audit: the statuses before and after, the actor and the comment."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="transitions")
    name = models.CharField(max_length=20)
    before = models.CharField(max_length=20, choices=Status)
    after = models.CharField(max_length=20, choices=Status)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    comment = models.TextField(blank=True)
    when = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]


class Notice(models.Model):
    """A transition about which users are still to be notified by e-mail; deleted when all have been notified.

    ``due``: the time of the next attempt. ``told``: the primary keys of the users to which it was sent.
    """

    transition = models.OneToOneField(JobTransition, models.CASCADE, primary_key=True, related_name="notice")
    due = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    told = ArrayField(models.BigIntegerField(), default=list)


class NoMail(models.Model):
    """A user who has turned off e-mails about imports."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="no_mail")


class Download(models.Model):
    """A large file to download, which a worker makes, leased like a work unit (design section 8).

    ``last_transition``: the last transition of the job when the file was requested; after a later one the file is made
    again.
    """

    class Kind(models.TextChoices):
        RESULTS = "results", "Results workbook"
        FAILED = "failed", "Failed rows"
        FLAGGED = "flagged", "Failed and ignored rows"

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="downloads")
    kind = models.CharField(max_length=10, choices=Kind)
    last_transition = models.BigIntegerField()
    file = models.FileField(upload_to="downloads/%Y/%m/", max_length=500, blank=True)
    rows = models.IntegerField(default=0, help_text="Number of rows written.")
    queued = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=36, blank=True)
    attempts = models.SmallIntegerField(default=0)
    made = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "kind"], name="download_kind")]
