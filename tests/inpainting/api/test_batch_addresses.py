"""/api/v1/batch with addresses: pictures are fetched when their turn comes, a mask at once."""

from typing import Any

import pytest
from django.test import Client
from django.test.client import MULTIPART_CONTENT

from accounts.models import Usage
from config import fetching
from inpainting.batches import claims
from inpainting.batches.models import Item
from inpainting.batches.work import Worker
from inpainting.models import Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.conftest import PHOTO
from tests.inpainting.api.test_batch import URL, members, refused, work
from tests.web import Web

JSON = "application/json"


def send(client: Client, *urls: str, type: str = MULTIPART_CONTENT, **fields: Any) -> Any:
    return client.post(URL, {"image_urls": list(urls), **fields}, content_type=type)


def fetch() -> None:
    worker = Worker(claims.FETCH)
    while worker.work_next():
        pass


def items(client: Client, batch: Any) -> Any:
    return client.get(batch["links"]["items"]).json()["results"]


@pytest.mark.parametrize("type", [MULTIPART_CONTENT, JSON])
def test_it_works(alice: Account, web: Web, type: str) -> None:
    web.put("/a%20b.jpg", PHOTO)
    response = send(alice.client, web.url("/a%20b.jpg?key=1"), web.url("/photo"), mask_url=web.url("/mask"), type=type)

    assert response.status_code == 202, response.content
    assert [head.split()[1] for head in web.heads] == ["/mask"]
    assert not Worker().work_next()  # there is nothing to work on yet
    fetch()
    assert not Item.objects.exclude(image_url="").exists()  # an address is kept no longer than it is needed
    work()

    batch = alice.client.get(response["Location"]).json()
    assert (batch["status"], batch["succeeded"]) == ("succeeded", 2)
    assert [item["name"] for item in items(alice.client, batch)] == ["a b.jpg", "photo"]
    files = members(alice.client.get(batch["links"]["results"]))
    at_once = alice.client.post(
        "/api/v1/remove-watermark",
        {"image": pictures.file(pictures.photo()), "mask": pictures.file(pictures.box_mask())},
    )
    assert files == {"a b.png": at_once.content, "photo.png": at_once.content}
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 3
    assert not Upload.objects.exists()


def test_masks_by_order(alice: Account, web: Web) -> None:
    masks = [pictures.file(pictures.box_mask(box=box)) for box in ((30, 20, 50, 36), (30, 20, 40, 28))]
    batch = send(alice.client, web.url("/photo"), web.url("/photo"), masks=masks).json()
    fetch()
    work()

    assert [round(item["result"]["coverage"] * 96 * 64) for item in items(alice.client, batch)] == [320, 80]


@pytest.mark.parametrize(
    ("urls", "code", "part"),
    [
        (["ftp://127.0.0.9/"], "url_not_allowed", "image_urls[0]: Only http"),
        (
            ["http://pictures.test/", "http://169.254.169.254/secret"],
            "url_not_allowed",
            "image_urls[1]: Only addresses",
        ),
        (["http://[::1]/"], "url_not_allowed", "public internet"),
        (["http://1.1.1.1:22/"], "url_not_allowed", "ports"),
        (["http://a:b@pictures.test/"], "url_not_allowed", "user name"),
        (["http://pictures.test/" + "a" * 5000], "invalid_request", "image_urls[0]: "),
        ([""], "invalid_request", "image_urls"),
        ([], "invalid_request", "one of images, image_urls and archive"),
        (["http://pictures.test/"] * 1001, "batch_too_large", "may have"),
    ],
)
@pytest.mark.parametrize("type", [MULTIPART_CONTENT, JSON])
def test_what_is_refused_before_anything_is_stored(
    alice: Account, urls: list[str], code: str, part: str, type: str
) -> None:
    response = send(alice.client, *urls, type=type)

    refused(response, 400, code, part)
    assert "169" not in response.json()["detail"]


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [({"batch_size": 1}, 400, "batch_too_large"), ({"quota": 1}, 429, "quota_exceeded")],
)
def test_nothing_is_fetched_for_a_batch_that_cannot_be(
    alice: Account, web: Web, limits: dict[str, int], status: int, code: str
) -> None:
    alice.limit(**limits)
    urls = [web.url("/photo")] * 2
    answer = send(alice.client, *urls, mask_url=web.url("/mask"))

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not web.heads


