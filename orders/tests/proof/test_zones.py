"""Every city's clock: opening, late callers, midnight, the ends of months and years, nights when clocks change."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from geo.models import City
from geo.seed import DATA, seed_geo
from orders.dispatch import engine
from orders.models import Order
from orders.services import intake, schedule
from orders.services.schedule import Slot, TooLateForToday, Window, next_opening, wake_at
from orders.tests.people import staff
from staff.enums import Role

WINDOW = Window()
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
with (DATA / "cities.csv").open(encoding="utf-8", newline="") as _file:
    #: the zones of the 78 cities
    RUSSIA = sorted({row["timezone"] for row in csv.DictReader(_file)})
BERLIN = "Europe/Berlin"  # 2026: on 29 March 2:00 becomes 3:00, on 25 October 3:00 becomes 2:00
DATES = ("2026-03-10", "2026-04-30", "2026-12-31", "2028-02-28", "2028-02-29")
CHANGES = ("2026-03-28", "2026-03-29", "2026-10-24", "2026-10-25")


def at(text: str, zone: str) -> datetime:
    """Local time as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def minutes_of(date: str, zone: str) -> list[datetime]:
    """Every minute that the local day has: 1440, or an hour less or more."""
    first = at(f"{date} 00:00", zone)
    tz = ZoneInfo(zone)
    moments = (first + n * MINUTE for n in range(26 * 60))
    return [m for m in moments if f"{m.astimezone(tz):%Y-%m-%d}" == date]


def openings(moments: list[datetime], tz: ZoneInfo) -> dict[datetime, datetime]:
    """By looking at the clock only: for each minute the first one from it on at which the window is open."""
    found, opening = {}, moments[-1]
    for moment in reversed(moments):
        opening = moment if WINDOW.start <= moment.astimezone(tz).time() < WINDOW.end else opening
        found[moment] = opening
    return found


@pytest.mark.parametrize(("zone", "dates"), [*((zone, DATES) for zone in RUSSIA), (BERLIN, CHANGES)])
def test_an_order_of_any_minute_of_the_day_never_sleeps_past_its_opening(zone: str, dates: tuple[str, ...]):
    tz = ZoneInfo(zone)
    for date in dates:
        today = minutes_of(date, zone)
        assert len(today) == ({"2026-03-29": 1380, "2026-10-25": 1500}.get(date, 1440) if zone == BERLIN else 1440)
        tomorrow = minutes_of(str(datetime.fromisoformat(date).date() + DAY), zone)
        opening = openings([*today, *tomorrow[: 12 * 60]], tz)
        for now in today[:: 1 if zone == BERLIN else 5]:
            assert next_opening(now, tz=tz, window=WINDOW) == opening[now]
            assert wake_at(None, created_at=now, tz=tz, window=WINDOW) == opening[now]
            late = now.astimezone(tz).time() >= WINDOW.late
            planned = schedule.plan(None, now=now, tz=tz, window=WINDOW, confirm_late=True)
            assert (planned.status == "SEARCHING") == (opening[now] == now and not late)
            # who calls late is promised tomorrow; everybody else is served at the next opening
            assert planned.look_at == opening[tomorrow[0] if late else now]


@pytest.mark.parametrize("zone", [*RUSSIA, BERLIN])
@pytest.mark.parametrize("date", ["2026-12-31", "2028-02-28", *CHANGES])
def test_late_callers_are_proposed_the_morning_after(date: str, zone: str):
    tz, now = ZoneInfo(zone), at(f"{date} 19:30", zone)
    with pytest.raises(TooLateForToday) as caught:
        schedule.plan(None, now=now, tz=tz, window=WINDOW)
    start, end = caught.value.slot.start.astimezone(tz), caught.value.slot.end.astimezone(tz)
    tomorrow = now.astimezone(tz).date() + DAY
    assert (start.date(), start.time(), end.time()) == (tomorrow, time(10), time(13))
    assert schedule.plan(None, now=now - MINUTE, tz=tz, window=WINDOW).status == "SEARCHING"


