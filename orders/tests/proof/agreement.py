"""Compares the database with the reference model, and checks what must hold without any model."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

from fieldservice.outbox.models import Notification
from orders.models import Offer, Order, OrderStatusHistory
from orders.tests.proof import model
from orders.tests.proof.office import Office
from staff.models import Master

LIVE = ("SENT", "VIEWED")


def name_new_offers(company: Office) -> None:
    """Tell the model the keys of offers that were made in the last step: one of a pair at most."""
    unnamed = {(o.order.pk, o.master.pk): o for o in company.offers if o.pk is None}
    known = {o.pk for o in company.offers}
    for pk, *pair in Offer.objects.exclude(pk__in=known).values_list("pk", "order_id", "master_id"):
        assert tuple(pair) in unnamed, f"offer {pk} of order #{pair[0]} to master {pair[1]} was not to be made"
        unnamed.pop(tuple(pair)).pk = pk
    assert not unnamed, f"these should have been offered: {sorted(unnamed)}"


def agree(company: Office) -> None:
    """Orders, offers, masters and notices are as the model says."""
    orders_agree(company)
    assert offers_found() == {
        (o.pk, o.order.pk, o.master.pk, o.search, o.round, o.state, o.by_hand, o.confirmed, o.deadline if o.live else 0)
        for o in company.offers
    }
    masters = Master.objects.values_list("pk", "shift_status", "break_until", "is_blocked", "unreachable_at")
    assert {(pk, shift, until, is_blocked, gone is not None) for pk, shift, until, is_blocked, gone in masters} == {
        (m.pk, m.shift, m.break_until, m.blocked, m.unreachable) for m in company.masters
    }
    notices = Counter(
        Notification.objects.filter(event__in=("escalation_logist", "escalation_admin")).values_list(
            "payload__order_id", "event"
        )
    )
    expected = {(o.pk, "escalation_logist"): o.logist_notices for o in company.orders}
    expected |= {(o.pk, "escalation_admin"): o.admin_notices for o in company.orders}
    assert notices == Counter(expected)


def orders_agree(company: Office) -> None:
    columns = (
        "pk", "status", "assigned_master_id", "version", "search_number", "dispatch_round", "escalation_reason",
        "dist_escalated_logist_at", "dist_escalated_admin_at",
    )  # fmt: skip
    found = {row[0]: row for row in Order.objects.values_list(*columns)}
    for o in company.orders:
        expected = (
            o.pk, o.status, o.master and o.master.pk, o.moves, o.search, o.round, o.reason, o.told_logist, o.told_admin
        )  # fmt: skip
        assert found.pop(o.pk) == expected
    assert not found


def offers_found() -> set[tuple]:
    rows = Offer.objects.values_list(
        "pk", "order_id", "master_id", "search_number", "round_number", "state", "is_manual", "staff_confirmed",
        "expires_at",
    )  # fmt: skip
    return {(*row[:-1], row[-1] if row[5] in LIVE else 0) for row in rows}


def invariants(now: datetime) -> None:
    """What holds in every database of ours, after any step."""
    histories_are_chains()
    pairs = Counter(Offer.objects.filter(state__in=(*LIVE, "ACCEPTED")).values_list("order_id", "master_id"))
    assert all(n == 1 for n in pairs.values()), "two live offers of a pair"
    accepted = Counter(Offer.objects.filter(state="ACCEPTED").values_list("order_id", flat=True))
    assert all(n == 1 for n in accepted.values()), "two accepted offers of an order"
    nothing_is_stuck(now)


def histories_are_chains() -> None:
    """Each transition has its row, begins where the one before ended, and added 1 to the version."""
    chains: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    for pk, before, after in OrderStatusHistory.objects.order_by("pk").values_list(
        "order_id", "from_status", "to_status"
    ):
        if before != after:
            chains[pk].append((before, after))
    for pk, status, version in Order.objects.values_list("pk", "status", "version"):
        chain = chains[pk]
        assert [before for before, _after in chain] == [None, *(after for _before, after in chain[:-1])]
        assert (chain[-1][1], len(chain)) == (status, version)


def nothing_is_stuck(now: datetime) -> None:
    """A searching order has a live offer, or a next look soon, or staff who were told; a deferred one its waking."""
    asked = set(Offer.objects.filter(state__in=LIVE).values_list("order_id", flat=True))
    for order in Order.objects.filter(status__in=(*model.SEARCH, "DEFERRED", "CREATED")):
        if order.status in ("DEFERRED", "CREATED"):
            assert order.dispatch_at is not None
        elif order.dispatch_at is None:
            assert order.pk not in asked, f"#{order.pk}: the end of its offer would wake nobody"
            assert order.dist_escalated_logist_at
            assert order.escalation_reason not in (None, "no_candidates")
        elif order.pk not in asked:
            assert order.dispatch_at <= now + model.TICK, f"#{order.pk} sleeps until {order.dispatch_at}"
