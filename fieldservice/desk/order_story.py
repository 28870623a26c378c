"""All that is known of one order, read in a fixed number of queries: story, offers, decisions, messages, files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from fieldservice.lib.localtime import zone
from fieldservice.outbox.models import Notification
from fieldservice.runtime import registry
from finance.models import Commission
from orders import words
from orders.dispatch import explain
from orders.dispatch.explain import Clock, Event, Story
from orders.enums import AttachmentEntity
from orders.models import Attachment, DispatchDecision, DispatchTrace, Offer, Order, OrderStatusHistory
from orders.services.offer_writer import edits_key
from staff.models import Master

#: rows of each kind: more than a person reads
DECISIONS, OFFERS, HISTORY, MESSAGES, FILES = 50, 100, 200, 60, 60
NAMES = 12
#: they name the order, but tell of somebody else's reward
ELSEWHERE = ("referral_reward_accrued",)


@dataclass(frozen=True, slots=True)
class Told:
    """A decision for the table: who was best, by what, and who was left out and why."""

    decision: DispatchDecision
    outcome: str
    asked: str
    top: list[tuple[str, str, bool]]
    out: list[tuple[str, int, str]]
    citywide: bool


def read(order: Order, now: datetime) -> Story:
    """The rows `explain` tells the story from, the newest if there are very many."""
    decisions = list(DispatchDecision.objects.filter(order=order).order_by("-decided_at", "-id")[:DECISIONS])[::-1]
    offers = list(Offer.objects.filter(order=order).order_by("-sent_at", "-id")[:OFFERS])[::-1]
    history = OrderStatusHistory.objects.filter(order=order).select_related("changed_by_staff", "changed_by_master")
    _with_traces(decisions)
    ids = {pk for decision in decisions for ids in explain.left_out(decision).values() for pk in ids}
    ids |= {row[0] for decision in decisions for row in explain.top(decision)}
    ids |= {pk for decision in decisions for pk in decision.details.get("masters") or [decision.master_id] if pk}
    ids |= {offer.master_id for offer in offers} | {order.assigned_master_id or 0, order.preferred_master_id or 0}
    names = dict(Master.objects.filter(pk__in=ids).values_list("pk", "full_name"))
    rows = list(history.order_by("-created_at", "-id")[:HISTORY])[::-1]
    return Story(order, Clock(zone(order.city.timezone), now), decisions, offers, rows, names)


def _with_traces(decisions: Sequence[DispatchDecision]) -> None:
    """What the batches of all decisions kept, in one query; each decision would ask for its own."""
    wanted = {(decision.batch_id, decision.details.get("city")) for decision in decisions if decision.batch_id}
    found: dict[tuple[Any, Any], dict[tuple[str, str], bytes]] = {key: {} for key in wanted}
    rows = DispatchTrace.objects.filter(batch_id__in={batch for batch, _city in wanted})
    rows = rows.filter(city_id__in={city for _batch, city in wanted if city})
    for row in rows if wanted else ():
        if (row.batch_id, row.city_id) in found:
            found[row.batch_id, row.city_id][row.reason, row.key] = bytes(row.masters)
    for decision in decisions:
        decision.__dict__["traces"] = found.get((decision.batch_id, decision.details.get("city")), {})


def timeline(story: Story) -> tuple[list[Event], str]:
    """What happened, the newest first, and what comes next."""
    told = explain.tell(story)
    return told.events[::-1], told.next


def decisions(story: Story) -> list[Told]:
    """The decision log, the newest first."""
    return [_told(story, decision) for decision in reversed(story.decisions)]


def _told(story: Story, decision: DispatchDecision) -> Told:
    asked = decision.details.get("masters") or ([decision.master_id] if decision.master_id else [])
    top = [(story.names.get(row[0], f"#{row[0]}"), explain.shown_values(row), row[0] in asked)
           for row in explain.top(decision)]  # fmt: skip
    out = [(words.left_out(reason), len(ids), _names(story, ids)) for reason, ids in explain.left_out(decision).items()]
    named = ", ".join(story.names.get(pk, f"#{pk}") for pk in asked) if decision.outcome == "offered" else ""
    return Told(decision, words.outcome(decision.outcome), named, top, out, bool(decision.details.get("citywide")))


def _names(story: Story, ids: Sequence[int]) -> str:
    shown = ", ".join(story.names.get(pk, f"#{pk}") for pk in ids[:NAMES])
    return f"{shown} …" if len(ids) > NAMES else shown


def offers(story: Story) -> list[dict[str, Any]]:
    """The offers, the newest first, with how each ended."""
    return [{"offer": offer, "master": story.names.get(offer.master_id, f"#{offer.master_id}"),
             "end": explain.end_of(story, offer)} for offer in reversed(story.offers)]  # fmt: skip


def messages(story: Story, commission: Commission | None) -> list[tuple[Notification, str]]:
    """What was sent about the order and its commission, and to whom, the newest first.

    Four questions, each with its own index, for the numbers alone; one question with ORs would use none of them.
    """
    rows = Notification.objects.order_by("-id").values_list("pk", flat=True)
    about = rows.filter(payload__has_key="order_id", payload__order_id=story.order.pk).exclude(event__in=ELSEWHERE)
    asked = [rows.filter(edits_key__in=[edits_key(offer.pk) for offer in story.offers])[:MESSAGES]] * bool(story.offers)
    if commission is not None:
        paid = rows.filter(payload__has_key="commission_id", payload__commission_id=commission.pk)
        asked.append(paid[:MESSAGES])
    found = about[:MESSAGES].union(*asked, all=True) if asked else about[:MESSAGES]
    chosen = Notification.objects.filter(pk__in=list(found)).select_related("master", "staff")
    sent = list(chosen.order_by("-id")[:MESSAGES])
    channels = _channels() if any(not (row.master_id or row.staff_id) for row in sent) else {}
    return [(row, str(row.master or row.staff or channels.get(row.chat_id or 0) or row.chat_id or "—")) for row in sent]


def _channels() -> dict[int, str]:
    names = {"alerts_channel_id": "ALERTS", "logs_channel_id": "LOGS", "reports_channel_id": "REPORTS"}
    return {number: names[key] for key, number in registry.read(names).items() if number}


def files(order: Order, commission: Commission | None) -> list[Attachment]:
    """The order's files and, for who may see money, the receipts."""
    mine = Q(entity_type=AttachmentEntity.ORDER, entity_id=order.pk)
    if commission is not None:
        mine |= Q(entity_type=AttachmentEntity.COMMISSION, entity_id=commission.pk)
    return list(Attachment.objects.filter(mine).order_by("pk")[:FILES])
