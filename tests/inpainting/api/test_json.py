"""The fields of remove-watermark and detect as JSON, with base64 for files."""

import base64
import json
import textwrap
from typing import Any

import pytest
from django.test import Client

from accounts.models import Usage
from inpainting.batches.work import Worker
from tests import pictures
from tests.conftest import Account

DETECT, REMOVE = "/api/v1/detect", "/api/v1/remove-watermark"
PHOTO, MASK = (pictures.file(pixels).getvalue() for pixels in (pictures.photo(), pictures.box_mask()))
STANDARD = base64.b64encode(PHOTO).decode()
URL_SAFE = base64.urlsafe_b64encode(PHOTO).decode()
RECTANGLE = {"x": 30, "y": 20, "width": 20, "height": 16}


def send(client: Client, url: str = REMOVE, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    fields = {"image": STANDARD, "mask": base64.b64encode(MASK).decode(), **fields}
    given = {name: value for name, value in fields.items() if value is not None}
    return client.post(url, given, content_type="application/json", headers=headers)


def refused(response: Any, code: str, detail: str, status: int = 400) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code), response.json()
    assert detail in response.json()["detail"]
    assert "X-Credits-Charged" not in response


def form(client: Client) -> bytes:
    """What the same fields in a form are answered."""
    files = {"image": pictures.file(pictures.photo()), "mask": pictures.file(pictures.box_mask())}
    content: bytes = client.post(REMOVE, files).content
    return content


def test_it_works(alice: Account) -> None:
    response = send(alice.client)

    assert response["X-Mask-Source"] == "provided"
    assert response["X-Credits-Charged"] == "1"
    assert response.content == form(alice.client)


@pytest.mark.parametrize(
    "image",
    [
        STANDARD.rstrip("="),
        URL_SAFE,
        URL_SAFE.rstrip("="),
        "\r\n".join(textwrap.wrap(STANDARD, 76)) + "\n",
        f"data:image/png;base64,{STANDARD}",
        f"DATA:;BASE64,{URL_SAFE}",
        f"data:image/png;name=a.png;base64,{STANDARD}",
    ],
)
def test_base64_as_programs_write_it(alice: Account, image: str) -> None:
    assert send(alice.client, image=image).content == form(alice.client)


def test_the_picture_of_these_tests_tells_the_alphabets_apart() -> None:
    assert STANDARD != URL_SAFE
    assert STANDARD.endswith("=")


@pytest.mark.parametrize(
    "image",
    [
        "a",
        "aaaaa",
        "aaa=aaaa",
        "aa$a",
        "é",
        "data:image/png,abcd",
        "data:;base64",
        "https://example.org/a.png",
        7,
        True,
        [],
    ],
)
def test_what_is_no_base64(alice: Account, image: Any) -> None:
    refused(send(alice.client, image=image), "invalid_request", "image: Base64, or a data URI")
    refused(send(alice.client, mask=image), "invalid_request", "mask: Base64, or a data URI")


@pytest.mark.parametrize("image", ["data:;base64,", "aaaa"])
def test_base64_of_no_picture(alice: Account, image: str) -> None:
    refused(send(alice.client, image=image), "invalid_image", "")
    refused(send(alice.client, mask=image), "invalid_mask", "")


def test_rectangles_as_a_list(alice: Account) -> None:
    response = send(alice.client, mask=None, rectangles=[RECTANGLE])

    assert response["X-Mask-Source"] == "rectangles"
    assert response.content == form(alice.client)
    assert send(alice.client, mask=None, rectangles=json.dumps([RECTANGLE])).content == response.content


@pytest.mark.parametrize(
    ("rectangles", "code"),
    [
        ([], "empty_mask"),
        ([{}], "invalid_mask"),
        ([[[]]], "invalid_mask"),
        ({"x": 1}, "invalid_request"),
        ([RECTANGLE] * 2000, "invalid_request"),
        (True, "invalid_request"),
        (None, None),
    ],
)
def test_rectangles_that_are_none(alice: Account, rectangles: Any, code: str | None) -> None:
    body = json.dumps({"image": STANDARD, "rectangles": rectangles})
    response = alice.client.post(REMOVE, body, content_type="application/json")

    refused(response, code or "invalid_request", "")


@pytest.mark.parametrize("depth", range(600, 1000, 25))
def test_nesting_that_is_just_readable(alice: Account, depth: int) -> None:
    body = b'{"image": "aaaa", "rectangles": ' + b"[" * depth + b"]" * depth + b"}"
    response = alice.client.generic("POST", REMOVE, body, "application/json", headers={"Idempotency-Key": "a"})

    assert response.status_code == 400, response.content


