"""/api/v1/batch: many pictures, worked on later."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Usage
from inpainting.api import events
from inpainting.batches.models import Batch, Item
from inpainting.batches.work import Worker
from inpainting.models import Result, Upload
from tests import pictures
from tests.conftest import Account

URL = "/api/v1/batch"
PHOTO, MASK = pictures.photo(), pictures.box_mask()


def send(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    """Two pictures, and one mask for both."""
    two = [pictures.file(PHOTO, name="a"), pictures.file(PHOTO[::-1], name="b")]
    fields = {"images": two, "mask": pictures.file(MASK), **fields}
    return client.post(URL, {name: value for name, value in fields.items() if value is not None}, headers=headers)


def work() -> None:
    worker = Worker()
    while worker.work_next():
        pass


def members(response: Any) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(response.getvalue())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_works(alice: Account) -> None:
    response = send(alice.client, metadata='{"order": 7}')

    batch = response.json()
    assert response.status_code == 202
    assert response["Location"] == batch["links"]["self"]
    assert (batch["status"], batch["total"], batch["queued"], batch["metadata"]) == ("queued", 2, 2, {"order": 7})
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 2  # reserved

    work()
    batch = alice.client.get(batch["links"]["self"]).json()
    assert (batch["status"], batch["succeeded"]) == ("succeeded", 2)
    assert batch["started_at"] <= batch["finished_at"] <= batch["expires_at"]

    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [(item["index"], item["name"], item["status"]) for item in items] == [
        (0, "a.png", "succeeded"),
        (1, "b.png", "succeeded"),
    ]
    result = pictures.pixels(alice.client.get(items[1]["result"]["url"]).getvalue())
    np.testing.assert_array_equal(result[MASK == 0], PHOTO[::-1][MASK == 0])
    assert (result[MASK > 0] != PHOTO[::-1][MASK > 0]).any()
    assert (items[1]["result"]["width"], items[1]["result"]["height"]) == (96, 64)

    archive = alice.client.get(batch["links"]["results"])
    assert archive["Content-Type"] == "application/zip"
    files = members(archive)
    assert list(files) == ["a.png", "b.png"]
    np.testing.assert_array_equal(pictures.pixels(files["b.png"]), result)
    assert not Upload.objects.exists()  # inputs are kept until they are done


# --- what may be sent ------------------------------------------------------------------------------------------------


def zipped(files: dict[str, bytes], **options: Any) -> SimpleUploadedFile:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", **options) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return SimpleUploadedFile("pictures.zip", buffer.getvalue())


def test_an_archive_with_masks_by_name(alice: Account) -> None:
    photo, mask = pictures.file(PHOTO).getvalue(), pictures.file(MASK).getvalue()
    archive = zipped({"b.png": photo, "b_mask.png": mask, "a.png": photo, "a_mask.png": mask})

    batch = send(alice.client, images=None, mask=None, archive=archive).json()
    work()

    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [(item["name"], item["status"]) for item in items] == [("b.png", "succeeded"), ("a.png", "succeeded")]
    assert items[0]["result"]["coverage"] == pytest.approx(20 * 16 / (96 * 64))


def test_masks_by_order(alice: Account) -> None:
    small = pictures.box_mask(box=(30, 20, 40, 28))
    batch = send(alice.client, mask=None, masks=[pictures.file(MASK), pictures.file(small)]).json()
    work()

    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [round(item["result"]["coverage"] * 96 * 64) for item in items] == [320, 80]
    assert not Upload.objects.exists()


def test_every_option_acts_as_in_a_single_call(alice: Account) -> None:
    fields: dict[str, Any] = {"grow": 2, "format": "jpeg", "model": "patchmatch", "mode": "repaint"}
    rectangles = '[{"x": 30, "y": 20, "width": 20, "height": 16}]'
    batch = send(alice.client, mask=None, rectangles=rectangles, **fields).json()
    work()
    alone = alice.client.post(
        "/api/v1/remove-watermark", {"image": pictures.file(PHOTO), "rectangles": rectangles, **fields}
    )

    files = members(alice.client.get(batch["links"]["results"]))
    assert list(files) == ["a.jpeg", "b.jpeg"]
    assert files["a.jpeg"] == alone.content
    item = alice.client.get(batch["links"]["items"]).json()["results"][0]
    assert alice.client.get(item["result"]["url"])["Content-Type"] == "image/jpeg"


def refused(response: Any, status: int, code: str, part: str = "") -> None:
    """With this error; nothing is stored, reserved or queued."""
    body = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert part in body["detail"]
    assert not Upload.objects.exists() | Batch.objects.exists()
    assert not Usage.objects.filter(state=Usage.State.RESERVED).exists()
    assert response["X-Quota-Remaining"] == response["X-Quota-Limit"]


@pytest.mark.parametrize(
    ("fields", "code", "part"),
    [
        ({"images": None}, "invalid_request", "one of images, image_urls and archive"),
        ({"archive": zipped({"a.png": b"x"})}, "invalid_request", "one of images, image_urls and archive"),
        ({"masks": [pictures.file(MASK)]}, "invalid_request", "only one of mask"),
        ({"mask": None, "masks": [pictures.file(MASK)]}, "invalid_request", "for each"),
        ({"rectangles": "[]"}, "invalid_request", "only one of mask"),
        ({"mask": None, "rectangles": "{"}, "invalid_mask", "JSON list"),
        ({"metadata": "[]"}, "invalid_request", "JSON object"),
        ({"metadata": "{"}, "invalid_request", "metadata"),
        ({"metadata": json.dumps({"a": "x" * 5000})}, "invalid_request", "4096"),
        ({"metadata": "[" + "[]," * 100_000 + "0]"}, "invalid_request", "4096"),
        ({"mask": SimpleUploadedFile("m.png", b"no")}, "invalid_mask", "Invalid mask format"),
        ({"images": [SimpleUploadedFile("cat.txt", b"meow")]}, "invalid_image", "cat.txt: Invalid image format"),
        ({"images": [SimpleUploadedFile("cat.png", b"")]}, "invalid_image", "cat.png"),
        ({"model": "dall-e"}, "unknown_model", "dall-e"),
        ({"grow": 99}, "invalid_request", "grow"),
        ({"images": "text"}, "invalid_request", "images[0]: "),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_stored(
    alice: Account, fields: dict[str, Any], code: str, part: str
) -> None:
    refused(send(alice.client, **fields), 400, code, part)


@pytest.mark.parametrize("index", [0, 1])
def test_it_says_for_which_picture_it_is_refused(alice: Account, index: int) -> None:
    photo, damaged = pictures.file(PHOTO).getvalue(), b"no picture"
    files = [damaged if index == number else photo for number in range(2)]
    loose = [SimpleUploadedFile(f"{number}.png", file) for number, file in enumerate(files)]
    packed = zipped({"0.png": files[0], "0_mask.png": pictures.file(MASK).getvalue(), "1.png": files[1]})

    answers = [send(alice.client, images=loose), send(alice.client, images=None, mask=None, archive=packed)]
    assert [answer.json()["index"] for answer in answers] == [index] * 2
    masks = [pictures.file(MASK), SimpleUploadedFile("m.png", b"no")]
    refused_mask = send(alice.client, mask=None, masks=masks[:: 1 if index else -1]).json()
    assert (refused_mask["code"], refused_mask["index"]) == ("invalid_mask", index)
    assert "index" not in send(alice.client, model="dall-e").json()


def test_a_picture_past_the_plans_side(alice: Account) -> None:
    alice.limit(max_side=90)

    refused(send(alice.client, mask=None), 400, "image_too_large", "a.png: Image too large")


def test_more_pictures_than_the_plan_allows(alice: Account) -> None:
    alice.limit(batch_size=1)

    refused(send(alice.client), 400, "batch_too_large", "may have 1")


def test_a_body_past_the_plans_batch(alice: Account) -> None:
    alice.limit(batch_size=2, max_file_bytes=1 << 20)
    headers = {"Content-Length": str(6 << 20)}

    refused(alice.client.post(URL, b"", "multipart/form-data; boundary=x", headers=headers), 413, "body_too_large")


def test_more_pictures_than_the_quota_has_units(bob: Account) -> None:
    bob.limit(quota=1)

    refused(send(bob.client), 429, "quota_exceeded")


def test_partial_does_what_the_quota_allows(bob: Account) -> None:
    bob.limit(quota=1)
    batch = send(bob.client, partial="true").json()
    work()

    items = bob.client.get(batch["links"]["items"]).json()["results"]
    assert [item["status"] for item in items] == ["succeeded", "failed"]
    assert items[1]["error"]["code"] == "quota_exceeded"
    rows = csv.DictReader(io.StringIO(members(bob.client.get(batch["links"]["results"]))["errors.csv"].decode()))
    assert [(row["index"], row["name"], row["code"]) for row in rows] == [("1", "b.png", "quota_exceeded")]

    bob.limit(quota=2)
    assert bob.client.post(batch["links"]["retry"]).status_code == 202
    work()
    assert bob.client.get(batch["links"]["self"]).json()["succeeded"] == 2


# --- how it goes on --------------------------------------------------------------------------------------------------


def fail_on(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("inpainting.engine.inpaint", fail)


def test_a_picture_that_fails_costs_nothing_and_can_be_tried_again(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = send(alice.client).json()
    with monkeypatch.context() as patch:
        fail_on(patch, MemoryError())
        work()

    answer = alice.client.get(batch["links"]["self"])
    assert (answer.json()["status"], answer.json()["failed"]) == ("failed", 2)
    assert answer["X-Quota-Remaining"] == "20000"
    assert {row.code for row in Usage.objects.all()} == {"internal_error"}

    again = alice.client.post(batch["links"]["retry"])
    assert (again.status_code, again.json()["queued"], again.json()["failed"]) == (202, 2, 0)
    work()
    answer = alice.client.get(batch["links"]["self"])
    assert (answer.json()["status"], answer.json()["succeeded"]) == ("succeeded", 2)
    assert answer["X-Quota-Remaining"] == "19998"


def test_nothing_is_tried_again_where_nothing_failed(alice: Account) -> None:
    batch = send(alice.client).json()
    work()

    refused = alice.client.post(batch["links"]["retry"])
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_retry")
    alice.client.delete(batch["links"]["self"])
    assert alice.client.post(batch["links"]["retry"]).status_code == 409
    assert alice.client.get(batch["links"]["self"])["X-Quota-Remaining"] == "19998"


def test_a_damaged_picture_fails_alone(alice: Account) -> None:
    batch = send(alice.client).json()
    stored = Path(storages["uploads"].path(Upload.objects.order_by("pk")[1].name))  # the first is the mask
    stored.write_bytes(stored.read_bytes()[:1000])
    work()

    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [item["status"] for item in items] == ["failed", "succeeded"]
    assert items[0]["error"]["code"] == "invalid_image"
    assert alice.client.get(batch["links"]["self"]).json()["status"] == "succeeded"
    assert alice.client.get("/api/v1/stats").json()["success"] == 1


def test_nothing_found_is_a_success_that_costs_nothing(alice: Account) -> None:
    plain = pictures.file(np.full((64, 96, 3), 128, np.uint8), name="plain")
    batch = send(alice.client, images=[plain], mask=None).json()
    work()

    answer = alice.client.get(batch["links"]["items"])
    assert answer.json()["results"][0]["result"]["coverage"] == 0
    assert answer["X-Quota-Remaining"] == "20000"


def test_cancelling_stops_what_waits_and_deletes_every_file(alice: Account) -> None:
    batch = send(alice.client).json()
    Worker().work_next()
    url = Result.objects.get().name
    answer = alice.client.delete(batch["links"]["self"])

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["succeeded"], answer.json()["cancelled"]) == ("cancelled", 1, 1)
    assert answer["X-Quota-Remaining"] == "19999"  # the one that was done
    assert alice.client.get(f"/download/{url}").status_code == 404
    assert not Upload.objects.exists() | Result.objects.exists()
    assert alice.client.get("/api/v1/stats").json()["total"] == 1
    assert not Worker().work_next()
    assert alice.client.delete(batch["links"]["self"]).json()["status"] == "cancelled"  # again: the same


def test_a_batch_is_its_accounts_own(alice: Account, bob: Account) -> None:
    batch = send(alice.client).json()

    for link in ("self", "items", "results", "events"):
        assert bob.client.get(batch["links"][link]).status_code == 404
    assert bob.client.get(URL).json()["results"] == []
    assert Client().get(batch["links"]["self"]).status_code == 401


def test_a_token_each_request_and_nothing_more(bob: Account) -> None:
    batch = send(bob.client).json()
    answers = [bob.client.get(batch["links"]["self"]).status_code for _ in range(5)]

    assert answers == [200] * 4 + [429]


def test_pages(alice: Account) -> None:
    batches = [send(alice.client).json()["id"] for _ in range(3)]
    first = alice.client.get(f"{URL}?limit=2").json()
    second = alice.client.get(first["next"]).json()

    assert [batch["id"] for batch in first["results"] + second["results"]] == batches[::-1]
    assert second["next"] is None
    items = alice.client.get(f"{first['results'][0]['links']['items']}?limit=1").json()
    assert [item["position"] for item in items["results"]] == [5]  # four of older batches come first
    assert [item["index"] for item in alice.client.get(items["next"]).json()["results"]] == [1]


@pytest.mark.parametrize("limit", ["0", "201", "two", ""])
def test_a_page_of_any_other_size_is_refused(alice: Account, limit: str) -> None:
    refused = alice.client.get(f"{URL}?limit={limit}")

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert refused.json()["detail"].startswith("limit")


def test_names_in_the_archive_are_unique(alice: Account) -> None:
    same = [pictures.file(PHOTO, name="photo") for _ in range(3)]
    batch = send(alice.client, images=same).json()
    work()

    assert list(members(alice.client.get(batch["links"]["results"]))) == ["photo.png", "photo (2).png", "photo (3).png"]


def test_the_archive_while_it_runs(alice: Account) -> None:
    batch = send(alice.client).json()
    assert members(alice.client.get(batch["links"]["results"])) == {}
    Worker().work_next()

    response = alice.client.get(batch["links"]["results"])
    length = int(response["Content-Length"])
    assert len(response.getvalue()) == length
    assert list(members(alice.client.get(batch["links"]["results"]))) == ["a.png"]


def test_no_archive_without_results(alice: Account) -> None:
    done, cancelled = (send(alice.client).json()["links"] for _ in range(2))
    alice.client.delete(cancelled["self"])
    work()
    assert alice.client.get(done["results"]).status_code == 200
    for result in Result.objects.all():
        result.delete()

    for links in (done, cancelled):
        gone = alice.client.get(links["results"])
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
        assert alice.client.head(links["results"]).status_code == 404


def test_events_end_with_the_batch(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = send(alice.client).json()
    worker = Worker()
    monkeypatch.setattr("inpainting.api.events.close_old_connections", lambda: None)  # the test's own stays open
    monkeypatch.setattr("inpainting.api.events.wait", lambda *_: worker.work_next())
    response = alice.client.get(batch["links"]["events"])
    blocks = b"".join(response).decode().strip().split("\n\n")

    told = [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]
    assert [each["event"] for each in told] == ["batch", "item", "batch", "item", "batch"]
    assert [json.loads(each["data"])["status"] for each in told] == [
        *("queued", "succeeded", "running", "succeeded", "succeeded")
    ]
    assert json.loads(told[-1]["data"]) == alice.client.get(batch["links"]["self"]).json()
    again = alice.client.get(batch["links"]["events"], headers={"Last-Event-ID": told[-1]["id"]})
    assert again.status_code == 204


@pytest.mark.parametrize("link", ["events", "results"])
def test_head_has_no_stream(alice: Account, monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    """The web server would go through it, for up to a minute, and send nothing."""
    monkeypatch.setattr("inpainting.api.events.close_old_connections", lambda: None)  # the test's own stays open
    batch = send(alice.client).json()
    work()
    whole = alice.client.get(batch["links"][link])
    whole.getvalue()
    heads = [alice.client.head(batch["links"][link]) for _ in range(events.EACH + 1)]  # none keeps its place

    assert {(head.status_code, head.streaming, head.content) for head in heads} == {(200, False, b"")}
    assert heads[0]["Content-Type"] == whole["Content-Type"]
    assert heads[0].get("Content-Length", "0") == whole.get("Content-Length", "0")


# --- Idempotency-Key -------------------------------------------------------------------------------------------------


def test_a_repeat_is_the_same_batch(alice: Account) -> None:
    key = {"Idempotency-Key": "order-7"}
    first = send(alice.client, headers=key)
    again = send(alice.client, headers=key)

    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert Item.objects.count() == 2
    refused_one = send(alice.client, headers=key, grow=1)
    assert (refused_one.status_code, refused_one.json()["code"]) == (422, "idempotency_key_reused")
    other_picture = send(alice.client, headers=key, images=[pictures.file(PHOTO, name="a"), pictures.file(PHOTO)])
    assert other_picture.status_code == 422
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == 2


def one(client: Client, **headers: str) -> Any:
    fields = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
    return client.post("/api/v1/remove-watermark", fields, headers={"Idempotency-Key": "order-7", **headers})


def inpaint(client: Client) -> Any:
    fields = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
    return client.post("/inpaint-multipart", fields, headers={"Idempotency-Key": "order-7"})


def many(client: Client) -> Any:
    return send(client, headers={"Idempotency-Key": "order-7"})


def later(client: Client) -> Any:
    return one(client, Prefer="respond-async")


@pytest.mark.parametrize(("first", "second"), [(one, many), (one, later), (inpaint, many), (inpaint, later)])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_key_is_of_one_request_however_it_is_answered(
    alice: Account, first: Any, second: Any, *, reverse: bool
) -> None:
    first, second = (second, first) if reverse else (first, second)
    answered = first(alice.client)
    used = alice.client.get("/api/v1/stats").json()["quota"]["used"]
    other = second(alice.client)

    assert answered.status_code in (200, 202)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert first(alice.client).status_code == answered.status_code  # the first one's repeat still finds it
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == used


def test_a_batchs_key_is_forgotten_after_a_day(alice: Account) -> None:
    many(alice.client)
    Batch.objects.update(created_at=timezone.now() - timedelta(hours=25))

    assert one(alice.client).status_code == 200


@pytest.mark.parametrize("side", [10, 400], ids=["at the end", "meanwhile"])
def test_a_disk_that_is_full(alice: Account, monkeypatch: pytest.MonkeyPatch, side: int) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **_: open("/dev/full", "w+b"))  # noqa: SIM115 - Spool closes it
    noise = np.random.default_rng(0).integers(0, 256, (side, side, 3), "uint8")

    refused(send(alice.client, images=[pictures.file(noise)]), 503, "storage_unavailable")
