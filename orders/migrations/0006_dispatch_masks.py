"""The decision log gets lighter: masks instead of ids, no constraints a thousand rows a second must be checked against.

Traces written before say nothing from here on.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0005_dispatch_batches"),
        ("staff", "0003_coverage_changes"),
    ]

    operations = [
        migrations.RunSQL("TRUNCATE dispatch_traces", migrations.RunSQL.noop),
        migrations.RemoveConstraint("dispatchtrace", "fk_dispatch_traces__batch_id__dispatch_batches"),
        migrations.RemoveConstraint("dispatchtrace", "fk_dispatch_traces__city_id__cities"),
        migrations.RemoveConstraint("dispatchdecision", "fk_dispatch_decisions__batch_id__dispatch_batches"),
        migrations.RemoveConstraint("dispatchdecision", "fk_dispatch_decisions__order_id__orders"),
        migrations.RemoveConstraint("dispatchdecision", "fk_dispatch_decisions__master_id__masters"),
        migrations.RemoveIndex("dispatchdecision", "ix_dispatch_decisions__decided_at"),
    ]
