from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0008_downloads'),
    ]

    operations = [
        migrations.AddField(
            model_name='importjob',
            name='data_points',
            field=models.BigIntegerField(help_text='Where they are counted: an estimate.', null=True),
        ),
    ]
