"""Places in the web admin."""

from __future__ import annotations

from django.contrib import admin
from unfold.admin import ModelAdmin

from geo.models import City, District, GeoCache, Street


class PlaceAdmin(ModelAdmin):
    """Lists that stay fast whatever their size."""

    list_per_page = 25
    show_full_result_count = False
    search_fields: tuple[str, ...] = ("name",)

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(City)
class CityAdmin(PlaceAdmin):
    list_display = ("name", "timezone", "is_active")
    list_filter = ("is_active",)
    ordering = ("name",)


@admin.register(District)
class DistrictAdmin(PlaceAdmin):
    list_display = ("name", "city")
    list_select_related = ("city",)
    autocomplete_fields = ("city",)
    ordering = ("city__name", "name")
    search_fields = ("name", "city__name")


@admin.register(Street)
class StreetAdmin(PlaceAdmin):
    list_display = ("name", "city", "district")
    list_select_related = ("city", "district")
    autocomplete_fields = ("city", "district")
    ordering = ("name",)


@admin.register(GeoCache)
class GeoCacheAdmin(PlaceAdmin):
    list_display = ("query", "lat", "lon", "provider", "confidence", "created_at")
    search_fields = ("query",)
    ordering = ("-created_at",)

    def has_add_permission(self, request: object) -> bool:
        return False
