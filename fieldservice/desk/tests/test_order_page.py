"""The order page, its files, corrections, and the look-ups of the form."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fieldservice.desk.tests import scene as stage
from fieldservice.desk.tests.scene import Scene
from fieldservice.lib.actor import COMMAND_LINE
from fieldservice.lib.localtime import zone
from fieldservice.outbox.models import Notification
from fieldservice.runtime import registry
from finance.models import Commission
from geo.tests.factories import CityFactory
from orders.models import Attachment, DispatchDecision, Order, OrderStatusHistory
from orders.services.offer_writer import edits_key
from orders.tests.factories import AttachmentFactory, OfferFactory, OrderFactory
from staff.enums import Role
from staff.models import AuditLog
from staff.tests.factories import MasterFactory, StaffUserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
ENGLISH = {"accept-language": "en"}
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 100


@pytest.fixture
def scene(client: Client) -> Scene:
    made = stage.set_up()
    stage.enter(client, made.people["chief"])
    return made


def page(order: Order, name: str = "orders_order_change") -> str:
    return reverse(f"admin:{name}", args=[order.pk])


def shown(client: Client, order: Order) -> str:
    return client.get(page(order), headers=ENGLISH).content.decode()


def test_the_page_tells_the_story(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    offer = order.offers.get()
    Notification.objects.create(event="offer", master=offer.master, edits_key=edits_key(offer.pk), outcome="SENT",
                                processed_at=timezone.now(), payload={"offer_id": offer.pk})  # fmt: skip
    Notification.objects.create(event="order_changed", master=offer.master, payload={"order_id": order.pk},
                                outcome="FAILED", last_error="chat not found")  # fmt: skip
    text = shown(client, order)
    for words in ("Choose a master", "Search again", "Cancel the order", "Correct", "Decision log", "Абрамов Илья",
                  "+7 999 000-", "offer of the order", "order corrected", "chat not found",
                  "Search 1, round 1"):  # fmt: skip
        assert words in text, words
    assert "Return to search" not in text


def test_messages_to_staff_and_channels_are_told_and_nobody_elses(client: Client, scene: Scene) -> None:
    order, debt = scene.orders["pay2"], Commission.objects.get(order=scene.orders["pay2"])
    registry.write("alerts_channel_id", "-100500", actor=COMMAND_LINE)
    about = {"payload": {"order_id": order.pk}, "bot": "admin"}
    Notification.objects.create(event="escalation_logist", staff=scene.people["operator"], **about)
    Notification.objects.create(event="escalation_admin", chat_id=-100500, **about)
    Notification.objects.create(event="commission_overdue_alert", staff=scene.people["chief"], bot="admin",
                                payload={"commission_id": debt.pk})  # fmt: skip
    other = scene.orders["pay0"].pk
    Notification.objects.create(event="dispatch_error", chat_id=-100500, bot="admin", payload={"order_id": other})
    Notification.objects.create(event="referral_reward_accrued", master=scene.masters[7],
                                payload={"order_id": order.pk})  # fmt: skip
    rows = client.get(page(order), headers=ENGLISH).context["sent"]
    assert [(row.event, whom) for row, whom in rows] == [
        ("commission_overdue_alert", "chief"), ("escalation_admin", "ALERTS"), ("escalation_logist", "operator")
    ]  # fmt: skip
    client.force_login(scene.people["operator"])
    seen = {row.event for row, _whom in client.get(page(order)).context["sent"]}
    assert seen == {"escalation_logist", "escalation_admin"}, "money is not for logists"


def test_the_messages_of_an_order_are_found_by_their_indexes(scene: Scene) -> None:
    order, debt = scene.orders["pay2"], Commission.objects.get(order=scene.orders["pay2"])
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plans = [Notification.objects.filter(payload__has_key=name, **{f"payload__{name}": pk}).explain()
             for name, pk in (("order_id", order.pk), ("commission_id", debt.pk))]  # fmt: skip
    assert "ix_notifications_outbox__order" in plans[0]
    assert "ix_notifications_outbox__commission" in plans[1]


@pytest.mark.parametrize("name", ["fresh", "admin", "deferred", "work", "pay1", "guarantee"])
def test_every_kind_of_order_has_its_page_in_few_queries(
    client: Client, scene: Scene, name: str, django_assert_max_num_queries: Any
) -> None:
    order = scene.orders[name]
    for number in range(12):
        OfferFactory(order=order, master=scene.masters[number % 8], state="EXPIRED", round_number=number)
        DispatchDecision.objects.create(order=order, search_number=1, round_number=number, outcome="no_candidates",
                                        details={"city": scene.city.pk})  # fmt: skip
    with django_assert_max_num_queries(15):
        assert client.get(page(order)).status_code == 200


def test_money_and_receipts_are_not_for_logists(client: Client, scene: Scene) -> None:
    order = scene.orders["pay1"]
    commission = order.commission_set.get()
    AttachmentFactory(entity_type="COMMISSION", entity_id=commission.pk, document_type="receipt")
    assert "2 600" in shown(client, order).replace("\u00a0", " ")
    client.force_login(scene.people["operator"])
    text = shown(client, order)
    assert "2 600" not in text.replace("\u00a0", " ")
    assert "/desk/files/" not in text


def test_a_stranger_order_is_not_there(client: Client, scene: Scene) -> None:
    strange = Order.objects.get(city=scene.strange)
    assert client.get(page(strange)).status_code == 302
    assert client.get(page(strange, "order_changed"), {"seen": "0.0"}).status_code == 204
    assert "Чуж" not in client.get(page(strange, "order_why"), {"master": scene.masters[0].pk}).content.decode()
    assert client.get(page(strange, "order_edit")).status_code == 302


def test_an_open_page_hears_of_a_change(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    seen = f"{order.version}.{order.dispatch_round}"
    assert client.get(page(order, "order_changed"), {"seen": seen}).status_code == 204
    Order.objects.filter(pk=order.pk).update(version=order.version + 1)
    assert "has changed" in client.get(page(order, "order_changed"), {"seen": seen}, headers=ENGLISH).content.decode()


def test_why_not_this_master(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    answer = client.get(page(order, "order_why"), {"master": scene.masters[7].pk}, headers=ENGLISH)
    assert "is off shift" in answer.content.decode()
    strange = MasterFactory(city=scene.strange, full_name="Чужой Мастер")
    for wrong in (strange.pk, "", "x", "9" * 30):
        answer = client.get(page(order, "order_why"), {"master": wrong}, headers=ENGLISH).content.decode()
        assert "Чужой" not in answer
        assert "There is no master" in answer


def test_other_orders_of_the_phone_stay_in_the_cities(client: Client, scene: Scene) -> None:
    order = scene.orders["fresh"]
    mine = OrderFactory(city=scene.city, client_phone=order.client_phone)
    strange = OrderFactory(city=scene.strange, client_phone=order.client_phone)
    text = shown(client, order)
    assert page(mine) in text
    assert page(strange) not in text


# --- corrections -----------------------------------------------------------------------------------------------------
def test_a_correction_is_kept_in_the_history_and_told(client: Client, scene: Scene) -> None:
    order = scene.orders["work"]
    url = page(order, "order_edit")
    seen = client.get(url).context["adminform"].form["seen"].value()
    form = {"house": "77", "apartment": "12", "client_name": order.client_name, "description": "Не работает розетка",
            "seen": seen}  # fmt: skip
    assert client.post(url, form).headers["Location"] == page(order)
    row = OrderStatusHistory.objects.get(order=order, reason="corrected")
    assert row.context["changes"] == {"house": [order.house, "77"]}
    assert row.changed_by_staff == scene.people["chief"]
    assert Notification.objects.filter(event="order_changed", master=order.assigned_master).count() == 1
    again = client.post(url, form | {"house": "78"}, headers=ENGLISH)
    assert "meanwhile" in again.content.decode()
    assert Order.objects.get(pk=order.pk).house == "77"


# --- files -----------------------------------------------------------------------------------------------------------
class Telegram(BaseHTTPRequestHandler):
    """As much of a Bot API server as gives files away."""

    content = JPEG

    def do_GET(self) -> None:
        self.send_response(200 if "missing" not in self.path else 404)
        self.end_headers()
        if "getFile" in self.path:
            self.wfile.write(json.dumps({"ok": True, "result": {"file_path": "photos/1.jpg"}}).encode())
        else:
            self.wfile.write(type(self).content)

    def log_message(self, *args: Any) -> None:
        """Silence."""


@pytest.fixture
def telegram(settings: Any, tmp_path: Any) -> Iterator[type[Telegram]]:
    server = HTTPServer(("127.0.0.1", 0), Telegram)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.TELEGRAM_API_URL = f"http://127.0.0.1:{server.server_port}"
    settings.MASTER_BOT_TOKEN, settings.MEDIA_ROOT = "1:secret", tmp_path
    Telegram.content = JPEG
    yield Telegram
    server.shutdown()
    server.server_close()


def file_of(entity: str, pk: int, **values: Any) -> Attachment:
    return AttachmentFactory(entity_type=entity, entity_id=pk, **values)


def test_files_are_shown_to_who_may_see_what_they_belong_to(client: Client, scene: Scene, telegram: Any) -> None:
    commission = scene.orders["pay0"].commission_set.get()
    strange_order = Order.objects.get(city=scene.strange)
    files = {
        "order": file_of("ORDER", scene.orders["work"].pk), "receipt": file_of("COMMISSION", commission.pk),
        "document": file_of("MASTER", scene.masters[0].pk), "strange": file_of("ORDER", strange_order.pk),
        "strange_document": file_of("MASTER", MasterFactory(city=scene.strange).pk), "offer": file_of("OFFER", 1),
    }  # fmt: skip
    seen = {"boss": {"order", "receipt", "document", "strange", "strange_document"},
            "chief": {"order", "receipt", "document"}, "operator": {"order"}, "nobody": set()}  # fmt: skip
    scene.people["nobody"] = StaffUserFactory(role=Role.CITY_ADMIN, cities=[CityFactory()])
    for who, names in seen.items():
        client.force_login(scene.people[who])
        opened = {name for name, row in files.items() if client.get(page(row, "desk_file")).status_code == 200}
        assert opened == names, who
    assert AuditLog.objects.filter(action="document_viewed", admin=scene.people["chief"]).count() == 1
    client.logout()
    assert client.get(page(files["order"], "desk_file")).status_code == 302


def test_a_file_runs_nothing_and_is_fetched_once(client: Client, scene: Scene, telegram: Any) -> None:
    row = file_of("ORDER", scene.orders["work"].pk, file_name='act".jpg', mime_type="text/html")
    answer = client.get(page(row, "desk_file"))
    assert (answer.headers["Content-Type"], answer.content) == ("image/jpeg", JPEG)
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "private" in answer.headers["Cache-Control"]
    telegram.content = b"other"
    assert client.get(page(row, "desk_file")).content == JPEG
    evil = file_of("ORDER", scene.orders["work"].pk)
    telegram.content = b"<script>alert(1)</script>"
    answer = client.get(page(evil, "desk_file"))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_file_telegram_does_not_give_is_said(client: Client, scene: Scene, telegram: Any, caplog: Any) -> None:
    row = file_of("ORDER", scene.orders["work"].pk, file_id="missing")
    answer = client.get(page(row, "desk_file"), headers=ENGLISH)
    assert answer.status_code == 502
    assert "does not give this file" in answer.content.decode()
    assert "secret" not in caplog.text


# --- the form's look-ups ---------------------------------------------------------------------------------------------
def test_the_client_is_recognised_by_the_phone(client: Client, scene: Scene) -> None:
    url = reverse("admin:orders_order_client")
    order = scene.orders["fresh"]
    Order.objects.filter(pk=order.pk).update(client_phone="+79991112233", client_name="Ольга")
    OrderFactory(city=scene.strange, client_phone="+79991112233", client_name="Чужая Ольга")
    text = client.get(url, {"phone": "8 999 111-22-33"}, headers=ENGLISH).content.decode()
    assert f"open order #{order.pk}" in text
    assert "Known client: <b>Ольга" in text
    assert "Чужая" not in text
    assert "A new client" in client.get(url, {"phone": "+79990009999"}, headers=ENGLISH).content.decode()
    for wrong in ("", "123", "\0", "x" * 500):
        assert client.get(url, {"phone": wrong}).status_code == 204


def test_slots_are_those_of_the_city(client: Client, scene: Scene) -> None:
    url = reverse("admin:orders_order_slots")
    answer = client.get(url, {"city": scene.city.pk}, headers=ENGLISH).json()
    tomorrow = timezone.now().astimezone(zone(scene.city.timezone)) + timedelta(days=1)
    wanted = {f"{tomorrow:%Y-%m-%d}:{hours}" for hours in ("10-13", "13-16", "16-19")}
    assert wanted <= {key for key, _label in answer["slots"]}
    assert "Москва" in answer["note"]
    for wrong in (scene.strange.pk, "", "x"):
        assert client.get(url, {"city": wrong}).json() == {"slots": [], "note": ""}


def test_the_only_city_is_chosen_already(client: Client, scene: Scene) -> None:
    form = client.get(reverse("admin:orders_order_add")).context["adminform"].form
    assert form.initial["city"] == scene.city.pk
    client.force_login(scene.people["boss"])
    assert "city" not in client.get(reverse("admin:orders_order_add")).context["adminform"].form.initial


def test_a_typed_street_stands_before_its_house_once(client: Client, scene: Scene) -> None:
    """On the page, on the board and beside the client's phone, as in the bots."""
    order = OrderFactory(city=scene.city, district=scene.districts[3], street=None, street_text="Тверская", house="5",
                         apartment="7", status="SEARCHING", client_phone="+79990004455")  # fmt: skip
    text = " ".join(shown(client, order).split())
    assert "<br>ЗАО, Тверская, 5, flat 7</dd>" in text
    assert text.count("Тверская") == 1
    assert "ЗАО, Тверская, 5" in client.get(reverse("admin:desk_board")).content.decode()
    known = client.get(reverse("admin:orders_order_client"), {"phone": order.client_phone}, headers=ENGLISH)
    assert "Москва, ЗАО, Тверская, 5, flat 7" in known.content.decode()
