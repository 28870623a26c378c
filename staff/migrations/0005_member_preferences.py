"""What a person of the office chose last: filters, the last search."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0004_master_applications'),
    ]

    operations = [
        migrations.AddField(
            model_name='staffuser',
            name='preferences',
            field=models.JSONField(blank=True, db_default={}, default=dict, editable=False),
        ),
    ]
