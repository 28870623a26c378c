"""A working day in a few minutes, with everything killed that can be (goals: reliability).

CHAOS_SECONDS (240) is how long orders come in, CHAOS_SEED what goes wrong and when.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connections

from fieldservice.outbox.models import Notification
from fieldservice.runtime.models import Heartbeat
from fieldservice.tests.chaos import checker
from fieldservice.tests.chaos.people import Cast, MasterPlayer, Office, Player, everybody
from fieldservice.tests.chaos.processes import Installation, until
from fieldservice.tests.chaos.trouble import Blow, Trouble
from finance.models import Commission
from orders.enums import OfferState, OrderStatus
from orders.models import Offer, Order

SECONDS = float(os.environ.get("CHAOS_SECONDS", "240"))
SEEDS = os.environ.get("CHAOS_SEED", "1").split(",")
EVERY = float(os.environ.get("CHAOS_ORDER_EVERY", "2.5"))
#: seconds to answer an offer; a busy machine's masters are slow readers
SLA = os.environ.get("CHAOS_SLA", "8")
DRAIN = 120.0
pytestmark = [pytest.mark.slow, pytest.mark.timeout(SECONDS + 900)]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_day_with_kills(install: Callable[..., Installation], seed: str) -> None:
    site = install(DISTRIBUTION_SLA_SECONDS=SLA)
    cast = Cast()
    site.start("worker", "beat", "master_bot", "admin_bot")
    site.up()
    counts: Counter[str] = Counter()
    sandbox = site.sandbox(timeout=6)
    players = everybody(sandbox, cast, seed=seed, counts=counts)
    office, watch, trouble = Office(cast, seed=seed, every=EVERY), checker.Watch(), Trouble(site, seed=seed)
    threads = [*players, office, watch, trouble]
    trouble.faults()
    try:
        for thread in threads:
            thread.start()
        time.sleep(SECONDS)
        until(lambda: trouble.whole.is_set() or trouble.error, 300, "some kinds of trouble did not strike")
        for ended in (office, trouble):
            ended.done.set()
            ended.join(120)
        trouble.end()
        calm_down(site, cast, office, players)
    finally:
        for thread in threads:
            thread.done.set()
        for thread in threads:
            thread.join(30)
        tell(site, trouble, watch, office, counts, cast)
    prove(site, cast, players, trouble, watch, office)


def calm_down(site: Installation, cast: Cast, office: Office, players: list[Player]) -> None:
    """A new order must find its way; masters take what there is; wait until the outbox is at rest."""
    connections.close_all()  # this thread's was cut with the server
    site.up()
    office.keys["probe"] = probe = cast.new_order("probe", cast.districts[0])
    delivered = Offer.objects.filter(order_id=probe, delivered_at__isnull=False)
    until(delivered.exists, 60, "a new order reaches nobody")
    for player in players:
        if isinstance(player, MasterPlayer):
            player.diligent = True
    limit = time.monotonic() + DRAIN
    while not finished() and time.monotonic() < limit:
        time.sleep(0.5)
    for player in players:
        player.done.set()
    for player in players:
        player.join(30)
    # offers nobody answers run out, round by round, until the logist has them; leases of killed bots take a minute
    until(at_rest, 150, "the outbox is not empty")
    time.sleep(6)  # a heartbeat of every process


def at_rest() -> bool:
    """Every message was sent or given up, every offer answered or expired."""
    waiting = Notification.objects.filter(processed_at__isnull=True).exclude(event="alive")
    return not waiting.exists() and not Offer.objects.filter(state__in=OfferState.LIVE).exists()


def finished() -> bool:
    """Every order is closed, or with the logist for a reason no search can mend."""
    open_ = Order.objects.exclude(status__in=OrderStatus.FINAL).exclude(escalation_reason="no_district")
    return not open_.exists()


def prove(
    site: Installation, cast: Cast, players: list[Player], trouble: Trouble, watch: checker.Watch, office: Office
) -> None:
    """Nothing stuck, nothing doubled, nothing lost, everybody alive."""
    errors = [error for error in (trouble.error, *(player.error for player in players)) if error]
    assert not errors, errors
    assert Order.objects.count() == len(office.keys)
    assert Order.objects.filter(status=OrderStatus.CLOSED).exists()
    assert checker.stuck() == []
    assert checker.doubled_rows() == []
    assert checker.wrong_winners() == []
    assert checker.money() == []
    assert checker.unsent() == []
    people = [master.tg_user_id or 0 for master in cast.masters]
    assert checker.missing_messages(site.sandbox(), people) == []
    bot_kills = site.processes["master_bot"].kills
    doubles = checker.double_messages(site.sandbox(), people)
    assert doubles <= trouble.cuts + bot_kills  # a killed bot cuts the reply, too
    assert watch.longest <= checker.LATE, f"order #{watch.order}"
    for name in ("worker", "beat", "master_bot", "admin_bot"):
        process = site.processes[name]
        assert process.running, name
        assert process.restarts >= 1, name
    fresh = Heartbeat.objects.filter(name__in=("dispatch_tick", "master_bot", "admin_bot"))
    ages = {beat.name: (time.time() - beat.beat_at.timestamp()) for beat in fresh}
    assert len(ages) == 3
    assert all(age < 15 for age in ages.values()), ages


def recovery(blow: Blow) -> str:
    """How long afterwards the next offer reached a phone."""
    later = Offer.objects.filter(delivered_at__gt=datetime.fromtimestamp(blow.over, tz=UTC)).order_by("delivered_at")
    if not blow.over or not (offer := later.first()) or not offer.delivered_at:
        return ""
    after = offer.delivered_at.timestamp() - blow.over
    return f"lasted {blow.over - blow.at:4.1f} s, the next offer {after:4.1f} s later"


def tell(
    site: Installation, trouble: Trouble, watch: checker.Watch, office: Office, counts: Counter[str], cast: Cast
) -> None:
    """The table of figures."""
    people = [master.tg_user_id or 0 for master in cast.masters]
    figures: dict[str, object] = {
        "orders": Order.objects.count(),
        "closed": Order.objects.filter(status=OrderStatus.CLOSED).count(),
        "open": dict(Counter(Order.objects.exclude(status__in=OrderStatus.FINAL).values_list("status", flat=True))),
        "offers": dict(Counter(Offer.objects.values_list("state", flat=True))),
        "commissions": Commission.objects.count(),
        "outbox": dict(Counter(str(o) for o in Notification.objects.values_list("outcome", flat=True))),
        "blows": sum(trouble.counts.values()),
        "kills": {p.name: p.kills for p in site.processes.values()},
        "restarts": {p.name: p.restarts for p in site.processes.values()},
        "exit codes": {p.name: p.codes for p in site.processes.values() if p.codes},
        "longest delay, s": round(watch.longest, 1),
        "looks without a database": watch.blind,
        "orders entered again": office.refusals,
        "cut replies": trouble.cuts,
        "double messages": checker.double_messages(site.sandbox(), people),
        "people": dict(counts),
    }
    print()
    for blow in trouble.story:
        print(f"{blow.at - trouble.story[0].at:6.0f} s  {blow.name:<32}{recovery(blow)}")
    for name, value in figures.items():
        print(f"{name:>26}  {value}")
