"""Files that people sent."""

from __future__ import annotations

import pytest
from django.utils import timezone

from orders.models import Attachment
from orders.services.files import FileRef, attach
from orders.tests.factories import AttachmentFactory, OrderFactory
from orders.tests.people import as_master

pytestmark = pytest.mark.django_db
PHOTO = FileRef(file_type="PHOTO", file_id="long-id", file_unique_id="short", size=1000, caption=" act\x00 ")


def keep(file: FileRef, **values) -> Attachment:
    order = OrderFactory(assigned=True)
    options = {"entity": "ORDER", "entity_id": 1, "document_type": "act"} | values
    return attach(file, actor=as_master(order.assigned_master), now=timezone.now(), **options)


def test_a_file_is_kept_with_what_telegram_says():
    row = keep(PHOTO)
    row.refresh_from_db()
    assert (row.entity_type, row.entity_id, row.file_type, row.file_id, row.bot) == (
        "ORDER", 1, "PHOTO", "long-id", "master"
    )  # fmt: skip
    assert (row.size, row.caption, row.document_type, row.file_name) == (1000, "act", "act", None)
    assert row.uploaded_by_master_id is not None


def test_the_same_file_twice_is_kept_once():
    assert keep(PHOTO) == keep(FileRef(file_type="PHOTO", file_id="another-id", file_unique_id="short"))
    assert Attachment.objects.count() == 1


def test_for_another_purpose_it_is_another():
    keep(PHOTO)
    keep(PHOTO, document_type="")
    keep(PHOTO, entity="COMMISSION")
    keep(PHOTO, entity_id=2)
    assert Attachment.objects.count() == 4


def test_doubles_of_an_import_are_no_error():
    rows = AttachmentFactory.create_batch(2, entity_id=1, file_unique_id="short", document_type="act")
    assert keep(PHOTO) == rows[0]


def test_long_names_are_cut():
    row = keep(FileRef(file_type="DOCUMENT", file_id="x", file_name="я" * 300, caption="я" * 2000))
    assert (len(row.file_name), len(row.caption)) == (256, 1024)
