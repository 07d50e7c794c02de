"""People, the schema of their attributes, and the history of who wrote which value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from profiles.merging.consent import Channel
from profiles.schema import Definition, Schema
from profiles.values.types import ValueType


class Profile(models.Model):
    """One person. ``attributes`` holds each attribute under its key; a multi-valued one is a list, the primary first.

    ``updated`` is also the person's version: it grows with every change and with nothing else, so that two equal
    values mean the same data. It has no index, since PostgreSQL could not keep an update on its page then (HOT).
    """

    object_id = models.CharField(max_length=64, db_collation="C", help_text="Assigned by the system. It never changes.")
    external_id = models.CharField(max_length=1024, null=True, blank=True, db_collation="C")  # noqa: DJ001  unique
    alias_label = models.CharField(max_length=255, null=True, blank=True, db_collation="C")  # noqa: DJ001  unique
    alias_name = models.CharField(max_length=255, null=True, blank=True, db_collation="C")  # noqa: DJ001  unique
    attributes = models.JSONField(default=dict, blank=True)
    created = models.DateTimeField()
    updated = models.DateTimeField()

    class Meta:
        # Constraints, since unique=True would add a second index to each field, for LIKE.
        constraints = [
            models.UniqueConstraint(fields=["object_id"], name="profile_object_id"),
            models.UniqueConstraint(
                fields=["external_id"], condition=Q(external_id__isnull=False), name="profile_external_id"
            ),
            models.UniqueConstraint(
                fields=["alias_name", "alias_label"],
                condition=Q(external_id__isnull=True, alias_name__isnull=False),
                name="profile_alias",
            ),
        ]
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.external_id or self.object_id


class IndexWork(models.TextChoices):
    """The work left until the identifier index holds the values of an attribute that it should hold."""

    NONE = "", "none"
    CLEARING = "clearing", "removing outdated values"
    FILLING = "filling", "adding people's values"


class Attribute(models.Model):
    """One attribute of the schema: its key, type and rules (requirements section 6)."""

    key = models.CharField(max_length=120, db_collation="C")
    label = models.CharField(max_length=255)
    type = models.CharField(max_length=20, choices=[(t.value, t.value.replace("_", " ")) for t in ValueType])
    multi_valued = models.BooleanField(default=False)
    mandatory = models.BooleanField(default=False)
    identifier = models.BooleanField(default=False, help_text="Imports can match people by this attribute.")
    built_in = models.BooleanField(default=False)
    personal = models.BooleanField(default=False)
    filterable = models.BooleanField(default=False)
    description = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    # The state of the identifier index; only ``identifier_index`` writes it. ``index_turn`` grows with each change to
    # what the index should hold, people up to ``index_position`` (a primary key) are done, and ``index_seen`` is when
    # a worker last worked on the index or was asked to.
    index_work = models.CharField(max_length=10, blank=True, choices=IndexWork, default=IndexWork.NONE, editable=False)
    index_turn = models.IntegerField(default=0, editable=False)
    index_position = models.BigIntegerField(default=0, editable=False)
    index_seen = models.DateTimeField(null=True, editable=False)

    INDEX_FIELDS = ("index_work", "index_turn", "index_position", "index_seen")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key"], name="attribute_key")]
        ordering = ["-built_in", "key"]

    DEFINITION_FIELDS = (
        "key", "label", "type", "multi_valued", "mandatory", "identifier", "built_in", "index_work", "index_turn",
    )  # fmt: skip
    """The fields that a ``Definition`` is built from."""

    def __str__(self) -> str:
        return self.label

    @property
    def definition(self) -> Definition:
        """This attribute without its database row."""
        return _definition({name: getattr(self, name) for name in self.DEFINITION_FIELDS})


def load_schema() -> Schema:
    """Return the schema as stored now (one query)."""
    return Schema.of(map(_definition, Attribute.objects.values(*Attribute.DEFINITION_FIELDS).order_by("id")))


def _definition(values: Mapping[str, Any]) -> Definition:
    fields = dict(values)
    work, turn = fields.pop("index_work"), fields.pop("index_turn")
    return Definition(**{**fields, "type": ValueType(values["type"]), "indexing": bool(work), "turn": turn})


def add_attributes(definitions: Iterable[Definition]) -> None:
    """Store new custom attributes; leave one unchanged that was created in the meantime."""
    Attribute.objects.bulk_create(
        [
            Attribute(key=d.key, label=d.label, type=d.type, multi_valued=d.multi_valued, identifier=d.identifier)
            for d in definitions
        ],
        ignore_conflicts=True,
    )


class Identifier(models.Model):
    """A channel value in matching form and a person who has it, derived from ``Profile.attributes``.

    Only ``store`` writes it, and ``identifier_index`` for an attribute that becomes an identifier or ceases to be one.
    """

    pk = models.CompositePrimaryKey("kind", "value", "profile_id")
    kind = models.CharField(max_length=120, db_collation="C")
    value = models.TextField(db_collation="C")
    profile = models.ForeignKey(Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")


class Suppression(models.Model):
    """A statement that an address or number must not be contacted, or may be again, whoever has it (SB-06).

    Rows are only added. The newest row of an address is in force: by ``moment``, then change set and row number. When
    the rows of an undone change set are removed, the newest one before them is in force. Only ``store`` writes it.
    """

    pk = models.CompositePrimaryKey("kind", "value", "moment", "change_set_id", "row")
    kind = models.CharField(max_length=120, db_collation="C")
    value = models.TextField(db_collation="C")
    moment = models.DateTimeField()
    change_set = models.ForeignKey(
        "ChangeSet", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    row = models.IntegerField()
    suppressed = models.BooleanField()


class ChangeSet(models.Model):
    """One act of writing people; every write belongs to one (design rule 3)."""

    class Kind(models.TextChoices):
        IMPORT = "import"
        API = "api"
        PERSON = "person"
        COMMAND = "command"
        INBOX = "inbox"
        UNDO = "undo"

    kind = models.CharField(max_length=10, choices=Kind)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    source = models.CharField(max_length=255, blank=True)
    when = models.DateTimeField()


class Change(models.Model):
    """What one change set did to one person.

    ``changes`` is ``{key: [old, new]}``, with null for a missing value. The person's own fields are stored under their
    names (``external_id``), and the alias, which is one value, under ``alias`` as ``[label, name]``. ``changes`` is
    empty for a person that the change set created, since every value without a later change was written then, and for
    a person that it matched and left unchanged.
    """

    class Outcome(models.TextChoices):
        IMPORTED = "imported"
        UPDATED = "updated"

    pk = models.CompositePrimaryKey("profile_id", "change_set_id")
    profile = models.ForeignKey(Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="history")
    change_set = models.ForeignKey(
        ChangeSet, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="members"
    )
    first_row = models.IntegerField(null=True)
    outcome = models.CharField(max_length=10, choices=Outcome)
    changes = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["change_set", "profile"], name="change_members")]


class WriteMark(models.Model):
    """One row per transaction that wrote people, so that a preview can detect whether data changed after it was made.

    ``transaction`` is PostgreSQL's 64-bit transaction ID. A counter would not work: it would be increased before the
    writer commits, and a preview made between the two would miss the change.
    """

    change_set = models.ForeignKey(ChangeSet, models.CASCADE, related_name="+")
    transaction = models.BigIntegerField(db_index=True)
    people = models.IntegerField()


class Event(models.Model):
    """Something that a person did at a time (requirements section 16). Only ``profiles.writing.events`` writes it."""

    profile = models.ForeignKey(Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events")
    name = models.CharField(max_length=255, db_collation="C")
    time = models.DateTimeField()
    properties = models.JSONField(default=dict)
    change_set = models.ForeignKey(
        ChangeSet, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events"
    )
    row = models.IntegerField(null=True, help_text="The row of the imported file. The first data row is 1.")

    class Meta:
        # One index for each way to filter the list, all in its order. The undo of an import finds its events by the
        # last one.
        indexes = [
            models.Index(fields=["profile", "-time", "-id"], name="event_timeline"),
            models.Index(fields=["-time", "-id"], name="event_time"),
            models.Index(fields=["name", "-time", "-id"], name="event_name"),
            models.Index(fields=["change_set", "-time", "-id"], name="event_change_set"),
        ]

    def __str__(self) -> str:
        return self.name


class SubscriptionGroup(models.Model):
    """A list that people join or leave on one channel. ``Profile.attributes`` holds the memberships (``consent``)."""

    group_id = models.CharField(max_length=255, db_collation="C")
    name = models.CharField(max_length=255)
    channel = models.CharField(max_length=20, blank=True, choices=[(c.value, c.label) for c in Channel])

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group_id"], name="subscription_group_id")]
        ordering = ["name", "group_id"]

    def __str__(self) -> str:
        return self.name


class Segment(models.Model):
    """A named set of people: those who meet conditions (``condition_json``), or the members of one change set.

    With neither it has no members: the change set was deleted. Several segments may have one name, as imports may.
    """

    name = models.CharField(max_length=255)
    conditions = models.JSONField(default=list, blank=True)
    change_set = models.ForeignKey(ChangeSet, models.SET_NULL, null=True, blank=True, related_name="segments")
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["name"], name="segment_name")]

    def __str__(self) -> str:
        return self.name
