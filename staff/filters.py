"""Filters of many lists: by the member's own cities, by days."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, DropdownFilter, RangeDateFilter
from unfold.contrib.filters.forms import AutocompleteDropdownForm

from fieldservice.lib.clean import read_number
from geo.names import russian
from staff import scope


class CityFilter(DropdownFilter):
    """`?city=7`; the list's own `city_path` says which column."""

    title, parameter_name = _("city"), "city"

    def __init__(self, request: HttpRequest, params: Any, model: Any, model_admin: Any) -> None:
        self.path = model_admin.city_path
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        cities = scope.cities(request.user).order_by(russian("name"))  # type: ignore[arg-type]
        return [(str(pk), name) for pk, name in cities.values_list("pk", "name")[:500]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = self.value() or ""
        if not wanted:
            return queryset
        city = read_number(wanted)
        return queryset.none() if city is None else queryset.filter(**{self.path: city})


class OwnMastersForm(AutocompleteDropdownForm):
    """The chosen master is named only if the member may see him: an address may name anybody."""

    def __init__(self, request: HttpRequest, name: str, **kwargs: Any) -> None:
        super().__init__(request=request, name=name, **kwargs)
        self.fields[name].queryset = scope.masters(request.user)  # type: ignore[arg-type]


class MasterFilter(AutocompleteSelectFilter):
    """By a master, looked up by name."""

    form_class = OwnMastersForm


class DayRangeFilter(RangeDateFilter):
    """From one day to another, both included, in the office's time zone."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        tz = ZoneInfo(settings.TIMEZONE)
        first, last = (self._day(end) for end in ("from", "to"))
        if first is not None:
            queryset = queryset.filter(**{f"{self.parameter_name}__gte": datetime.combine(first, time(), tz)})
        if last is not None:
            midnight = datetime.combine(last + timedelta(days=1), time(), tz)
            queryset = queryset.filter(**{f"{self.parameter_name}__lt": midnight})
        return queryset

    def _day(self, end: str) -> date | None:
        text = self.used_parameters.get(f"{self.parameter_name}_{end}")
        text = text[-1] if isinstance(text, list) else text
        day = parse(text or "")
        return day if day and date(1970, 1, 2) < day < date(2200, 1, 1) else None


def parse(text: str) -> date | None:
    """A date as the page's field writes it: `22.11.2026` or `2026-11-22`."""
    for form in ("%d.%m.%Y", "%Y-%m-%d", "%m/%d/%Y"):
        with suppress(ValueError):
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day has no zone
    return None