@pytest.mark.parametrize("zone", [*RUSSIA, BERLIN])
@pytest.mark.parametrize("date", ["2026-12-31", "2028-02-28", *CHANGES])
def test_a_slot_of_tomorrow_wakes_at_ten_by_the_local_clock(date: str, zone: str):
    """Ten o'clock is ten o'clock though the night had an hour more or less; the afternoon slot wakes at ten, too."""
    tz, now = ZoneInfo(zone), at(f"{date} 12:00", zone)
    tomorrow = now.astimezone(tz).date() + DAY
    slot = schedule.parse_choice("tomorrow:16-19", now=now, tz=tz, window=WINDOW)
    planned = schedule.plan(slot, now=now, tz=tz, window=WINDOW)
    assert (planned.status, planned.look_at) == ("DEFERRED", at(f"{tomorrow} 10:00", zone))
    assert planned.look_at.astimezone(tz).time() == time(10)


@pytest.mark.django_db
class TestOnTheDatabase:
    def order(self, city: City, now: datetime, slot: Slot | None = None) -> Order:
        new = intake.NewOrder(
            city_id=city.pk, client_phone="+79990001122", category="ELECTRICS", slot=slot, confirm_late=True
        )
        return intake.create(new=new, actor=staff(Role.CITY_ADMIN, city), now=now)

    def statuses(self, orders: list[Order]) -> set[str]:
        return set(Order.objects.filter(pk__in=[o.pk for o in orders]).values_list("status", flat=True))

    def test_in_all_seventy_eight_cities_the_night_s_orders_wake_at_ten(self):
        """New Year's night: each city on its own, hour by hour around the globe."""
        seed_geo()
        cities = list(City.objects.all())
        assert len(cities) == 78
        assert {city.timezone for city in cities} == set(RUSSIA)
        by_opening: dict[datetime, list[Order]] = {}
        for city in cities:
            opening = at("2027-01-01 10:00", city.timezone)
            order = self.order(city, at("2026-12-31 21:30", city.timezone))
            by_opening.setdefault(opening, []).append(order)
        for opening, orders in sorted(by_opening.items()):
            engine.tick(now=opening - timedelta(seconds=1))
            assert self.statuses(orders) == {"DEFERRED"}
            engine.tick(now=opening)
            assert self.statuses(orders) == {"SEARCHING"}

    @pytest.mark.parametrize("date", CHANGES)
    def test_on_nights_when_clocks_change_the_engine_wakes_by_the_local_clock(self, date: str):
        city = City.objects.create(name="Берлин", timezone=BERLIN)
        morning = at(f"{date} 10:00", BERLIN)
        created = [at(f"{date} {text}", BERLIN) for text in ("00:00", "01:59", "02:30", "03:00", "09:59")]
        orders = [self.order(city, now) for now in created]
        assert self.statuses(orders) == {"DEFERRED"}
        engine.tick(now=morning - timedelta(seconds=1))
        assert self.statuses(orders) == {"DEFERRED"}
        engine.tick(now=morning)
        assert self.statuses(orders) == {"SEARCHING"}

    def test_a_row_of_an_import_at_any_hour_is_deferred_or_searches_at_the_next_tick(self):
        """CREATED, no plan, no slot: the engine itself finds out when it is time."""
        city = City.objects.create(name="Владивосток", timezone="Asia/Vladivostok")
        for hour in range(24):
            now = at(f"2026-12-31 {hour:02}:00", city.timezone)
            order = Order.objects.create(city=city, status="CREATED", created_at=now, dispatch_at=now)
            engine.tick(now=now)
            order.refresh_from_db()
            opening = next_opening(now, tz=ZoneInfo(city.timezone), window=WINDOW)
            expected = ("SEARCHING", None) if opening == now else ("DEFERRED", opening)
            assert (order.status, order.dispatch_at if order.status == "DEFERRED" else None) == expected
