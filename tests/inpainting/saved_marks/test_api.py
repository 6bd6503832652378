"""/api/v1/marks, and mark=ID of remove-watermark and batch."""

import io
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.test import Client
from PIL import Image
from pytest_django import Settings

from inpainting.batches.work import Worker
from inpainting.models import SavedMark, Upload
from inpainting.reconciliation import Reconciled, reconcile
from tests import pictures
from tests.conftest import Account
from tests.inpainting.saved_marks.logos import decibels, laid, logo, photo

URL, CLEAN, BATCH = "/api/v1/marks", "/api/v1/remove-watermark", "/api/v1/batch"
LOGO, PHOTO = logo(), photo()
MARKED = laid(PHOTO, LOGO, 180, 190, 0.5)
PLACE = {"x": 190, "y": 180, "picture_width": 320, "picture_height": 240}


def save(client: Client, **fields: Any) -> Any:
    asked = {"name": "Our logo", "kind": "logo", "image": pictures.file(Image.fromarray(LOGO)), **fields}
    return client.post(URL, {name: value for name, value in asked.items() if value is not None})


def test_it_works(alice: Account) -> None:
    made = save(alice.client, **PLACE)
    assert made.status_code == 201

    response = alice.client.post(CLEAN, {"image": pictures.file(MARKED), "mark": made.json()["id"]})

    assert response.status_code == 200, response.content
    assert (response["X-Mask-Source"], response["X-Mark-Repair"]) == ("saved", "restored")
    assert decibels(pictures.pixels(response.content), PHOTO, 180, 190, LOGO) > 36


def test_a_logo_that_does_not_fit_is_repainted(alice: Account) -> None:
    id = save(alice.client, **PLACE).json()["id"]

    response = alice.client.post(CLEAN, {"image": pictures.file(PHOTO), "mark": id})

    assert response["X-Mark-Repair"] == "repainted"
    changed = (pictures.pixels(response.content) != PHOTO).any(2)
    assert changed.any()
    assert not changed[:170].any()


@pytest.mark.parametrize(("anchor", "left"), [("top-right", 192 - 26), ("top-left", 70), ("whole", 140)])
def test_a_mask_of_a_smaller_picture(alice: Account, anchor: str, left: int) -> None:
    """By pixels it keeps its distance from its anchor; as a whole it grows with the picture."""
    mask = pictures.file(pictures.box_mask(96, 64, (70, 10, 90, 20)))
    scaling = {} if anchor == "whole" else {"scaling": "pixels"}
    made = save(alice.client, kind="mask", image=mask, anchor=anchor, **scaling)
    large = pictures.photo(192, 128)

    response = alice.client.post(CLEAN, {"image": pictures.file(large), "mark": made.json()["id"]})

    assert response["X-Mask-Source"] == "saved"
    assert "X-Mark-Repair" not in response
    columns = np.flatnonzero((pictures.pixels(response.content) != large).any((0, 2)))
    assert left <= columns[0] <= left + 1


def test_listing_renaming_reading_deleting(alice: Account) -> None:
    made = save(alice.client, opacity="0.5").json()
    one = f"{URL}/{made['id']}"

    assert alice.client.patch(one, {"name": "New"}, content_type="application/json").json()["name"] == "New"
    assert alice.client.get(URL).json()["results"] == [alice.client.get(one).json()]
    assert Image.open(io.BytesIO(alice.client.get(f"{one}/file").content)).mode == "RGBA"
    assert alice.client.delete(one).status_code == 204
    assert alice.client.get(one).status_code == 404
    assert storages["marks"].listdir("")[1] == []


def test_anothers_mark_is_not_there(alice: Account, bob: Account) -> None:
    id = save(alice.client).json()["id"]

    assert bob.client.get(URL).json()["results"] == []
    for response in (
        bob.client.get(f"{URL}/{id}"),
        bob.client.delete(f"{URL}/{id}"),
        bob.client.post(CLEAN, {"image": pictures.file(MARKED), "mark": id}),
    ):
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert SavedMark.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"image": pictures.file(PHOTO)}, "invalid_mark"),
        ({"kind": "mask", "image": pictures.file(np.zeros((9, 9), np.uint8))}, "empty_mask"),
        ({"image": io.BytesIO(b"no picture")}, "invalid_image"),
        ({"x": 3}, "invalid_request"),
        ({"kind": "mask", "opacity": "0.5"}, "invalid_request"),
        ({"opacity": "2"}, "invalid_request"),
        ({"name": None}, "invalid_request"),
        ({"odd": "1"}, "unknown_field"),
    ],
)
def test_what_is_refused(alice: Account, fields: dict[str, Any], code: str) -> None:
    for value in fields.values():
        if isinstance(value, io.BytesIO):
            value.seek(0)
    response = save(alice.client, **fields)

    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not SavedMark.objects.exists()


def test_limits(alice: Account, settings: Settings) -> None:
    settings.MAX_SAVED_MARKS = 1
    save(alice.client)
    assert save(alice.client).json()["code"] == "too_many_marks"

    settings.MAX_SAVED_MARKS, settings.MAX_SAVED_MARK_BYTES = 2, 100
    assert save(alice.client).json()["code"] == "too_many_marks"
    assert SavedMark.objects.count() == 1


def test_only_one_way_to_say_what_goes(alice: Account) -> None:
    id = save(alice.client).json()["id"]
    mask = pictures.file(pictures.box_mask())

    response = alice.client.post(CLEAN, {"image": pictures.file(PHOTO), "mark": id, "mask": mask})

    assert response.json()["detail"] == "Send only one of mask, mask_url, rectangles and mark."


def test_a_batch_goes_on_without_a_mark_that_was_deleted(alice: Account) -> None:
    id = save(alice.client, **PLACE).json()["id"]
    sent = [pictures.file(MARKED, name=f"{number}") for number in range(2)]
    batch = alice.client.post(BATCH, {"images": sent, "mark": id}).json()
    alice.client.delete(f"{URL}/{id}")

    worker = Worker()
    while worker.work_next():
        pass

    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [item["result"]["mask_source"] for item in items] == ["saved"] * 2
    made = pictures.pixels(alice.client.get(items[0]["result"]["url"]).getvalue())
    assert decibels(made, PHOTO, 180, 190, LOGO) > 36
    assert not Upload.objects.exists()  # the copy goes with the last picture


def test_a_deleted_account_leaves_no_file(alice: Account) -> None:
    save(alice.client)
    alice.user.delete()

    assert storages["marks"].listdir("")[1] == []


def test_reconciliation_keeps_it(alice: Account) -> None:
    save(alice.client)

    assert reconcile() == Reconciled(files=0, rows=0)
    assert SavedMark.objects.count() == 1
