"""Types for closed lists of values, and the built-in attributes that have them (AT-65..AT-67).

An attribute of which somebody has a value already stays text, whatever the value is: an administrator can change the
type in the admin, which says who stands in the way.
"""

from django.db import migrations, models

LISTED = {"employed": "yes_no", "education": "education", "married": "yes_no"}


def list_values(apps, schema_editor):
    attributes = apps.get_model("profiles", "Attribute").objects.filter(built_in=True, type="text")
    profiles = apps.get_model("profiles", "Profile").objects
    for key, kind in LISTED.items():
        if not profiles.filter(attributes__has_key=key).exists():
            attributes.filter(key=key).update(type=kind)


def unlist_values(apps, schema_editor):
    apps.get_model("profiles", "Attribute").objects.filter(built_in=True, key__in=LISTED).update(type="text")


class Migration(migrations.Migration):
    dependencies = [
        ('profiles', '0005_events'),
    ]

    operations = [
        migrations.AlterField(
            model_name='attribute',
            name='type',
            field=models.CharField(choices=[('text', 'text'), ('integer', 'integer'), ('number', 'number'), ('boolean', 'boolean'), ('date', 'date'), ('datetime', 'datetime'), ('email', 'email'), ('phone', 'phone'), ('country', 'country'), ('language', 'language'), ('time_zone', 'time zone'), ('gender', 'gender'), ('yes_no', 'yes no'), ('education', 'education'), ('url', 'url'), ('subscription', 'subscription')], max_length=20),
        ),
        migrations.RunPython(list_values, unlist_values),
    ]
