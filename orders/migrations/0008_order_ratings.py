"""Ratings of visits; an index for lists of closed orders."""

import django.db.models.deletion
import django.db.models.functions.datetime
import fieldservice.lib.pg.constraints
from fieldservice.lib.pg import NamePrimaryKey
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('geo', '0002_streets_version'),
        ('orders', '0007_order_place'),
        ('staff', '0005_member_preferences'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='OrderRating',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stars', models.SmallIntegerField(verbose_name='rating')),
                ('comment', models.TextField(blank=True, null=True, verbose_name='comment')),
                ('rating_before', models.FloatField(editable=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='when')),
            ],
            options={
                'verbose_name': 'rating',
                'verbose_name_plural': 'ratings',
                'db_table': 'order_ratings',
            },
        ),
        migrations.AddIndex(
            model_name='order',
            index=fieldservice.lib.pg.constraints.LongIndex(condition=models.Q(('status', 'CLOSED')), fields=['closed_at', 'id'], name='ix_orders__closed_at'),
        ),
        migrations.AddField(
            model_name='orderrating',
            name='master',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='staff.master', verbose_name='master'),
        ),
        migrations.AddField(
            model_name='orderrating',
            name='order',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='ratings', to='orders.order', verbose_name='order'),
        ),
        migrations.AddField(
            model_name='orderrating',
            name='rated_by_staff',
            field=models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='rated by'),
        ),
        migrations.AddIndex(
            model_name='orderrating',
            index=fieldservice.lib.pg.constraints.LongIndex(fields=['master', 'id'], name='ix_order_ratings__master'),
        ),
        migrations.AddConstraint(
            model_name='orderrating',
            constraint=models.UniqueConstraint(fields=('order',), name='uq_order_ratings__order'),
        ),
        migrations.AddConstraint(
            model_name='orderrating',
            constraint=models.CheckConstraint(condition=models.Q(('stars__gte', 1), ('stars__lte', 5)), name='ck_order_ratings__stars'),
        ),
        migrations.AddConstraint(
            model_name='orderrating',
            constraint=fieldservice.lib.pg.constraints.ForeignKeyConstraint(field='order', name='fk_order_ratings__order_id__orders', on_delete='CASCADE'),
        ),
        migrations.AddConstraint(
            model_name='orderrating',
            constraint=fieldservice.lib.pg.constraints.ForeignKeyConstraint(field='master', name='fk_order_ratings__master_id__masters', on_delete='CASCADE'),
        ),
        migrations.AddConstraint(
            model_name='orderrating',
            constraint=fieldservice.lib.pg.constraints.ForeignKeyConstraint(field='rated_by_staff', name='fk_order_ratings__rated_by_staff_id__staff_users', on_delete='SET NULL'),
        ),
        NamePrimaryKey("order_ratings"),
    ]
