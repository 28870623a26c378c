"""Exports from the admin bot: asked for, watched, received; by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from bots.sandbox import SandboxClient
from bots.tests.conftest import ALERTS
from bots.tests.e2e.scene import eventually, member, outbox_is_empty
from fieldservice.runtime.models import Setting
from finance.models import Export
from finance.services import exports
from finance.tests.factories import CommissionFactory
from orders.tests.factories import OrderFactory
from staff.enums import Role

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("bots")]


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def test_progress_then_the_file(telegram: SandboxClient) -> None:
    OrderFactory.create_batch(2)
    admin = member(telegram)
    admin.chat.presses("Commissions")
    admin.chat.presses("Exports")
    admin.chat.sees("What do you need?")
    admin.chat.presses("Orders")
    admin.chat.presses("Today")
    admin.chat.sees("In the queue")
    assert exports.write_queued() == 1
    file = admin.chat.sees("is ready: 2 rows", media="document")
    assert file.content().startswith(b"\xef\xbb\xbforder_id;")
    assert "web admin" not in file.text
    admin.chat.presses("Refresh")
    admin.chat.sees("✅ 2 rows", fresh=True)


def test_own_dates_and_another_format(telegram: SandboxClient) -> None:
    admin = member(telegram)
    admin.chat.presses("Commissions")
    admin.chat.presses("Exports")
    admin.chat.presses("Rewards")
    admin.chat.presses("XLSX")
    admin.chat.presses("Other dates")
    admin.chat.sees("Type two dates")
    admin.chat.sends("yesterday")
    admin.chat.sees("Two dates are expected, for example 01.10.2025 31.10.2025.")
    admin.chat.sends("31.10.2025 01.10.2025")
    admin.chat.sees("ends before it begins")
    admin.chat.sends("01.10.2025 31.10.2025")
    admin.chat.sees("01.10.2025 – 31.10.2025, Excel (XLSX)")
    export = Export.objects.get()
    assert (export.kind, export.format, export.via) == ("ref_rewards", "xlsx", "bot")
    assert "is canceled" in admin.chat.presses("Stop writing").text
    assert exports.write_queued() == 0


def test_the_reports_channel_by_choice(telegram: SandboxClient) -> None:
    Setting.objects.create(key="reports_channel_id", value=str(ALERTS))
    CommissionFactory()
    admin = member(telegram)
    admin.chat.presses("Commissions")
    admin.chat.presses("Exports")
    admin.chat.presses("Commissions")
    admin.chat.presses("⬜️ Also to the REPORTS channel")
    admin.chat.presses("Today")
    eventually(Export.objects.exists)
    exports.write_queued()
    post = telegram.channel(ALERTS).sees("1 row", media="document")
    assert b"commission_id;" in post.content()
    outbox_is_empty()


def test_a_logist_has_no_door(telegram: SandboxClient) -> None:
    clerk = member(telegram, Role.LOGIST, cities=[OrderFactory().city])
    menu = clerk.chat.last()
    for address in ("adm:rep", "adm:rep:go:orders:csv:0:today"):
        assert "does not allow" in clerk.chat.presses_data(address, message=menu).text
    assert not Export.objects.exists()


def test_somebody_else_s_export_cannot_be_stopped(telegram: SandboxClient) -> None:
    admin, other = member(telegram), member(telegram)
    admin.chat.presses("Commissions")
    admin.chat.presses("Exports")
    admin.chat.presses("Orders")
    admin.chat.presses("Today")
    eventually(Export.objects.exists)
    answer = other.chat.presses_data(f"adm:rep:stop:{Export.objects.get().pk}", message=other.chat.last())
    assert "There is no export" in answer.text
    assert Export.objects.get().status == "QUEUED"
