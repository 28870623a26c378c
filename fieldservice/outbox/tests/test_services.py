"""The outbox: written once, claimed by one pump at a time, settled for good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from fieldservice.outbox import services
from fieldservice.outbox.models import Lane, Notification, Outcome
from fieldservice.outbox.services import Message
from fieldservice.tests.racing import racers
from staff.tests.factories import MasterFactory, StaffUserFactory

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LEASE = timedelta(seconds=30)


def put(lane: Lane = Lane.PERSONAL, *, due: int = 0, bot: str = "admin", **values) -> Notification:
    """A row due `due` seconds after NOW."""
    return Notification.objects.create(
        event="test", bot=bot, lane=lane, chat_id=-100, due_at=NOW + timedelta(seconds=due), **values
    )


def claimed(*, bot: str = "admin", limit: int = 10, now: datetime = NOW) -> list[int]:
    return [row.pk for row in services.claim(bot=bot, limit=limit, lease=LEASE, now=now)]


@pytest.mark.parametrize("targets", [{}, {"master_id": 1, "staff_id": 1}, {"staff_id": 1, "chat_id": -100}])
def test_a_message_has_exactly_one_target(targets):
    with pytest.raises(ValueError, match="exactly one of master_id, staff_id, chat_id"):
        Message(event="test", **targets)


def test_masters_hear_from_their_bot_and_everybody_else_from_the_other():
    assert Message(event="test", master_id=1).bot == "master"
    assert Message(event="test", staff_id=1).bot == "admin"
    assert Message(event="test", chat_id=-100).bot == "admin"


@pytest.mark.django_db
class TestEnqueue:
    def test_a_message_becomes_a_row(self):
        master = MasterFactory()
        services.enqueue(Message(event="offer", payload={"offer_id": 7}, master_id=master.pk, lane=Lane.OFFER))
        row = Notification.objects.get()
        assert (row.event, row.payload, row.master, row.bot, row.lane) == (
            "offer", {"offer_id": 7}, master, "master", Lane.OFFER
        )  # fmt: skip
        assert (row.processed_at, row.leased_until, row.outcome, row.attempt_count) == (None, None, None, 0)

    def test_one_dedup_key_is_one_row(self):
        staff = StaffUserFactory()
        first = Message(event="a", staff_id=staff.pk, dedup_key="k")
        services.enqueue(first)
        services.enqueue([first, Message(event="b", staff_id=staff.pk, dedup_key="k")])
        services.enqueue(Message(event="c", staff_id=staff.pk))
        services.enqueue(Message(event="c", staff_id=staff.pk))
        assert list(Notification.objects.order_by("pk").values_list("event", flat=True)) == ["a", "c", "c"]

    def test_nothing_to_say_costs_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            services.enqueue([])
            services.enqueue(iter(()))

    def test_a_thousand_messages_cost_what_one_does(self, django_assert_num_queries):
        with django_assert_num_queries(2):  # insert, notify
            services.enqueue(Message(event="test", chat_id=-100) for _ in range(1000))
        assert Notification.objects.count() == 1000


@pytest.mark.django_db
class TestClaim:
    def test_the_most_urgent_come_first(self):
        late, broadcast, offer = put(due=-1), put(Lane.BROADCAST, due=-60), put(Lane.OFFER, due=0)
        early = put(due=-5)
        assert claimed() == [offer.pk, early.pk, late.pk, broadcast.pk]

    def test_others_are_left_alone(self):
        put(due=1)
        put(bot="master")
        put(processed_at=NOW)
        mine = put()
        assert claimed() == [mine.pk]

    def test_a_leased_row_is_taken_again_when_its_lease_is_over(self):
        row = put()
        assert claimed() == [row.pk]
        assert claimed(now=NOW + LEASE - timedelta(seconds=1)) == []
        assert claimed(now=NOW + LEASE) == [row.pk]

    def test_a_limit_holds(self):
        rows = [put(due=-n) for n in range(3)]
        assert claimed(limit=2) == [rows[2].pk, rows[1].pk]
        assert claimed(limit=2) == [rows[0].pk]

    def test_a_row_as_v12_wrote_it_is_claimed(self):
        master = MasterFactory()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO notifications_outbox (master_id, event, payload, attempt_count) VALUES (%s, 'x', '{}', 0)",
                [master.pk],
            )
        assert len(claimed(bot="master", now=datetime.now(UTC) + timedelta(minutes=1))) == 1


@pytest.mark.django_db
class TestSettle:
    def test_a_sent_row_knows_its_message(self):
        put(edits_key="offer:1")
        (row,) = services.claim(bot="admin", limit=1, lease=LEASE, now=NOW)
        services.settle(row, outcome=Outcome.SENT, now=NOW, chat_id=-100, message_id=42)
        row.refresh_from_db()
        assert (row.processed_at, row.outcome, row.leased_until, row.attempt_count) == (NOW, "SENT", None, 1)
        assert services.sent_message("offer:1") == (-100, 42)
        assert claimed() == []

    def test_the_last_sent_message_of_a_key_is_on_the_screen(self):
        for number, outcome in ((1, Outcome.SENT), (2, Outcome.SENT), (3, Outcome.FAILED)):
            row = put(edits_key="offer:1")
            services.settle(row, outcome=outcome, now=NOW, chat_id=-100, message_id=number)
        assert services.sent_message("offer:1") == (-100, 2)
        assert services.sent_message("offer:2") is None

    def test_a_failure_keeps_its_reason(self):
        row = put()
        services.settle(row, outcome=Outcome.FAILED, now=NOW, error="x" * 1000)
        row.refresh_from_db()
        assert (row.outcome, row.last_error) == ("FAILED", "x" * 500)

    def test_a_retry_waits_for_its_time(self):
        row = put()
        claimed()
        services.retry(row, due_at=NOW + timedelta(seconds=5), error="flood")
        assert claimed() == []
        assert claimed(now=NOW + timedelta(seconds=5)) == [row.pk]
        row.refresh_from_db()
        assert (row.attempt_count, row.last_error) == (1, "flood")

    def test_a_retry_that_comes_late_does_not_reopen_a_settled_row(self):
        row = put()
        services.settle(row, outcome=Outcome.SENT, now=NOW, chat_id=-100, message_id=1)
        services.retry(row, due_at=NOW, error="too late")
        row.refresh_from_db()
        assert (row.outcome, row.last_error) == ("SENT", None)

    def test_released_rows_are_claimed_at_once_but_not_settled_ones(self):
        rows = [put(), put()]
        found = services.claim(bot="admin", limit=2, lease=LEASE, now=NOW)
        services.settle(found[0], outcome=Outcome.SENT, now=NOW, chat_id=-100, message_id=1)
        services.release(found)
        assert claimed() == [rows[1].pk]


@pytest.mark.django_db(transaction=True)
def test_two_pumps_share_the_rows_and_none_is_taken_twice():
    with racers(2) as pumps:
        for _round in range(20):
            Notification.objects.all().delete()
            rows = {put().pk for _ in range(40)}
            taken: list[int] = []
            while any(batch := pumps.run(lambda: claimed(limit=8), lambda: claimed(limit=8))):
                taken += batch[0] + batch[1]
            assert len(taken) == len(set(taken)) == 40
            assert set(taken) == rows


@pytest.mark.django_db(transaction=True)
def test_two_writers_of_one_dedup_key_write_one_row():
    message = Message(event="test", chat_id=-100, dedup_key="k")
    with racers(4) as writers:
        for _round in range(20):
            Notification.objects.all().delete()
            writers.run(*[lambda: services.enqueue(message)] * 4)
            assert Notification.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_pump_is_rung_at_the_commit_and_never_after_a_rollback():
    settings = connection.settings_dict
    with psycopg.connect(
        dbname=settings["NAME"], user=settings["USER"], password=settings["PASSWORD"] or None,
        host=settings["HOST"], port=settings["PORT"] or None, autocommit=True,
    ) as listener:  # fmt: skip
        listener.execute("LISTEN outbox_admin")
        with transaction.atomic():
            services.enqueue(Message(event="test", chat_id=-100))
            transaction.set_rollback(True)
        assert list(listener.notifies(timeout=0.1)) == []
        services.enqueue([Message(event="test", chat_id=-100)] * 3)
        assert [n.channel for n in listener.notifies(timeout=2, stop_after=1)] == ["outbox_admin"]
