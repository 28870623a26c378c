"""Referrals, rewards and payouts in the web admin."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from finance import scope
from finance.models import Payout, Referral, ReferralReward
from staff.scoped_admin import ReadOnlyAdmin


@admin.register(Referral)
class ReferralAdmin(ReadOnlyAdmin):
    city_path = "master__city_id"
    list_display = ("master", "referrer", "created_at")
    list_select_related = ("master", "referrer")
    ordering = ("-id",)


@admin.register(ReferralReward)
class ReferralRewardAdmin(ReadOnlyAdmin):
    city_path = "commission__order__city_id"
    list_display = ("referrer", "referred_master", "level", "amount", "status", "created_at")
    list_select_related = ("referrer", "referred_master")
    list_filter = ("status",)
    ordering = ("-id",)


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = ("id", "status", "total", "masters_count", "created_by_staff", "created_at", "closed_at")
    list_select_related = ("created_by_staff",)
    list_filter = ("status",)
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payout]:
        return super().get_queryset(request) & scope.payouts_visible_to(request.user)  # type: ignore[arg-type]
