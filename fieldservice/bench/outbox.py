"""`bench outbox`: how much of Telegram's budget the pump uses, and how long an offer waits in front of a broadcast.

The real master bot delivers to a sandbox that enforces the limits. The floor of the time is the budget: 30 a second.
"""

from __future__ import annotations

import time
from itertools import islice

from django.db.models import Count, Max, Min

from bots.sandbox.client import SandboxClient
from fieldservice.bench.harness import Result, Series
from fieldservice.bench.installation import company, wait
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Lane, Notification, Outcome
from staff.models import Master

BUDGET = 30
#: share of the budget; milliseconds
GOAL_SHARE, GOAL_OFFER_MS = 0.95, 1000
#: seconds between two offers
EVERY = 5.0


def run(*, messages: int, chats: int = 1000) -> list[Result]:
    """A broadcast of `messages`; every few seconds an offer to somebody who is in the broadcast, too."""
    chats = min(chats, messages)
    with company(masters=chats, sla=3600, limits=True) as telegram:
        people = list(Master.objects.order_by("id").values_list("id", flat=True))
        rounds = (person for _round in range(messages // chats + 1) for person in people)
        outbox.enqueue(
            outbox.Message(event="news", payload={"message": "news"}, master_id=person, lane=Lane.BROADCAST)
            for person in islice(rounds, messages)
        )
        offers = _offers(people, until=time.monotonic() + 3 * messages / BUDGET)
        return [_result(telegram, messages, chats, offers)]


def _offers(people: list[int], *, until: float) -> Series:
    """Offers until the broadcast is out: milliseconds from the commit to Telegram's answer."""
    series = Series()
    waiting = Notification.objects.filter(lane=Lane.BROADCAST, processed_at__isnull=True)
    number = 0
    while waiting.exists():
        if time.monotonic() > until:
            raise RuntimeError("the broadcast does not come to its end")
        # who gets a message of the broadcast about now: the offer has to go round it in the same chat
        next_one = waiting.order_by("id").values_list("master_id", flat=True).first() or people[0]
        key = f"bench:{number}"
        number += 1
        outbox.enqueue(
            outbox.Message(event="x", payload={"message": "offer"}, master_id=next_one, lane=Lane.OFFER, dedup_key=key)
        )
        done = Notification.objects.filter(dedup_key=key, processed_at__isnull=False)
        wait(done.exists, "an offer")
        row = done.get()
        assert row.processed_at
        series.times.append((row.processed_at - row.created_at).total_seconds() * 1000)
        time.sleep(EVERY)
    return series


def _result(telegram: SandboxClient, messages: int, chats: int, offers: Series) -> Result:
    sent = Notification.objects.filter(outcome=Outcome.SENT).aggregate(
        first=Min("processed_at"), last=Max("processed_at"), n=Count("id")
    )
    seconds = (sent["last"] - sent["first"]).total_seconds()
    result = Result("outbox", {"messages": messages, "chats": chats, "budget_per_second": BUDGET}, work=offers)
    share = (sent["n"] - 1) / seconds / BUDGET
    refused = sum(count for key, count in telegram.stats().items() if key.endswith("sendMessage 429"))
    result.extra = {
        "sent": sent["n"], "seconds": round(seconds, 1), "per_second": round((sent["n"] - 1) / seconds, 2),
        "of_budget": round(share, 3), "goal_of_budget": GOAL_SHARE, "offer_max_ms": round(max(offers.times), 1),
        "goal_offer_ms": GOAL_OFFER_MS, "refused_429": refused, "peaks": telegram.peaks(),
        "met": share >= GOAL_SHARE and max(offers.times) <= GOAL_OFFER_MS,
    }  # fmt: skip
    return result
