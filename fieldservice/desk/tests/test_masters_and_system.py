"""The master's page and acts, the queue, bulk acts, settings, audit, health, the outbox."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.desk.master_acts import MASTER_ACTS
from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene
from fieldservice.outbox.models import Notification
from fieldservice.runtime import heartbeats, registry
from fieldservice.runtime.models import Heartbeat, Setting
from fieldservice.watch import jobs
from fieldservice.watch.look import look
from orders.tests.factories import AttachmentFactory
from staff.enums import ModerationStatus, ShiftStatus
from staff.models import AuditLog, Master, ShiftChange, Skill
from staff.services import parameters, shifts
from staff.tests.factories import MasterFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def scene(client: Client) -> Scene:
    made = stage.set_up()
    stage.enter(client, made.people["chief"])
    return made


def applicant(city: Any, **values: Any) -> Master:
    given = {"moderation_status": ModerationStatus.PENDING, "shift_status": ShiftStatus.SHIFT_OFF,
             "applied_at": timezone.now(), "city": city}  # fmt: skip
    master = MasterFactory(**given | values)
    AttachmentFactory(entity_type="MASTER", entity_id=master.pk, document_type="passport")
    return master


def url(master: Master, name: str = "") -> str:
    return reverse("admin:master_act", args=[master.pk, name]) if name else reverse(
        "admin:staff_master_change", args=[master.pk])  # fmt: skip


def ready_for(name: str, scene: Scene) -> Master:
    if name in {"approve", "reject"}:
        return applicant(scene.city)
    master = scene.masters[3]
    if name == "unblock":
        Master.objects.filter(pk=master.pk).update(is_blocked=True, blocked_reason="rude")
    if name in {"grant", "refuse"}:
        asked = {"ids": [Skill.objects.latest("pk").pk], "at": timezone.now().isoformat()}
        Master.objects.filter(pk=master.pk).update(skills_wanted=asked)
    return master


@pytest.mark.parametrize("name", list(MASTER_ACTS))
def test_each_act_asks_does_is_kept_and_told(client: Client, scene: Scene, name: str) -> None:
    master = ready_for(name, scene)
    master.refresh_from_db()
    assert client.get(url(master, name)).status_code == 200
    data = {"version": master.version, "reason": "Так решил офис", "limit": "7"}
    old = client.post(url(master, name), data | {"version": master.version + 5}, headers=ENGLISH)
    assert old.status_code == 409
    assert "look once more" in old.content.decode()
    assert client.post(url(master, name), data).status_code == 302
    row = AuditLog.objects.filter(master=master).latest("pk")
    assert row.admin == scene.people["chief"]
    assert row.payload_json["changes"]
    assert Notification.objects.filter(master=master).exists()


@pytest.mark.parametrize("name", list(MASTER_ACTS))
def test_acts_are_for_moderators_of_the_city(client: Client, scene: Scene, name: str) -> None:
    master = ready_for(name, scene)
    Master.objects.filter(pk=master.pk).update(city=scene.strange)
    data = {"version": master.version, "reason": "Чужой мастер", "limit": "1"}
    for answer in (client.get(url(master, name)), client.post(url(master, name), data)):
        assert answer.status_code == 404
    client.force_login(scene.people["operator"])
    Master.objects.filter(pk=master.pk).update(city=scene.city)
    assert client.post(url(master, name), data).status_code == 403
    assert not AuditLog.objects.filter(master=master).exists()


@pytest.mark.parametrize("login", ["boss", "chief", "operator"])
def test_the_page_shows_what_the_role_may_see(
    client: Client, scene: Scene, login: str, django_assert_max_num_queries: Any
) -> None:
    master = scene.masters[5]
    AttachmentFactory(entity_type="MASTER", entity_id=master.pk, document_type="passport")
    Master.objects.filter(pk=master.pk).update(payout_method="SBP", payout_data={"sbp_phone": "+79995554433"})
    stage.enter(client, scene.people[login])
    with django_assert_max_num_queries(15):
        text = client.get(url(master), headers=ENGLISH).content.decode()
    moderates = login != "operator"
    for private in ("Owes", "2 700 ₽", "+7 999 555-44-33", "/desk/files/", "Decisions of the office", "/do/block/"):
        assert (private in text.replace("\u00a0", " ")) is moderates, private
    assert "Orders on hand" in text


def test_a_stranger_master_is_not_there(client: Client, scene: Scene) -> None:
    strange = MasterFactory(city=scene.strange)
    assert client.get(url(strange)).status_code == 302
    assert client.get(reverse("admin:master_edit", args=[strange.pk])).status_code == 302


def test_changes_of_the_shift_are_kept_whoever_makes_them(client: Client, scene: Scene) -> None:
    master = scene.masters[0]
    Master.objects.filter(pk=master.pk).update(shift_status="BREAK", break_until=timezone.now())
    Master.objects.filter(pk=master.pk).update(rating=5)
    shifts.end_breaks(now=timezone.now())
    found = list(ShiftChange.objects.filter(master=master).order_by("pk").values_list("status", flat=True))
    assert found == ["BREAK", "SHIFT_OFF"]
    assert "Off shift" in client.get(url(master), headers=ENGLISH).content.decode()
    ShiftChange.objects.update(at=timezone.now() - shifts.KEPT * 1.01)
    assert shifts.forget_changes(now=timezone.now()) >= 2


def test_the_queue_shows_applications_with_their_documents(
    client: Client, scene: Scene, django_assert_max_num_queries: Any
) -> None:
    mine = [applicant(scene.city, full_name=f"Проситель {n}") for n in range(7)]
    strange = applicant(scene.strange, full_name="Чужой Проситель")
    page = reverse("admin:desk_queue")
    with django_assert_max_num_queries(15):
        text = client.get(page).content.decode()
    assert [m.full_name in text for m in mine] == [True] * 5 + [False] * 2
    assert mine[6].full_name in client.get(page, {"page": "2"}).content.decode()
    assert text.count("/desk/files/") == 10  # a link and a picture each
    assert strange.full_name not in text + client.get(page, {"page": "2"}).content.decode()
    client.force_login(scene.people["operator"])
    assert client.get(page).status_code == 403


# --- many at once ----------------------------------------------------------------------------------------------------
def test_many_are_blocked_after_a_question_row_by_row(client: Client, scene: Scene) -> None:
    page = reverse("admin:staff_master_changelist")
    strange = MasterFactory(city=scene.strange)
    chosen = {"action": "block", "_selected_action": [scene.masters[0].pk, scene.masters[1].pk, strange.pk]}
    asked = client.post(page, chosen, headers=ENGLISH)
    assert "Yes, 2 masters" in asked.content.decode()
    assert strange.full_name not in asked.content.decode()
    assert not Master.objects.filter(is_blocked=True).exists()
    assert client.post(page, chosen | {"confirmed": "yes", "reason": ""}).status_code == 200
    assert not Master.objects.filter(is_blocked=True).exists()
    done = client.post(
        page, chosen | {"confirmed": "yes", "reason": "Проверка документов"}, follow=True, headers=ENGLISH
    )
    assert "Done: 2 masters." in done.content.decode()
    assert set(Master.objects.filter(is_blocked=True)) == {scene.masters[0], scene.masters[1]}


def test_approving_many_tells_who_could_not_be(client: Client, scene: Scene) -> None:
    page, one = reverse("admin:staff_master_changelist"), applicant(scene.city)
    chosen = {"action": "approve", "_selected_action": [one.pk, scene.masters[0].pk], "confirmed": "yes"}
    text = client.post(page, chosen, follow=True, headers=ENGLISH).content.decode()
    assert "Done: 1 master." in text
    assert "was decided already" in text


def test_logists_have_no_bulk_acts(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["operator"])
    page = reverse("admin:staff_master_changelist")
    chosen = {"action": "block", "_selected_action": [scene.masters[0].pk], "confirmed": "yes", "reason": "Нельзя"}
    client.post(page, chosen)
    assert not Master.objects.filter(is_blocked=True).exists()


def test_a_corrected_master_leaves_old_and_new(client: Client, scene: Scene) -> None:
    master = scene.masters[2]
    form = {"full_name": "Власов Павел Новый", "phone": master.phone, "city": master.city_id, "has_vehicle": "on",
            "vehicle_plate": "", "max_active_orders_override": "",
            "skill_set": list(master.skills.values_list("pk", flat=True)),
            "district_set": list(master.districts.values_list("pk", flat=True))}  # fmt: skip
    answer = client.post(reverse("admin:master_edit", args=[master.pk]), form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    row = AuditLog.objects.get(action="master_changed")
    assert row.payload_json["changes"] == {"full_name": [master.full_name, "Власов Павел Новый"]}
    client.force_login(scene.people["boss"])
    text = client.get(reverse("admin:staff_auditlog_changelist"), headers=ENGLISH).content.decode()
    assert "master corrected" in text
    assert "Власов Павел Новый" in text


# --- settings, health, outbox ----------------------------------------------------------------------------------------
def save(client: Client, **values: str) -> Any:
    given = {key: row.value for key, row in Setting.objects.in_bulk().items()}
    data = {f"was-{name}": given.get(name, "") for name in registry.KEYS} | given
    return client.post(reverse("admin:runtime_setting_changelist"), data | values, headers=ENGLISH)


def test_settings_are_checked_kept_and_restored(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["boss"])
    assert client.get(reverse("admin:runtime_setting_changelist")).status_code == 200
    assert save(client, distribution_rounds="4", citywide_fallback="false").status_code == 302
    assert (registry.get("distribution_rounds"), registry.get("citywide_fallback")) == (4, False)
    wrong = save(client, distribution_rounds="400", distribution_sla_seconds="60")
    assert wrong.status_code == 409
    assert "a whole number from 1 to 20" in wrong.content.decode()
    assert registry.get("distribution_sla_seconds") != 60, "nothing of a wrong page is written"
    stale = save(client, **{"was-distribution_rounds": "2", "distribution_rounds": "5"})
    assert "meanwhile" in stale.content.decode()
    night = save(client, working_hours_start="19:00", working_hours_end="09:00")
    assert "must begin before it ends" in night.content.decode()
    assert not Setting.objects.filter(key__startswith="working_hours").exists()
    assert save(client, distribution_rounds="").status_code == 302
    assert not Setting.objects.filter(key="distribution_rounds").exists()
    rows = AuditLog.objects.filter(action="setting_changed").order_by("pk")
    assert [row.payload_json["changes"] for row in rows] == [
        {"distribution_rounds": [None, "4"]}, {"citywide_fallback": [None, "false"]},
        {"distribution_rounds": ["4", None]},
    ]  # fmt: skip


def test_settings_that_go_together_no_more_when_they_are_written(
    client: Client, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(scene.people["boss"])
    real = parameters.change

    def late(**given: Any) -> None:
        Setting.objects.create(key="working_hours_end", value="09:00", value_type="TIME")
        real(**given)

    monkeypatch.setattr(parameters, "change", late)
    answer = save(client, working_hours_start="09:30")
    assert answer.status_code == 409
    assert "must begin before it ends (now 09:00)" in answer.content.decode()
    assert not Setting.objects.filter(key="working_hours_start").exists()


def test_a_secret_is_shown_to_nobody(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["boss"])
    assert save(client, yandex_geocoder_key="very-secret-key").status_code == 302
    shown = client.get(reverse("admin:runtime_setting_changelist")).content.decode()
    audit = client.get(reverse("admin:staff_auditlog_changelist")).content.decode()
    assert "very-secret-key" not in shown + audit + str(AuditLog.objects.latest("pk").payload_json)
    save(client, **{"yandex_geocoder_key": "", "was-yandex_geocoder_key": ""})
    assert registry.get("yandex_geocoder_key") == "very-secret-key"
    client.post(
        reverse("admin:runtime_setting_changelist"), {"yandex_geocoder_key": "-", "was-yandex_geocoder_key": ""}
    )
    assert registry.get("yandex_geocoder_key") == ""


@pytest.mark.parametrize("page", ["runtime_setting_changelist", "desk_health"])
def test_the_system_is_the_global_admin_s(client: Client, scene: Scene, page: str) -> None:
    for login, wanted in (("boss", 200), ("chief", 403), ("operator", 403)):
        client.force_login(scene.people[login])
        assert client.get(reverse(f"admin:{page}")).status_code == wanted
    client.force_login(scene.people["chief"])
    assert save(client, distribution_rounds="9").status_code == 403
    assert not Setting.objects.exists()


def test_health_says_what_is_wrong(client: Client, scene: Scene, django_assert_max_num_queries: Any) -> None:
    client.force_login(scene.people["boss"])
    Notification.objects.create(event="offer", master=scene.masters[0], outcome="FAILED", last_error="chat not found",
                                processed_at=timezone.now())  # fmt: skip
    with django_assert_max_num_queries(40):  # eight checks, each in a savepoint of its own
        text = client.get(reverse("admin:desk_health"), headers=ENGLISH).content.decode()
    assert "What is wrong now" in text
    assert "chat not found" in text


def test_a_fresh_system_is_not_ill_for_what_is_not_due_yet(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["boss"])
    health = lambda: client.get(reverse("admin:desk_health"), headers=ENGLISH).content.decode()  # noqa: E731
    assert "No periodic job runs" in health()  # nobody has looked yet: there is no worker
    night = "job:finance.check_ledger"
    for name in {*jobs.missed_after()} - {night}:
        heartbeats.beat(name, now=timezone.now())
    look(now=timezone.now())
    assert "check_ledger" not in health()
    Heartbeat.objects.filter(name="watch").update(
        details={"expected": {night: (timezone.now() - timedelta(hours=27)).isoformat()}}
    )
    assert "The job finance.check_ledger has not ended well for too long." in health()


def test_what_failed_is_sent_again_and_nothing_else(client: Client, scene: Scene) -> None:
    client.force_login(scene.people["boss"])
    now = timezone.now()
    make = lambda **values: Notification.objects.create(event="x", master=scene.masters[0], processed_at=now, **values)  # noqa: E731
    failed, sent, old = make(outcome="FAILED"), make(outcome="SENT"), make(outcome="FAILED", expires_at=now)
    page = reverse("admin:outbox_notification_changelist")
    chosen = {"action": "send_again", "_selected_action": [failed.pk, sent.pk, old.pk]}
    text = client.post(page, chosen, follow=True, headers=ENGLISH).content.decode()
    assert "1 message is sent again" in text
    assert list(Notification.objects.filter(processed_at__isnull=True, event="x")) == [failed]
    kept = AuditLog.objects.get(action="messages_sent_again")
    assert (kept.admin, kept.payload_json["messages"]) == (scene.people["boss"], [failed.pk])
    client.post(page, chosen, follow=True)
    assert AuditLog.objects.filter(action="messages_sent_again").count() == 1, "nothing failed any more"
