"""Referrals, rewards and payouts in the web admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError
from fieldservice.lib.money import show_money
from finance import scope
from finance.enums import PayoutStatus, RewardStatus
from finance.models import Payout, Referral, ReferralReward
from finance.services import payouts, referrals
from staff import access
from staff.scoped_admin import ReadOnlyAdmin
from staff.service_page import ReasonForm, service_page


class PayAdmin(ReadOnlyAdmin):
    """Pages of those who may pay out."""

    def has_pay_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """The matrix; cities and states are checked by the service."""
        return bool(request.user.is_active and access.may(request.user.role, "finance.payout"))

    def actor(self, request: HttpRequest) -> Actor:
        """Who acts."""
        return Actor.of_staff(request.user, "web")


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    city_path = "master__city_id"
    list_display = ("master", "referrer", "created_at")
    list_select_related = ("master", "referrer")
    ordering = ("-id",)


@admin.register(ReferralReward)
class ReferralRewardAdmin(PayAdmin):
    city_path = "commission__order__city_id"
    list_display = (
        "id", "referrer", "referred_master", "level", "shown_amount", "shown_status", "requested_at", "payout",
    )  # fmt: skip
    list_select_related = ("referrer", "referred_master", "payout")
    list_filter = ("status", ("requested_at", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=referrer__id")
    search_help_text = gettext_lazy("Number of the reward or of the inviter")
    ordering = ("-id",)
    actions = ("pay_out",)
    actions_detail = ("cancel_page",)
    exclude = ("percent",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ReferralReward], search_term: str
    ) -> tuple[QuerySet[ReferralReward], bool]:
        return self.number_search(queryset, search_term, "id", "referrer_id") if search_term else (queryset, False)

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        found = self.row(request, object_id).filter(status=RewardStatus.ACCRUED, payout=None).exists()
        return super().get_actions_detail(request, object_id) if found else []

    @display(
        description=gettext_lazy("status"), ordering="status",
        label={RewardStatus.ACCRUED: "warning", RewardStatus.PAID: "success", RewardStatus.CANCELED: "plain"},
    )  # fmt: skip
    def shown_status(self, reward: ReferralReward) -> tuple[str, str]:
        return reward.status, reward.get_status_display()

    @display(description=gettext_lazy("amount"), ordering="amount")
    def shown_amount(self, reward: ReferralReward) -> str:
        return show_money(reward.amount)

    @admin.action(description=gettext_lazy("Put into a payout"), permissions=["pay"])
    def pay_out(self, request: HttpRequest, queryset: QuerySet[ReferralReward]) -> HttpResponse | None:
        """A batch of the chosen rewards."""
        try:
            chosen = list(queryset.values_list("pk", flat=True)[: payouts.LIMIT + 1])
            payout = payouts.create(actor=self.actor(request), reward_ids=chosen)
        except DomainError as error:
            messages.error(request, str(error))
            return None
        messages.success(request, _("Payout #%(id)s: %(sum)s.") % {"id": payout.pk, "sum": show_money(payout.total)})
        return HttpResponseRedirect(reverse("admin:finance_payout_change", args=[payout.pk]))

    @action(
        description=gettext_lazy("Cancel the reward"), url_path="cancel", permissions=["pay"], icon="block",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def cancel_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The inviter is told why."""
        reward = self.row(request, object_id).first()
        if reward is None:
            raise Http404

        def call(data: dict[str, Any]) -> str:
            referrals.cancel(reward_id=reward.pk, actor=self.actor(request), reason=data["reason"])
            return _("The reward is canceled, the inviter is told.")

        return service_page(
            request, self, title=_("Cancel the reward"), form=ReasonForm(request.POST or None), call=call, danger=True,
            back=reverse("admin:finance_referralreward_change", args=[reward.pk]), button=_("Cancel the reward"),
            rows=[[_("Inviter"), str(reward.referrer)], [_("Amount"), show_money(reward.amount)]],
        )  # fmt: skip


@admin.register(Payout)
class PayoutAdmin(PayAdmin):
    list_display = ("id", "shown_status", "total", "masters_count", "created_by_staff", "created_at", "closed_at")
    list_select_related = ("created_by_staff",)
    list_filter = ("status",)
    ordering = ("-id",)
    actions_detail = ("bank_file", "paid_page", "cancel_page")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payout]:
        return super().get_queryset(request) & scope.payouts_visible_to(request.user)  # type: ignore[arg-type]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        status = self.row(request, object_id).values_list("status", flat=True).first()
        found = super().get_actions_detail(request, object_id)
        shown = {PayoutStatus.OPEN: self.actions_detail, PayoutStatus.PAID: ("bank_file",)}.get(status, ())  # type: ignore[arg-type]
        return [one for one in found if one.method.original_function_name in shown]

    @display(
        description=gettext_lazy("status"), ordering="status",
        label={PayoutStatus.OPEN: "warning", PayoutStatus.PAID: "success", PayoutStatus.CANCELED: "plain"},
    )  # fmt: skip
    def shown_status(self, payout: Payout) -> tuple[str, str]:
        return payout.status, payout.get_status_display()

    @action(description=gettext_lazy("File for the bank"), url_path="bank", permissions=["pay"], icon="download")
    def bank_file(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """CSV with full payment details; audited."""
        try:
            text = payouts.bank_file(payout_id=self._found(request, object_id).pk, actor=self.actor(request))
        except DomainError as error:
            raise Http404 from error
        answer = HttpResponse(text, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="payout_{object_id}.csv"'
        answer["Cache-Control"] = "no-store"
        return answer

    @action(description=gettext_lazy("The bank has paid"), url_path="paid", permissions=["pay"], icon="check")
    def paid_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Every reward of the batch is paid."""
        payout = self._found(request, object_id)

        def call(data: dict[str, Any]) -> str:
            payouts.mark_paid(payout_id=payout.pk, actor=self.actor(request))
            return _("The payout is noted, the masters are told.")

        return self._page(request, payout, _("The bank has paid"), forms.Form(request.POST or None), call)

    @action(
        description=gettext_lazy("Cancel the payout"), url_path="cancel", permissions=["pay"], icon="block",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def cancel_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Its rewards can go into another one."""
        payout = self._found(request, object_id)

        def call(data: dict[str, Any]) -> str:
            payouts.cancel(payout_id=payout.pk, actor=self.actor(request), reason=data["reason"])
            return _("The payout is canceled: its rewards can be paid out anew.")

        return self._page(request, payout, _("Cancel the payout"), ReasonForm(request.POST or None), call, danger=True)

    def _page(
        self, request: HttpRequest, payout: Payout, title: str, form: forms.Form, call: Any, **more: Any
    ) -> HttpResponse:
        rows = [[_("Amount"), show_money(payout.total)], [_("Masters"), str(payout.masters_count)]]
        back = reverse("admin:finance_payout_change", args=[payout.pk])
        return service_page(
            request, self, title=title, form=form, call=call, back=back, button=title, rows=rows, **more
        )

    def _found(self, request: HttpRequest, object_id: int) -> Payout:
        payout = self.row(request, object_id).first()
        if payout is None:
            raise Http404
        return payout
