"""The form of a new order: what `intake` needs, and its answers beside the fields."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

from django import forms
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import DomainError, InvalidError
from fieldservice.lib.localtime import zone
from fieldservice.lib.phones import parse_phone
from fieldservice.lib.point import Point, parse_point
from orders.enums import Category, OrderStatus
from orders.models import Order
from orders.services import correction, intake, rerouting
from orders.services.place import StreetElsewhere
from orders.services.rerouting import Route
from orders.services.schedule import BUCKETS, Slot, TooLateForToday, parse_choice
from orders.services.window import load_window

SLOTS = [
    ("asap", _("As soon as possible")),
    *(
        (f"{key}:{start.hour}-{end.hour}", format_lazy("{day} {slot}", day=day, slot=f"{start:%H:%M}–{end:%H:%M}"))
        for key, day in (("today", _("Today")), ("tomorrow", _("Tomorrow")))
        for start, end in BUCKETS
    ),
]


#: what decides who is asked: changed by `rerouting`, the rest by `correction`
ROUTE = ("category", "district", "street", "street_text")


def consequence(order: Order) -> str:
    """What saving another category, district or street means now."""
    if order.status not in rerouting.OPEN:
        return gettext("The work is over: the category, the district and the street of the list stay as they are.")
    if order.status in OrderStatus.SEARCH:
        return gettext(
            "With another category, district or street the present offer is withdrawn and the search begins anew."
        )
    if order.status in OrderStatus.ACTIVE:
        return gettext("Its master keeps the order and is told. Another category must be one of his skills.")
    return ""


def fingerprint(order: Order) -> str:
    """Another one after every correction."""
    values = [getattr(order, name) for name in sorted(correction.FIELDS)]
    return hashlib.sha256(repr([*values, Route.of(order)]).encode()).hexdigest()[:32]


class OrderForm(forms.ModelForm):
    """The order page: what staff may still correct, checked as in a new order."""

    #: what the page showed, and the version: whoever saves over somebody else's correction is told
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)
    confirm_district = forms.BooleanField(
        label=_("Take the district of the street"), required=False, widget=forms.HiddenInput
    )
    #: why the service did not take what the form had found right a moment before
    refusal = ""

    class Meta:
        model = Order
        fields = (*sorted(correction.FIELDS), "category", "district", "street")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.route = Route.of(self.instance)
        self.may_reroute = "category" in self.fields  # else the page only shows them
        self.initial["seen"] = f"{fingerprint(self.instance)}.{self.instance.version}"
        for name in ROUTE[:3] if self.may_reroute else ():
            self.fields[name].widget.attrs["data-city"] = self.instance.city_id
        if self.is_bound:  # what a page of before did not ask stays as it is
            asked = {name: self.data[name] for name in self.data}
            newer = ("client_phone", *(ROUTE[:3] if self.may_reroute else ()))
            self.data = {name: self.initial[name] or "" for name in newer} | asked

    @property
    def version(self) -> int | None:
        """Of the order the page was made with."""
        return read_number((self.cleaned_data.get("seen") or "").partition(".")[2])

    def to(self) -> Route:
        """The route as it was typed. A street that was written otherwise long ago and not touched is no change."""
        data = self.cleaned_data
        street, typed = _pk(data["street"]), data["street_text"] or ""
        if street == self.route.street_id and typed == (self.initial["street_text"] or "").strip():
            typed = self.route.street_text
        return Route(data["category"], _pk(data["district"]), street, typed)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.refusal:
            self.add_error(None, self.refusal)
        elif data.get("seen") and data["seen"].partition(".")[0] != fingerprint(self.instance):
            self.add_error(None, _("Somebody has corrected this order meanwhile: open it anew, then correct it."))
        for name, read in correction.FIELDS.items():
            if name in self.changed_data and name in data:  # what an old order has may stay as it is
                try:
                    data[name] = intake.parse_field(name, data[name] or "", read)
                except InvalidError as error:
                    self.add_error(name, str(error))
        if not self.may_reroute and self.instance.street and data.get("street_text"):
            self.add_error("street_text", _("The order has a street of the list already."))
        self.cleaned_data = data
        if self.may_reroute and not self.errors:
            self._check_route()
        return data

    def _check_route(self) -> None:
        confirmed, to = self.cleaned_data.get("confirm_district", False), self.to()
        kept = self.instance.street if to.street_id == self.route.street_id else None
        if self.route.district_id and not to.district_id and kept is not None and kept.district_id:
            # it would bring back, without a word, what was just taken away
            self.add_error("district", _("The street of the list lies in it: leave the street empty, or type it."))
            return
        try:
            rerouting.check(order=self.instance, to=to, confirm_district=confirmed)
        except InvalidError as error:
            for name, sentence in error.fields.items():
                self.add_error(name if name in self.fields else None, sentence)
            if isinstance(error, StreetElsewhere):
                self.fields["confirm_district"].widget = UnfoldBooleanWidget()
        except DomainError as error:
            self.add_error("category" if error.code == "skill" else None, str(error))


class SlotField(forms.ChoiceField):
    """A name that `parse_choice` reads, and judges: the page fills its list by the clock of the city."""

    def valid_value(self, value: str) -> bool:
        return True


class NewOrderForm(forms.ModelForm):
    """Checks through `intake.check`; the admin page then calls `intake.create` with `new_order()`."""

    slot = SlotField(
        label=_("Visit"), choices=SLOTS, widget=UnfoldAdminSelectWidget, help_text=_("Local time of the city.")
    )
    confirm_late = forms.BooleanField(
        label=_("Too late for today: take tomorrow 10:00–13:00"), required=False, initial=False
    )

    confirm_district = forms.BooleanField(label=_("Take the district of the street"), required=False, initial=False)
    location = forms.CharField(
        label=_("Coordinates"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget,
        help_text=_("If the client sends them: 55.7558, 37.6173"),
    )  # fmt: skip

    #: made with the page: the same page sent twice (a double click, a reload) makes one order
    page_key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=32, initial=lambda: uuid4().hex)

    class Meta:
        model = Order
        fields = (
            "city",
            "district",
            "street",
            "street_text",
            "house",
            "apartment",
            "address_comment",
            "client_name",
            "client_phone",
            "category",
            "description",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if phone := self.fields.get("client_phone"):
            phone.required = True
            phone.error_messages["required"] = _("Type the client's phone.")
            phone.widget.attrs |= {"autofocus": True, "inputmode": "tel", "autocomplete": "off",
                                   "data-lookup": reverse("admin:orders_order_client")}  # fmt: skip
        if isinstance(slot := self.fields.get("slot"), SlotField):
            slot.widget.attrs["data-slots"] = reverse("admin:orders_order_slots")
            chosen = self.data.get(self.add_prefix("slot"), "")
            if chosen not in dict(SLOTS):  # what was chosen stays when the page comes back with a question
                slot.choices = [*SLOTS, (chosen, chosen)]
        if isinstance(category := self.fields.get("category"), forms.ChoiceField):
            # the column's default is for rows of v1.2: a trade nobody chose would send the wrong master
            category.choices = [("", _("Choose")), *Category.choices]
            self.initial["category"] = (kwargs.get("initial") or {}).get("category", "")
        for name in ("confirm_late", "confirm_district"):
            if name in self.fields and not self.data.get(self.add_prefix(name)):  # nobody has asked that yet
                self.fields[name].widget = forms.HiddenInput()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("city") and data.get("client_phone"):
            try:
                intake.check(new=self.new_order())
            except InvalidError as error:
                self._refuse(error)
        else:
            self._check_texts(data)
        return data

    def _check_texts(self, data: dict[str, Any]) -> None:
        """What can be said of the answers without a city: all that is wrong is told in one go."""
        for name, parse in {"client_phone": parse_phone, **intake.OPTIONAL}.items():
            if data.get(name):
                try:
                    intake.parse_field(name, data[name], parse)
                except InvalidError as error:
                    self._refuse(error)

    def _refuse(self, error: InvalidError) -> None:
        for name, sentence in error.fields.items():
            if name not in self.errors:  # one sentence is enough
                self.add_error(name if name in self.fields else None, sentence)
        for name, question in (("confirm_district", StreetElsewhere), ("confirm_late", TooLateForToday)):
            if isinstance(error, question):
                self.fields[name].widget = UnfoldBooleanWidget()

    def new_order(self) -> intake.NewOrder:
        """The cleaned answers as the intake wants them."""
        data = self.cleaned_data
        texts = {name: data.get(name) or "" for name in ("client_phone", *intake.OPTIONAL)}
        return intake.NewOrder(
            city_id=data["city"].pk,
            district_id=_pk(data.get("district")),
            street_id=_pk(data.get("street")),
            category=data.get("category") or "",
            slot=self._slot(),
            point=self._point(),
            confirm_late=data.get("confirm_late", False),
            confirm_district=data.get("confirm_district", False),
            external_key=self._key(),
            **texts,
        )

    def _key(self) -> str | None:
        """Of the page and its answers: whoever goes back and types something else wants another order."""
        if not self.cleaned_data.get("page_key"):
            return None
        answers = repr([(name, str(value)) for name, value in sorted(self.cleaned_data.items())])
        return f"web:{hashlib.sha256(answers.encode()).hexdigest()[:48]}"

    def _point(self) -> Point | None:
        text = self.cleaned_data.get("location")
        try:
            return parse_point(text) if text else None
        except InvalidError as error:
            raise InvalidError({"location": str(error)}) from error

    def _slot(self) -> Slot | None:
        city = self.cleaned_data["city"]
        return parse_choice(
            self.cleaned_data.get("slot") or "asap", now=timezone.now(), tz=zone(city.timezone), window=load_window()
        )


def _pk(row: Any) -> int | None:
    return row.pk if row else None
