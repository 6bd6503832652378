"""What no program sends to batches: clear answers, nothing kept, nothing charged."""

from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock
from urllib.parse import quote

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import ApiKey, Usage
from inpainting import images, storage, thumbnails
from inpainting.admission import Room
from inpainting.api.fields import EncodedFileField, UrlField
from inpainting.batches.models import Batch, Item
from inpainting.models import Result, Upload
from tests import pictures
from tests.attacks.test_marks import busy
from tests.conftest import Account
from tests.inpainting.api.test_batch import URL, send, work
from tests.inpainting.containers.making import chunk
from tests.inpainting.saved_marks.test_api import save

METADATA = [
    "[" * 60_000,
    '{"a":' + "[" * 40 + "]" * 40 + "}",
    '{"a": 1e999}',
    '{"a": NaN}',
    '{"a": ' + "9" * 5000 + "}",
    '{"a": "\\ud800"}',
    '{"\\udfff": 1}',
    '{"a": ["\\u0000"]}',
    "[]",
    "\x00",
]
POSITIONS = ["abc", "9" * 40, "2026-13-45", "\x00", "1e999", "0001-01-01T00:00:00+23:59", ""]
POSITIONS += ["9999-12-31T23:59:59.9-23:59", "2026-11-29T00:00:00+16:00"]  # zones that PostgreSQL alone refuses
EVENT_IDS = ["2026-13-45T00:00", "2026-01-01T00:00", "0001-01-01T00:00+00:00", "0001-01-01T00:00+23:59", "a"]


@pytest.mark.parametrize("metadata", METADATA)
def test_metadata(alice: Account, metadata: str) -> None:
    response = send(alice.client, {"Idempotency-Key": "a"}, metadata=metadata)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert not Batch.objects.exists()
    assert not Usage.objects.filter(charged__gt=0).exists()
    assert alice.client.get(URL).json()["results"] == []


def test_metadata_of_all_languages_is_given_back(alice: Account) -> None:
    metadata = '{"\\ud83d\\ude00": ["\\\\u0000", -0.5, null, {"é": true}]}'

    assert send(alice.client, metadata=metadata).json()["metadata"] == {"😀": ["\\u0000", -0.5, None, {"é": True}]}


@pytest.mark.parametrize("position", POSITIONS)
def test_cursors(alice: Account, position: str) -> None:
    batch = send(alice.client).json()
    cursor = b64encode(f"p={quote(position)}".encode()).decode()

    for url in (URL, batch["links"]["items"]):
        response = alice.client.get(url, {"cursor": cursor})
        assert response.status_code in (200, 404)
        assert response.status_code == 200 or response.json()["code"] == "not_found"


@pytest.mark.parametrize("event_id", EVENT_IDS)
def test_event_ids(alice: Account, event_id: str) -> None:
    """What is no id of ours: everything is told."""
    batch = send(alice.client).json()
    work()

    response = alice.client.get(batch["links"]["events"], headers={"Last-Event-ID": event_id})

    assert response.status_code == 200
    assert response.getvalue().count(b"event: item\n") == 2


def test_ten_thousand_addresses(alice: Account) -> None:
    """Of the longest kind they are more than a form's text, or a body of JSON, may have."""
    urls = ["http://pictures.test/"] * 10_000
    as_form = alice.client.post(URL, {"image_urls": urls})
    as_json = alice.client.post(URL, {"image_urls": urls}, content_type="application/json")
    long = alice.client.post(URL, {"image_urls": [url + "a" * 4000 for url in urls[:1000]]})

    assert (as_form.status_code, as_form.json()["detail"]) == (400, "The request has too many fields.")
    assert (as_json.status_code, as_json.json()["code"]) == (400, "batch_too_large")
    assert (long.status_code, long.json()["code"]) == (413, "body_too_large")
    assert not Batch.objects.exists()


