"""The geocoder's counter: questions a day, and the moment of the next one."""

from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import NamePrimaryKey


class Migration(migrations.Migration):
    dependencies = [("geo", "0002_streets_version")]

    operations = [
        migrations.CreateModel(
            name="GeocoderUsage",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("provider", models.CharField(max_length=32, verbose_name="provider")),
                ("day", models.DateField(verbose_name="day")),
                ("asked", models.IntegerField(db_default=0, default=0, verbose_name="questions")),
                ("next_at", models.DateTimeField(db_default=Now(), verbose_name="next question")),
            ],
            options={
                "verbose_name": "use of the geocoder",
                "verbose_name_plural": "use of the geocoder",
                "db_table": "geocoder_usage",
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "day"), name="uq_geocoder_usage__provider_day")
                ],
            },
        ),
        NamePrimaryKey("geocoder_usage"),
    ]
