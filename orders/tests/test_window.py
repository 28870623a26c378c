"""The working window of the settings."""

from __future__ import annotations

from datetime import time

import pytest

from fieldservice.runtime.models import Setting
from orders.services.schedule import Window
from orders.services.window import load_window

pytestmark = pytest.mark.django_db


def store(**values: str) -> None:
    Setting.objects.bulk_create(Setting(key=key, value=value) for key, value in values.items())


def test_without_settings_the_environment_decides(settings):
    assert load_window() == Window(time(10), time(20), time(19, 30))
    settings.WORKDAY_START = time(8)
    assert load_window().start == time(8)


def test_the_settings_win():
    store(working_hours_start="9:00", working_hours_end="18:00", asap_late_threshold="17:00")
    assert load_window() == Window(time(9), time(18), time(17))


@pytest.mark.parametrize(("start", "end"), [("20:00", "10:00"), ("10:00", "10:00")])
def test_a_window_that_never_opens_is_ignored(start, end, caplog):
    store(working_hours_start=start, working_hours_end=end)
    assert load_window() == Window()
    assert "working_window_ignored" in caplog.messages


def test_an_environment_that_never_opens_is_ignored_too(settings):
    settings.WORKDAY_START, settings.WORKDAY_END = time(20), time(10)
    assert load_window() == Window()


def test_one_broken_value_leaves_the_others():
    store(working_hours_start="nine", working_hours_end="18:00")
    assert load_window() == Window(time(10), time(18), time(19, 30))
