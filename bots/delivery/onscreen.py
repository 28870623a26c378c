"""A pushed message whose button was tapped becomes the person's screen: later edits must not overwrite it."""

from __future__ import annotations

from bots.visit import Visit
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Notification
from fieldservice.outbox.services import Message
from orders.services.offer_writer import edits_key
from staff.models import Master
from staff.services import applications


def answered(offer_id: int, *, master_id: int, visit: Visit) -> None:
    """The master answered an offer. Call in the transaction of the answer, so that no edit slips in between.

    Answered in the pushed message: it shows something else from now on, forget it. Answered elsewhere: have the
    pushed message say what happened.
    """
    key = edits_key(offer_id)
    if outbox.sent_message(key) == (visit.chat_id, visit.message_id):
        Notification.objects.filter(edits_key=key, message_id=visit.message_id).update(message_id=None)
    else:
        outbox.enqueue(Message(event="offer", payload={"offer_id": offer_id}, master_id=master_id, edits_key=key))


def opened(visit: Visit, master_id: int) -> None:
    """A message about an application or skills of this master was tapped: it shows something else from now on."""
    if visit.message_id is None:
        return
    master = Master.objects.filter(pk=master_id).only("pk", "applied_at", "skills_wanted").first()
    if master is None:
        return
    asked = master.skills_wanted.get("at", "") if isinstance(master.skills_wanted, dict) else ""
    occasions = {"application": applications.occasion(master), "skills": asked}
    keys = [applications.edits_key(what, master_id, when, visit.member.pk) for what, when in occasions.items()]
    Notification.objects.filter(edits_key__in=keys, message_id=visit.message_id).update(message_id=None)
