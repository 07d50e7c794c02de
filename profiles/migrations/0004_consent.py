"""Consent lives among the attributes, and what is said about addresses in a log (requirements section 15).

Nothing ever wrote the column and the table that go.
"""

import django.db.models.deletion
from django.db import migrations, models

STATES = [("email", "E-mail"), ("sms", "SMS"), ("push", "Push"), ("whatsapp", "WhatsApp")]

# key, label, type
BUILT_IN = [
    *((f"{channel}_subscribe", f"{label} subscription", "subscription") for channel, label in STATES),
    ("dnd_email", "Do not disturb by e-mail", "boolean"),
    ("dnd_phone", "Do not disturb by phone", "boolean"),
]

TYPES = [
    "text", "integer", "number", "boolean", "date", "datetime", "email", "phone", "country", "language", "time_zone",
    "gender", "url", "subscription",
]


def add(apps, schema_editor):
    """An attribute of a site's own under one of the keys becomes the built-in one; what people have there stays."""
    attribute = apps.get_model("profiles", "Attribute")
    for key, label, type_ in BUILT_IN:
        given = {"label": label, "type": type_, "multi_valued": False, "identifier": False, "built_in": True}
        attribute.objects.update_or_create(key=key, defaults=given)


def remove(apps, schema_editor):
    attribute = apps.get_model("profiles", "Attribute")
    attribute.objects.filter(key__in=[key for key, _, _ in BUILT_IN]).delete()


class Migration(migrations.Migration):
    dependencies = [("profiles", "0003_filterable_by_choice")]

    operations = [
        migrations.RemoveField("profile", "consent"),
        migrations.DeleteModel("Suppression"),
        migrations.CreateModel(
            "Suppression",
            [
                ("pk", models.CompositePrimaryKey("kind", "value", "moment", "change_set_id", "row", blank=True, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(db_collation="C", max_length=120)),
                ("value", models.TextField(db_collation="C")),
                ("moment", models.DateTimeField()),
                ("change_set", models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="profiles.changeset")),
                ("row", models.IntegerField()),
                ("suppressed", models.BooleanField()),
            ],
        ),
        migrations.AlterModelOptions("subscriptiongroup", {"ordering": ["name", "group_id"]}),
        migrations.AlterField("subscriptiongroup", "group_id", models.CharField(db_collation="C", max_length=255)),
        migrations.AlterField("subscriptiongroup", "channel", models.CharField(blank=True, choices=STATES, max_length=20)),
        migrations.AlterField(
            "attribute", "type", models.CharField(choices=[(t, t.replace("_", " ")) for t in TYPES], max_length=20)
        ),
        migrations.RunPython(add, remove),
    ]
