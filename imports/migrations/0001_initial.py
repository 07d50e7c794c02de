"""All tables of imports, as of the first release, and the groups Admin, Creator and Approver (PM-01, PM-05)."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.apps import apps as all_apps
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.db import migrations, models


UPLOAD = ["upload_csv", "view_importjob", "view_profile", "view_attribute", "view_segment", "view_event"]
APPROVE = [*UPLOAD, "approve_import"]
ADMIN = [
    *APPROVE,
    *(f"{verb}_{model}" for verb in ("add", "change", "delete") for model in ("profile", "attribute", "segment")),
]


def add_groups(apps, schema_editor):
    for label in ("profiles", "imports"):  # permissions are created after all migrations, and are needed now
        create_permissions(all_apps.get_app_config(label), verbosity=0, using=schema_editor.connection.alias)
    group, permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    for name, codenames in {"Creator": UPLOAD, "Approver": APPROVE, "Admin": ADMIN}.items():
        group.objects.get_or_create(name=name)[0].permissions.add(
            *permission.objects.filter(content_type__app_label__in=["profiles", "imports"], codename__in=codenames)
        )


def remove_groups(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=["Creator", "Approver", "Admin"]).delete()


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("profiles", "0002_builtin_attributes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='JobTransition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=20)),
                ('before', models.CharField(choices=[('draft', 'Draft'), ('checking', 'Checking'), ('ready', 'Ready'), ('awaiting_approval', 'Awaiting approval'), ('pending', 'Pending'), ('in_progress', 'In Progress'), ('completed', 'Completed'), ('rejected', 'Rejected'), ('cancelled', 'Cancelled'), ('stopped', 'Stopped'), ('failed', 'Failed'), ('undoing', 'Undoing'), ('undone', 'Undone')], max_length=20)),
                ('after', models.CharField(choices=[('draft', 'Draft'), ('checking', 'Checking'), ('ready', 'Ready'), ('awaiting_approval', 'Awaiting approval'), ('pending', 'Pending'), ('in_progress', 'In Progress'), ('completed', 'Completed'), ('rejected', 'Rejected'), ('cancelled', 'Cancelled'), ('stopped', 'Stopped'), ('failed', 'Failed'), ('undoing', 'Undoing'), ('undone', 'Undone')], max_length=20)),
                ('comment', models.TextField(blank=True)),
                ('when', models.DateTimeField(auto_now_add=True)),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='NoMail',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='no_mail', serialize=False, to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ImportJob',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('file', models.FileField(max_length=500, upload_to='imports/%Y/%m/')),
                ('file_name', models.CharField(max_length=255)),
                ('file_size', models.BigIntegerField(default=0, help_text='In bytes.')),
                ('format', models.JSONField(blank=True, default=dict, help_text='Container, encoding and delimiter, as detected or chosen.')),
                ('source', models.CharField(choices=[('admin', 'Admin'), ('api', 'Api'), ('command', 'Command'), ('inbox', 'Inbox')], default='admin', max_length=10)),
                ('preset', models.CharField(default='standard', max_length=20)),
                ('record_type', models.CharField(choices=[('profiles', 'Customers'), ('events', 'Custom events')], default='profiles', max_length=10)),
                ('identifier', models.CharField(blank=True, max_length=120)),
                ('action', models.CharField(blank=True, choices=[('ignore', 'Ignore'), ('update', 'Update (Merge)'), ('append', 'Append'), ('overwrite', 'Overwrite'), ('replace', 'Replace')], max_length=10)),
                ('options', models.JSONField(blank=True, default=dict)),
                ('targeting', models.CharField(choices=[('filter', 'Create targeting filter'), ('segment', 'Create targeting filter and add to new segment'), ('none', 'Do not make available for targeting')], default='filter', max_length=10)),
                ('headers', models.CharField(blank=True, help_text='Fingerprint of the preset, the record type and the headers.', max_length=64)),
                ('remembered', models.CharField(blank=True, choices=[('', 'Not answered'), ('used', 'Used'), ('declined', 'Declined')], default='', max_length=10)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('checking', 'Checking'), ('ready', 'Ready'), ('awaiting_approval', 'Awaiting approval'), ('pending', 'Pending'), ('in_progress', 'In Progress'), ('completed', 'Completed'), ('rejected', 'Rejected'), ('cancelled', 'Cancelled'), ('stopped', 'Stopped'), ('failed', 'Failed'), ('undoing', 'Undoing'), ('undone', 'Undone')], default='draft', max_length=20)),
                ('step', models.CharField(blank=True, choices=[('', 'Nothing to do'), ('scan', 'Reading the file'), ('stage', 'Checking the rows'), ('plan', 'Matching people'), ('preview', 'Computing the result'), ('prepare', 'Planning the import'), ('apply', 'Importing')], default='', max_length=10)),
                ('reason', models.TextField(blank=True, help_text='Why the job was refused, failed or rejected.')),
                ('reason_code', models.CharField(blank=True, max_length=50)),
                ('findings', models.JSONField(blank=True, default=list, help_text='What the scan and the mapping report about the file.')),
                ('preview', models.JSONField(blank=True, default=dict)),
                ('snapshot', models.TextField(blank=True, help_text='Transactions that PostgreSQL had committed when the preview was made.')),
                ('schema_version', models.CharField(blank=True, max_length=64)),
                ('salt', models.IntegerField(default=0)),
                ('seconds', models.JSONField(blank=True, default=dict, help_text='Duration of each step, in seconds.')),
                ('total', models.IntegerField(default=0)),
                ('imported', models.IntegerField(default=0)),
                ('updated', models.IntegerField(default=0)),
                ('ignored', models.IntegerField(default=0)),
                ('failed', models.IntegerField(default=0)),
                ('not_run', models.IntegerField(default=0)),
                ('unchanged', models.IntegerField(default=0, help_text='Updated rows that changed nothing.')),
                ('people', models.IntegerField(default=0)),
                ('warnings', models.IntegerField(default=0)),
                ('data_points', models.BigIntegerField(help_text='An estimate; blank if they are not counted.', null=True)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('started', models.DateTimeField(blank=True, null=True)),
                ('finished', models.DateTimeField(blank=True, null=True)),
                ('step_started', models.DateTimeField(blank=True, null=True)),
                ('queued', models.DateTimeField(blank=True, help_text='When its next work was last queued.', null=True)),
                ('step_failures', models.SmallIntegerField(default=0, help_text='How often its step failed to begin or end.')),
                ('change_set', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='job', to='profiles.changeset')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='imports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'import',
                'verbose_name_plural': 'imports',
                'ordering': ['-id'],
                'permissions': [('upload_csv', 'Can upload, check and submit imports'), ('approve_import', "Can approve, reject and act on anyone's imports")],
            },
        ),
        migrations.CreateModel(
            name='ImportColumn',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.IntegerField(help_text='The first column is 1.')),
                ('header', models.TextField()),
                ('name', models.TextField(help_text='The header without its date format.')),
                ('date_format', models.CharField(blank=True, max_length=40)),
                ('target_kind', models.CharField(choices=[('undecided', 'Not decided yet'), ('skip', 'Skip this column'), ('field', 'Field of a person'), ('attribute', 'Attribute'), ('new', 'New attribute'), ('event', 'Name or time of the event'), ('property', 'Property of the event')], default='undecided', max_length=10)),
                ('target', models.CharField(blank=True, help_text='Key of the field or attribute.', max_length=120)),
                ('type', models.CharField(blank=True, choices=[('text', 'text'), ('integer', 'integer'), ('number', 'number'), ('boolean', 'boolean'), ('date', 'date'), ('datetime', 'datetime'), ('email', 'email'), ('phone', 'phone'), ('country', 'country'), ('language', 'language'), ('time_zone', 'time zone'), ('gender', 'gender'), ('yes_no', 'yes no'), ('education', 'education'), ('url', 'url'), ('subscription', 'subscription')], max_length=20)),
                ('suggested', models.BooleanField(default=True, help_text='False once a user has chosen the target.')),
                ('statistics', models.JSONField(default=dict, help_text='Filled cells, samples, and the types detected in the values.')),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='columns', to='imports.importjob')),
            ],
            options={
                'ordering': ['position'],
            },
        ),
        migrations.CreateModel(
            name='Download',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('results', 'Results workbook'), ('failed', 'Failed rows'), ('flagged', 'Failed and ignored rows')], max_length=10)),
                ('last_transition', models.BigIntegerField()),
                ('file', models.FileField(blank=True, max_length=500, upload_to='downloads/%Y/%m/')),
                ('rows', models.IntegerField(default=0, help_text='Number of rows written.')),
                ('queued', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('owner', models.CharField(blank=True, max_length=36)),
                ('attempts', models.SmallIntegerField(default=0)),
                ('made', models.DateTimeField(null=True)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='downloads', to='imports.importjob')),
            ],
        ),
        migrations.CreateModel(
            name='Bucket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('', 'Nothing to do'), ('scan', 'Reading the file'), ('stage', 'Checking the rows'), ('plan', 'Matching people'), ('preview', 'Computing the result'), ('prepare', 'Planning the import'), ('apply', 'Importing')], max_length=10)),
                ('number', models.IntegerField()),
                ('lane', models.CharField(choices=[('whole', 'Whole'), ('hash', 'Hash'), ('serial', 'Serial')], default='whole', max_length=10)),
                ('first', models.BigIntegerField(default=0)),
                ('last', models.BigIntegerField(default=0)),
                ('rows', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), null=True, size=None)),
                ('size', models.IntegerField(default=0, help_text='Number of rows.')),
                ('lease_until', models.DateTimeField(null=True)),
                ('owner', models.CharField(blank=True, max_length=36)),
                ('attempts', models.IntegerField(default=0)),
                ('error', models.TextField(blank=True)),
                ('done', models.DateTimeField(null=True)),
                ('counts', models.JSONField(default=dict)),
                ('job', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='buckets', to='imports.importjob')),
            ],
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('transition', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='notice', serialize=False, to='imports.jobtransition')),
                ('due', models.DateTimeField()),
                ('attempts', models.SmallIntegerField(default=0)),
                ('told', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None)),
            ],
        ),
        migrations.AddField(
            model_name='jobtransition',
            name='job',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transitions', to='imports.importjob'),
        ),
        migrations.CreateModel(
            name='RowError',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('', 'Nothing to do'), ('scan', 'Reading the file'), ('stage', 'Checking the rows'), ('plan', 'Matching people'), ('preview', 'Computing the result'), ('prepare', 'Planning the import'), ('apply', 'Importing')], max_length=10)),
                ('row', models.IntegerField(help_text='The first data row is 1.')),
                ('line', models.IntegerField(help_text='The physical line in the file; the first one is 1.')),
                ('severity', models.CharField(choices=[('error', 'Error'), ('ignored', 'Ignored'), ('warning', 'Warning')], max_length=10)),
                ('column', models.TextField(blank=True)),
                ('value', models.TextField(blank=True)),
                ('code', models.CharField(max_length=50)),
                ('reason', models.TextField()),
                ('raw', models.JSONField(help_text='The cells of the row.', null=True)),
                ('job', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='problems', to='imports.importjob')),
            ],
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(fields=['status', '-id'], name='job_status'),
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(condition=models.Q(('step', ''), _negated=True), fields=['step'], name='job_at_work'),
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(fields=['created_by', 'status', '-id'], name='job_of_person'),
        ),
        migrations.AddIndex(
            model_name='importjob',
            index=models.Index(condition=models.Q(('status__in', ('ready', 'awaiting_approval', 'pending', 'in_progress', 'completed', 'rejected', 'stopped', 'undoing', 'undone'))), fields=['headers', '-id'], name='job_headers'),
        ),
        migrations.AddConstraint(
            model_name='importcolumn',
            constraint=models.UniqueConstraint(fields=('job', 'position'), name='column_position'),
        ),
        migrations.AddConstraint(
            model_name='download',
            constraint=models.UniqueConstraint(fields=('job', 'kind'), name='download_kind'),
        ),
        migrations.AddConstraint(
            model_name='bucket',
            constraint=models.UniqueConstraint(fields=('job', 'step', 'number'), name='bucket_number'),
        ),
        migrations.AddIndex(
            model_name='rowerror',
            index=models.Index(fields=['job', 'row'], name='problem_row'),
        ),
        migrations.RunPython(add_groups, remove_groups),
    ]
