"""Places, each member seeing the places of their own cities (which is why this page lives above `geo`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action

from fieldservice.lib.clean import clean, read_number
from fieldservice.lib.errors import InvalidError
from fieldservice.lib.fields import parse_place
from fieldservice.lib.localtime import is_zone
from fieldservice.lib.point import make_point
from geo.models import City, District, GeoCache, GeocoderUsage, Street
from geo.names import russian
from geo.selectors import search_cities, search_districts, search_streets
from staff.admin import catalog
from staff.forms import of_changed, refuse_twin
from staff.scoped_admin import ReadOnlyAdmin, ScopedAdmin


class PlaceForm(forms.ModelForm):
    """What would otherwise be found out by a wrong hour or a pin in the sea."""

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        lat, lon = data.get("centroid_lat"), data.get("centroid_lon")
        try:
            if (lat is None) != (lon is None):
                raise InvalidError(str(_("Give both latitude and longitude, or none.")))
            if lat is not None and lon is not None:
                make_point(lat, lon)
        except InvalidError as error:
            self.add_error("centroid_lat", str(error))
        if data.get("timezone") and not is_zone(data["timezone"]):
            self.add_error("timezone", _("There is no such time zone; it looks like Asia/Novosibirsk."))
        return data


class CityForm(PlaceForm):
    """A city is known by its name."""

    def clean_name(self) -> str:
        """Letters, and no other city's name."""
        name = str(of_changed(self, "name", parse_place))
        refuse_twin(self, "name", name)
        return name


class DistrictForm(PlaceForm):
    """A district stays in its city: streets, orders and masters stand on it."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        if self.instance.pk and "city" in self.changed_data:
            self.add_error("city", _("A district cannot move: add it to the other city."))
        return data


class StreetForm(PlaceForm):
    """A street lies in a district of its own city."""

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        city, district = data.get("city"), data.get("district")
        if city and district and district.city_id != city.pk:
            text = _("%(district)s is a district of %(city)s: choose one of the street's city, or none.")
            self.add_error("district", text % {"district": district.name, "city": district.city.name})
        return data


class PlaceAdmin(ScopedAdmin):
    """A list with the import on top, and a lookup for forms that forgives typing mistakes."""

    form = PlaceForm
    actions_list = ["import_places"]

    @action(description=_("Import"), url_path="import", permissions=["import"], icon="upload_file")
    def import_places(self, request: HttpRequest) -> HttpResponse:
        """A CSV file, with a preview."""
        context = self.admin_site.each_context(request) | {"title": _("Import of places"), "opts": self.model._meta}
        return catalog.page(request, context)

    def has_import_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """A lookup in a form, which may tell the city chosen beside it, is ranked; a list is searched by Django."""
        if not request.path.endswith("/autocomplete/"):
            return super().get_search_results(request, queryset, search_term)
        city = City.objects.filter(pk=read_number(request.GET.get("city")) or 0).first()
        return self.looked_up(queryset, clean(search_term), city), False

    def looked_up(self, rows: QuerySet[Any], text: str, city: City | None) -> QuerySet[Any]:
        """The rows like `text`, best first."""
        raise NotImplementedError


@admin.register(City)
class CityAdmin(PlaceAdmin):
    form = CityForm
    audit_name = "city"
    city_path = "pk"
    list_display = ("name", "timezone", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name",)
    ordering = (russian("name"),)

    def looked_up(self, rows: QuerySet[Any], text: str, city: City | None) -> QuerySet[Any]:
        return _in_this_order(rows, search_cities(text, among=City.objects.filter(pk__in=rows.values("pk"))))


@admin.register(District)
class DistrictAdmin(PlaceAdmin):
    form = DistrictForm
    audit_name = "district"
    city_path = "city_id"
    list_display = ("name", "city")
    list_select_related = ("city",)
    autocomplete_fields = ("city",)
    search_fields = ("name", "city__name")
    ordering = (russian("city__name"), russian("name"))

    def looked_up(self, rows: QuerySet[Any], text: str, city: City | None) -> QuerySet[Any]:
        if city is None:
            return rows.filter(name__icontains=text).select_related("city")
        return _in_this_order(rows, search_districts(city, text))


@admin.register(Street)
class StreetAdmin(PlaceAdmin):
    form = StreetForm
    audit_name = "street"
    city_path = "city_id"
    list_display = ("name", "city", "district")
    list_select_related = ("city", "district")
    autocomplete_fields = ("city", "district")
    search_fields = ("name",)
    ordering = ("-id",)

    def looked_up(self, rows: QuerySet[Any], text: str, city: City | None) -> QuerySet[Any]:
        rows = rows.select_related("district")
        if city is None:
            return rows.filter(name__icontains=text)
        if not text:
            return rows.filter(city=city).order_by("name", "pk")
        return _in_this_order(rows, [found.street for found in search_streets(city, text)])


@admin.register(GeocoderUsage)
class GeocoderUsageAdmin(ReadOnlyAdmin):
    list_display = ("day", "provider", "asked", "next_at")
    ordering = ("-day", "provider")


@admin.register(GeoCache)
class GeoCacheAdmin(ReadOnlyAdmin):
    list_display = ("query", "lat", "lon", "provider", "confidence", "created_at")
    search_fields = ("query",)
    ordering = ("-created_at",)


def _in_this_order(rows: QuerySet[Any], places: Sequence[City | District | Street]) -> QuerySet[Any]:
    keys = [place.pk for place in places]
    if not keys:
        return rows.none()
    return rows.filter(pk__in=keys).order_by(Case(*[When(pk=key, then=place) for place, key in enumerate(keys)]))
