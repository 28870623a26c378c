from __future__ import annotations

import asyncio
import time

import pytest

from bots.delivery import limits
from bots.delivery.limits import Limits, Window


def test_a_window_is_strict() -> None:
    window = Window(3, 3.0)
    for _ in range(3):
        assert window.wait(0.0) == 0
        window.take(0.0)
    assert window.wait(1.0) == 2.0
    assert window.wait(3.0) == 0


def test_a_pause_is_obeyed_whatever_the_window_says() -> None:
    window = Window(3, 3.0)
    window.pause(10.0)
    assert window.wait(4.0) == 6.0
    assert window.wait(11.0) == 0


def test_groups_have_their_own_window() -> None:
    made = Limits()
    assert (made.chat(-5).times.maxlen, made.chat(5).times.maxlen) == (20, 3)


def test_idle_chats_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "CHATS", 10)
    made = Limits()
    busy = made.chat(1)
    busy.take(time.monotonic())
    for chat in range(2, 30):
        made.chat(chat)
    assert made.chat(1) is busy
    assert len(made.chats) < 20


def test_urgent_lanes_go_first_and_the_rate_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_TOKEN", (5, 0.2))
    monkeypatch.setattr(limits, "SPACING", 0)
    monkeypatch.setattr(limits, "SLACK", 0)
    monkeypatch.setattr(limits, "LATE", 0)
    order: list[int] = []

    async def one(made: Limits, lane: int) -> None:
        await made.turn(lane)
        order.append(lane)

    async def main() -> float:
        made, start = Limits(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(12):
                group.create_task(one(made, 3))
            await asyncio.sleep(0)
            group.create_task(one(made, 0))
        return time.monotonic() - start

    took = asyncio.run(main())
    assert order[5] == 0  # right after those that had gone already
    assert took >= 0.4


def test_messages_are_spaced() -> None:
    async def main() -> list[float]:
        made, times = Limits(), []
        for _ in range(20):
            await made.turn(0)
            times.append(time.monotonic())
        return times

    times = asyncio.run(main())
    assert 17 * limits.SPACING * 0.95 < times[-1] - times[0] < 20 * limits.SPACING * 1.3


def test_small_delays_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine wakes everybody some milliseconds late; the hundredth message is no later than the first."""
    clock, late = 1000.0, 0.008
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    made = Limits()
    times = []
    for _ in range(20 * 29):
        wait = max(made.token.free() - clock, made._next - clock, 0)
        clock += wait + (late if wait else 0)
        made._waiting = [(0, 0, _Place(), None)]
        made._let_go()
        assert not made._waiting
        times.append(clock)
    assert (len(times) - 1) / (times[-1] - times[0]) > 28.95
    assert all(later - earlier >= 1 - limits.LATE for earlier, later in zip(times, times[29:], strict=False))


class _Place:
    """Somebody who waits in the queue."""

    def done(self) -> bool:
        return False

    def set_result(self, result: None) -> None:
        pass


def test_a_canceled_waiter_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PER_TOKEN", (1, 0.05))

    async def main() -> None:
        made = Limits()
        await made.turn(0)
        async with asyncio.TaskGroup() as group:
            leaving = group.create_task(made.turn(0))
            await asyncio.sleep(0)
            leaving.cancel()
            async with asyncio.timeout(0.09):
                await made.turn(1)

    asyncio.run(main())


def test_who_holds_an_urgent_row_up_becomes_urgent() -> None:
    """A broadcast's message is in the queue; an offer to the same chat must come after it, and soon."""
    went: list[str] = []

    async def go(made: Limits, name: str, lane: int, chat: str) -> None:
        await made.turn(lane, chat)
        went.append(name)

    async def main() -> None:
        made = Limits()
        async with asyncio.TaskGroup() as group:
            for number in range(12):
                group.create_task(go(made, f"broadcast {number}", 3, f"chat {number}"))
            await asyncio.sleep(0)
            made.hurry(0, "chat 11")
            made.hurry(0, "nobody's")

    asyncio.run(main())
    assert went.index("broadcast 11") <= 3  # the first ones may have gone already
    others = [name for name in went if name != "broadcast 11"]
    assert others == [f"broadcast {number}" for number in range(11)]
