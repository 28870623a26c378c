"""Who invited whom: once, by a code, never in a circle, whatever happens at the same moment."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldservice.lib.errors import ConflictError, InvalidError, NotFoundError
from fieldservice.outbox.models import Notification
from fieldservice.tests.racing import codes, racers, winners
from finance.models import Referral
from finance.services import ledger, referrals
from finance.tests.factories import ReferralFactory
from orders.tests.people import as_master
from staff.models import Master
from staff.tests.factories import MasterFactory

pytestmark = pytest.mark.django_db


def invite(master: Master, inviter: Master) -> Referral:
    return referrals.join(master_id=master.pk, code=referrals.code_of(master_id=inviter.pk), actor=as_master(master))


class TestCode:
    def test_it_is_made_once_and_readable(self):
        master = MasterFactory()
        code = referrals.code_of(master_id=master.pk)
        assert referrals.code_of(master_id=master.pk) == code
        assert len(code) == 8
        assert set(code) <= set(referrals.ALPHABET)
        assert not set("01OIL") & set(referrals.ALPHABET)

    def test_a_code_of_v12_stays(self):
        master = MasterFactory(referral_code="0AF19C3E")
        assert referrals.code_of(master_id=master.pk) == "0AF19C3E"
        assert referrals.inviter_of(" 0af1 9c3e ") == master

    def test_a_taken_one_is_drawn_again(self, monkeypatch):
        MasterFactory(referral_code="AAAAAAAA")
        letters = iter("A" * 8 + "B" * 8)
        monkeypatch.setattr(referrals.secrets, "choice", lambda alphabet: next(letters))
        assert referrals.code_of(master_id=MasterFactory().pk) == "BBBBBBBB"

    def test_nobody_has_none(self):
        with pytest.raises(NotFoundError):
            referrals.code_of(master_id=4242)

    @pytest.mark.parametrize(
        ("code", "sentence"),
        [("", "8 Latin letters and digits"), ("AB-1", "8 Latin letters and digits"), ("ЖЖЖЖЖЖЖЖ", "8 Latin letters"),
         ("A\x00B", "8 Latin letters"), ("ZZZZZZZZ", "There is no such referral code")],
    )  # fmt: skip
    def test_a_wrong_one_is_told_what_is_wrong(self, code, sentence):
        with pytest.raises(InvalidError, match=sentence):
            referrals.inviter_of(code)

    def test_one_s_own(self):
        master = MasterFactory()
        with pytest.raises(InvalidError, match="your own code"):
            referrals.inviter_of(referrals.code_of(master_id=master.pk), master_id=master.pk)

    def test_of_somebody_who_is_gone(self):
        gone = MasterFactory(is_deleted=True, referral_code="ABCD2345")
        with pytest.raises(InvalidError, match="no such referral code"):
            referrals.inviter_of(gone.referral_code)


class TestJoin:
    def test_the_inviter_is_told_once(self):
        master, inviter = MasterFactory.create_batch(2)
        assert invite(master, inviter) == invite(master, inviter)
        row = Notification.objects.get(event="referral_registered")
        assert (row.master_id, row.payload) == (inviter.pk, {"master_id": master.pk})
        master.refresh_from_db()
        assert master.referred_by_master == inviter

    def test_another_inviter_comes_too_late(self):
        master, first, second = MasterFactory.create_batch(3)
        invite(master, first)
        with pytest.raises(ConflictError, match="invited by another master already"):
            invite(master, second)
        assert Referral.objects.get().referrer == first

    @pytest.mark.parametrize("length", [2, 3, 6])
    def test_no_circle_of_any_length(self, length):
        masters = MasterFactory.create_batch(length)
        for younger, elder in pairwise(masters):
            invite(younger, elder)
        with pytest.raises(ConflictError, match="This person was invited by you"):
            invite(masters[-1], masters[0])

    def test_a_circle_of_v12_is_told_and_hangs_nothing(self):
        first, second, third = MasterFactory.create_batch(3)
        ReferralFactory(master=first, referrer=second)
        ReferralFactory(master=second, referrer=first)
        invite(third, first)
        assert len([line for line in ledger.check().differences if "turns back" in line]) == 2


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=15))
def test_whatever_is_tried_the_tree_stays_a_tree(pairs):
    Referral.objects.all().delete()
    masters = MasterFactory.create_batch(6)
    parent: dict[int, int] = {}
    for child, elder in pairs:
        above, walk = [], elder
        while walk in parent:
            walk = parent[walk]
            above.append(walk)
        legal = child != elder and child not in above and parent.get(child, elder) == elder
        try:
            invite(masters[child], masters[elder])
        except (InvalidError, ConflictError):
            assert not legal
        else:
            assert legal
            parent[child] = elder
    rows = dict(Referral.objects.values_list("master_id", "referrer_id"))
    assert rows == {masters[child].pk: masters[elder].pk for child, elder in parent.items()}


@pytest.mark.django_db(transaction=True)
def test_two_who_invite_each_other_at_once():
    with racers(3) as crew:
        for _round in range(15):
            ring = MasterFactory.create_batch(3)
            for master in ring:
                referrals.code_of(master_id=master.pk)
            works = [partial(invite, ring[n], ring[(n + 1) % 3]) for n in range(3)]
            results = crew.run(*works)
            assert (len(winners(results)), codes(results)) == (2, ["conflict"])


@pytest.mark.django_db(transaction=True)
def test_a_code_asked_for_twice_at_once_is_one():
    with racers(4) as crew:
        for _round in range(10):
            master = MasterFactory()
            assert len(set(crew.run(*[partial(referrals.code_of, master_id=master.pk)] * 4))) == 1
