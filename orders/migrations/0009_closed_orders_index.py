"""The index of closed orders stands in the order of their lists: those without a date last."""

import fieldservice.lib.pg.constraints
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('geo', '0004_streets_version_grows'),
        ('orders', '0008_order_ratings'),
        ('staff', '0007_sessions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='order',
            name='ix_orders__closed_at',
        ),
        migrations.AddIndex(
            model_name='order',
            index=fieldservice.lib.pg.constraints.LongIndex(models.OrderBy(models.F('closed_at'), descending=True, nulls_last=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('status', 'CLOSED')), name='ix_orders__closed_at'),
        ),
    ]
