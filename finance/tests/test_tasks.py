"""Celery only wakes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from finance import tasks
from finance.models import Commission
from finance.tests.factories import CommissionFactory


@pytest.mark.django_db
def test_commissions_become_overdue():
    CommissionFactory(deadline_at=timezone.now() - timedelta(seconds=1))
    tasks.mark_overdue()
    assert Commission.objects.get().status == "OVERDUE"
