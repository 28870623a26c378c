"""A pushed message whose button was tapped becomes the person's screen: later edits must not overwrite it."""

from __future__ import annotations

from django.db.models import Q

from bots.visit import Visit
from fieldservice.outbox import services as outbox
from fieldservice.outbox.models import Notification
from fieldservice.outbox.services import Message
from orders.services.offer_writer import edits_key


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
    keys = [f"{what}:{master_id}:" for what in ("application", "skills")]
    ours = Q(edits_key__startswith=keys[0]) | Q(edits_key__startswith=keys[1])
    Notification.objects.filter(ours, chat_id=visit.chat_id, message_id=visit.message_id).update(message_id=None)
