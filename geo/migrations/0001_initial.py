"""Cities, districts, streets, geocoder cache."""

from django.db import migrations, models
from django.db.models.functions import Now

from fieldservice.lib.pg import ForeignKeyConstraint, LongIndex, NamePrimaryKey


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="City",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("is_active", models.BooleanField(db_default=True, default=True, verbose_name="active")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, db_default=Now(), verbose_name="changed")),
                ("timezone", models.CharField(blank=True, max_length=64, null=True, verbose_name="time zone")),
                ("centroid_lat", models.FloatField(blank=True, null=True, verbose_name="latitude of the centre")),
                ("centroid_lon", models.FloatField(blank=True, null=True, verbose_name="longitude of the centre")),
            ],
            options={
                "verbose_name": "city",
                "verbose_name_plural": "cities",
                "db_table": "cities",
                "constraints": [models.UniqueConstraint(fields=("name",), name="uq_cities__name")],
            },
        ),
        migrations.CreateModel(
            name="District",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("centroid_lat", models.FloatField(blank=True, null=True, verbose_name="latitude of the centre")),
                ("centroid_lon", models.FloatField(blank=True, null=True, verbose_name="longitude of the centre")),
                (
                    "city",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        to="geo.city",
                        verbose_name="city",
                    ),
                ),
            ],
            options={
                "verbose_name": "district",
                "verbose_name_plural": "districts",
                "db_table": "districts",
                "indexes": [LongIndex(fields=["city"], name="ix_districts__city_id")],
                "constraints": [
                    models.UniqueConstraint(fields=("city", "name"), name="uq_districts__city_name"),
                    ForeignKeyConstraint(field="city", name="fk_districts__city_id__cities", on_delete="CASCADE"),
                ],
            },
        ),
        migrations.CreateModel(
            name="GeoCache",
            fields=[
                ("query", models.CharField(max_length=255, primary_key=True, serialize=False, verbose_name="query")),
                ("lat", models.FloatField(blank=True, null=True, verbose_name="latitude")),
                ("lon", models.FloatField(blank=True, null=True, verbose_name="longitude")),
                ("provider", models.CharField(blank=True, max_length=32, null=True, verbose_name="provider")),
                ("confidence", models.IntegerField(blank=True, null=True, verbose_name="confidence")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
            ],
            options={
                "verbose_name": "cached address",
                "verbose_name_plural": "cached addresses",
                "db_table": "geocache",
                "indexes": [LongIndex(fields=["created_at"], name="ix_geocache_created_at")],
            },
        ),
        migrations.CreateModel(
            name="Street",
            fields=[
                ("id", models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200, verbose_name="name")),
                ("created_at", models.DateTimeField(db_default=Now(), editable=False, verbose_name="created")),
                ("centroid_lat", models.FloatField(blank=True, null=True, verbose_name="latitude of the centre")),
                ("centroid_lon", models.FloatField(blank=True, null=True, verbose_name="longitude of the centre")),
                (
                    "city",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=models.CASCADE,
                        to="geo.city",
                        verbose_name="city",
                    ),
                ),
                (
                    "district",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=models.SET_NULL,
                        to="geo.district",
                        verbose_name="district",
                    ),
                ),
            ],
            options={
                "verbose_name": "street",
                "verbose_name_plural": "streets",
                "db_table": "streets",
                "indexes": [
                    LongIndex(fields=["city"], name="ix_streets__city_id"),
                    LongIndex(fields=["district"], name="ix_streets__district_id"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("city", "district", "name"), name="uq_streets__city_district_name", nulls_distinct=False
                    ),
                    ForeignKeyConstraint(field="city", name="fk_streets__city_id__cities", on_delete="CASCADE"),
                    ForeignKeyConstraint(
                        field="district", name="fk_streets__district_id__districts", on_delete="SET NULL"
                    ),
                ],
            },
        ),
        *[
            NamePrimaryKey(table)
            for table in (
                "cities",
                "districts",
                "geocache",
                "streets",
            )
        ],
    ]
