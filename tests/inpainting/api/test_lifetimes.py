"""For how long what a call stores is kept: `expires_in`, the account's choice, and results that go when downloaded."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import Usage
from inpainting import storage
from inpainting.batches.models import Batch
from inpainting.models import Result, StoredFile, Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.test_batch import members, work
from tests.inpainting.api.test_batch import send as send_batch
from tests.inpainting.api.test_object_remover import MASK, PHOTO, content, inpaint, multipart, upload, upload_both
from tests.inpainting.api.test_remove_watermark import refused
from tests.inpainting.api.test_remove_watermark import send as send_watermark

HOUR, WEEK = 3600, 7 * 24 * 3600
LATER = {"Prefer": "respond-async"}
SLACK = timedelta(seconds=30)


def lasts(stored: StoredFile, seconds: int) -> bool:
    return abs(stored.expires_at - stored.created_at - timedelta(seconds=seconds)) < SLACK


def choose(account: Account, **lifetimes: int) -> None:
    type(account.user).objects.filter(pk=account.user.pk).update(**lifetimes)


def files() -> list[str]:
    return list(storages["results"].listdir("")[1])


def call(client: Client, path: str, **fields: Any) -> Any:
    if path == "/inpaint-multipart":
        return multipart(client, **fields)
    return inpaint(client, {**upload_both(client), **fields}, path)


@pytest.mark.parametrize("path", ["/inpaint", "/inpaint-url", "/inpaint-multipart"])
def test_it_works(alice: Account, path: str) -> None:
    answer = call(alice.client, path, expires_in=120)

    result = Result.objects.get()
    assert (answer.json()["result"], lasts(result, 120)) == (result.name, True)
    assert datetime.fromisoformat(answer["X-Expires-At"]) == result.expires_at

    Result.objects.update(expires_at=timezone.now())
    call_command("sweep")
    assert not Result.objects.exists()
    assert files() == []


@pytest.mark.parametrize("path", ["/inpaint", "/inpaint-url", "/inpaint-multipart"])
@pytest.mark.parametrize("seconds", ["59", "-1", str(WEEK + 1), "long"])
def test_out_of_bounds(alice: Account, path: str, seconds: str) -> None:
    answer = call(alice.client, path, expires_in=seconds)

    refused(answer, 400, "invalid_request")
    assert answer.json()["detail"].startswith("expires_in: ")
    assert not Result.objects.exists()
    assert not Usage.objects.filter(charged__gt=0).exists()


def test_the_bounds_are_the_plans(alice: Account, bob: Account, public: Client) -> None:
    assert multipart(alice.client, expires_in=WEEK).status_code == 200

    for client in (bob.client, public):
        answer = multipart(client, expires_in=WEEK)
        refused(answer, 400, "invalid_request")
        assert (
            answer.json()["detail"] == "expires_in: 60 to 86400 seconds, or 0 for one download, can be asked for here."
        )


def test_an_upload_for_as_long_as_the_plan_allows(alice: Account) -> None:
    answer = alice.client.post("/upload-image", {"image": pictures.file(PHOTO), "expires_in": WEEK})

    assert answer.status_code == 200
    assert lasts(Upload.objects.get(), WEEK)


def test_what_the_account_chose(alice: Account) -> None:
    choose(alice, upload_lifetime=HOUR, result_lifetime=WEEK)
    upload(alice.client, "image")
    multipart(alice.client)

    assert lasts(Upload.objects.get(), HOUR)
    assert lasts(Result.objects.get(), WEEK)


def test_an_upload_of_who_keeps_nothing_lasts_for_the_call_that_uses_it(alice: Account) -> None:
    choose(alice, upload_lifetime=0)
    ids = upload_both(alice.client)

    assert all(lasts(stored, 600) for stored in Upload.objects.all())
    assert [inpaint(alice.client, ids).status_code for _ in range(2)] == [200, 200]


def test_a_result_that_goes_when_it_was_downloaded(alice: Account, public: Client) -> None:
    name = multipart(alice.client, expires_in=0).json()["result"]
    assert lasts(Result.objects.get(), 600)

    head = public.head(f"/download/{name}")
    assert (head.status_code, head["Cache-Control"]) == (200, "no-store")
    assert public.get(f"/download/{name}", headers={"If-None-Match": head["ETag"]}).status_code == 304
    assert storages["results"].exists(name)

    response = public.get(f"/download/{name}")
    assert "Content-Length" not in response  # who counts bytes would have it all before it is gone
    pixels = pictures.pixels(response.getvalue())
    assert (pixels[MASK == 0] == PHOTO[MASK == 0]).all()
    assert not Result.objects.exists()
    assert files() == []
    refused(public.get(f"/download/{name}"), 404, "not_found")


def test_a_download_that_is_cut_off_takes_nothing_away(public: Client) -> None:
    result = storage.put_result(b"the bytes of a picture" * 10_000, None, lifetime=0)
    blocks = storage.downloaded([b"the bytes", b" of a picture"], [result])
    assert next(blocks) == b"the bytes"
    blocks.close()  # type: ignore[attr-defined] # as the web server does where the client has gone

    assert len(content(public, result.name)) == result.size
    refused(public.get(f"/download/{result.name}"), 404, "not_found")


def test_what_nobody_downloads_is_swept(alice: Account) -> None:
    choose(alice, result_lifetime=0)
    multipart(alice.client)
    Result.objects.update(expires_at=timezone.now())

    call_command("sweep")
    assert not Result.objects.exists()
    assert files() == []


def test_a_storage_that_fails_after_the_download_breaks_nothing(
    public: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OSError("down")

    name = storage.put_result(b"a picture", None, lifetime=0).name
    with monkeypatch.context() as failing:
        failing.setattr(type(storages["results"]), "delete", away)
        assert content(public, name) == b"a picture"

    Result.objects.update(expires_at=timezone.now())
    call_command("sweep")
    assert files() == []


def test_a_repeat_of_what_was_downloaded_once_is_computed_again_uncharged(alice: Account) -> None:
    ids = {**upload_both(alice.client), "expires_in": 0}

    def ask() -> str:
        return str(inpaint(alice.client, ids, headers={"Idempotency-Key": "k"}).json()["result"])

    first = ask()
    assert ask() == first
    pixels = content(alice.client, first)

    again = ask()
    assert again != first
    assert content(alice.client, again) == pixels
    assert Usage.objects.get().charged == 1


def test_a_repeat_tells_when_the_first_result_goes(alice: Account) -> None:
    ids = {**upload_both(alice.client), "expires_in": WEEK}
    first, again = (inpaint(alice.client, ids, headers={"Idempotency-Key": "k"}).json() for _ in range(2))

    assert again == first
    refused(
        inpaint(alice.client, {**ids, "expires_in": 60}, headers={"Idempotency-Key": "k"}),
        422,
        "idempotency_key_reused",
    )


@pytest.mark.parametrize("sender", [send_batch, send_watermark])
def test_what_is_worked_on_later(alice: Account, sender: Any) -> None:
    answer = sender(alice.client, headers=LATER, expires_in=120)
    assert answer.status_code == 202
    batch = Batch.objects.get()
    assert datetime.fromisoformat(answer.json()["expires_at"]) == batch.expires_at
    assert abs(batch.expires_at - batch.created_at - timedelta(seconds=120)) < SLACK

    work()
    results = list(Result.objects.all())
    assert results
    assert all(lasts(result, 120) for result in results)
    batch.refresh_from_db()
    items = alice.client.get(answer.json()["links"]["items"]).json()["results"]
    ends = [datetime.fromisoformat(item["result"]["expires_at"]) for item in items]
    assert sorted(ends) == sorted(result.expires_at for result in results)
    assert timedelta() <= batch.expires_at - max(ends) < SLACK

    Batch.objects.update(expires_at=timezone.now())
    call_command("sweep")
    assert not Batch.objects.exists() | Result.objects.exists()
    assert files() == []


def test_inpainting_later(alice: Account) -> None:
    body = {**upload_both(alice.client), "expires_in": 120}
    assert inpaint(alice.client, body, headers=LATER).status_code == 202
    work()

    assert lasts(Result.objects.get(), 120)


def test_a_batch_remembers_what_the_account_had_chosen(alice: Account) -> None:
    choose(alice, result_lifetime=HOUR)
    send_batch(alice.client)
    choose(alice, result_lifetime=WEEK)
    work()

    assert all(lasts(result, HOUR) for result in Result.objects.all())


def test_a_batch_of_before_there_was_a_choice(alice: Account) -> None:
    send_batch(alice.client)
    Batch.objects.update(lifetime=None)
    work()

    assert all(lasts(result, 24 * HOUR) for result in Result.objects.all())


@pytest.mark.parametrize("seconds", ["59", str(WEEK + 1), "soon"])
def test_a_batch_out_of_bounds(alice: Account, seconds: str) -> None:
    for answer in (
        send_batch(alice.client, expires_in=seconds),
        send_watermark(alice.client, LATER, expires_in=seconds),
    ):
        refused(answer, 400, "invalid_request")
        assert answer.json()["detail"].startswith("expires_in: ")
    assert not Batch.objects.exists() | Upload.objects.exists()


def test_the_zip_of_a_batch_is_a_download(alice: Account) -> None:
    """What is in it goes; what is not done yet stays to be fetched."""
    batch = send_batch(alice.client, expires_in=0).json()
    work()
    alice.client.head(batch["links"]["results"])
    assert Result.objects.count() == 2

    assert list(members(alice.client.get(batch["links"]["results"]))) == ["a.png", "b.png"]
    assert not Result.objects.exists()
    assert files() == []
    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [(item["status"], item["result"]) for item in items] == [("succeeded", None)] * 2


def test_one_picture_of_a_batch_goes_alone(alice: Account) -> None:
    batch = send_batch(alice.client, expires_in=0).json()
    work()
    first, second = alice.client.get(batch["links"]["items"]).json()["results"]
    assert alice.client.get(first["result"]["url"]).getvalue()

    assert alice.client.get(first["result"]["url"]).status_code == 404
    assert list(members(alice.client.get(batch["links"]["results"]))) == [second["name"]]


def test_a_call_that_stores_nothing_has_no_lifetime(alice: Account) -> None:
    answer = send_watermark(alice.client, expires_in=120)

    refused(answer, 400, "invalid_request")
    assert answer.json()["detail"] == "expires_in: Nothing is stored of a call without Prefer: respond-async."
