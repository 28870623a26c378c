"""`manage.py create_order`: the intake for ops and integrations, by options or as JSON on standard input."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.lib.clean import clean, shorten
from fieldservice.lib.errors import DomainError, InvalidError
from fieldservice.lib.localtime import format_timeslot_local, zone
from fieldservice.lib.point import Point, parse_point
from geo.selectors import find_city, find_district, find_street
from orders.enums import Category
from orders.models import Order
from orders.services import intake
from orders.services.schedule import TooLateForToday, parse_choice
from orders.services.window import load_window

TEXTS = ("house", "apartment", "address_comment", "client_name", "description", "external_key")
YES = ("confirm_late", "confirm_district")
FIELDS = ("city", "district", "street", "phone", "category", "slot", "location", *YES, *TEXTS)


class Command(BaseCommand):
    help = "Create an order. Wrong input is answered by a sentence and exit code 1; then nothing is written."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--city", help="name or alias, for example Москва or спб")
        parser.add_argument("--district", default="", help="name; without it the order goes to a logist at once")
        parser.add_argument("--street", default="")
        parser.add_argument("--phone", help="the client's phone")
        parser.add_argument("--category", help=", ".join(Category.values))
        parser.add_argument("--slot", default="asap", help="asap, today:13-16, tomorrow:10-13 or 2026-11-25:10-13")
        parser.add_argument("--confirm-late", action="store_true", help="late ASAP: yes to tomorrow 10-13")
        parser.add_argument("--location", default="", help="latitude, longitude, for example 55.7558, 37.6173")
        parser.add_argument("--confirm-district", action="store_true", help="yes to the district of the street")
        for name in TEXTS:
            parser.add_argument("--" + name.replace("_", "-"), default="")
        parser.add_argument("--stdin", action="store_true", help="read a JSON object with the same names")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            values = _from_stdin() if options["stdin"] else {name: options[name] for name in FIELDS}
            order = _create(values)
        except TooLateForToday as error:
            raise CommandError(f"{error} " + _("Add --confirm-late to take it.")) from error
        except intake.StreetElsewhere as error:
            raise CommandError(f"{error} " + _("Add --confirm-district to take it.")) from error
        except DomainError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_shown(order, as_json=options["json"]))


def _from_stdin() -> dict[str, Any]:
    try:
        values = json.loads(sys.stdin.read() or "{}")
    except (ValueError, RecursionError) as error:  # ValueError: bytes that are no UTF-8, numbers of 5,000 digits, too
        raise InvalidError(_("Standard input is not JSON: %(error)s.") % {"error": shorten(str(error), 120)}) from error
    if not isinstance(values, dict):
        raise InvalidError(_("Standard input must be one JSON object."))
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise InvalidError(
            _("Unknown field %(names)s; the fields are %(fields)s.")
            % {"names": shorten(", ".join(unknown)), "fields": ", ".join(FIELDS)}
        )
    wrong = [name for name in FIELDS if not isinstance(values.get(name), _kind(name) | None)]
    if wrong:
        raise InvalidError({name: _wrong_kind(name) for name in wrong})
    return values


def _kind(name: str) -> type:
    return bool if name in YES else str


def _wrong_kind(name: str) -> str:
    if name in YES:
        return _("%(name)s must be true or false.") % {"name": name}
    return _("%(name)s must be text in quotes.") % {"name": name}


def _create(values: dict[str, Any]) -> Order:
    text = {name: clean(str(values.get(name) or "")) for name in FIELDS}
    for name in ("city", "phone", "category"):
        if not text[name]:
            raise InvalidError({name: _("%(name)s is required.") % {"name": name}})
    city = find_city(text["city"])
    district = find_district(city, text["district"]) if text["district"] else None
    street = find_street(city, text["street"], district=district) if text["street"] else None
    now = timezone.now()
    slot = parse_choice(text["slot"], now=now, tz=zone(city.timezone), window=load_window())
    new = intake.NewOrder(
        city_id=city.pk,
        district_id=district.pk if district else None,
        street_id=street.pk if street else None,
        street_text="" if street else text["street"],  # not in the catalogue: kept as it is
        client_phone=text["phone"],
        category=text["category"].upper(),
        slot=slot,
        point=_point(text["location"]),
        confirm_late=bool(values.get("confirm_late")),
        confirm_district=bool(values.get("confirm_district")),
        house=text["house"],
        apartment=text["apartment"],
        address_comment=text["address_comment"],
        client_name=text["client_name"],
        description=text["description"],
        external_key=text["external_key"] or None,
    )
    return intake.create(new=new, actor=COMMAND_LINE, now=now)


def _point(text: str) -> Point | None:
    try:
        return parse_point(text) if text else None
    except InvalidError as error:
        raise InvalidError({"location": str(error)}) from error


def _shown(order: Order, *, as_json: bool) -> str:
    tz = zone(order.city.timezone)
    slot = format_timeslot_local(order.timeslot_start_utc, order.timeslot_end_utc, tz=tz, now=timezone.now())
    if as_json:
        return json.dumps(
            {
                "id": order.pk,
                "status": str(order.status),
                "city": order.city.name,
                "slot": slot,
                "version": order.version,
            },
            ensure_ascii=False,
        )
    return _("Order #%(id)s: %(status)s, %(slot)s (%(city)s).") % {
        "id": order.pk,
        "status": order.get_status_display(),
        "slot": slot,
        "city": order.city.name,
    }
