"""Streets as they are typed, and when the geocoder is to be asked. Rewrites no table."""

from django.db import migrations, models
from django.db.models import Q

from fieldservice.lib.pg import LongIndex


class Migration(migrations.Migration):
    dependencies = [("orders", "0006_dispatch_masks")]

    operations = [
        migrations.AddField(
            "order",
            "street_text",
            models.CharField(blank=True, max_length=200, null=True, verbose_name="street (typed)"),
        ),
        migrations.AddField(
            "order",
            "geocode_at",
            models.DateTimeField(blank=True, editable=False, null=True, verbose_name="geocoder asked at"),
        ),
        migrations.AddIndex(
            "order",
            LongIndex(fields=["geocode_at"], name="ix_orders__geocode_due", condition=Q(geocode_at__isnull=False)),
        ),
    ]
