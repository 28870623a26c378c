"""One store of requisites: versions that never change, checked before they are kept, masked for everybody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from fieldservice.lib.errors import ForbiddenError, InvalidError, StaleError
from fieldservice.outbox.models import Lane, Notification
from fieldservice.tests.racing import codes, racers, winners
from finance.models import OwnerRequisites
from finance.services import requisites
from finance.services.requisites import NewRequisites
from finance.tests.factories import CommissionFactory, OwnerRequisitesFactory, png
from orders.tests.counting import nothing_written
from orders.tests.people import as_master, staff
from staff.enums import Role
from staff.models import AuditLog
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db
PNG = png()
CARD = "2200 0000 0000 0004"


def boss():
    return staff(Role.GLOBAL_ADMIN)


def new(**values) -> NewRequisites:
    return NewRequisites(**{"methods": ("card", "sbp"), "card_number": CARD, "sbp_phone": "89990000001"} | values)


class TestPublish:
    def test_values_are_kept_clean_and_the_audit_row_is_masked(self):
        actor = boss()
        made = requisites.publish(new=new(card_holder=" ВЛАДЕЛЕЦ\x00 ", methods=("sbp", "card")), actor=actor)
        made.refresh_from_db()
        assert (made.card_number, made.sbp_phone, made.card_holder) == ("2200000000000004", "+79990000001", "ВЛАДЕЛЕЦ")
        assert (made.methods, made.created_by_staff_id) == (["card", "sbp"], actor.staff_id)
        row = AuditLog.objects.get(action="requisites_published")
        assert (row.payload_json["card"], row.payload_json["sbp"]) == ("**** 0004", "+7 *** ***-00-01")
        assert "2200000000000004" not in str(row.payload_json)
        assert "9990000001" not in str(row.payload_json)

    def test_nothing_new_is_no_version(self):
        first = requisites.publish(new=new(sbp_qr=PNG), actor=boss())
        assert requisites.publish(new=new(), actor=boss()) == first
        assert requisites.publish(new=new(card_bank="Банк"), actor=boss()) != first
        assert requisites.qr_of(requisites.current().pk) == PNG  # kept

    def test_the_picture_can_be_taken_away(self):
        requisites.publish(new=new(sbp_qr=PNG), actor=boss())
        made = requisites.publish(new=new(sbp_qr=b""), actor=boss())
        assert requisites.qr_of(made.pk) is None
        assert requisites.qr_of(None) is None

    def test_who_saw_an_older_version_is_told(self):
        first = requisites.publish(new=new(), actor=boss(), seen_version=0)
        requisites.publish(new=new(card_bank="A"), actor=boss(), seen_version=first.pk)
        actor = boss()
        with nothing_written(), pytest.raises(StaleError, match="Somebody else has changed the requisites"):
            requisites.publish(new=new(card_bank="B"), actor=actor, seen_version=first.pk)

    @pytest.mark.parametrize("role", [Role.CITY_ADMIN, Role.LOGIST])
    def test_only_a_global_admin_may(self, role):
        actors = [staff(role), as_master(MasterFactory())]
        for actor in actors:
            with nothing_written(), pytest.raises(ForbiddenError):
                requisites.publish(new=new(), actor=actor)
            with nothing_written(), pytest.raises(ForbiddenError):
                requisites.broadcast(actor=actor)

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("card_number", "220000000000000", "There is no such card"),
            ("card_number", "22000000000000000004", "There is no such card"),
            ("card_number", "2200000000000005", "There is no such card"),
            ("card_number", "٢٢٠٠٠٠٠٠٠٠٠٠٠٠٠٤", "There is no such card"),
            ("card_number", "", "«Card» is switched on"),
            ("sbp_phone", "123", "Russian number of 11 digits"),
            ("sbp_phone", "", "«SBP» is switched on"),
            ("methods", ("card", "gold"), "no way to pay called «gold»"),
            ("methods", (), "Choose how masters pay"),
            ("comment_template", "for <order>", "there is no <order>"),
            ("comment_template", "x" * 201, "At most 200 characters"),
            ("card_bank", "x" * 81, "At most 80 characters"),
            ("other_text", "x" * 1001, "At most 1000 characters"),
            ("sbp_qr", b"GIF89a", "PNG or JPEG"),
            ("sbp_qr", PNG[:-20], "PNG or JPEG"),
            ("sbp_qr", b"\xff\xd8\xff cut off", "PNG or JPEG"),
            ("sbp_qr", b"\x89PNG\r\n\x1a\n" + b"0" * 100, "PNG or JPEG"),
            ("sbp_qr", PNG + b"0" * 2**20, "smaller than 1 MB"),
        ],
    )
    def test_what_nobody_could_pay_to_is_refused(self, field, value, sentence):
        actor = boss()
        with nothing_written(), pytest.raises(InvalidError, match=sentence) as caught:
            requisites.publish(new=new(**{field: value}), actor=actor)
        assert list(caught.value.fields) == [field]

    def test_every_wrong_field_is_named_at_once(self):
        with pytest.raises(InvalidError) as caught:
            requisites.check(new(card_number="1", sbp_phone="2", comment_template="<x>"))
        assert set(caught.value.fields) == {"card_number", "sbp_phone", "comment_template"}


class TestImmutable:
    @pytest.mark.parametrize("change", [{"card_number": "1"}, {"sbp_qr": b"x"}, {"methods": []}])
    def test_a_version_cannot_be_changed(self, change):
        version = OwnerRequisitesFactory()
        with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
            OwnerRequisites.objects.filter(pk=version.pk).update(**change)
        with pytest.raises(DatabaseError, match="immutable"), transaction.atomic():
            version.delete()

    def test_its_author_may_leave(self):
        actor = boss()
        version = requisites.publish(new=new(), actor=actor)
        OwnerRequisites.objects.update(created_by_staff=None)
        assert OwnerRequisites.objects.get() == version


class TestBroadcast:
    def test_everybody_who_has_to_pay_is_told_once_an_hour(self):
        version, now = OwnerRequisitesFactory(), timezone.now().replace(minute=10)
        waits, late = CommissionFactory(), CommissionFactory(status="OVERDUE")
        CommissionFactory(master=waits.master)
        for status in ("REPORTED", "APPROVED"):
            CommissionFactory(status=status)
        CommissionFactory(master=MasterFactory(tg_user_id=None))
        CommissionFactory(master=MasterFactory(is_deleted=True))
        assert requisites.waiting_masters() == 2
        for _twice in range(2):
            assert requisites.broadcast(actor=boss(), now=now) == 2
        rows = Notification.objects.filter(event="requisites_changed")
        assert {row.master_id for row in rows} == {waits.master_id, late.master_id}
        assert {(row.lane, row.payload["requisites_id"]) for row in rows} == {(Lane.BROADCAST, version.pk)}
        assert rows.count() == 2
        requisites.broadcast(actor=boss(), now=now + timedelta(hours=1))
        assert rows.all().count() == 4

    def test_without_requisites_there_is_nothing_to_tell(self):
        with pytest.raises(InvalidError, match="no requisites yet"):
            requisites.broadcast(actor=boss())


@pytest.mark.django_db(transaction=True)
def test_two_authors_at_once_make_one_version_each_sees_the_truth():
    actor = boss()
    with racers(3) as crew:
        for _round in range(10):
            seen = requisites.current()
            works = [
                lambda n=n, seen=seen, r=_round: requisites.publish(
                    new=new(card_bank=f"{r}-{n}"), actor=actor, seen_version=seen.pk if seen else 0
                )
                for n in range(3)
            ]
            results = crew.run(*works)
            assert (len(winners(results)), codes(results)) == (1, ["stale", "stale"])
    assert OwnerRequisites.objects.count() == 10