def test_nothing_is_fetched_for_a_picture_that_no_quota_is_left_for(alice: Account, web: Web) -> None:
    alice.limit(quota=0)
    address = {"image_url": web.url("/photo")}
    answer = alice.client.post("/api/v1/remove-watermark", address, headers={"Prefer": "respond-async"})

    assert (answer.status_code, answer.json()["code"]) == (429, "quota_exceeded")
    assert not web.heads


def test_a_mask_that_is_not_there(alice: Account, web: Web) -> None:
    refused(send(alice.client, web.url("/photo"), mask_url=web.url("/none")), 400, "url_unreachable", "mask_url: ")


def test_what_cannot_be_fetched_fails_alone_and_can_be_tried_again(alice: Account, web: Web) -> None:
    alice.limit(max_file_bytes=len(PHOTO))
    web.put("/large", PHOTO + b"0")
    web.put("/page", b"<!doctype html>")
    web.put("/inside", b"", "302 Found", Location="http://127.0.0.1/")
    addresses = [web.url("/none"), web.url("/inside"), web.url("/large"), web.url("/page"), web.url("/photo")]
    batch = send(alice.client, *addresses, rectangles='[{"x": 8, "y": 8, "width": 9, "height": 9}]').json()
    fetch()
    work()

    errors = [item["error"] and item["error"]["code"] for item in items(alice.client, batch)]
    assert errors == ["url_unreachable", "url_not_allowed", "url_too_large", "invalid_image", None]
    answer = alice.client.get(batch["links"]["self"])
    assert answer["X-Quota-Remaining"] == "19999"
    assert set(Usage.objects.values_list("charged", flat=True)) == {0, 1}

    web.put("/none", PHOTO)
    assert alice.client.post(batch["links"]["retry"]).json()["queued"] == 4
    fetch()
    work()
    assert items(alice.client, batch)[0]["status"] == "succeeded"


def test_a_plans_side_holds_for_what_is_fetched(alice: Account, web: Web) -> None:
    alice.limit(max_side=90)
    batch = send(alice.client, web.url("/photo")).json()
    fetch()

    assert items(alice.client, batch)[0]["error"]["code"] == "image_too_large"


def test_no_place_to_fetch_is_no_failure(alice: Account, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "EACH", 0)
    batch = send(alice.client, web.url("/photo")).json()
    assert Worker(claims.FETCH).work_next()

    assert items(alice.client, batch)[0]["status"] == "queued"
    assert not Worker(claims.FETCH).work_next()  # for two seconds
    assert not web.heads


def test_cancelling_forgets_the_addresses(alice: Account, web: Web) -> None:
    batch = send(alice.client, web.url("/none"), web.url("/photo")).json()
    assert Worker(claims.FETCH).work_next()
    alice.client.delete(batch["links"]["self"])

    assert not Item.objects.exclude(image_url="").exists()
    assert not Worker(claims.FETCH).work_next()
    again = alice.client.post(batch["links"]["retry"])
    assert (again.status_code, again.json()["code"]) == (409, "nothing_to_retry")


def test_a_batch_that_is_cancelled_while_it_is_fetched(
    alice: Account, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch, get = send(alice.client, web.url("/photo")).json(), fetching.get

    def cancelled_meanwhile(*arguments: Any) -> bytes:
        alice.client.delete(batch["links"]["self"])
        return get(*arguments)

    monkeypatch.setattr(fetching, "get", cancelled_meanwhile)
    fetch()

    assert items(alice.client, batch)[0]["status"] == "cancelled"
    assert not Upload.objects.exists()


def test_accounts_take_turns(alice: Account, bob: Account, web: Web) -> None:
    """Whoever has many addresses keeps nobody's single one waiting."""
    send(alice.client, *[web.url("/photo")] * 3)
    send(bob.client, web.url("/photo"))

    claimed = [claims.claim(claims.FETCH) for _ in range(4)]
    assert sorted(item.owner_id == bob.user.pk for item in claimed[:2] if item) == [False, True]
    assert [item is not None for item in claimed] == [True, True, True, False]


def test_what_is_fetched_takes_no_place_at_the_engine(bob: Account, web: Web) -> None:
    bob.limit(concurrent_items=1)
    send(bob.client, web.url("/photo"), web.url("/photo"))
    fetch()
    send(bob.client, *[web.url("/photo")] * 3)

    assert [claims.claim() is not None for _ in range(2)] == [True, False]
    assert [claims.claim(claims.FETCH) is not None for _ in range(3)] == [True, True, False]
