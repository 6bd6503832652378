"""Prefer: respond-async on the object remover surface: a batch of one, whose mask means what it means there."""

import io
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from inpainting.batches.models import Batch
from inpainting.batches.work import Worker
from inpainting.models import Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.test_object_remover import MASK, PHOTO, content, upload_both
from tests.inpainting.api.test_remove_watermark import refused

LATER = {"Prefer": "respond-async"}


def call(client: Client, path: str, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    if path == "/inpaint-multipart":
        files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
        return client.post(path, {**files, **fields}, headers=headers)
    return client.post(path, {**upload_both(client), **fields}, "application/json", headers=headers)


def worked(client: Client, response: Any) -> bytes:
    """The file of a batch's only picture, once that is done."""
    assert (response.status_code, response["Preference-Applied"]) == (202, "respond-async"), response.content
    assert Worker().work_next()
    assert client.get(response["Location"]).json()["status"] == "succeeded"
    (item,) = client.get(response.json()["links"]["items"]).json()["results"]
    return content(client, item["result"]["url"].rpartition("/")[2])


@pytest.mark.parametrize("path", ["/inpaint", "/inpaint-url", "/inpaint-multipart"])
def test_it_works(alice: Account, path: str) -> None:
    at_once = call(alice.client, path, metadata="keep").json()["result"]
    later = call(alice.client, path, LATER, metadata="keep")

    assert worked(alice.client, later) == content(alice.client, at_once)
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 2


def alpha_mask() -> SimpleUploadedFile:
    """Its hole is where it is transparent; v1 would take what is white and opaque."""
    rgba = np.full((*MASK.shape, 4), 255, np.uint8)
    rgba[..., 3] = 255 - MASK
    buffer = io.BytesIO()
    Image.fromarray(rgba).save(buffer, "PNG")
    return SimpleUploadedFile("mask.png", buffer.getvalue())


@pytest.mark.parametrize("fields", [{}, {"grow": 3}, {"invert_mask": "true"}])
def test_the_mask_is_read_as_at_once(alice: Account, fields: dict[str, Any]) -> None:
    at_once = call(alice.client, "/inpaint-multipart", mask=alpha_mask(), **fields).json()["result"]
    later = call(alice.client, "/inpaint-multipart", LATER, mask=alpha_mask(), **fields)

    assert worked(alice.client, later) == content(alice.client, at_once)


@pytest.mark.parametrize(
    ("mask", "fields", "code"),
    [
        (np.zeros_like(MASK), {}, "empty_mask"),
        (MASK, {"grow": 64}, "mask_covers_everything"),
    ],
)
def test_what_is_wrong_is_said_at_once(alice: Account, mask: Any, fields: dict[str, Any], code: str) -> None:
    refused(call(alice.client, "/inpaint-multipart", LATER, mask=pictures.file(mask), **fields), 400, code)
    assert not Batch.objects.exists() | Upload.objects.exists()


def test_a_repeat_is_the_same_batch(alice: Account) -> None:
    headers = {**LATER, "Idempotency-Key": "k"}
    first, again = (call(alice.client, "/inpaint-multipart", headers) for _ in range(2))

    assert again.json()["id"] == first.json()["id"]


def test_without_an_account_it_is_answered_at_once(public: Client) -> None:
    """RFC 7240: a preference that cannot be met is ignored, and Preference-Applied does not tell of it."""
    response = call(public, "/inpaint-multipart", LATER)

    assert (response.status_code, set(response.json())) == (200, {"result", "url"})
    assert "Preference-Applied" not in response
    assert not Batch.objects.exists()
