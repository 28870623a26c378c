"""The base of every admin page: rights from the one matrix, rows from the one scope, pages that stay fast."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Field, ForeignKey, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from unfold import paginator
from unfold.admin import ModelAdmin

from fieldservice.lib.actor import Actor
from fieldservice.lib.clean import read_number
from fieldservice.lib.only_seen import OnlySeen
from geo.models import City, District, Street
from staff import scope
from staff.changes import of_form
from staff.filters import CityFilter
from staff.models import Master
from staff.services.moderation import audit

#: what a choice field may offer, by model
SCOPED = {
    City: lambda member: scope.cities(member),
    District: lambda member: District.objects.filter(city__in=scope.cities(member)),
    Street: lambda member: Street.objects.filter(city__in=scope.cities(member)),
    Master: lambda member: scope.masters(member),
}


ENDLESS = 9_999_999_999
#: what the page's own filters put into an address after the name of their field
RANGE = ("_from", "_to")
LOOKUPS = {"", "exact", "isnull", "isempty", "in", "gte", "gt", "lte", "lt", "id__exact", "pk__exact"}


class InfinitePaginator(paginator.InfinitePaginator):
    """Page 10,000 nearly as quick as page 1: the rows before it are walked through in an index, not read and joined.

    What fits on one page is counted; a longer list has no number. The theme knows such lists by the class's name.
    """

    DEEP = 20
    template_name = "staff/pages.html"

    @cached_property
    def count(self) -> int:
        """The number of rows if they fit on one page, else one that is never reached."""
        few = len(self.object_list.values_list("pk", flat=True)[: self.per_page + 1])
        return few if few <= self.per_page else ENDLESS

    @property
    def is_endless(self) -> bool:
        """Whether there is more than one page."""
        return self.count == ENDLESS

    def page(self, number: Any) -> Any:
        number = self.validate_number(number)
        if number <= self.DEEP:
            return super().page(number)
        start = (number - 1) * self.per_page
        keys = list(self.object_list.values_list("pk", flat=True)[start : start + self.per_page])
        return self._get_page(self.object_list.filter(pk__in=keys), number, self)


class Lookup(AutocompleteSelect):
    """Django's, but what is no number is not looked for in the table when the page comes back with its error."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        return super().optgroups(name, [item for item in value if read_number(item) is not None], attr)


class ScopedAdmin(ModelAdmin):
    """`city_path` is the lookup of the row's city; None: the rows belong to no city."""

    city_path: str | None = None
    list_per_page = 25
    # no counting of a million rows for a number nobody reads: page 10,000 opens like page 1
    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER  # a count for each choice of each filter, of a million rows
    list_disable_select_all = True  # an act on a million rows is nobody's wish
    list_filter_submit = True
    compressed_fields = True
    warn_unsaved_form = True

    #: what the audit log calls a change made on this page; empty: the services keep their own record
    audit_name = ""
    #: fields written by services, which keep their own record of them
    recorded: frozenset[str] = frozenset()

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django's own record tells the names of fields; ours tells old and new."""
        changes = {name: pair for name, pair in of_form(form).items() if name not in self.recorded}
        if self.audit_name and (changes or not form.changed_data):
            action = f"{self.audit_name}_{'added' if add else 'changed'}"
            audit(action, actor=Actor.of_staff(request.user, "web"), object=str(form.instance), id=form.instance.pk,
                  master_id=form.instance.pk if isinstance(form.instance, Master) else None,
                  changes=changes)  # fmt: skip
        return super().construct_change_message(request, form, formsets, add)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if self.city_path is None or scope.sees_all(request.user):  # type: ignore[arg-type]
            return rows
        # numbers, not a subquery: the planner must see that a city is small, else it walks through everybody's rows
        own = list(scope.city_ids(request.user))  # type: ignore[arg-type]
        return rows.filter(**{f"{self.city_path}__in": own})

    def row(self, request: HttpRequest, object_id: Any) -> QuerySet[Any]:
        """The row an address names, as a query: nothing when what stands there is no number."""
        return self.get_queryset(request).filter(pk=read_number(object_id) or 0)

    def get_list_filter(self, request: HttpRequest | None) -> Any:
        """Whoever sees several cities may look at one of them, in every list whose rows belong to a city."""
        own = super().get_list_filter(request)
        return own if self.city_path in {None, "pk"} else (CityFilter, *own)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """The page's filters and nothing else: `?payout_data__startswith=1` would tell what no page shows."""
        filters = [item[0] if isinstance(item, tuple) else item for item in self.get_list_filter(request)]
        names = [item if isinstance(item, str) else item.parameter_name for item in filters]
        fits = any(
            lookup in {name, *(name + end for end in RANGE)}
            or (lookup.startswith(f"{name}__") and lookup.removeprefix(f"{name}__") in LOOKUPS)
            for name in names
        )
        return fits and "\0" not in str(value)

    def number_search(self, rows: QuerySet[Any], term: str, *fields: str) -> tuple[QuerySet[Any], bool]:
        """Rows with the number `term` in one of `fields`, through their indexes. Django's own compares texts."""
        wanted = read_number(term.strip().removeprefix("#"))
        if wanted is None:
            return rows.none(), False
        return rows.filter(Q.create([(name, wanted) for name in fields], connector=Q.OR)), False

    def formfield_for_foreignkey(self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        choices = SCOPED.get(db_field.related_model)
        if choices is not None:
            kwargs["queryset"] = choices(request.user)
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs.setdefault("widget", Lookup(db_field, self.admin_site, using=kwargs.get("using")))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nothing is deleted by hand unless a page says otherwise: history and money hang on the rows."""
        return False


class ReadOnlyAdmin(OnlySeen, ScopedAdmin):
    """Rows that services write; people look."""

    actions: Any = None


def readonly_except(model: type[Model], editable: set[str]) -> tuple[str, ...]:
    """All concrete fields of `model` but the editable ones: for `readonly_fields`."""
    names = [f.name for f in model._meta.get_fields() if isinstance(f, Field) and not f.many_to_many]
    return tuple(name for name in names if name not in editable and name != "id")


__all__ = ["ReadOnlyAdmin", "ScopedAdmin", "admin", "readonly_except"]