@pytest.mark.parametrize("field", ["images", "image_urls", "masks"])
def test_a_long_list_is_not_gone_through(alice: Account, monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    """A million members took half a minute. Of JSON, 100,000 pieces are read at most."""
    for kind in (EncodedFileField, UrlField):
        monkeypatch.setattr(kind, "to_internal_value", lambda *_: pytest.fail("a member is looked at"))
    response = alice.client.post(URL, {field: ["http://a.test"] * 90_000}, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (400, "batch_too_large")


NAMES = [
    "%00",
    "%2e%2e",
    "..",
    "%2f%2fetc%2fpasswd",
    "a%0d%0ab",
    "%ff%fe",
    "%ed%a0%80",
    "%5c..%5ca",
    "%61" * 300,
    "?a",
    "",
]


def test_names_in_addresses(alice: Account) -> None:
    """A picture's name is the last part of its address: one that every database, header and archive can hold."""
    urls = [f"http://pictures.test/{name}" for name in NAMES]
    batch = alice.client.post(URL, {"image_urls": urls}).json()
    names = [item["name"] for item in alice.client.get(batch["links"]["items"]).json()["results"]]

    assert len(names) == len(NAMES)
    for name in names:
        assert 0 < len(name) <= 255
        assert name.encode().decode().isprintable()
        assert "/" not in name
        assert "\\" not in name


def test_pictures_that_cannot_be_read_are_not_kept(alice: Account) -> None:
    """They cost nothing: a ZIP of 2 MB put 2 GB on the disk for a day."""
    response = send(alice.client, images=[broken("a.png")])
    work()

    item = Item.objects.get()
    assert item.state == "failed"
    assert item.error is not None
    assert item.error["code"] == "invalid_image"
    assert not Upload.objects.exists()
    again = alice.client.post(response.json()["links"]["retry"])
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_retry")


def test_pictures_whose_mask_is_empty_are_not_kept(alice: Account) -> None:
    response = send(alice.client, mask=pictures.file(0 * pictures.box_mask()))
    work()

    assert {item.error["code"] for item in Item.objects.all() if item.error} == {"empty_mask"}
    assert not Upload.objects.exists()
    assert alice.client.post(response.json()["links"]["retry"]).status_code == 409


def broken(name: str) -> SimpleUploadedFile:
    """A picture whose header is good."""
    whole = pictures.file(pictures.photo()).getvalue()
    return SimpleUploadedFile(name, whole[:33] + chunk(b"IDAT", bytes(4000)) + whole[-12:])


def on_disk() -> int:
    folder = Path(storages["uploads"].path("."))
    return sum(file.stat().st_size for file in folder.iterdir())


def test_pictures_that_nobody_paid_for_do_not_fill_the_disk(bob: Account, settings: Any) -> None:
    """The one unit that is left comes back with each batch, and the files of the others stayed: 2 GB a call."""
    bob.limit(quota=1)
    size = len(pictures.file(pictures.photo()).getvalue())
    settings.MAX_BATCH_BYTES = 3 * size
    for _ in range(4):
        files = [broken("0.png"), *(pictures.file(pictures.photo(), name=f"{number}") for number in (1, 2))]
        response = send(bob.client, images=files, partial="true", mask=None)
        assert (response.status_code, response.json()["failed"]) == (202, 2)
        work()

    errors = [item.error or {} for item in Item.objects.exclude(index=0).order_by("pk")]
    assert [error["code"] for error in errors] == ["quota_exceeded"] * 8
    assert ["not kept" in error["detail"] for error in errors] == [False] * 3 + [True] * 5
    assert on_disk() == 3 * size
    assert Upload.objects.count() == 3


def test_what_is_not_kept_cannot_be_tried_again(bob: Account, settings: Any) -> None:
    """Its mask, which others share, goes when they have ended."""
    bob.limit(quota=1)
    settings.MAX_BATCH_BYTES = 1
    batch = send(bob.client, partial="true").json()
    work()

    bob.limit(quota=2)
    again = bob.client.post(batch["links"]["retry"])
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_retry")
    assert bob.client.get(batch["links"]["self"]).json()["succeeded"] == 1
    assert not Upload.objects.exists()
    assert on_disk() == 0


def test_addresses_are_kept_however_much_has_failed(bob: Account, settings: Any) -> None:
    bob.limit(quota=1)
    settings.MAX_BATCH_BYTES = 0
    batch = bob.client.post(URL, {"image_urls": ["http://pictures.test/a"] * 3, "partial": "true"}).json()

    assert (batch["queued"], batch["failed"]) == (1, 2)
    assert Item.objects.filter(Item.CAN_BE_RETRIED).count() == 2


def test_the_copy_of_a_saved_mark_goes_with_the_last_picture_that_can_be_tried_again(alice: Account) -> None:
    """A batch of one damaged picture costs nothing, and kept a mark of up to 50 MB for a day."""
    response = send(alice.client, images=[broken("0.png")], mask=None, mark=save(alice.client).json()["id"])
    assert response.status_code == 202
    assert Upload.objects.filter(kind=Upload.Kind.MARK).exists()
    work()

    assert Item.objects.get().state == "failed"
    assert not Upload.objects.exists()
    assert on_disk() == 0


def test_thumbnails_take_no_room_from_calls(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """And are made once: eight connections that asked for one large picture's turned all calls away."""
    batch = send(alice.client).json()
    work()
    browser = Client()
    browser.force_login(alice.user)
    decode = MagicMock(side_effect=images.shrunk)
    monkeypatch.setattr("inpainting.admission.decoders", Room(0, most_waiting=0, wait=0))
    monkeypatch.setattr(images, "shrunk", decode)
    address = f"/batches/{batch['id']}/thumbnails/0"

    first, second = browser.get(address), browser.get(address)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    decode.assert_called_once()


def test_a_thumbnail_that_many_ask_for_at_once_is_made_once(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    send(alice.client)
    work()
    result = Result.objects.all()[0]
    monkeypatch.setattr(storage, "read_result", MagicMock(return_value=storage.read_result(result)))  # asks no database
    decode = MagicMock(side_effect=images.shrunk)
    monkeypatch.setattr(images, "shrunk", decode)

    with ThreadPoolExecutor(8) as visitors:
        assert len(set(visitors.map(thumbnails.of, [result] * 8))) == 1
    decode.assert_called_once()


def test_who_asks_for_too_many_thumbnails_hears_when_to_come_back(
    alice: Account, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    batch = send(alice.client).json()
    work()
    browser = Client()
    browser.force_login(alice.user)

    with busy(alice, monkeypatch):
        response = browser.get(f"/batches/{batch['id']}/thumbnails/0")

    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert not any(record.exc_info for record in caplog.records)


def test_a_key_from_a_wrong_address(alice: Account) -> None:
    _, secret = ApiKey.objects.issue(alice.user, "bound", networks=["203.0.113.0/24"])
    for method in ("get", "post", "options"):
        response = getattr(alice.client, method)(URL, headers={"X-API-Key": secret})
        assert (response.status_code, response.json()["code"]) == (403, "address_not_allowed"), method
