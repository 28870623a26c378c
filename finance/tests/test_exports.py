"""Exports as people use them: asked for, written, cancelled, fetched, expired; by who may, and nobody else."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from django.utils import timezone

from fieldservice.lib.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.tests.racing import codes, racers, winners
from finance import export_files
from finance.models import Export
from finance.periods import Period
from finance.services import exports
from orders.models import Order
from orders.tests.factories import OrderFactory
from staff.enums import Role
from staff.models import AuditLog, StaffCity
from staff.tests.factories import StaffUserFactory

pytestmark = pytest.mark.django_db(transaction=True)
PERIOD = Period(date(2025, 1, 1), date(2030, 1, 1))


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def boss(**values):
    return StaffUserFactory(role=Role.GLOBAL_ADMIN, **values)


def ask(member, **values) -> Export:
    return exports.ask(member=member, **{"kind": "orders", "fmt": "csv", "period": PERIOD} | values)


def written(member, **values) -> Export:
    export = ask(member, **values)
    assert exports.write_queued() == 1
    export.refresh_from_db()
    return export


def files() -> list[str]:
    return [path.name for path in exports.folder().iterdir()]


class TestLife:
    def test_asked_written_told_fetched(self):
        OrderFactory.create_batch(3)
        member = boss()
        export = written(member)
        assert (export.status, export.rows_done, export.rows_total) == ("DONE", 3, 3)
        assert export.expires_at - export.finished_at == timedelta(hours=24)
        row = Notification.objects.get(event="export_ready")
        assert (row.staff_id, row.payload) == (member.pk, {"export_id": export.pk})
        found, path = exports.fetch(export_id=export.pk, member=member)
        assert (found, path.stat().st_size, path.stat().st_mode & 0o777) == (export, export.size, 0o600)
        assert path.read_text("utf-8-sig").count("\n") == 4
        assert exports.file_name(export) == f"orders_{export.finished_at:%Y%m%dT%H%M%SZ}.csv"
        actions = list(AuditLog.objects.order_by("pk").values_list("action", flat=True))
        assert actions == ["export_asked", "export_downloaded"]
        assert not [name for name in files() if name.endswith(".part")]

    @pytest.mark.parametrize(
        ("kind", "fmt", "ending"), [("all", "csv", "zip"), ("all", "xlsx", "xlsx"), ("ref_rewards", "xlsx", "xlsx")]
    )
    def test_names_say_what_is_inside(self, kind, fmt, ending):
        name = exports.file_name(written(boss(), kind=kind, fmt=fmt))
        assert name.startswith("export_" if kind == "all" else "ref_rewards_")
        assert name.endswith(f".{ending}")

    def test_one_at_a_time_per_person_also_at_the_same_moment(self):
        members = [boss(), boss()]
        with racers(4) as crew:
            results = crew.run(*[partial(ask, member) for member in members for _twice in range(2)])
        assert len(winners(results)) == 2
        assert codes(results) == ["one_at_a_time"] * 2
        assert exports.write_queued() == 2
        ask(members[0])  # the last one is done

    def test_two_workers_write_one_after_the_other(self):
        OrderFactory()
        for _person in range(4):
            ask(boss())
        with racers(3) as crew:
            taken = crew.run(*[exports.write_queued] * 3)
        exports.write_queued()
        assert set(Export.objects.values_list("status", flat=True)) == {"DONE"}
        assert sum(taken) <= 4

    def test_progress_is_seen_by_others_and_cancelling_stops_it(self, monkeypatch):
        monkeypatch.setattr(export_files, "PAGE", 2)
        OrderFactory.create_batch(5)
        member = boss()
        export = ask(member)
        seen: list[tuple[int, int]] = []
        tell = exports._Progress.tell

        def told(self, rows):
            tell(self, rows)
            with racers(1) as crew:  # another connection, as the web page is
                crew.run(lambda: seen.append(Export.objects.values_list("rows_done", "rows_total").get(pk=export.pk)))
                if rows == 4:
                    crew.run(lambda: exports.cancel(export_id=export.pk, member=member))

        monkeypatch.setattr(exports._Progress, "tell", told)
        exports.write_queued()
        assert seen == [(2, 5), (4, 5)]
        export.refresh_from_db()
        assert (export.status, files()) == ("CANCELED", [])
        assert not Notification.objects.filter(event__startswith="export").exists()
        monkeypatch.undo()

    def test_cancelled_in_the_queue_is_never_written(self):
        member = boss()
        export = ask(member)
        exports.cancel(export_id=export.pk, member=member)
        assert exports.write_queued() == 0
        with pytest.raises(ConflictError, match="nothing to cancel"):
            exports.cancel(export_id=export.pk, member=member)

    def test_a_failure_is_told_and_leaves_nothing(self, monkeypatch):
        def explode(*args, **kwargs):
            raise OSError("disk full")

        monkeypatch.setattr(export_files, "write", explode)
        member = boss()
        export = written(member)
        assert (export.status, export.error, files()) == ("FAILED", exports.FAILED, [])
        assert Notification.objects.get().event == "export_failed"
        ask(member)


class TestSweep:
    def test_an_expired_file_goes(self):
        member = boss()
        export = written(member)
        later = export.expires_at + timedelta(seconds=1)
        with pytest.raises(NotFoundError, match="not there"):
            exports.fetch(export_id=export.pk, member=member, now=later)
        exports.sweep(now=export.expires_at - timedelta(seconds=1))
        assert len(files()) == 1
        exports.sweep(now=later)
        export.refresh_from_db()
        assert (export.status, files()) == ("EXPIRED", [])

    def test_a_dead_writer_is_told_of_and_the_next_goes_on(self):
        member = boss()
        export = ask(member)
        assert exports._claim(timezone.now()).pk == export.pk  # and then the process died
        ask(boss())
        assert exports.write_queued() == 0
        exports.sweep(now=timezone.now() + timedelta(minutes=11))
        export.refresh_from_db()
        assert (export.status, export.error) == ("FAILED", exports.INTERRUPTED)
        assert exports.write_queued() == 1
        ask(member)

    def test_strange_old_files_go_and_fresh_ones_stay(self, tmp_path):
        (exports.folder() / "orphan.csv.part").write_text("x")
        exports.sweep(now=timezone.now())
        assert files() == ["orphan.csv.part"]
        exports.sweep(now=timezone.now() + timedelta(hours=2))
        assert files() == []


class TestRights:
    def test_a_logist_may_not(self):
        with pytest.raises(ForbiddenError):
            ask(StaffUserFactory(role=Role.LOGIST, cities=[OrderFactory().city]))

    def test_a_city_admin_exports_own_cities_only(self):
        mine, strange = OrderFactory(), OrderFactory()
        member = StaffUserFactory(role=Role.CITY_ADMIN, cities=[mine.city])
        assert written(member).rows_done == 1
        with pytest.raises(InvalidError, match="nothing like that in your cities"):
            ask(member, city_ids=[mine.city_id, strange.city_id])
        assert written(StaffUserFactory(role=Role.CITY_ADMIN)).rows_done == 0  # no cities: nothing

    def test_somebody_else_s_file_is_like_none(self):
        export = written(boss())
        other = boss()
        for call in (exports.fetch, exports.cancel):
            for number in (export.pk, 4242):
                with pytest.raises(NotFoundError, match=rf"There is no export #{number}\."):
                    call(export_id=number, member=other)

    def test_a_city_lost_meanwhile_closes_the_file(self):
        order = OrderFactory()
        member = StaffUserFactory(role=Role.CITY_ADMIN, cities=[order.city])
        export = written(member)
        StaffCity.objects.all().delete()
        with pytest.raises(ForbiddenError, match="not yours any more"):
            exports.fetch(export_id=export.pk, member=member)
        member.role = Role.LOGIST
        with pytest.raises(ForbiddenError):
            exports.fetch(export_id=export.pk, member=member)

    def test_a_deactivated_member_fetches_nothing(self):
        member = boss()
        export = written(member)
        member.is_active = False
        with pytest.raises(ForbiddenError):
            exports.fetch(export_id=export.pk, member=member)

    @pytest.mark.parametrize("values", [{"kind": "secrets"}, {"fmt": "exe"}])
    def test_what_does_not_exist(self, values):
        with pytest.raises(InvalidError):
            ask(boss(), **values)


def test_the_tasks_run():
    from finance import tasks

    OrderFactory()
    export = ask(boss())
    tasks.write_exports()
    tasks.sweep_exports()
    export.refresh_from_db()
    assert (export.status, Order.objects.count()) == ("DONE", 1)
