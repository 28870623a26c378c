"""Exports read from a streaming stand-by: never older than the moment they were asked for, never lost with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, close_old_connections, connection, connections, transaction
from django.utils import timezone

from fieldservice.runtime import replica
from fieldservice.tests.standby import Standby
from fieldservice.watch import checks
from fieldservice.watch.setup import servers
from finance import export_files
from finance.models import Export
from finance.periods import Period
from finance.services import exports
from orders.models import Order
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import StaffUser
from staff.tests.factories import StaffUserFactory

pytestmark = [
    pytest.mark.usefixtures("server"),
    pytest.mark.django_db(transaction=True, databases=["default", "replica"]),
    pytest.mark.timeout(180),
]
READ = "SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_user_tables WHERE relname = 'orders'"
PERIOD = Period(date(2025, 1, 1), date(2030, 1, 1))


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT, settings.LANGUAGE_CODE = tmp_path, "en"


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Standby]:
    """One for all tests here; before their databases are opened, because those must be known by then."""
    with Standby() as made:
        yield made


@pytest.fixture
def standby(server: Standby) -> Iterator[Standby]:
    with connection.cursor() as cursor:  # the servers of tests commit lazily, a stand-by is fed by what is written
        cursor.execute("SET synchronous_commit = on")
    yield server
    connection.close()
    connections[replica.ALIAS].close()
    if not server.process:
        server.start()


def boss() -> StaffUser:
    return StaffUserFactory(role=Role.GLOBAL_ADMIN)


def written(fmt: str = "csv") -> tuple[Export, bytes]:
    """An export as it came out, and its bytes."""
    member = boss()
    export = exports.ask(member=member, kind="orders", fmt=fmt, period=PERIOD)
    assert exports.write_queued() == 1
    export.refresh_from_db()
    assert export.status == "DONE"
    return export, exports.fetch(export_id=export.pk, member=member)[1].read_bytes()


def read_rows(standby: Standby) -> int:
    """How many rows of orders were read from the stand-by so far, as it counts itself."""
    with connections[replica.ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    connections[replica.ALIAS].close()
    time.sleep(0.2)
    return int(standby.says(READ))


@pytest.mark.parametrize("fmt", ["csv", "xlsx"])
def test_an_export_comes_from_the_stand_by_and_holds_the_last_commit(standby: Standby, fmt: str) -> None:
    before = read_rows(standby)
    OrderFactory.create_batch(40)
    export, content = written(fmt)
    assert export.rows_done == 40
    assert read_rows(standby) - before >= 40
    last = OrderFactory(client_name="Последний")  # committed a moment before the next export begins
    assert written()[1].decode("utf-8-sig").count(last.client_name) == 1
    assert content


def test_nothing_is_written_there(standby: Standby) -> None:
    OrderFactory()
    replica.catch_up(patience=10)
    with pytest.raises(DatabaseError, match="read-only"), transaction.atomic(using=replica.ALIAS):
        Order.objects.using(replica.ALIAS).update(house="1")
    connections[replica.ALIAS].close()


def test_a_stand_by_that_is_behind_is_left_alone(standby: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "PATIENCE", 0.5)
    monkeypatch.setattr(checks, "REPLICA_LATE", timedelta(seconds=2))
    replica.catch_up(patience=10)
    standby.says("SELECT pg_wal_replay_pause()")
    order = OrderFactory(client_name="Новый")
    assert order.client_name in written()[1].decode("utf-8-sig")
    time.sleep(2)
    (trouble,) = checks.replica_behind(moment())
    assert trouble.text == (
        "The replica is not used: it has not caught up with the main server. Exports come from the main server."
    )
    (finding,) = servers.replica_for_exports()
    assert "not caught up" in finding.text
    standby.says("SELECT pg_wal_replay_resume()")
    replica.catch_up(patience=10)
    assert list(checks.replica_behind(moment())) == []
    assert replica.sources() == ["replica", "default"]


def test_without_the_stand_by_exports_go_on_and_it_is_told(standby: Standby) -> None:
    OrderFactory.create_batch(3)
    standby.stop()
    assert written()[0].rows_done == 3
    (trouble,) = checks.replica_behind(moment())
    assert trouble.text == "The replica is not used: it does not answer. Exports come from the main server."
    standby.start()
    replica.catch_up(patience=20)
    assert list(checks.replica_behind(moment())) == []


def test_a_stand_by_that_dies_over_an_export_costs_nothing(standby: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_files, "PAGE", 1)
    OrderFactory.create_batch(200, cancel_reason="x" * 50_000)  # more than lies in the buffers between the two
    killer = threading.Thread(target=_kill_in_the_middle, args=[standby])
    killer.start()
    export, content = written()
    killer.join(10)
    assert standby.process is None
    assert (export.rows_done, content.count(b"\r\n")) == (200, 201)


def test_a_statement_that_is_canceled_there_costs_nothing(
    standby: Standby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As replay does with a statement in its way; the connection lives on."""
    monkeypatch.setattr(export_files, "PAGE", 1)
    OrderFactory.create_batch(200, cancel_reason="x" * 50_000)
    tell = exports._Progress.tell

    def cancel(self: Any, rows: int) -> None:
        if rows == 5:
            standby.says("SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
        tell(self, rows)

    monkeypatch.setattr(exports._Progress, "tell", cancel)
    export, content = written()
    assert (export.rows_done, content.count(b"\r\n")) == (200, 201)
    assert "replica_broke_off" in caplog.text


def started_unfed(standby: Standby, settings: Path, fed: str) -> None:
    """Start it where it knows of no transaction: nothing may be committed between its restart point and its end."""
    for _ in range(10):  # other tests commit to the same server
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
        replica.catch_up(patience=10)
        connections[replica.ALIAS].close()
        standby.says("CHECKPOINT")  # nothing before this is replayed again
        standby.stop()
        settings.write_text(fed + "primary_conninfo = 'host=/nowhere'\n")
        standby.start()
        if standby.says("SELECT pg_last_xact_replay_timestamp()") is None:
            return
        standby.stop()
        settings.write_text(fed)
        standby.start()
    pytest.fail("something was always committed in between")


def test_a_stand_by_that_was_started_and_never_fed_is_late(standby: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    """It knows of no transaction it has replayed; that is no reason to say nothing."""
    monkeypatch.setattr(checks, "REPLICA_LATE", timedelta(seconds=1))
    settings = standby.data / "postgresql.auto.conf"
    fed = settings.read_text()
    try:
        started_unfed(standby, settings, fed)
        OrderFactory()
        time.sleep(1)
        assert [trouble.key for trouble in checks.replica_behind(moment())] == ["replica"]
    finally:
        settings.write_text(fed)
        standby.stop()


def test_the_stand_by_of_another_database_is_refused(standby: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its place in the log says nothing of our rows: the file would be somebody else's, or empty."""
    replica.catch_up(patience=10)
    connections[replica.ALIAS].close()
    monkeypatch.setitem(connections[replica.ALIAS].settings_dict, "NAME", "postgres")
    with pytest.raises(replica.NotUsable, match="no stand-by of the main server"):
        replica.catch_up(patience=1)
    connections[replica.ALIAS].close()


def test_a_server_that_is_no_stand_by_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections[replica.ALIAS].settings_dict, "HOST", connection.settings_dict["HOST"])
    with pytest.raises(replica.NotUsable, match="no stand-by"):
        replica.catch_up(patience=1)
    assert replica.sources() == ["default"]
    assert "no stand-by" in next(iter(servers.replica_for_exports())).text
    connections[replica.ALIAS].close()


def test_without_the_variable_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(connections.settings, replica.ALIAS)
    assert replica.sources() == ["default"]
    assert list(servers.replica_for_exports()) == list(checks.replica_behind(moment())) == []


def _kill_in_the_middle(standby: Standby) -> None:
    try:
        while not Export.objects.filter(status="RUNNING", rows_done__gt=5).exists():
            close_old_connections()
            time.sleep(0.005)
        standby.stop()
    finally:
        connections.close_all()


def moment() -> checks.Moment:
    now = timezone.now()
    return checks.Moment(now, now)
