"""Commissions in the web admin. Amounts and states change through services only."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from fieldservice.lib.actor import Actor
from fieldservice.lib.errors import DomainError
from fieldservice.lib.localtime import format_moment, zone
from fieldservice.lib.masking import mask_phone
from fieldservice.lib.money import parse_sum, show_money
from finance.enums import CommissionStatus as S
from finance.models import Commission, CommissionDeadlineNotification
from finance.models.commission import TO_CHECK
from finance.services import bulk, commissions
from staff import access
from staff.filters import MasterFilter
from staff.scoped_admin import ReadOnlyAdmin
from staff.service_page import ReasonForm, service_page

COLOURS = {S.WAIT_PAY: "warning", S.REPORTED: "info", S.OVERDUE: "danger", S.APPROVED: "success"}
#: button → whether it fits
FITS: dict[str, Callable[[Commission], bool]] = {
    "approve_page": lambda commission: commission.status in S.UNPAID,
    "reject_page": lambda commission: commission.waits_for_check,
    "correct_page": lambda commission: commission.status in S.UNPAID,
    "revoke_page": lambda commission: commission.status == S.APPROVED,
}


class SumForm(ReasonForm):
    """A sum as people type it, and why."""

    field_order = ("amount", "reason")

    def __init__(self, *args: Any, label: str, note: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"] = forms.CharField(
            label=label, max_length=30, widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
        )
        self.fields["reason"].help_text = note
        self.order_fields(self.field_order)

    def clean_amount(self) -> Decimal:
        """«3 500,50» is a sum."""
        try:
            return parse_sum(self.cleaned_data["amount"])
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error


class CheckFilter(admin.SimpleListFilter):
    """Reported payments, those of overdue commissions too."""

    title, parameter_name = gettext_lazy("check"), "check"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("waits", _("A payment to check"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Commission]) -> QuerySet[Commission]:
        if self.value() != "waits":
            return queryset
        # the status is in TO_CHECK; said apart, it tells the planner that these are few among a million
        return queryset.filter(TO_CHECK, status__in=S.UNPAID)


@admin.register(Commission)
class CommissionAdmin(ReadOnlyAdmin):
    city_path = "order__city_id"
    list_display = ("id", "order", "master", "shown_status", "shown_amount", "shown_paid", "shown_deadline")
    list_select_related = ("order__city", "master")
    list_filter = ("status", CheckFilter, ("master", MasterFilter))
    search_fields = ("=id", "=order__id")
    search_help_text = gettext_lazy("Number of the commission or of the order")
    ordering = ("-id",)
    actions = ("approve_many",)
    actions_detail = tuple(FITS)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status", "order", "master"),
                    ("shown_amount", "shown_rate"),
                    ("shown_paid", "amount_reason"),
                )
            },
        ),
        (
            gettext_lazy("When"),
            {
                "fields": (
                    ("shown_created", "shown_deadline"),
                    ("shown_reported", "shown_approved"),
                    "approved_by_staff",
                )
            },
        ),
        (gettext_lazy("Payment"), {"fields": ("shown_requisites", "has_checks", "reject_reason")}),
    )
    readonly_fields = (
        "shown_amount",
        "shown_rate",
        "shown_paid",
        "shown_requisites",
        "shown_created",
        "shown_deadline",
        "shown_reported",
        "shown_approved",
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Commission], search_term: str
    ) -> tuple[QuerySet[Commission], bool]:
        return self.number_search(queryset, search_term, "id", "order_id") if search_term else (queryset, False)

    def has_approve_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """The matrix; city and state are checked by the service."""
        return bool(request.user.is_active and access.may(request.user.role, "finance.approve"))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> Any:
        commission = self.row(request, object_id).only("status", "paid_reported_at").first()
        if commission is None:
            return []
        found = super().get_actions_detail(request, object_id)
        return [one for one in found if FITS[one.method.original_function_name](commission)]

    @display(description=gettext_lazy("status"), label=COLOURS, ordering="status")
    def shown_status(self, commission: Commission) -> tuple[str, str]:
        return commission.status, commission.state

    @display(description=gettext_lazy("to be paid"), ordering="amount")
    def shown_amount(self, commission: Commission) -> str:
        return show_money(commission.amount)

    @display(description=gettext_lazy("paid"), ordering="paid_amount")
    def shown_paid(self, commission: Commission) -> str:
        return "—" if commission.paid_amount is None else show_money(commission.paid_amount)

    @display(description=gettext_lazy("rate"))
    def shown_rate(self, commission: Commission) -> str:
        return "—" if commission.rate is None else f"{commission.rate * 100:.0f} %"

    @display(description=gettext_lazy("deadline"), ordering="deadline_at")
    def shown_deadline(self, commission: Commission) -> str:
        return self._moment(commission, "deadline_at")

    @display(description=gettext_lazy("created"))
    def shown_created(self, commission: Commission) -> str:
        return self._moment(commission, "created_at")

    @display(description=gettext_lazy("payment reported"))
    def shown_reported(self, commission: Commission) -> str:
        return self._moment(commission, "paid_reported_at")

    @display(description=gettext_lazy("approved"))
    def shown_approved(self, commission: Commission) -> str:
        return self._moment(commission, "paid_approved_at")

    def _moment(self, commission: Commission, name: str) -> str:
        """In the zone of the order's city."""
        return format_moment(getattr(commission, name), tz=zone(commission.order.city.timezone), now=timezone.now())

    @display(description=gettext_lazy("requisites"))
    def shown_requisites(self, commission: Commission) -> str:
        """Masked: the whole numbers are for the payer."""
        pay_to = commission.pay_to_snapshot if isinstance(commission.pay_to_snapshot, dict) else {}
        last4 = str(pay_to.get("card_number_last4") or "")[-4:]
        lines = [
            f"**** {last4}" if last4 else "",
            " ".join(filter(None, [mask_phone(pay_to.get("sbp_phone")), pay_to.get("sbp_bank")])),
            pay_to.get("other_text") or "",
            pay_to.get("comment") or "",
        ]
        return format_html_join("\n", "<div>{}</div>", ((line,) for line in lines if line)) or "—"

    @action(description=gettext_lazy("Approve"), url_path="approve", permissions=["approve"], icon="check")
    def approve_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The due, or another amount with a reason."""
        commission = self._found(request, object_id)
        form = SumForm(
            request.POST or None, label=_("Amount that has arrived"), initial={"amount": f"{commission.amount:.2f}"},
            note=_("Needed only when the amount differs from the due."),
        )  # fmt: skip

        def call(data: dict[str, Any]) -> str:
            commissions.approve(
                commission_id=commission.pk, actor=self._actor(request), amount=data["amount"], reason=data["reason"]
            )
            return _("Commission #%(id)s is approved, its order is closed.") % {"id": commission.pk}

        return self._page(request, commission, _("Approve"), form, call)

    @action(description=gettext_lazy("Payment not found"), url_path="reject", permissions=["approve"], icon="close")
    def reject_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Back to the master, with the reason."""
        commission = self._found(request, object_id)

        def call(data: dict[str, Any]) -> str:
            commissions.reject(commission_id=commission.pk, actor=self._actor(request), reason=data["reason"])
            return _("The master is told that the payment was not found.")

        return self._page(
            request, commission, _("Payment not found"), ReasonForm(request.POST or None), call, danger=True,
            text=self._after_rejection(commission),
        )  # fmt: skip

    @action(description=gettext_lazy("Correct the sum"), url_path="correct", permissions=["approve"], icon="edit")
    def correct_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The order's sum was mistyped."""
        commission = self._found(request, object_id)
        form = SumForm(
            request.POST or None, label=_("The right sum of the order"),
            initial={"amount": f"{commission.order.total_sum:.2f}"},
        )  # fmt: skip

        def call(data: dict[str, Any]) -> str:
            commissions.correct(
                commission_id=commission.pk, actor=self._actor(request), total_sum=data["amount"], reason=data["reason"]
            )
            return _("The sum is corrected, the master is told.")

        return self._page(request, commission, _("Correct the sum"), form, call)

    @action(
        description=gettext_lazy("Revoke the approval"), url_path="revoke", permissions=["approve"], icon="undo",
        variant=ActionVariant.DANGER,
    )  # fmt: skip
    def revoke_page(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """The approval was a mistake."""
        commission = self._found(request, object_id)

        def call(data: dict[str, Any]) -> str:
            commissions.revoke(commission_id=commission.pk, actor=self._actor(request), reason=data["reason"])
            return _("The approval is revoked, the master is told.")

        text = _("The master owes the commission again, with a new deadline; rewards not yet paid out are canceled.")
        return self._page(
            request,
            commission,
            _("Revoke the approval"),
            ReasonForm(request.POST or None),
            call,
            danger=True,
            text=text,
        )

    @admin.action(description=gettext_lazy("Approve the chosen commissions"), permissions=["approve"])
    def approve_many(self, request: HttpRequest, queryset: QuerySet[Commission]) -> HttpResponse | None:
        """Count, sum and every row first; then each on its own, with an answer for each."""
        back = reverse("admin:finance_commission_changelist")
        if seen := self._seen(request):
            self._tell(request, bulk.approve(actor=self._actor(request), seen=seen))
            return HttpResponseRedirect(back)
        try:
            found = bulk.preview(member=request.user, ids=queryset.values_list("pk", flat=True)[: bulk.LIMIT + 1])  # type: ignore[arg-type]
        except DomainError as error:
            messages.error(request, str(error))
            return None
        open_ = found.open
        if not open_:
            messages.warning(request, _("None of the chosen commissions is unpaid."))
            return None
        token = signing.dumps([(row.pk, str(row.amount)) for row in open_], salt=f"approve:{request.user.pk}")
        hidden = [("action", "approve_many"), ("seen", token), ("_selected_action", open_[0].pk)]
        return service_page(
            request, self, title=_("Approve the chosen commissions"), form=forms.Form(), call=lambda data: "",
            back=back, button=_("Approve all"), hidden=hidden,
            text=ngettext("%(count)s commission, %(sum)s.", "%(count)s commissions, %(sum)s together.", len(open_))
            % {"count": len(open_), "sum": show_money(found.total)},
            headers=[_("commission"), _("order"), _("master"), _("status"), _("to be paid")],
            rows=[
                [f"#{row.pk}", f"#{row.order_id}", str(row.master), row.state, show_money(row.amount)]
                for row in open_
            ],
        )  # fmt: skip

    def _seen(self, request: HttpRequest) -> list[tuple[int, Decimal]]:
        """What the person saw on the page before, signed: neither rows nor sums can be swapped in between."""
        token = request.POST.get("seen", "")
        try:
            rows = signing.loads(token, salt=f"approve:{request.user.pk}", max_age=3600) if token else []
        except (signing.BadSignature, json.JSONDecodeError):
            return []
        return [(int(pk), Decimal(due)) for pk, due in rows]

    def _tell(self, request: HttpRequest, outcomes: list[bulk.Outcome]) -> None:
        done = [outcome for outcome in outcomes if outcome.done]
        if done:
            shown = ngettext("%(count)s commission is approved.", "%(count)s commissions are approved.", len(done))
            messages.success(request, shown % {"count": len(done)})
        for outcome in outcomes:
            if not outcome.done:
                messages.error(request, f"#{outcome.commission_id}: {outcome.sentence}")

    def _page(
        self, request: HttpRequest, commission: Commission, title: str, form: forms.Form, call: Any, **more: Any
    ) -> HttpResponse:
        rows = [
            [_("Master"), str(commission.master)],
            [_("Order"), f"#{commission.order_id}, {show_money(commission.order.total_sum)}"],
            [_("To be paid"), show_money(commission.amount)],
            [_("Status"), commission.state],
        ]
        back = reverse("admin:finance_commission_change", args=[commission.pk])
        shown = f"{title} · {_('Commission #%(id)s') % {'id': commission.pk}}"
        return service_page(
            request, self, title=shown, form=form, call=call, back=back, button=title, rows=rows, **more
        )

    def _found(self, request: HttpRequest, object_id: int) -> Commission:
        commission = self.row(request, object_id).select_related("order__city", "master").first()
        if commission is None:
            raise Http404
        return commission

    def _after_rejection(self, commission: Commission) -> str:
        if commission.status == S.OVERDUE:
            return _("The commission stays overdue and the master blocked.")
        return _("The master has at least an hour to pay.")

    def _actor(self, request: HttpRequest) -> Actor:
        return Actor.of_staff(request.user, "web")


@admin.register(CommissionDeadlineNotification)
class ReminderAdmin(ReadOnlyAdmin):
    list_display = ("commission", "hours_before", "sent_at")
    ordering = ("-id",)
