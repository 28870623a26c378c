from __future__ import annotations

from bots.throttle import PEOPLE, Throttle


def test_a_burst_passes_then_a_few_a_second() -> None:
    throttle = Throttle(rate=2, burst=10)
    assert [throttle.allows(1, now=0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [throttle.allows(1, now=1.0) for _ in range(3)] == [True, True, False]


def test_people_do_not_pay_for_each_other() -> None:
    throttle = Throttle(rate=1, burst=1)
    assert throttle.allows(1, now=0.0)
    assert not throttle.allows(1, now=0.0)
    assert throttle.allows(2, now=0.0)


def test_memory_is_bounded() -> None:
    throttle = Throttle()
    for person in range(PEOPLE + 50):
        throttle.allows(person, now=0.0)
    assert len(throttle.buckets) == PEOPLE
