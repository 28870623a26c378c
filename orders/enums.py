"""States of orders, offers and files."""

from __future__ import annotations

from enum import nonmember

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrderStatus(models.TextChoices):
    """The ten labels of ENUM order_status, in its order."""

    CREATED = "CREATED", _("Created")
    SEARCHING = "SEARCHING", _("Searching for a master")
    ASSIGNED = "ASSIGNED", _("Assigned")
    EN_ROUTE = "EN_ROUTE", _("On the way")
    WORKING = "WORKING", _("In work")
    PAYMENT = "PAYMENT", _("Awaiting payment")
    CLOSED = "CLOSED", _("Closed")
    DEFERRED = "DEFERRED", _("Deferred")
    GUARANTEE = "GUARANTEE", _("Guarantee: searching")
    CANCELED = "CANCELED", _("Canceled")

    #: waiting for a master
    SEARCH = nonmember(("SEARCHING", "GUARANTEE"))
    #: on a master's hands: these count toward the limit
    ACTIVE = nonmember(("ASSIGNED", "EN_ROUTE", "WORKING", "PAYMENT"))
    FINAL = nonmember(("CLOSED", "CANCELED"))


class OrderType(models.TextChoices):
    NORMAL = "NORMAL", _("Normal")
    GUARANTEE = "GUARANTEE", _("Guarantee")


class Category(models.TextChoices):
    """What is to be repaired; the skill a master needs has the same code."""

    ELECTRICS = "ELECTRICS", _("Electrics")
    PLUMBING = "PLUMBING", _("Plumbing")
    APPLIANCES = "APPLIANCES", _("Appliances")
    WINDOWS = "WINDOWS", _("Windows")
    HANDYMAN = "HANDYMAN", _("Handyman")
    ROADSIDE = "ROADSIDE", _("Roadside help")


class OfferState(models.TextChoices):
    SENT = "SENT", _("Sent")
    VIEWED = "VIEWED", _("Viewed")
    ACCEPTED = "ACCEPTED", _("Accepted")
    DECLINED = "DECLINED", _("Declined")
    EXPIRED = "EXPIRED", _("Expired")
    CANCELED = "CANCELED", _("Withdrawn")

    #: waiting for an answer
    LIVE = nonmember(("SENT", "VIEWED"))


class ActorType(models.TextChoices):
    SYSTEM = "SYSTEM", _("System")
    ADMIN = "ADMIN", _("Staff")
    MASTER = "MASTER", _("Master")
    AUTO_DISTRIBUTION = "AUTO_DISTRIBUTION", _("Dispatch")


class AttachmentEntity(models.TextChoices):
    ORDER = "ORDER", _("Order")
    OFFER = "OFFER", _("Offer")
    COMMISSION = "COMMISSION", _("Commission")
    MASTER = "MASTER", _("Master")


class FileType(models.TextChoices):
    PHOTO = "PHOTO", _("Photo")
    DOCUMENT = "DOCUMENT", _("Document")
    AUDIO = "AUDIO", _("Audio")
    VIDEO = "VIDEO", _("Video")
    OTHER = "OTHER", _("Other")
