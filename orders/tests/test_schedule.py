"""When an order is worked, in the zones of the cities: tables from the specification §5, and properties."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fieldservice.lib.errors import InvalidError
from orders.enums import OrderStatus
from orders.services import schedule
from orders.services.schedule import Slot, TooLateForToday, Window

WINDOW = Window()
ZONES = ["Europe/Kaliningrad", "Europe/Moscow", "Asia/Novosibirsk", "Asia/Vladivostok"]
DST_ZONES = ["America/New_York", "Europe/Berlin"]
TWO_YEARS = 2 * 365 * 24 * 3600
TYPED = st.from_regex(r"\A(today|tomorrow|20[0-9]{2}-[0-9]{2}-[0-9]{2}):[0-9]{1,2}-[0-9]{1,2}\Z")
MOMENTS = st.integers(0, TWO_YEARS).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=n))


def moment(text: str, zone: str = "Europe/Moscow") -> datetime:
    """Local `2026-11-22 19:30` as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def slot(text: str, zone: str = "Europe/Moscow") -> Slot:
    """`2026-11-22 10:00-13:00`."""
    day, _space, times = text.partition(" ")
    start, _dash, end = times.partition("-")
    return Slot(moment(f"{day} {start}", zone), moment(f"{day} {end}", zone))


def plan(now: str, zone: str = "Europe/Moscow", wanted: str | None = None, confirm: bool = False) -> schedule.Plan:
    return schedule.plan(
        slot(wanted, zone) if wanted else None,
        now=moment(now, zone),
        tz=ZoneInfo(zone),
        window=WINDOW,
        confirm_late=confirm,
    )


@pytest.mark.parametrize("zone", ZONES + DST_ZONES)
class TestAsap:
    @pytest.mark.parametrize("now", ["10:00", "12:34", "19:29"])
    def test_inside_the_window_the_search_begins(self, zone, now):
        found = plan(f"2026-11-22 {now}", zone)
        assert found == schedule.Plan(
            OrderStatus.SEARCHING, slot(f"2026-11-22 {now}-20:00", zone), moment(f"2026-11-22 {now}", zone)
        )

    @pytest.mark.parametrize("now", ["00:00", "03:00", "09:59"])
    def test_before_the_opening_it_waits_for_it(self, zone, now):
        found = plan(f"2026-11-22 {now}", zone)
        assert found == schedule.Plan(
            OrderStatus.DEFERRED, slot("2026-11-22 10:00-20:00", zone), moment("2026-11-22 10:00", zone)
        )

    @pytest.mark.parametrize("now", ["19:30", "19:59", "20:00", "23:59"])
    def test_late_in_the_day_tomorrow_is_proposed(self, zone, now):
        with pytest.raises(TooLateForToday, match="Confirm tomorrow 10:00–13:00, or choose another slot") as caught:
            plan(f"2026-11-22 {now}", zone)
        assert (caught.value.code, caught.value.slot) == ("late", slot("2026-11-23 10:00-13:00", zone))
        assert plan(f"2026-11-22 {now}", zone, confirm=True) == schedule.Plan(
            OrderStatus.DEFERRED, slot("2026-11-23 10:00-13:00", zone), moment("2026-11-23 10:00", zone)
        )


@pytest.mark.parametrize(
    ("now", "proposed"),
    [
        ("2026-11-30 21:00", "2026-12-01 10:00-13:00"),
        ("2026-12-31 23:59", "2027-01-01 10:00-13:00"),
        ("2028-02-28 19:30", "2028-02-29 10:00-13:00"),
    ],
)
def test_tomorrow_at_the_end_of_a_month_or_year(now, proposed):
    assert plan(now, confirm=True).slot == slot(proposed)


@pytest.mark.parametrize(
    ("zone", "now", "wakes_utc"),
    [
        ("America/New_York", "2026-03-07 21:00", "2026-03-08 14:00"),  # that night the clocks go forward
        ("America/New_York", "2026-03-06 21:00", "2026-03-07 15:00"),
        ("America/New_York", "2026-10-31 21:00", "2026-11-01 15:00"),  # that night they go back
        ("Europe/Berlin", "2026-03-28 21:00", "2026-03-29 08:00"),
        ("Europe/Berlin", "2026-10-24 21:00", "2026-10-25 09:00"),
    ],
)
def test_ten_o_clock_is_ten_o_clock_after_the_clocks_change(zone, now, wakes_utc):
    assert plan(now, zone, confirm=True).look_at == datetime.fromisoformat(wakes_utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "wanted", "status", "look_at"),
    [
        ("2026-11-22 12:00", "2026-11-22 13:00-16:00", "SEARCHING", "2026-11-22 12:00"),
        ("2026-11-22 12:00", "2026-11-22 10:00-13:00", "SEARCHING", "2026-11-22 12:00"),
        ("2026-11-22 09:00", "2026-11-22 16:00-19:00", "DEFERRED", "2026-11-22 10:00"),
        ("2026-11-22 12:00", "2026-11-23 16:00-19:00", "DEFERRED", "2026-11-23 10:00"),
        ("2026-11-22 22:00", "2026-11-23 10:00-13:00", "DEFERRED", "2026-11-23 10:00"),
        ("2026-11-22 22:00", "2026-11-25 10:00-13:00", "DEFERRED", "2026-11-25 10:00"),
        ("2026-12-31 12:00", "2027-01-01 10:00-13:00", "DEFERRED", "2027-01-01 10:00"),
    ],
)
def test_a_slot_decides_when_the_search_begins(now, wanted, status, look_at):
    assert plan(now, wanted=wanted) == schedule.Plan(OrderStatus(status), slot(wanted), moment(look_at))


