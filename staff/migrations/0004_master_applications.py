import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from fieldservice.lib.pg import ForeignKeyConstraint, LongIndex, NamePrimaryKey, PgEnumField, RecreateEnum

METHODS = ["CARD", "SBP", "YOOMONEY", "BANK_ACCOUNT"]


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0003_coverage_changes'),
    ]

    operations = [
        migrations.AddField(
            model_name='master',
            name='applied_at',
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name='applied'),
        ),
        migrations.AddField(
            model_name='master',
            name='pdn_version',
            field=models.CharField(blank=True, editable=False, max_length=16, null=True, verbose_name='consent, version'),
        ),
        migrations.AddField(
            model_name='master',
            name='skills_wanted',
            field=models.JSONField(blank=True, editable=False, null=True, verbose_name='skills asked for'),
        ),
        RecreateEnum("payout_method", METHODS, [*METHODS, "CASH"]),
        migrations.AlterField(
            model_name='master',
            name='payout_method',
            field=PgEnumField(blank=True, choices=[('CARD', 'Card'), ('SBP', 'SBP'), ('YOOMONEY', 'YooMoney'), ('BANK_ACCOUNT', 'Bank account'), ('CASH', 'Cash')], enum_type='payout_method', null=True, verbose_name='payout method'),
        ),
        migrations.CreateModel(
            name='MasterDraft',
            fields=[
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('tg_user_id', models.BigIntegerField(verbose_name='Telegram id')),
                ('data', models.JSONField(db_default={}, default=dict)),
                ('editing', models.CharField(blank=True, db_default='', default='', max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False, verbose_name='created')),
                ('updated_at', models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now(), verbose_name='changed')),
                ('invite', models.ForeignKey(blank=True, db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='staff.masterinvitecode', verbose_name='invite code')),
            ],
            options={
                'verbose_name': 'unfinished application',
                'verbose_name_plural': 'unfinished applications',
                'db_table': 'master_drafts',
                'indexes': [LongIndex(fields=['updated_at'], name='ix_master_drafts__updated_at')],
                'constraints': [models.UniqueConstraint(fields=('tg_user_id',), name='uq_master_drafts__tg_user_id'), ForeignKeyConstraint(field='invite', name='fk_master_drafts__invite_id__master_invite_codes', on_delete='SET NULL')],
            },
        ),
        NamePrimaryKey("master_drafts"),
    ]
