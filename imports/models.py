"""A file on its way to profiles: the job, its columns, its units of work, its problems, its transitions."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from imports.mapping.column_mapping import Target
from imports.states import CHECKED, Status, Step
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
        """What came of the offer of a mapping that was used before."""

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
    file_size = models.BigIntegerField(default=0, help_text="Bytes.")
    format = models.JSONField(
        default=dict, blank=True, help_text="Container, encoding, delimiter, as detected or chosen."
    )
    source = models.CharField(max_length=10, choices=Source, default=Source.ADMIN)

    preset = models.CharField(max_length=20, default="standard")
    record_type = models.CharField(max_length=10, choices=RecordType, default=RecordType.PROFILES)
    identifier = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=10, choices=[(a.value, a.label) for a in Action], blank=True)
    options = models.JSONField(default=dict, blank=True)
    targeting = models.CharField(max_length=10, choices=Targeting, default=Targeting.FILTER)
    headers = models.CharField(
        max_length=64, blank=True, help_text="Tells files of the same kind and the same headers from others."
    )
    remembered = models.CharField(max_length=10, choices=Remembered, default=Remembered.OPEN, blank=True)

    status = models.CharField(max_length=20, choices=Status, default=Status.DRAFT)
    step = models.CharField(max_length=10, choices=Step, default=Step.IDLE, blank=True)
    reason = models.TextField(blank=True, help_text="Why the job was refused, failed or rejected.")
    reason_code = models.CharField(max_length=50, blank=True)
    findings = models.JSONField(default=list, blank=True, help_text="What the scan and the mapping found in the file.")
    preview = models.JSONField(default=dict, blank=True)
    snapshot = models.TextField(blank=True, help_text="What PostgreSQL had committed when the preview was made.")
    schema_version = models.CharField(max_length=64, blank=True)
    salt = models.IntegerField(default=0)
    seconds = models.JSONField(default=dict, blank=True, help_text="How long each step took.")

    total = models.IntegerField(default=0)
    imported = models.IntegerField(default=0)
    updated = models.IntegerField(default=0)
    ignored = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    not_run = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0, help_text="Of the updated rows, those that changed nothing.")
    people = models.IntegerField(default=0)
    warnings = models.IntegerField(default=0)
    data_points = models.BigIntegerField(null=True, help_text="Where they are counted: an estimate.")

    change_set = models.OneToOneField(ChangeSet, models.SET_NULL, null=True, blank=True, related_name="job")
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="imports"
    )
    started = models.DateTimeField(null=True, blank=True)
    finished = models.DateTimeField(null=True, blank=True)
    step_started = models.DateTimeField(null=True, blank=True)
    queued = models.DateTimeField(null=True, blank=True, help_text="When the queue was last asked to go on.")
    step_failures = models.SmallIntegerField(default=0, help_text="How often its step could not be begun or ended.")

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
            models.Index(fields=["headers", "-id"], condition=Q(status__in=CHECKED), name="job_headers"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def holds_events(self) -> bool:
        """Whether its rows are events, and not people."""
        return self.record_type == self.RecordType.EVENTS


_TARGETS = {
    Target.UNDECIDED: "Not decided yet",
    Target.SKIP: "Skip this column",
    Target.FIELD: "Own field of a person",
    Target.ATTRIBUTE: "Attribute",
    Target.NEW: "New attribute",
    Target.EVENT: "Name or time of the event",
    Target.PROPERTY: "Property of the event",
}


class ImportColumn(models.Model):
    """One column of the file and where it goes; what the mapping page edits."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="columns")
    position = models.IntegerField(help_text="The first column is 1.")
    header = models.TextField()
    name = models.TextField(help_text="The header without a date format.")
    date_format = models.CharField(max_length=40, blank=True)
    target_kind = models.CharField(max_length=10, choices=_TARGETS, default=Target.UNDECIDED)
    target = models.CharField(max_length=120, blank=True, help_text="Key of the field or attribute.")
    type = models.CharField(
        max_length=20, choices=[(t.value, t.value.replace("_", " ")) for t in ValueType], blank=True
    )
    suggested = models.BooleanField(default=True, help_text="False once a person chose.")
    statistics = models.JSONField(default=dict, help_text="Filled cells, samples, type found in all values.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "position"], name="column_position")]
        ordering = ["position"]


class Bucket(models.Model):
    """A unit of work: leased before it is done, marked done in the transaction that does it.

    A *hash* bucket holds the rows whose ``place`` lies between first and last; buckets of the hash lane may run at
    once. A *serial* bucket holds the rows listed; serial buckets of a step follow one another. A *whole* bucket is a
    step that is not cut up, or a range of the file from first to last.
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
    size = models.IntegerField(default=0, help_text="Rows.")
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=36, blank=True)
    attempts = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    done = models.DateTimeField(null=True)
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "step", "number"], name="bucket_number")]


class RowError(models.Model):
    """A problem of one row, or of one value in it (RP-09)."""

    class Severity(models.TextChoices):
        ERROR = "error"
        IGNORED = "ignored"
        WARNING = "warning"

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="problems", db_constraint=False, db_index=False)
    step = models.CharField(max_length=10, choices=Step)
    row = models.IntegerField(help_text="The first data row is 1.")
    line = models.IntegerField(help_text="The physical line of the file.")
    severity = models.CharField(max_length=10, choices=Severity)
    column = models.TextField(blank=True)
    value = models.TextField(blank=True)
    code = models.CharField(max_length=50)
    reason = models.TextField()
    raw = models.JSONField(null=True, help_text="The cells of the row.")

    class Meta:
        indexes = [models.Index(fields=["job", "row"], name="problem_row")]


class JobTransition(models.Model):
    """Who moved a job from where to where, and what they said (the audit)."""

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
    """A transition of which people are to be told by e-mail; gone when they all are.

    ``due``: when to try, or to try again. ``told``: the users to whom it was sent.
    """

    transition = models.OneToOneField(JobTransition, models.CASCADE, primary_key=True, related_name="notice")
    due = models.DateTimeField()
    attempts = models.SmallIntegerField(default=0)
    told = ArrayField(models.BigIntegerField(), default=list)


class NoMail(models.Model):
    """Somebody who wants no e-mail about imports."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="no_mail")


class Download(models.Model):
    """A file to take away that takes long to make: a worker makes it, leased like a unit of work (design section 8).

    ``last_transition``: the last transition of the job when the file was requested; after another one it is made again.
    """

    class Kind(models.TextChoices):
        RESULTS = "results", "Results workbook"
        FAILED = "failed", "Failed rows"
        FLAGGED = "flagged", "Failed and ignored rows"

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="downloads")
    kind = models.CharField(max_length=10, choices=Kind)
    last_transition = models.BigIntegerField()
    file = models.FileField(upload_to="downloads/%Y/%m/", max_length=500, blank=True)
    rows = models.IntegerField(default=0, help_text="How many are written.")
    queued = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    owner = models.CharField(max_length=36, blank=True)
    attempts = models.SmallIntegerField(default=0)
    made = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "kind"], name="download_kind")]
