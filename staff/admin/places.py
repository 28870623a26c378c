"""Places, each member seeing the places of their own cities (which is why this page lives above `geo`)."""

from __future__ import annotations

from django.contrib import admin

from geo.models import City, District, GeoCache, Street
from staff.scoped_admin import ReadOnlyAdmin, ScopedAdmin


@admin.register(City)
class CityAdmin(ScopedAdmin):
    city_path = "pk"
    list_display = ("name", "timezone", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(District)
class DistrictAdmin(ScopedAdmin):
    city_path = "city_id"
    list_display = ("name", "city")
    list_select_related = ("city",)
    autocomplete_fields = ("city",)
    search_fields = ("name", "city__name")
    ordering = ("city__name", "name")


@admin.register(Street)
class StreetAdmin(ScopedAdmin):
    city_path = "city_id"
    list_display = ("name", "city", "district")
    list_select_related = ("city", "district")
    autocomplete_fields = ("city", "district")
    search_fields = ("name",)
    ordering = ("name", "id")


@admin.register(GeoCache)
class GeoCacheAdmin(ReadOnlyAdmin):
    list_display = ("query", "lat", "lon", "provider", "confidence", "created_at")
    search_fields = ("query",)
    ordering = ("-created_at",)
