"""mark=ID on /inpaint, /inpaint-url and /inpaint-multipart, in place of a mask."""

from typing import Any

import numpy as np
import pytest
from django.test import Client

from inpainting.batches.work import Worker
from inpainting.models import Result
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.test_object_remover import content, upload
from tests.inpainting.saved_marks.logos import decibels
from tests.inpainting.saved_marks.test_api import LOGO, MARKED, PHOTO, PLACE, save

PATHS = ["/inpaint", "/inpaint-url", "/inpaint-multipart"]
BOX = (100, 50, 140, 80)  # left, top, right, bottom
LATER = {"Prefer": "respond-async"}


def call(client: Client, path: str, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    if path == "/inpaint-multipart":
        return client.post(path, {"image": pictures.file(MARKED), **fields}, headers=headers)
    id = upload(client, "image", pictures.file(MARKED)).json()["id"]
    return client.post(path, {"image_id": id, **fields}, "application/json", headers=headers)


def save_mask(client: Client) -> str:
    height, width = MARKED.shape[:2]
    mask = pictures.file(pictures.box_mask(width, height, BOX))
    id: str = save(client, kind="mask", image=mask).json()["id"]
    return id


def is_restored(file: bytes) -> bool:
    return decibels(pictures.pixels(file), PHOTO, 180, 190, LOGO) > 36


@pytest.mark.parametrize("path", PATHS)
def test_a_logo_is_taken_off(alice: Account, path: str) -> None:
    id = save(alice.client, **PLACE).json()["id"]

    response = call(alice.client, path, mark=id)

    assert response.status_code == 200, response.content
    assert is_restored(content(alice.client, response.json()["result"]))
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_mask_is_filled_and_nothing_else(alice: Account, path: str) -> None:
    response = call(alice.client, path, mark=save_mask(alice.client))

    changed = (pictures.pixels(content(alice.client, response.json()["result"])) != MARKED).any(2)
    rows, columns = np.nonzero(changed)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == pytest.approx(BOX, abs=1)


def test_later(alice: Account) -> None:
    id = save(alice.client, **PLACE).json()["id"]

    response = call(alice.client, "/inpaint-multipart", LATER, mark=id)
    assert response.status_code == 202, response.content
    alice.client.delete(f"/api/v1/marks/{id}")
    assert Worker().work_next()

    [item] = alice.client.get(response.json()["links"]["items"]).json()["results"]
    assert item["result"]["mask_source"] == "saved"
    assert is_restored(content(alice.client, item["result"]["url"].rpartition("/")[2]))


def test_a_repeat_gets_the_first_answer_charged_once(alice: Account) -> None:
    logo, mask, key = save(alice.client, **PLACE).json()["id"], save_mask(alice.client), {"Idempotency-Key": "once"}
    first, again = (call(alice.client, "/inpaint-multipart", key, mark=logo) for _ in range(2))

    assert again.json()["result"] == first.json()["result"]
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 1
    other = call(alice.client, "/inpaint-multipart", key, mark=mask)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


def test_a_repeat_of_remove_watermark_is_charged_once(alice: Account) -> None:
    logo, key = save(alice.client, **PLACE).json()["id"], {"Idempotency-Key": "once"}
    first, again = (
        alice.client.post("/api/v1/remove-watermark", {"image": pictures.file(MARKED), "mark": logo}, headers=key)
        for _ in range(2)
    )

    assert again["Idempotency-Replayed"] == "true"
    assert again.content == first.content
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 1


@pytest.mark.parametrize(
    ("fields", "code", "detail"),
    [
        ({"mask": True}, "invalid_request", "Send only one of mask and mark."),
        ({"mark": None}, "invalid_request", "mask: No mask was sent. Send one, or mark."),
        ({"invert_mask": "true"}, "invalid_request", "invert_mask: Only a mask that is sent can be inverted."),
    ],
)
def test_what_is_refused(alice: Account, fields: dict[str, Any], code: str, detail: str) -> None:
    asked = {"mark": save_mask(alice.client), **fields}
    if "mask" in fields:
        asked["mask"] = pictures.file(pictures.box_mask())

    response = call(alice.client, "/inpaint-multipart", **{name: value for name, value in asked.items() if value})

    assert (response.status_code, response.json()["code"], response.json()["detail"]) == (400, code, detail)
    assert not Result.objects.exists()


def test_anothers_and_a_visitors_mark_is_not_there(alice: Account, bob: Account, client: Client) -> None:
    id = save(alice.client, **PLACE).json()["id"]

    for stranger in (bob.client, client):
        response = call(stranger, "/inpaint-multipart", mark=id)
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
