"""The figures of one city are read from an index alone."""

import fieldservice.lib.pg.constraints
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):

    atomic = False  # the table is big, and people work meanwhile

    dependencies = [
        ('geo', '0004_streets_version_grows'),
        ('orders', '0009_closed_orders_index'),
        ('staff', '0007_sessions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='order',
            index=fieldservice.lib.pg.constraints.LongIndex(fields=['city', 'created_at'], include=('id', 'status'), name='ix_orders__city_created_at'),
        ),
    ]