class TestParseChoice:
    NOW = "2026-11-22 12:00"

    def parse(self, text: str, now: str = NOW, window: Window = WINDOW) -> Slot | None:
        return schedule.parse_choice(text, now=moment(now), tz=ZoneInfo("Europe/Moscow"), window=window)

    @pytest.mark.parametrize("text", ["asap", "ASAP", " asap ", ""])
    def test_asap_is_no_slot(self, text):
        assert self.parse(text) is None

    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("today:13-16", "2026-11-22 13:00-16:00"),
            (" Today:16-19 ", "2026-11-22 16:00-19:00"),
            ("today:10-13", "2026-11-22 10:00-13:00"),  # it has begun and is not over
            ("tomorrow:10-13", "2026-11-23 10:00-13:00"),
            ("2026-11-25:16-19", "2026-11-25 16:00-19:00"),
            ("2027-01-01:10-20", "2027-01-01 10:00-20:00"),
        ],
    )
    def test_a_slot_is_read(self, text, found):
        assert self.parse(text) == slot(found)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("noon", "The slot must be asap, today:13-16, tomorrow:10-13 or a date like 2026-11-25:10-13."),
            ("today 13-16", "The slot must be asap"),
            ("yesterday:10-13", "The slot must be asap"),
            ("today:13:00-16:00", "The slot must be asap"),
            ("today:13-16\nx", "The slot must be asap"),
            ("25.11.2026:10-13", "The slot must be asap"),
            ("٢٠٢٦-11-25:10-13", "The slot must be asap"),
            ("2026-02-30:10-13", "There is no such date or hour"),
            ("2026-13-01:10-13", "There is no such date or hour"),
            ("0001-01-01:00-13", "There is no such date or hour"),
            ("today:13-25", "There is no such date or hour"),
            ("today:16-13", "The slot must begin before it ends."),
            ("today:13-13", "The slot must begin before it ends."),
            ("today:10-12", "This slot is over already; choose a later one."),
            ("2026-11-21:10-13", "This slot is over already"),
            ("today:09-13", "The slot must lie between 10:00 and 20:00, local time."),
            ("tomorrow:19-21", "The slot must lie between 10:00 and 20:00, local time."),
            ("2027-01-22:10-13", "This slot is more than 60 days ahead; choose an earlier one."),
            ("9999-12-31:10-13", "This slot is more than 60 days ahead"),
        ],
    )
    def test_anything_else_is_answered_by_a_sentence(self, text, sentence):
        with pytest.raises(InvalidError) as caught:
            self.parse(text)
        assert str(caught.value).startswith(sentence)
        assert list(caught.value.fields) == ["slot"]

    @given(st.text(max_size=30) | TYPED, MOMENTS, st.sampled_from(ZONES + DST_ZONES))
    def test_no_text_is_an_unexpected_error_and_a_slot_can_be_planned(self, text, now, zone):
        tz = ZoneInfo(zone)
        try:
            found = schedule.parse_choice(text, now=now, tz=tz, window=WINDOW)
        except InvalidError:
            return
        assert found is None or found.end > now
        planned = schedule.plan(found, now=now, tz=tz, window=WINDOW, confirm_late=True)
        assert planned.look_at >= now

    def test_sixty_days_are_allowed(self):
        assert self.parse("2027-01-21:10-12") == slot("2027-01-21 10:00-12:00")


