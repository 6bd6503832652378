"""image_url and mask_url: pictures that the service fetches. What may be fetched: tests/config/test_fetching.py."""

from typing import Any

import pytest
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from accounts.models import Usage
from config import fetching
from inpainting.batches.models import Batch
from inpainting.batches.work import Worker
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.conftest import PHOTO
from tests.web import Web

DETECT, REMOVE = "/api/v1/detect", "/api/v1/remove-watermark"


def send(client: Client, url: str = REMOVE, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    return client.post(url, fields, headers=headers)


def refused(response: Any, code: str, detail: str, status: int = 400) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert detail in response.json()["detail"]
    assert "X-Credits-Charged" not in response
    assert response["X-Quota-Remaining"] == "20000"
    assert not Usage.objects.filter(charged__gt=0).exists()


@pytest.mark.parametrize("type", [MULTIPART_CONTENT, "application/json"])
def test_it_works(alice: Account, web: Web, type: str) -> None:
    fields = {"image_url": web.url("/photo"), "mask_url": web.url("/mask")}
    response = alice.client.post(REMOVE, fields, content_type=type)

    assert response.status_code == 200, response.content
    assert (response["X-Mask-Source"], response["X-Mask-Coverage"]) == ("provided", "0.0521")
    assert response["X-Credits-Charged"] == "1"
    as_form = send(alice.client, image=pictures.file(pictures.photo()), mask=pictures.file(pictures.box_mask()))
    assert response.content == as_form.content


def test_one_from_an_address_and_one_from_a_file(alice: Account, web: Web) -> None:
    first = send(alice.client, image_url=web.url("/photo"), mask=pictures.file(pictures.box_mask()))
    second = send(alice.client, image=pictures.file(pictures.photo()), mask_url=web.url("/mask"))

    assert first.status_code == 200
    assert first.content == second.content


def test_detect(alice: Account, web: Web) -> None:
    as_form = send(alice.client, DETECT, image=pictures.file(pictures.photo()))

    assert send(alice.client, DETECT, image_url=web.url("/photo")).json() == as_form.json()


@pytest.mark.parametrize("url", [DETECT, REMOVE])
def test_what_may_not_be_fetched(alice: Account, url: str) -> None:
    response = send(alice.client, url, image_url="http://169.254.169.254/latest/meta-data/?a=secret")

    refused(response, "url_not_allowed", "image_url: Only addresses on the public internet are allowed.")
    assert "169" not in response.json()["detail"]


def test_a_mask_that_is_not_there(alice: Account, web: Web) -> None:
    response = send(alice.client, image_url=web.url("/photo"), mask_url=web.url("/none"))

    refused(response, "url_unreachable", "mask_url: The address's server answered 404.")


def test_the_plans_limit(alice: Account, web: Web) -> None:
    alice.limit(max_file_bytes=len(PHOTO) - 1)

    refused(send(alice.client, image_url=web.url("/photo")), "url_too_large", "image_url: What lies at the address")


def test_a_page_is_no_picture(alice: Account, web: Web) -> None:
    refused(send(alice.client, image_url=web.put("/page", b"<!doctype html>")), "invalid_image", "")
    response = send(alice.client, image_url=web.url("/photo"), mask_url=web.url("/page"))
    refused(response, "invalid_mask", "")


def test_as_many_as_may_be_fetched_at_once(alice: Account, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bytes:
        raise fetching.TooManyFetches

    monkeypatch.setattr(fetching, "get", full)
    response = send(alice.client, image_url=web.url("/photo"))

    refused(response, "busy", "fetching", status=503)
    assert response["Retry-After"] == "2"


def test_rate_comes_first(bob: Account, web: Web) -> None:
    answers = [send(bob.client, image_url=web.url("/none")).status_code for _ in range(6)]

    assert answers == [400] * 5 + [429]
    assert len(web.heads) == 5


def test_without_a_key_nothing_is_fetched(public: Client, web: Web) -> None:
    assert send(public, image_url=web.url("/photo")).status_code == 401
    assert not web.heads


def test_a_repeat_is_of_the_fields_as_they_were_sent(alice: Account, web: Web) -> None:
    fields = {"image_url": web.url("/photo?1"), "mask_url": web.url("/mask")}
    first, again = (send(alice.client, headers={"Idempotency-Key": "order-7"}, **fields) for _ in range(2))

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    fields["image_url"] = web.url("/photo?2")
    assert send(alice.client, headers={"Idempotency-Key": "order-7"}, **fields).status_code == 422


@pytest.mark.parametrize("type", [MULTIPART_CONTENT, "application/json"])
@pytest.mark.parametrize("changed", ["image", "mask"])
def test_another_file_at_the_same_address_is_another_request(alice: Account, web: Web, changed: str, type: str) -> None:
    """Otherwise all pictures but the first would be free."""
    mask = pictures.file(pictures.box_mask()).getvalue()
    fields = {"image_url": web.put("/image", PHOTO), "mask_url": web.put("/file", mask)}
    key = {"Idempotency-Key": "one"}

    def ask() -> Any:
        return alice.client.post(REMOVE, fields, content_type=type, headers=key)

    assert ask()["X-Credits-Charged"] == "1"
    other = {"image": pictures.photo()[::-1], "mask": pictures.box_mask()[::-1]}[changed]
    web.put("/image" if changed == "image" else "/file", pictures.file(other).getvalue())
    again = ask()

    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")
    assert Usage.objects.filter(charged__gt=0).count() == 1
    web.put("/image", PHOTO)
    web.put("/file", mask)
    assert ask()["Idempotency-Replayed"] == "true"


def test_a_repeat_of_a_batch_is_not_fetched_again(alice: Account, web: Web) -> None:
    headers = {"Prefer": "respond-async", "Idempotency-Key": "one"}
    address = web.put("/image", PHOTO)
    first = send(alice.client, headers=headers, image_url=address)
    web.put("/image", b"another")
    again = send(alice.client, headers=headers, image_url=address)

    assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert len(web.heads) == 1


def test_it_is_fetched_once_and_answered_later(alice: Account, web: Web) -> None:
    response = send(
        alice.client, headers={"Prefer": "respond-async"}, image_url=web.url("/photo"), mask_url=web.url("/mask")
    )
    assert response.status_code == 202, response.content
    assert Worker().work_next()

    assert len(web.heads) == 2
    (item,) = alice.client.get(response.json()["links"]["items"]).json()["results"]
    assert (item["name"], item["status"]) == ("image", "succeeded")
    assert item["result"]["coverage"] == pytest.approx(20 * 16 / (96 * 64))


def test_what_cannot_be_fetched_is_not_answered_later(alice: Account, web: Web) -> None:
    response = send(alice.client, headers={"Prefer": "respond-async"}, image_url=web.url("/none"))

    refused(response, "url_unreachable", "404")
    assert not Batch.objects.exists()


@pytest.mark.parametrize("path", ["/upload-image", "/inpaint-multipart"])
def test_the_object_remover_surface_has_none(public: Client, web: Web, path: str) -> None:
    assert send(public, path, image_url=web.url("/photo")).json()["code"] in ("unknown_field", "invalid_request")
    assert not web.heads
