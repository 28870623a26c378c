"""Celery only wakes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from staff import tasks
from staff.models import Master
from staff.tests.factories import MasterFactory


@pytest.mark.django_db
def test_breaks_end():
    MasterFactory(shift_status="BREAK", break_until=timezone.now() - timedelta(seconds=1))
    tasks.end_breaks()
    assert Master.objects.get().shift_status == "SHIFT_OFF"
