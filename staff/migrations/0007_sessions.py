"""Sessions of the web admin know their member."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

from fieldservice.lib.pg import ForeignKeyConstraint, LongIndex, NamePrimaryKey


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0006_shift_changes'),
    ]

    operations = [
        migrations.CreateModel(
            name='StaffSession',
            fields=[
                ('session_key', models.CharField(max_length=40, primary_key=True, serialize=False, verbose_name='session key')),
                ('session_data', models.TextField(verbose_name='session data')),
                ('expire_date', models.DateTimeField(verbose_name='ends')),
                ('ip', models.CharField(blank=True, db_default='', default='', max_length=45, verbose_name='address')),
                ('agent', models.CharField(blank=True, db_default='', default='', max_length=200, verbose_name='browser')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='began')),
                ('seen_at', models.DateTimeField(blank=True, null=True, verbose_name='last seen')),
                ('member', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='staff member')),
            ],
            options={
                'verbose_name': 'session',
                'verbose_name_plural': 'sessions',
                'db_table': 'staff_sessions',
                'indexes': [LongIndex(fields=['member'], name='ix_staff_sessions__member'), LongIndex(fields=['expire_date'], name='ix_staff_sessions__expire_date')],
                'constraints': [ForeignKeyConstraint(field='member', name='fk_staff_sessions__member_id__staff_users', on_delete='CASCADE')],
            },
        ),
        NamePrimaryKey("staff_sessions"),
    ]
