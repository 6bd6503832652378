"""/api/v1/batch as JSON: the fields of a form, files as base64."""

import base64
import json
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.test import Client

from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.test_batch import MASK, PHOTO, URL, members, refused, work, zipped


def encoded(pixels: Any) -> str:
    return base64.b64encode(pictures.file(pixels).getvalue()).decode()


def send(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    fields = {"images": [encoded(PHOTO), f"data:image/png;base64,{encoded(PHOTO[::-1])}"], **fields}
    body = {name: value for name, value in fields.items() if value is not None}
    return client.post(URL, body, content_type="application/json", headers=headers)


def test_it_works(alice: Account) -> None:
    response = send(alice.client, mask=encoded(MASK), metadata={"order": 7}, partial=True, grow=1, format="jpeg")
    assert response.status_code == 202, response.content
    batch = response.json()
    assert (batch["total"], batch["metadata"]) == (2, {"order": 7})

    work()
    files = members(alice.client.get(batch["links"]["results"]))
    alone = alice.client.post(
        "/api/v1/remove-watermark",
        {"image": pictures.file(PHOTO), "mask": pictures.file(MASK), "grow": 1, "format": "jpeg"},
    )
    assert list(files) == ["image-0.jpeg", "image-1.jpeg"]
    assert files["image-0.jpeg"] == alone.content


def test_masks_and_rectangles(alice: Account) -> None:
    small = pictures.box_mask(box=(30, 20, 40, 28))
    first = send(alice.client, masks=[encoded(MASK), encoded(small)]).json()
    second = send(alice.client, rectangles=[{"x": 8, "y": 8, "width": 10, "height": 4}]).json()
    work()

    coverages = [
        round(item["result"]["coverage"] * 96 * 64)
        for batch in (first, second)
        for item in alice.client.get(batch["links"]["items"]).json()["results"]
    ]
    assert coverages == [320, 80, 40, 40]


def test_an_archive(alice: Account) -> None:
    archive = zipped({"b.png": pictures.file(PHOTO).getvalue(), "b_mask.png": pictures.file(MASK).getvalue()})
    batch = send(alice.client, images=None, archive=base64.b64encode(archive.read()).decode()).json()
    work()

    result = pictures.pixels(members(alice.client.get(batch["links"]["results"]))["b.png"])
    np.testing.assert_array_equal(result[MASK == 0], PHOTO[MASK == 0])


def test_a_repeat_is_the_same_batch(alice: Account) -> None:
    key = {"Idempotency-Key": "order-7"}
    first, again = (send(alice.client, key, metadata={"order": 7}) for _ in range(2))

    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert send(alice.client, key, metadata={"order": 8}).status_code == 422


def test_a_body_of_json_is_no_larger_than_a_single_calls(alice: Account) -> None:
    too_large = settings.MAX_FILE_BYTES * 2 * 4 // 3 + (2 << 20)
    headers = {"Content-Length": str(too_large)}

    refused(alice.client.post(URL, b"{}", "application/json", headers=headers), 413, "body_too_large")


PICTURE = encoded(PHOTO)


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"images": None}, "one of images, image_urls and archive"),
        ({"images": []}, "one of images, image_urls and archive"),
        ({"images": PICTURE}, "images: Expected a list"),
        ({"images": {"a": PICTURE}}, "images: Expected a list"),
        ({"images": [None]}, "images[0]: "),
        ({"images": [PICTURE, 7]}, "images[1]: Base64"),
        ({"images": [[PICTURE]]}, "images[0]: Base64"),
        ({"images": ["data:image/png;base64"]}, "images[0]: Base64"),
        ({"images": ["data:image/png,abc"]}, "images[0]: Base64"),
        ({"images": ["é"]}, "images[0]: Base64"),
        ({"images": ["A"]}, "images[0]: Base64"),
        ({"images": [""]}, "image-0"),
        ({"images": ["aGVsbG8="]}, "image-0"),
        ({"image_urls": ["http://pictures.test/"]}, "one of images, image_urls and archive"),
        ({"archive": "UEs="}, "one of images, image_urls and archive"),
        ({"images": None, "archive": "UEs="}, "no ZIP file"),
        ({"images": None, "archive": ["UEs="]}, "archive: Base64"),
        ({"images": None, "image_urls": "http://pictures.test/"}, "image_urls: Expected a list"),
        ({"images": None, "image_urls": [["http://pictures.test/"]]}, "image_urls[0]: "),
        ({"images": None, "image_urls": [7]}, "image_urls[0]: "),
        ({"images": None, "image_urls": ["http://pictures.test/\0"]}, "image_urls[0]: "),
        ({"mask": [PICTURE]}, "mask: Base64"),
        ({"mask": PICTURE, "mask_url": "http://pictures.test/"}, "only one of mask"),
        ({"masks": PICTURE}, "masks: Expected a list"),
        ({"masks": [PICTURE]}, "masks for each"),
        ({"metadata": [1]}, "JSON object"),
        ({"metadata": "text"}, "JSON object"),
        ({"partial": "perhaps"}, "partial: "),
        ({"webhook_url": ["https://a.test/"]}, "webhook_url: "),
        ({"image": PICTURE}, "no field 'image'"),
    ],
)
def test_what_is_refused(alice: Account, fields: dict[str, Any], part: str) -> None:
    response = send(alice.client, {"Idempotency-Key": "a"}, **fields)

    refused(response, 400, response.json()["code"], part)


@pytest.mark.parametrize("body", ["[]", "7", "null", '"images"', "[" * 9999, "{", '{"images": ["\\ud800"]}', ""])
def test_what_is_no_object(alice: Account, body: str) -> None:
    response = alice.client.generic("POST", URL, body, "application/json", headers={"Idempotency-Key": "a"})

    refused(response, 400, response.json()["code"])
    assert response.json()["code"] in ("invalid_request", "parse_error")
    assert json.loads(response.content)["request_id"]
