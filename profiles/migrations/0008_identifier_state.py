"""How far the look-up index of each identifier is; of those that exist there is nothing left to do."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('profiles', '0007_segments'),
    ]

    operations = [
        migrations.AddField(
            model_name='attribute',
            name='index_work',
            field=models.CharField(blank=True, choices=[('', 'none'), ('clearing', 'clearing away what does not count any more'), ('filling', 'adding what people have')], default='', editable=False, max_length=10),
        ),
        migrations.AddField(
            model_name='attribute',
            name='index_turn',
            field=models.IntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='attribute',
            name='index_position',
            field=models.BigIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='attribute',
            name='index_seen',
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
