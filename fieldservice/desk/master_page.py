"""The master's page, and the queue of applications with the documents beside the answers."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from fieldservice.desk import act_views, sight
from fieldservice.desk.master_acts import MASTER_ACTS, RIGHT, MasterAct, available
from fieldservice.desk.views import context
from fieldservice.lib.clean import read_number
from fieldservice.lib.errors import DomainError
from fieldservice.lib.localtime import zone
from fieldservice.runtime import registry
from finance.models import Commission, ReferralReward
from orders.enums import AttachmentEntity, OfferState, OrderStatus
from orders.models import Attachment, Offer, Order
from orders.selectors import average_checks
from staff import access, scope
from staff.enums import ModerationStatus
from staff.models import AuditLog, Master, ShiftChange, Skill
from staff.services import applications, form

LAST, SHIFTS, QUEUE, UNPAID = 10, 20, 5, 50
WORKING = (*OrderStatus.ACTIVE, OrderStatus.CLOSED)


def _found(request: HttpRequest, pk: int) -> Master | None:
    rows = scope.masters(request.user).select_related("city", "referred_by_master", "verified_by")  # type: ignore[arg-type]
    return rows.prefetch_related("skills", "districts").filter(pk=pk).first()


@never_cache
@require_GET
def master_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Load, ratings, money, shifts, documents; a stranger's master does not exist."""
    master = _found(request, pk)
    if master is None:
        messages.warning(request, _("There is no such master."))
        return redirect("admin:staff_master_changelist")
    now, role = timezone.now(), request.user.role  # type: ignore[union-attr]
    active, past = _orders(master)
    page = context(
        request, master.full_name or f"#{master.pk}", None, master=master, acts=available(master, role),
        tz=zone(master.city.timezone if master.city else None), active=active, past=past,
        figures=_figures(master, now), money=_money(master, role),
        shifts=list(ShiftChange.objects.filter(master=master).order_by("-at", "-id")[:SHIFTS]),
        may_change=request.user.has_perm("staff.change_master"),
        **_private(request, master, role),
    )  # fmt: skip
    return TemplateResponse(request, "desk/master.html", page)


def _orders(master: Master) -> tuple[list[Order], list[Order]]:
    """On hand, by their slots; the last that are over."""
    over = ExpressionWrapper(Q(status__in=OrderStatus.FINAL), output_field=BooleanField())
    rows: Any = Order.objects.filter(assigned_master=master).order_by(over, "-id")
    found: list[Order] = list(rows[: 20 + LAST])
    latest = datetime.max.replace(tzinfo=UTC)
    active = [order for order in found if order.status not in OrderStatus.FINAL]
    active.sort(key=lambda order: (order.timeslot_start_utc or latest, order.pk))
    return active, [order for order in found if order.status in OrderStatus.FINAL][:LAST]


def _figures(master: Master, now: Any) -> dict[str, Any]:
    """What dispatch looks at, and how the last offers ended."""
    offers = Offer.objects.filter(master=master).order_by("-id").values("state")[:100]
    states = [row["state"] for row in offers]
    ended = [state for state in states if state not in OfferState.LIVE and state != OfferState.CANCELED]
    limit = master.max_active_orders_override
    return {
        "check": average_checks([master.pk], now=now).get(master.pk),
        "limit": registry.get("max_active_orders") if limit is None else limit,
        "offers": len(ended), "accepted": ended.count(OfferState.ACCEPTED), "expired": ended.count(OfferState.EXPIRED),
        "declined": ended.count(OfferState.DECLINED), "live": sum(state in OfferState.LIVE for state in states),
    }  # fmt: skip


def _money(master: Master, role: str) -> dict[str, Any] | None:
    if not access.may(role, "finance.see"):
        return None
    rows = list(Commission.objects.filter(master=master, is_paid=False).order_by("deadline_at", "pk")[:UNPAID])
    unpaid = {"rows": rows, "n": len(rows), "sum": sum((row.amount for row in rows), Decimal(0)),
              "overdue": sum(row.status == "OVERDUE" for row in rows)}  # fmt: skip
    rewards = ReferralReward.objects.filter(referrer=master, status="ACCRUED").aggregate(sum=Sum("amount"))
    payout = form.show_payout(master.payout_method, master.payout_data)
    return unpaid | {"rewards": rewards["sum"] or Decimal(0), "payout": payout}


def _private(request: HttpRequest, master: Master, role: str) -> dict[str, Any]:
    """Documents and what was decided: for moderators."""
    if not access.may(role, RIGHT):
        return {}
    rows = Attachment.objects.filter(entity_type=AttachmentEntity.MASTER, entity_id=master.pk).order_by("pk")
    wanted = applications.asked_skills(master)
    return {
        "documents": list(rows[:20]),
        "wanted": list(Skill.objects.filter(pk__in=wanted)) if wanted else [],
        "log": list(AuditLog.objects.filter(master=master).select_related("admin").order_by("-id")[:LAST]),
    }


def _pending(request: HttpRequest, seen: sight.Sight) -> QuerySet[Master]:
    rows = seen.within(scope.masters(request.user).filter(moderation_status=ModerationStatus.PENDING, is_deleted=False))  # type: ignore[arg-type]
    return rows.exclude(full_name="").order_by("applied_at", "id")


@never_cache
@require_GET
def queue_page(request: HttpRequest) -> HttpResponse:
    """Applications, the oldest first, each with its documents."""
    if not access.may(request.user.role, RIGHT):  # type: ignore[union-attr]
        raise PermissionDenied
    seen = sight.of(request)
    at = read_number(request.GET.get("page"), most=9999) or 1
    rows = _pending(request, seen).select_related("city").prefetch_related("skills", "districts")
    found = list(rows[(at - 1) * QUEUE : at * QUEUE + 1])
    files: dict[int, list[Attachment]] = {}
    ids = [master.pk for master in found[:QUEUE]]
    for row in Attachment.objects.filter(entity_type=AttachmentEntity.MASTER, entity_id__in=ids).order_by("pk")[:100]:
        files.setdefault(row.entity_id, []).append(row)
    people = [{"master": m, "files": files.get(m.pk, []), "tz": zone(m.city.timezone if m.city else None),
               "payout": form.show_payout(m.payout_method, m.payout_data)} for m in found[:QUEUE]]  # fmt: skip
    page = context(request, _("Applications"), seen, people=people, number=at, more=len(found) > QUEUE)
    return TemplateResponse(request, "desk/queue.html", page)


@never_cache
@require_http_methods(["GET", "POST"])
def master_act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """An act on a master, as with orders."""
    act = act_views.chosen(request, MASTER_ACTS, name)
    master = _found(request, pk)
    if master is None:
        raise Http404
    link = reverse("admin:staff_master_change", args=[pk])
    return act_views.ask_or_do(request, partial(_asked, request, act, master, link), partial(act.run, master), link)


def _asked(request: HttpRequest, act: MasterAct, master: Master, link: str, error: DomainError | None) -> HttpResponse:
    role = request.user.role  # type: ignore[union-attr]
    about = " · ".join(map(str, filter(None, (master.city, master.get_moderation_status_display()))))
    shown = {"act": act, "heading": str(master), "link": link, "about": about, "fits": act.fits(master, role),
             "url": reverse("admin:master_act", args=[master.pk, act.name]), "version": master.version,
             "limit": master.max_active_orders_override}  # fmt: skip
    return act_views.asked(request, shown, link, error)


@never_cache
def edit_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Django's own form of the master."""
    return admin.site.get_model_admin(Master).change_view(request, str(pk))
