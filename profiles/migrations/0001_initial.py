"""All tables of people, as of the first release."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Attribute',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(db_collation='C', max_length=120)),
                ('label', models.CharField(max_length=255)),
                ('type', models.CharField(choices=[('text', 'text'), ('integer', 'integer'), ('number', 'number'), ('boolean', 'boolean'), ('date', 'date'), ('datetime', 'datetime'), ('email', 'email'), ('phone', 'phone'), ('country', 'country'), ('language', 'language'), ('time_zone', 'time zone'), ('gender', 'gender'), ('yes_no', 'yes no'), ('education', 'education'), ('url', 'url'), ('subscription', 'subscription')], max_length=20)),
                ('multi_valued', models.BooleanField(default=False)),
                ('mandatory', models.BooleanField(default=False)),
                ('identifier', models.BooleanField(default=False, help_text='Imports can match people by this attribute.')),
                ('built_in', models.BooleanField(default=False)),
                ('personal', models.BooleanField(default=False)),
                ('filterable', models.BooleanField(default=False)),
                ('description', models.TextField(blank=True)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('index_work', models.CharField(blank=True, choices=[('', 'none'), ('clearing', 'removing outdated values'), ('filling', "adding people's values")], default='', editable=False, max_length=10)),
                ('index_turn', models.IntegerField(default=0, editable=False)),
                ('index_position', models.BigIntegerField(default=0, editable=False)),
                ('index_seen', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'ordering': ['-built_in', 'key'],
                'constraints': [models.UniqueConstraint(fields=('key',), name='attribute_key')],
            },
        ),
        migrations.CreateModel(
            name='ChangeSet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('import', 'Import'), ('api', 'Api'), ('person', 'Person'), ('command', 'Command'), ('inbox', 'Inbox'), ('undo', 'Undo')], max_length=10)),
                ('source', models.CharField(blank=True, max_length=255)),
                ('when', models.DateTimeField()),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Profile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('object_id', models.CharField(db_collation='C', help_text='Assigned by the system. It never changes.', max_length=64)),
                ('external_id', models.CharField(blank=True, db_collation='C', max_length=1024, null=True)),
                ('alias_label', models.CharField(blank=True, db_collation='C', max_length=255, null=True)),
                ('alias_name', models.CharField(blank=True, db_collation='C', max_length=255, null=True)),
                ('attributes', models.JSONField(blank=True, default=dict)),
                ('created', models.DateTimeField()),
                ('updated', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'people',
                'constraints': [models.UniqueConstraint(fields=('object_id',), name='profile_object_id'), models.UniqueConstraint(condition=models.Q(('external_id__isnull', False)), fields=('external_id',), name='profile_external_id'), models.UniqueConstraint(condition=models.Q(('alias_name__isnull', False), ('external_id__isnull', True)), fields=('alias_name', 'alias_label'), name='profile_alias')],
            },
        ),
        migrations.CreateModel(
            name='Identifier',
            fields=[
                ('pk', models.CompositePrimaryKey('kind', 'value', 'profile_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(db_collation='C', max_length=120)),
                ('value', models.TextField(db_collation='C')),
                ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles.profile')),
            ],
        ),
        migrations.CreateModel(
            name='SubscriptionGroup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('group_id', models.CharField(db_collation='C', max_length=255)),
                ('name', models.CharField(max_length=255)),
                ('channel', models.CharField(blank=True, choices=[('email', 'E-mail'), ('sms', 'SMS'), ('push', 'Push'), ('whatsapp', 'WhatsApp')], max_length=20)),
            ],
            options={
                'ordering': ['name', 'group_id'],
                'constraints': [models.UniqueConstraint(fields=('group_id',), name='subscription_group_id')],
            },
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('pk', models.CompositePrimaryKey('kind', 'value', 'moment', 'change_set_id', 'row', blank=True, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(db_collation='C', max_length=120)),
                ('value', models.TextField(db_collation='C')),
                ('moment', models.DateTimeField()),
                ('row', models.IntegerField()),
                ('suppressed', models.BooleanField()),
                ('change_set', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='profiles.changeset')),
            ],
        ),
        migrations.CreateModel(
            name='WriteMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('transaction', models.BigIntegerField(db_index=True)),
                ('people', models.IntegerField()),
                ('change_set', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='profiles.changeset')),
            ],
        ),
        migrations.CreateModel(
            name='Event',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(db_collation='C', max_length=255)),
                ('time', models.DateTimeField()),
                ('properties', models.JSONField(default=dict)),
                ('row', models.IntegerField(help_text='The row of the imported file. The first data row is 1.', null=True)),
                ('change_set', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='profiles.changeset')),
                ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='profiles.profile')),
            ],
            options={
                'indexes': [models.Index(fields=['profile', '-time', '-id'], name='event_timeline'), models.Index(fields=['-time', '-id'], name='event_time'), models.Index(fields=['name', '-time', '-id'], name='event_name'), models.Index(fields=['change_set', '-time', '-id'], name='event_change_set')],
            },
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('pk', models.CompositePrimaryKey('profile_id', 'change_set_id', blank=True, editable=False, primary_key=True, serialize=False)),
                ('first_row', models.IntegerField(null=True)),
                ('outcome', models.CharField(choices=[('imported', 'Imported'), ('updated', 'Updated')], max_length=10)),
                ('changes', models.JSONField(default=dict)),
                ('change_set', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='members', to='profiles.changeset')),
                ('profile', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='history', to='profiles.profile')),
            ],
            options={
                'indexes': [models.Index(fields=['change_set', 'profile'], name='change_members')],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255)),
                ('conditions', models.JSONField(blank=True, default=list)),
                ('created', models.DateTimeField(auto_now_add=True)),
                ('change_set', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='segments', to='profiles.changeset')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['name'], name='segment_name')],
            },
        ),
        # Room on each page lets an update stay there without touching any index (HOT).
        migrations.RunSQL(
            'ALTER TABLE profiles_profile SET (fillfactor = 88)',
            'ALTER TABLE profiles_profile RESET (fillfactor)',
        ),
    ]
