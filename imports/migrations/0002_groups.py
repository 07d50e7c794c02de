"""The groups Admin, Creator and Approver with their permissions (PM-01, PM-05)."""

from django.apps import apps as all_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

UPLOAD = ["upload_csv", "view_importjob", "view_profile", "view_attribute", "view_segment", "view_event"]
APPROVE = [*UPLOAD, "approve_import"]
ADMIN = [
    *APPROVE,
    *(f"{verb}_{model}" for verb in ("add", "change", "delete") for model in ("profile", "attribute", "segment")),
]


def add(apps, schema_editor):
    for label in ("profiles", "imports"):  # permissions are made after all migrations, and are needed now
        create_permissions(all_apps.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, codenames in {"Creator": UPLOAD, "Approver": APPROVE, "Admin": ADMIN}.items():
        group.objects.get_or_create(name=name)[0].permissions.add(
            *permission.objects.filter(content_type__app_label__in=["profiles", "imports"], codename__in=codenames)
        )


def remove(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=["Creator", "Approver", "Admin"]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("imports", "0001_initial"),
        ("profiles", "0002_builtin_attributes"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(add, remove)]
