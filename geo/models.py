"""Cities, districts, streets and cached answers of the geocoder (spec §2; names as in v1.2)."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from fieldservice.lib.pg import LongIndex, named_fk


class City(models.Model):
    """A city the company works in. `timezone` is an IANA name; empty means the TIMEZONE setting."""

    name = models.CharField(_("name"), max_length=120)
    is_active = models.BooleanField(_("active"), default=True, db_default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True, db_default=Now())
    timezone = models.CharField(_("time zone"), max_length=64, null=True, blank=True)
    centroid_lat = models.FloatField(_("latitude of the centre"), null=True, blank=True)
    centroid_lon = models.FloatField(_("longitude of the centre"), null=True, blank=True)
    #: a higher number after every change of the city's streets; written by a trigger, whoever changes them
    streets_version = models.BigIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        db_table = "cities"
        verbose_name, verbose_name_plural = _("city"), _("cities")
        constraints = [models.UniqueConstraint(fields=["name"], name="uq_cities__name")]

    def __str__(self) -> str:
        return self.name


class District(models.Model):
    """A part of a city. Cities without districts are normal."""

    city = models.ForeignKey(City, models.CASCADE, db_index=False, db_constraint=False, verbose_name=_("city"))
    name = models.CharField(_("name"), max_length=120)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    centroid_lat = models.FloatField(_("latitude of the centre"), null=True, blank=True)
    centroid_lon = models.FloatField(_("longitude of the centre"), null=True, blank=True)

    class Meta:
        db_table = "districts"
        verbose_name, verbose_name_plural = _("district"), _("districts")
        indexes = [LongIndex(fields=["city"], name="ix_districts__city_id")]
        constraints = [
            models.UniqueConstraint(fields=["city", "name"], name="uq_districts__city_name"),
            named_fk("districts", "city_id", "cities", "CASCADE"),
        ]

    def __str__(self) -> str:
        return self.name


class Street(models.Model):
    """A street of a city, of one district where that is known."""

    city = models.ForeignKey(City, models.CASCADE, db_index=False, db_constraint=False, verbose_name=_("city"))
    district = models.ForeignKey(
        District,
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,
        db_constraint=False,
        verbose_name=_("district"),
    )
    name = models.CharField(_("name"), max_length=200)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    centroid_lat = models.FloatField(_("latitude of the centre"), null=True, blank=True)
    centroid_lon = models.FloatField(_("longitude of the centre"), null=True, blank=True)

    class Meta:
        db_table = "streets"
        verbose_name, verbose_name_plural = _("street"), _("streets")
        indexes = [
            LongIndex(fields=["city"], name="ix_streets__city_id"),
            LongIndex(fields=["district"], name="ix_streets__district_id"),
        ]
        constraints = [
            # NULLS NOT DISTINCT: a street without a district is there once, too
            models.UniqueConstraint(
                fields=["city", "district", "name"], name="uq_streets__city_district_name", nulls_distinct=False
            ),
            named_fk("streets", "city_id", "cities", "CASCADE"),
            named_fk("streets", "district_id", "districts", "SET NULL"),
        ]

    def __str__(self) -> str:
        """With the district, if it was read along: a list must not cost a query a line."""
        return self.label if Street._meta.get_field("district").is_cached(self) else self.name

    @property
    def label(self) -> str:
        """`улица Мира (Северный)`: same-named streets are told apart by their districts."""
        return f"{self.name} ({self.district.name})" if self.district else self.name


class GeoCache(models.Model):
    """One answer of the geocoder, kept 14 days."""

    query = models.CharField(_("query"), max_length=255, primary_key=True)
    lat = models.FloatField(_("latitude"), null=True, blank=True)
    lon = models.FloatField(_("longitude"), null=True, blank=True)
    provider = models.CharField(_("provider"), max_length=32, null=True, blank=True)
    confidence = models.IntegerField(_("confidence"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        db_table = "geocache"
        verbose_name, verbose_name_plural = _("cached address"), _("cached addresses")
        indexes = [LongIndex(fields=["created_at"], name="ix_geocache_created_at")]

    def __str__(self) -> str:
        return self.query


class GeocoderUsage(models.Model):
    """How often a provider was asked on a day, and when it may be asked again: one row for all processes."""

    provider = models.CharField(_("provider"), max_length=32)
    day = models.DateField(_("day"))
    asked = models.IntegerField(_("questions"), default=0, db_default=0)
    next_at = models.DateTimeField(_("next question"), db_default=Now())

    class Meta:
        db_table = "geocoder_usage"
        verbose_name, verbose_name_plural = _("use of the geocoder"), _("use of the geocoder")
        constraints = [models.UniqueConstraint(fields=["provider", "day"], name="uq_geocoder_usage__provider_day")]

    def __str__(self) -> str:
        return f"{self.provider} {self.day}"
