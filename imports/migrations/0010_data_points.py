from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0005_headers'),
    ]

    operations = [
        migrations.AddField(
            model_name='importjob',
            name='data_points',
            field=models.BigIntegerField(help_text='Where they are counted: an estimate.', null=True),
        ),
    ]
