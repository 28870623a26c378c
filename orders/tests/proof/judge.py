"""Reads a history beside the rows it left: one winner, limits held, nobody lost, and everyone was told the truth."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

from orders.models import DistributionMetric, Offer, Order, OrderStatusHistory
from orders.tests.proof.histories import RELEASES, TAKES, Event, History, Town
from staff.models import Master

ACTIVE = ("ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT")
LIVE = ("SENT", "VIEWED")


class Judge:
    """`verdicts()` names what is wrong with a history, one sentence each."""

    def __init__(self, town: Town, history: History) -> None:
        self.town, self.history = town, history
        self.orders = {o.pk: o for o in Order.objects.filter(pk__in=history.orders)}
        self.offers = {o.pk: o for o in Offer.objects.filter(order_id__in=history.orders)}
        self.blocked = set(Master.objects.filter(is_blocked=True).values_list("pk", flat=True))
        rows = OrderStatusHistory.objects.filter(order_id__in=history.orders).order_by("pk")
        self.moves = [row for row in rows if row.from_status != row.to_status]

    def verdicts(self) -> list[str]:
        wrong = [f"an error: {e}" for e in self.history.events if e.code.startswith("!")]
        wrong += [f"not true: {e}" for e in self.history.events if e.code and not self.is_true(e)]
        wrong += [said for order in self.orders.values() for said in self.about(order)]
        return wrong + self.above_limit()

    # --- orders

    def about(self, order: Order) -> list[str]:
        """One winner, or none; the journal agrees with the row; nobody waits in vain."""
        mine = [o for o in self.offers.values() if o.order_id == order.pk]
        accepted = [o.master_id for o in mine if o.state == "ACCEPTED"]
        live = [o for o in mine if o.state in LIVE]
        moves = [(row.from_status, row.to_status) for row in self.moves if row.order_id == order.pk]
        taken = len(self.history.done(*TAKES, order=order.pk))
        by_hand = self.history.done("assign", order=order.pk)
        searching = order.status in ("SEARCHING", "GUARANTEE")
        holds = {
            "history is a chain": all(a[1] == b[0] for a, b in pairwise(moves)),
            "history ends at the status": not moves or moves[-1][1] == order.status,
            "version counts the transitions": order.version == 1 + len(moves),
            "each winner is in the history": taken == sum(to == "ASSIGNED" for _from, to in moves),
            "each winner has a metric": taken == DistributionMetric.objects.filter(order_id=order.pk).count(),
            "no offer outlives the search": searching or not live,
            "the accepted offer is the master's": searching or len(accepted) <= 1,
            "the winner has the order": order.status not in ACTIVE or accepted == [order.assigned_master_id] or by_hand,
            "no winner while searching": not searching or (not accepted and order.assigned_master_id is None),
            "no order is lost": not searching or live or order.dispatch_at or order.dist_escalated_logist_at,
            "nobody is asked twice at once": len({o.master_id for o in live}) == len(live),
        }
        return [f"#{order.pk} ({order.status}): {rule}: {moves}" for rule, held in holds.items() if not held]

    def above_limit(self) -> list[str]:
        """Replays who held how many orders. Takes of one master are in the order of his lock, so of their rows."""
        wins: dict[int, list[int]] = defaultdict(list)
        metrics = DistributionMetric.objects.filter(order_id__in=self.orders).order_by("pk")
        for order_id, master_id in metrics.values_list("order_id", "master_id"):
            wins[order_id].append(master_id)
        holder: dict[int, int] = {}
        load: Counter[int] = Counter()
        wrong = []
        for row in self.moves:
            if row.to_status == "ASSIGNED":
                holder[row.order_id] = master = wins[row.order_id].pop(0)
                load[master] += 1
                if load[master] > self.town.limit(master):
                    wrong.append(f"master {master} had {load[master]} of {self.town.limit(master)}")
            elif row.from_status in ACTIVE:
                load[holder.pop(row.order_id)] -= 1
        return wrong

    # --- the truth

    def is_true(self, e: Event) -> bool:
        """Whether the refusal names something that had happened by the time it was said."""
        if e.deed in ("accept", "decline"):
            return self.offer_truths(e).get(e.code, False)
        order = self.orders[e.order]
        over = self.before(e, *TAKES, "cancel")
        truths = {
            ("cancel", "conflict"): self.before(e, "cancel"),
            ("return", "conflict"): not self.surely_assigned(e),
            ("again", "conflict"): over,
            ("offer", "conflict"): over or self.had_offer(e),
            ("assign", "conflict"): over,
            ("offer", "confirm"): self.was_full(e),
            ("assign", "confirm"): self.was_full(e),
            ("offer", "not_found"): e.master in self.blocked,
            ("assign", "not_found"): e.master in self.blocked,
        }
        return bool(truths.get((e.deed, e.code), False)) and order is not None

    def offer_truths(self, e: Event) -> dict[str, bool]:
        offer = self.offers[e.offer]
        others = [t for t in self.earlier(e, *TAKES) if t.master != e.master]
        ticked = any(t.at >= offer.expires_at for t in self.earlier(e, "expire", "tick", "nudge", everywhere=True))
        return {
            "taken": bool(others),
            "already_yours": any(t.master == e.master for t in self.earlier(e, *TAKES)),
            "declined": offer.state == "DECLINED" and any(t.offer == e.offer for t in self.earlier(e, "decline")),
            "withdrawn": self.before(e, "cancel") or (offer.state == "CANCELED" and self.before(e, "return", "again")),
            "expired": e.at >= offer.expires_at or (offer.state == "EXPIRED" and ticked),
            "limit": e.deed == "accept" and self.was_full(e),
            "blocked": e.deed == "accept" and e.master in self.blocked,
        }

    def earlier(self, e: Event, *deeds: str, everywhere: bool = False) -> list[Event]:
        """What was done (with the same order) and may have been committed before `e` was answered."""
        return [d for d in self.history.done(*deeds, order=0 if everywhere else e.order) if d.began < e.ended]

    def before(self, e: Event, *deeds: str) -> bool:
        return bool(self.earlier(e, *deeds))

    def surely_assigned(self, e: Event) -> bool:
        """A take was over before, and nothing that ends it had begun."""
        takes = [t for t in self.history.done(*TAKES, order=e.order) if t.ended < e.began]
        return bool(takes) and not self.before(e, *RELEASES)

    def was_full(self, e: Event) -> bool:
        """Whether the master may have held his limit of orders at a moment between question and answer."""
        held = set()
        for take in self.history.done(*TAKES, master=e.master):
            over = [
                r for r in self.history.done(*RELEASES, order=take.order) if r.began > take.ended and r.ended < e.began
            ]
            if take.began < e.ended and not over:
                held.add(take.order)
        return len(held) >= self.town.limit(e.master)

    def had_offer(self, e: Event) -> bool:
        """Whether this master was asked about this order at all."""
        return any(o.order_id == e.order and o.master_id == e.master for o in self.offers.values())
