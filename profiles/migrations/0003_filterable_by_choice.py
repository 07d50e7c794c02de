"""No attribute is filterable until somebody asks for it: then it gets an index, which makes imports dearer."""

from django.db import migrations


def unmark(apps, schema_editor):
    apps.get_model("profiles", "Attribute").objects.filter(built_in=True).update(filterable=False)


class Migration(migrations.Migration):
    dependencies = [("profiles", "0002_builtin_attributes")]
    operations = [migrations.RunPython(unmark, migrations.RunPython.noop)]