def test_numbers_and_truths(alice: Account) -> None:
    wider = send(alice.client, grow=2, format="webp", metadata="keep", mode="repaint", model="patchmatch")

    assert (wider.status_code, wider["X-Mask-Coverage"]) == (200, f"{24 * 20 / (96 * 64):.4f}")
    told = send(alice.client, DETECT, mask=None, proposals=True, marked=False).json()
    assert "proposals" in told


def test_detect(alice: Account) -> None:
    as_form = alice.client.post(DETECT, {"image": pictures.file(pictures.photo())})

    assert send(alice.client, DETECT, mask=None).json() == as_form.json()


@pytest.mark.parametrize(
    ("fields", "code", "detail"),
    [
        ({"masks": "a"}, "unknown_field", "Did you mean 'mask'?"),
        ({"mask": ""}, "invalid_request", "mask: The field is empty"),
        ({"image_url": ""}, "invalid_request", "image_url: The field is empty"),
        ({"image": None}, "invalid_request", "Send either image or image_url."),
        ({"image_url": "https://example.org/"}, "invalid_request", "Send either image or image_url."),
        (
            {"mask_url": "https://example.org/"},
            "invalid_request",
            "Send only one of mask, mask_url, rectangles and mark.",
        ),
        ({"rectangles": [RECTANGLE]}, "invalid_request", "Send only one of mask, mask_url, rectangles and mark."),
        ({"mask": None, "mask_url": "a" * 5000}, "invalid_request", "mask_url: Ensure"),
        ({"mask": None, "mask_url": {}}, "invalid_request", "mask_url: Not a valid string."),
        ({"grow": 65}, "invalid_request", "grow"),
        ({"grow": [1]}, "invalid_request", "grow"),
        ({"model": {}}, "invalid_request", "model"),
    ],
)
def test_fields_that_cannot_be(alice: Account, fields: dict[str, Any], code: str, detail: str) -> None:
    refused(send(alice.client, **fields), code, detail)


@pytest.mark.parametrize("url", [DETECT, REMOVE])
@pytest.mark.parametrize("body", ["[]", "7", "null", '"a"', "{}", "", "{", '[{"image": 1}]'])
def test_bodies_that_cannot_be(alice: Account, url: str, body: str) -> None:
    response = alice.client.generic("POST", url, body.encode(), "application/json", headers={"Idempotency-Key": "a"})

    assert response.status_code == 400
    assert response.json()["code"] in ("invalid_request", "parse_error")


def test_text_in_a_form_is_no_file(alice: Account) -> None:
    response = alice.client.post(REMOVE, {"image": STANDARD})

    refused(response, "invalid_request", "image: A file is expected, not text.")


def test_the_plans_limit_is_of_what_is_decoded(alice: Account) -> None:
    alice.limit(max_file_bytes=len(PHOTO))
    assert send(alice.client).status_code == 200

    alice.limit(max_file_bytes=len(PHOTO) - 1)
    refused(send(alice.client), "image_too_large", "Max size")


def test_two_of_the_largest_files(alice: Account) -> None:
    """They are read, and refused for what is in them; what is larger is not even read."""
    largest = base64.b64encode(bytes(10 << 20)).decode()
    refused(send(alice.client, image=largest, mask=largest), "invalid_image", "")

    response = send(alice.client, image=largest, mask=largest, rectangles="a" * (2 << 20))
    refused(response, "body_too_large", "28MB", status=413)
    twice = pictures.file(pictures.photo()).getvalue() + bytes(22 << 20)
    refused(
        alice.client.post(REMOVE, twice, content_type="multipart/form-data; boundary=x"), "body_too_large", "21MB", 413
    )


def test_a_repeat(alice: Account) -> None:
    first, again = (send(alice.client, headers={"Idempotency-Key": "order-7"}) for _ in range(2))

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert Usage.objects.count() == 1
    other = send(alice.client, headers={"Idempotency-Key": "order-7"}, grow=1)
    refused(other, "idempotency_key_reused", "", status=422)


def test_it_can_be_answered_later(alice: Account) -> None:
    response = send(alice.client, headers={"Prefer": "respond-async"}, mask=None, rectangles=[RECTANGLE])
    assert response.status_code == 202, response.content
    assert Worker().work_next()

    (item,) = alice.client.get(response.json()["links"]["items"]).json()["results"]
    assert (item["name"], item["status"]) == ("image", "succeeded")