class TestChoices:
    def names(self, now: str, window: Window = WINDOW) -> list[str]:
        found = schedule.choices(now=moment(now), tz=ZoneInfo("Europe/Moscow"), window=window)
        day = moment(now)
        words = {f"{day:%Y-%m-%d}": "today", f"{day + timedelta(days=1):%Y-%m-%d}": "tomorrow"}
        return [name.replace(name[:10], words.get(name[:10], name[:10])) for name, _slot in found]

    @pytest.mark.parametrize(
        ("now", "today"),
        [
            ("2026-11-22 08:00", ["asap", "today:10-13", "today:13-16", "today:16-19"]),
            ("2026-11-22 10:00", ["asap", "today:13-16", "today:16-19"]),
            ("2026-11-22 15:59", ["asap", "today:16-19"]),
            ("2026-11-22 16:00", ["asap"]),
            ("2026-11-22 20:00", []),
        ],
    )
    def test_what_staff_may_pick(self, now, today):
        assert self.names(now) == [*today, "tomorrow:10-13", "tomorrow:13-16", "tomorrow:16-19"]

    def test_slots_outside_the_window_are_not_offered(self):
        assert self.names("2026-11-22 08:00", Window(time(12), time(18), time(17))) == [
            "asap", "today:13-16", "tomorrow:13-16"
        ]  # fmt: skip

    @given(MOMENTS, st.sampled_from(ZONES + DST_ZONES))
    def test_every_choice_can_be_taken(self, now, zone):
        tz = ZoneInfo(zone)
        for name, wanted in schedule.choices(now=now, tz=tz, window=WINDOW):
            assert schedule.parse_choice(name, now=now, tz=tz, window=WINDOW) == wanted


class TestWaking:
    @pytest.mark.parametrize("zone", ZONES)
    def test_a_slot_wakes_at_the_opening_of_its_local_day(self, zone):
        start = moment("2026-11-25 16:00", zone)
        tz, created = ZoneInfo(zone), moment("2026-11-22 21:00", zone)
        assert schedule.wake_at(start, created_at=created, tz=tz, window=WINDOW) == moment("2026-11-25 10:00", zone)

    @pytest.mark.parametrize(
        ("created", "wakes"),
        [
            ("2026-11-22 03:00", "2026-11-22 10:00"),
            ("2026-11-22 12:00", "2026-11-22 12:00"),
            ("2026-11-22 20:00", "2026-11-23 10:00"),
            ("2026-12-31 21:30", "2027-01-01 10:00"),
        ],
    )
    def test_without_a_slot_the_next_opening_counts(self, created, wakes):
        found = schedule.wake_at(None, created_at=moment(created), tz=ZoneInfo("Europe/Moscow"), window=WINDOW)
        assert found == moment(wakes)


@st.composite
def situations(draw):
    """A moment, a zone and a working window of at least an hour, not at night (when the clocks change)."""
    start = draw(st.integers(5 * 60, 22 * 60 - 1))
    end = draw(st.integers(start + 60, 23 * 60 + 59))
    clock = [time(minutes // 60, minutes % 60) for minutes in (start, end, draw(st.integers(start, end)))]
    return draw(MOMENTS), ZoneInfo(draw(st.sampled_from(ZONES + DST_ZONES))), Window(*clock)


@given(situations(), st.one_of(st.none(), st.tuples(st.integers(0, 59), st.integers(0, 22), st.integers(1, 6))))
def test_a_plan_is_never_outside_the_window_nor_in_the_past(situation, wish):
    now, tz, window = situation
    wanted = None
    if wish is not None:
        days, hour, length = wish
        assume(hour + length < 24)
        day = now.astimezone(tz).date() + timedelta(days=days)
        wanted = Slot(schedule.local(day, time(hour), tz), schedule.local(day, time(hour + length), tz))
        try:
            schedule.check_slot(wanted, now=now, tz=tz, window=window)
        except InvalidError:
            assume(False)
    found = schedule.plan(wanted, now=now, tz=tz, window=window, confirm_late=True)
    assert found.slot is not None
    start, end = found.slot.start.astimezone(tz), found.slot.end.astimezone(tz)
    assert found.slot.start < found.slot.end
    assert found.slot.end > now
    assert start.date() == end.date()
    assert window.start <= start.time()
    assert end.time() <= window.end
    if wanted is None:
        assert found.slot.start >= now
    if found.status == OrderStatus.SEARCHING:
        assert found.look_at == now
        assert window.start <= now.astimezone(tz).time() < window.end
    else:
        # a deferred order is looked at when a working day opens: never before now, never after its slot began
        assert found.look_at.astimezone(tz).time() == window.start
        assert now < found.look_at <= found.slot.start


def test_moments_are_utc():
    assert schedule.local(date(2026, 11, 22), time(10), ZoneInfo("Asia/Vladivostok")) == datetime(
        2026, 11, 22, 0, tzinfo=UTC
    )
    assert schedule.local(date(2026, 11, 22), time(10), ZoneInfo("Asia/Vladivostok")).tzinfo is UTC
