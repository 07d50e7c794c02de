"""People, the schema of what is known about them, and who wrote which value."""

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
    """One person. Every attribute lives in ``attributes`` under its key; a multi-valued one is a list, first = primary.

    ``updated`` is the person's version too: it grows with every change and with nothing else, so that two equal
    readings mean the same data. It has no index, for then an update could not stay on its page (HOT).
    """

    object_id = models.CharField(max_length=64, db_collation="C", help_text="Made by the system; never changes.")
    external_id = models.CharField(max_length=1024, null=True, blank=True, db_collation="C")  # noqa: DJ001  unique
    alias_label = models.CharField(max_length=255, null=True, blank=True, db_collation="C")  # noqa: DJ001  unique
    alias_name = models.CharField(max_length=255, null=True, blank=True, db_collation="C")  # noqa: DJ001  unique
    attributes = models.JSONField(default=dict, blank=True)
    created = models.DateTimeField()
    updated = models.DateTimeField()

    class Meta:
        # Constraints instead of unique=True, which would add a second index for LIKE to each.
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
    """What is still to be done until the look-up index holds of an attribute what it is to hold."""

    NONE = "", "none"
    CLEARING = "clearing", "clearing away what does not count any more"
    FILLING = "filling", "adding what people have"


class Attribute(models.Model):
    """One line of the schema: what may be known about people (requirements section 6)."""

    key = models.CharField(max_length=120, db_collation="C")
    label = models.CharField(max_length=255)
    type = models.CharField(max_length=20, choices=[(t.value, t.value.replace("_", " ")) for t in ValueType])
    multi_valued = models.BooleanField(default=False)
    mandatory = models.BooleanField(default=False)
    identifier = models.BooleanField(default=False, help_text="A channel that people can be found by.")
    built_in = models.BooleanField(default=False)
    personal = models.BooleanField(default=False)
    filterable = models.BooleanField(default=False)
    description = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)

    # Of the look-up index; written by ``identifier_index`` alone. The turn grows with each change of what is asked for;
    # everybody up to the position has been looked at; somebody was last seen at it, or asked to be.
    index_work = models.CharField(max_length=10, blank=True, choices=IndexWork, default=IndexWork.NONE, editable=False)
    index_turn = models.IntegerField(default=0, editable=False)
    index_position = models.BigIntegerField(default=0, editable=False)
    index_seen = models.DateTimeField(null=True, editable=False)

    INDEX = ("index_work", "index_turn", "index_position", "index_seen")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key"], name="attribute_key")]
        ordering = ["-built_in", "key"]

    DEFINING = (
        "key", "label", "type", "multi_valued", "mandatory", "identifier", "built_in", "index_work", "index_turn",
    )  # fmt: skip
    """What the engine needs of it."""

    def __str__(self) -> str:
        return self.label

    @property
    def definition(self) -> Definition:
        """This attribute as the engine needs it."""
        return _definition({name: getattr(self, name) for name in self.DEFINING})


def load_schema() -> Schema:
    """The schema as it is stored now (one query)."""
    return Schema.of(map(_definition, Attribute.objects.values(*Attribute.DEFINING).order_by("id")))


def _definition(values: Mapping[str, Any]) -> Definition:
    known = dict(values)
    work, turn = known.pop("index_work"), known.pop("index_turn")
    return Definition(**{**known, "type": ValueType(values["type"]), "indexing": bool(work), "turn": turn})


def add_attributes(definitions: Iterable[Definition]) -> None:
    """Store new custom attributes; one that came into being meanwhile stays as it is."""
    Attribute.objects.bulk_create(
        [
            Attribute(key=d.key, label=d.label, type=d.type, multi_valued=d.multi_valued, identifier=d.identifier)
            for d in definitions
        ],
        ignore_conflicts=True,
    )


class Identifier(models.Model):
    """Who holds a channel value, in matching form: derived from ``Profile.attributes``, written by ``store`` alone.

    Only ``identifier_index`` writes it too, for an attribute that becomes an identifier, or is none any more.
    """

    pk = models.CompositePrimaryKey("kind", "value", "profile_id")
    kind = models.CharField(max_length=120, db_collation="C")
    value = models.TextField(db_collation="C")
    profile = models.ForeignKey(Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")


class Suppression(models.Model):
    """What somebody said about an address or number, whoever holds it: nobody may be contacted at it, or again (SB-06).

    Lines are only added, and the newest of an address counts: by ``moment``, then change set and row. Without those of
    a change set that is taken back, the newest before it counts. Written by ``store`` alone.
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
    """One act of writing people: whoever writes does it under one of these (design rule 3)."""

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

    ``changes`` is ``{key: [old, new]}``, null for a value that was not there; the person's own fields stand under
    their names (``external_id``), the alias, which is one value, as ``alias`` with ``[label, name]``. It is empty for
    a person whom the change set created, since every value without a later change was written then, and for one whom
    it found and left as they were.
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
    """One line per transaction that wrote people, so that a preview can tell whether data changed since it was made.

    ``transaction`` is PostgreSQL's 64-bit transaction id. A counter could not serve: it would be raised before the
    writer commits, and a preview between the two would miss the change.
    """

    change_set = models.ForeignKey(ChangeSet, models.CASCADE, related_name="+")
    transaction = models.BigIntegerField(db_index=True)
    people = models.IntegerField()


class Event(models.Model):
    """Something a person did at a time (requirements section 16); written by ``profiles.writing.events`` alone."""

    profile = models.ForeignKey(Profile, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events")
    name = models.CharField(max_length=255, db_collation="C")
    time = models.DateTimeField()
    properties = models.JSONField(default=dict)
    change_set = models.ForeignKey(
        ChangeSet, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="events"
    )
    row = models.IntegerField(null=True, help_text="Of the file that it came in.")

    class Meta:
        # One index for each way into the list, all in its order. What an import brought is also what its undo takes.
        indexes = [
            models.Index(fields=["profile", "-time", "-id"], name="event_timeline"),
            models.Index(fields=["-time", "-id"], name="event_time"),
            models.Index(fields=["name", "-time", "-id"], name="event_name"),
            models.Index(fields=["change_set", "-time", "-id"], name="event_change_set"),
        ]

    def __str__(self) -> str:
        return self.name


class SubscriptionGroup(models.Model):
    """A list that people join or leave on one channel; memberships live in ``Profile.attributes`` (``consent``)."""

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

    With neither it is nobody: the change set is gone. Names may be alike, as those of imports may.
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
