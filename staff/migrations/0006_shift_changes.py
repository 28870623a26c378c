"""Every change of a shift leaves a row, whoever makes it: the card of a master shows them."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from fieldservice.lib.pg import ForeignKeyConstraint, LongIndex, NamePrimaryKey, PgEnumField

NOTE = """
CREATE FUNCTION note_shift_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO master_shift_changes(master_id, status) VALUES (NEW.id, NEW.shift_status);
    RETURN NULL;
END $$;
CREATE TRIGGER tr_masters__shift AFTER UPDATE OF shift_status ON masters
    FOR EACH ROW WHEN (OLD.shift_status IS DISTINCT FROM NEW.shift_status) EXECUTE FUNCTION note_shift_change()
"""
FORGET = """
DROP TRIGGER tr_masters__shift ON masters;
DROP FUNCTION note_shift_change()
"""


class Migration(migrations.Migration):

    dependencies = [
        ('staff', '0005_member_preferences'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShiftChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('status', PgEnumField(choices=[('SHIFT_OFF', 'Off shift'), ('SHIFT_ON', 'On shift'), ('BREAK', 'On a break')], enum_type='shift_status', verbose_name='shift')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='when')),
                ('master', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='staff.master')),
            ],
            options={
                'verbose_name': 'change of shift',
                'verbose_name_plural': 'changes of shifts',
                'db_table': 'master_shift_changes',
                'indexes': [LongIndex(fields=['master', 'at'], name='ix_master_shift_changes__master_at'), LongIndex(fields=['at'], name='ix_master_shift_changes__at')],
                'constraints': [ForeignKeyConstraint(field='master', name='fk_master_shift_changes__master_id__masters', on_delete='CASCADE')],
            },
        ),
        NamePrimaryKey("master_shift_changes"),
        migrations.RunSQL(NOTE, FORGET),
    ]
