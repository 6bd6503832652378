"""POST /api/v1/remove-watermark."""

import io
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import ExifTags, Image
from pytest_django import Settings

from accounts.models import ApiKey, Plan, Usage
from inpainting import engine
from inpainting.batches.work import Worker
from inpainting.engine import door
from inpainting.models import Result, Upload
from tests import pictures
from tests.conftest import Account

URL = "/api/v1/remove-watermark"
PHOTO, MASK = pictures.photo(), pictures.box_mask()
EMPTY = "{}: The field is empty. Give it a value or leave it out."


def send(client: Client, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    fields = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK), **fields}
    return client.post(URL, {name: value for name, value in fields.items() if value is not None}, headers=headers)


def test_it_works(alice: Account) -> None:
    response = send(alice.client)

    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response["X-Image-Size"] == "96x64"
    assert response["X-Mask-Source"] == "provided"
    assert response["X-Mask-Coverage"] == "0.0521"
    assert response["X-Mask-Pixels"] == str(20 * 16)
    assert float(response["X-Processing-Time"]) >= 0
    assert len(response["X-Request-Id"]) == 32
    result = pictures.pixels(response.content)
    np.testing.assert_array_equal(result[MASK == 0], PHOTO[MASK == 0])
    assert (result[MASK > 0] != PHOTO[MASK > 0]).any()


def test_processing_time_is_the_engines_own(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inpainting.engine.inpaint", lambda picture, *_: engine.Inpainted(picture, 2.5))

    assert send(alice.client)["X-Processing-Time"] == "2.500"
    assert Usage.objects.get().seconds == 2.5
    assert alice.client.get("/api/v1/stats").json()["avg_processing_time"] == 2.5


def test_the_plans_headers(bob: Account) -> None:
    response = send(bob.client)

    assert response["X-RateLimit-Limit"] == "2"
    assert response["X-RateLimit-Remaining"] == "2"
    assert int(response["X-RateLimit-Reset"]) > 1_700_000_000
    assert (response["X-Quota-Limit"], response["X-Quota-Remaining"]) == ("10", "9")
    assert response["X-Credits-Charged"] == "1"


def test_one_row_of_metadata_and_nothing_stored(alice: Account) -> None:
    response = send(alice.client)

    row = Usage.objects.get()
    assert (row.user, row.api_key, row.endpoint, row.state) == (alice.user, alice.key, URL, "succeeded")
    assert (row.status, row.width, row.height, row.charged) == (200, 96, 64, 1)
    assert row.request_id == response["X-Request-Id"]
    assert row.milliseconds is not None
    assert not Upload.objects.exists()
    assert not Result.objects.exists()


def test_rectangles_instead_of_a_mask(alice: Account) -> None:
    response = send(alice.client, mask=None, rectangles='[{"x": 30, "y": 20, "width": 20, "height": 16}]')

    assert response["X-Mask-Source"] == "rectangles"
    assert response["X-Mask-Coverage"] == "0.0521"
    assert response.content == send(alice.client).content


def test_grow_widens_the_hole(alice: Account) -> None:
    assert send(alice.client, grow=2)["X-Mask-Coverage"] == f"{24 * 20 / (96 * 64):.4f}"


def test_a_single_pixel_of_16_million(alice: Account) -> None:
    large = pictures.file(np.full((4096, 4096, 3), 90, np.uint8))
    response = send(alice.client, image=large, mask=None, rectangles='[{"x": 9, "y": 9, "width": 1, "height": 1}]')

    assert (response["X-Mask-Pixels"], response["X-Mask-Coverage"]) == ("1", "0.0000000596")
    assert response["X-Credits-Charged"] == "1"


@pytest.mark.parametrize(
    ("format", "type"),
    [("png", "png"), ("jpeg", "jpeg"), ("JPG", "jpeg"), ("WebP", "webp"), ("avif", "avif"), ("Auto", "png")],
)
def test_formats(alice: Account, format: str, type: str) -> None:
    response = send(alice.client, format=format)

    assert response["Content-Type"] == f"image/{type}"
    image = Image.open(io.BytesIO(response.content))
    assert (image.format, image.size) == (type.upper(), (96, 64))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_auto_is_the_format_that_came(alice: Account, format: str) -> None:
    response = send(alice.client, image=pictures.file(PHOTO, format), format="auto")

    assert Image.open(io.BytesIO(response.content)).format == format


@pytest.mark.parametrize(
    ("field", "value", "choices"),
    [
        ("format", "gif", "png, jpeg, webp, avif, auto"),
        ("mode", "magic", "auto, repaint, restore"),
        ("metadata", "all", "strip, keep"),
    ],
)
def test_a_choice_that_is_none_is_told_which_there_are(alice: Account, field: str, value: str, choices: str) -> None:
    detail = f'{field}: "{value}" is none of {choices}.'

    given: dict[str, Any] = {field: value}
    refused(send(alice.client, **given), 400, "invalid_request", detail)


@pytest.mark.parametrize("field", ["image", "mask"])
def test_a_field_that_is_sent_twice(alice: Account, field: str) -> None:
    twice: dict[str, Any] = {field: [pictures.file(PHOTO), pictures.file(PHOTO)]}

    refused(send(alice.client, **twice), 400, "invalid_request", f"{field}: The field is sent more than once.")


@pytest.mark.parametrize("model", ["hybrid", "patchmatch"])
def test_a_grey_picture_stays_grey(alice: Account, model: str) -> None:
    grey = PHOTO[..., 0]

    result = pictures.pixels(send(alice.client, image=pictures.file(grey), model=model).content)
    assert np.ptp(result, axis=2).max() == 0
    np.testing.assert_array_equal(result[MASK == 0], np.dstack([grey] * 3)[MASK == 0])
    assert (result[MASK > 0, 0] != grey[MASK > 0]).any()


@pytest.mark.parametrize(("metadata", "kept"), [(None, False), ("strip", False), ("keep", True)])
def test_exif(alice: Account, metadata: str | None, kept: bool) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Alice"

    response = send(alice.client, image=pictures.file(PHOTO, "JPEG", exif=exif.tobytes()), metadata=metadata)
    found = Image.open(io.BytesIO(response.content)).getexif()
    assert found.get(ExifTags.Base.Artist) == ("Alice" if kept else None)


def test_a_named_model(alice: Account) -> None:
    assert send(alice.client, model="patchmatch").status_code == 200
    assert send(alice.client, model="hybrid").status_code == 200


def test_grey_blends(alice: Account) -> None:
    weights = np.where(MASK > 0, np.uint8(128), np.uint8(0))
    weights[20:36, 30:40] = 255  # of two values alone the brighter would be white
    half = send(alice.client, mask=pictures.file(weights))
    full = pictures.pixels(send(alice.client).content).astype(float)

    expected = PHOTO + (full - PHOTO) * weights[..., None] / 255
    assert np.abs(pictures.pixels(half.content) - expected).max() <= 1


def test_of_two_values_the_brighter_removes(alice: Account) -> None:
    """A mask of class numbers: 0 and 1 of 255."""
    response = send(alice.client, mask=pictures.file((MASK > 0).astype(np.uint8)))

    assert response.content == send(alice.client).content


def test_the_accept_header_refuses_nothing(alice: Account) -> None:
    assert send(alice.client, headers={"Accept": "image/png"}).status_code == 200


def test_thin_lines_of_a_larger_mask(alice: Account) -> None:
    lines = np.zeros((256, 384), np.uint8)
    lines[82:142:8] = 255  # one pixel of four that become one
    result = pictures.pixels(send(alice.client, mask=pictures.file(lines)).content)

    changed = (result != PHOTO).any(axis=(1, 2))
    assert np.flatnonzero(changed).tolist() == list(range(20, 36, 2))


# --- Prefer: respond-async -------------------------------------------------------------------------------------------

LATER = {"Prefer": "respond-async, wait=5"}


def test_later(alice: Account) -> None:
    now = send(alice.client, format="webp")
    response = send(alice.client, format="webp", headers=LATER)
    batch = response.json()

    assert (response.status_code, response["Preference-Applied"]) == (202, "respond-async")
    assert response["Location"] == batch["links"]["self"]
    assert (batch["total"], batch["queued"]) == (1, 1)
    assert Worker().work_next()
    (item,) = alice.client.get(batch["links"]["items"]).json()["results"]
    assert item["name"] == "photo.png"
    assert alice.client.get(item["result"]["url"]).getvalue() == now.content
    assert alice.client.get("/api/v1/stats").json()["success"] == 2


def test_what_is_refused_now_is_refused_at_once_later(alice: Account) -> None:
    refused(send(alice.client, mask=pictures.file(MASK * 0), headers=LATER), 400, "empty_mask")
    refused(send(alice.client, image=SimpleUploadedFile("a.png", b"no"), headers=LATER), 400, "invalid_image")
    assert not Upload.objects.exists()


# --- refusals: the status, code and documented text; nothing charged -------------------------------------------------


@pytest.mark.parametrize("field", ["mask", "rectangles", "mode", "grow", "format", "model", "image"])
def test_an_empty_field_is_not_one_left_out(alice: Account, field: str) -> None:
    given: dict[str, Any] = {"mask": None} if field == "rectangles" else {}
    refused(send(alice.client, **{**given, field: ""}), 400, "invalid_request", EMPTY.format(field))
    assert not Usage.objects.exclude(charged=0).exists()


@pytest.mark.parametrize(("wrong", "meant"), [("masks", "mask"), ("rectangle", "rectangles"), ("MODE", "mode")])
def test_a_misspelt_field(alice: Account, wrong: str, meant: str) -> None:
    fields: dict[str, Any] = {wrong: pictures.file(MASK)}
    response = send(alice.client, mask=None, **fields)

    refused(response, 400, "unknown_field", f"There is no field {wrong!r}. Did you mean {meant!r}?")
    assert not Usage.objects.exclude(charged=0).exists()


def test_a_faint_mask(alice: Account) -> None:
    classes = np.arange(64 * 96, dtype=np.uint16).reshape(64, 96) % 3
    response = send(alice.client, mask=pictures.file(classes.astype(np.uint8)))

    refused(response, 400, "faint_mask")
    assert "the brightest is 2, almost black: 255 is white" in response.json()["detail"]
    assert not Usage.objects.exclude(charged=0).exists()


def refused(response: Any, status: int, code: str, detail: str | None = None) -> None:
    body = response.json()
    assert (response.status_code, body["status_code"], body["code"]) == (status, status, code)
    assert body["request_id"] == response["X-Request-Id"]
    assert body["error"]
    if detail is not None:
        assert body["detail"] == detail


def test_without_a_key(public: Client) -> None:
    response = send(public)

    refused(response, 401, "missing_api_key", "Missing API Key. Please provide X-API-Key header.")
    assert response.json()["error"] == "Unauthorized"
    assert response["WWW-Authenticate"] == "ApiKey"


def test_with_a_wrong_key(public: Client) -> None:
    response = send(public, headers={"X-API-Key": "sk_live_1234567890abcdef"})

    refused(response, 401, "invalid_api_key", "Invalid API Key")


def test_with_a_revoked_key(alice: Account) -> None:
    alice.key.revoke()

    refused(send(alice.client), 401, "invalid_api_key")


def test_with_an_expired_key(alice: Account) -> None:
    ApiKey.objects.update(expires_at="2020-01-01T00:00:00Z")

    refused(send(alice.client), 401, "invalid_api_key")


def test_of_a_closed_account(alice: Account) -> None:
    alice.user.is_active = False
    alice.user.save()

    refused(send(alice.client), 401, "invalid_api_key")


def test_no_image(alice: Account) -> None:
    refused(send(alice.client, image=None), 400, "invalid_request", "Send either image or image_url.")


def test_no_picture_in_the_image(alice: Account) -> None:
    response = send(alice.client, image=SimpleUploadedFile("photo.png", b"hello"))

    refused(response, 400, "invalid_image", "Invalid image format: cannot identify image file")


def test_mask_and_rectangles(alice: Account) -> None:
    refused(send(alice.client, rectangles="[]"), 400, "invalid_request")


def test_empty_mask(alice: Account) -> None:
    refused(send(alice.client, mask=pictures.file(MASK * 0)), 400, "empty_mask")


def test_full_mask(alice: Account) -> None:
    refused(send(alice.client, mask=pictures.file(MASK * 0 + 255)), 400, "mask_covers_everything")


@pytest.mark.parametrize(
    "fields",
    [
        {"grow": 65},
        {"grow": -1},
        {"grow": "x"},
        {"metadata": "some"},
        {"model": "x" * 41},
        {"mask": "text"},
    ],
)
def test_fields_out_of_range(alice: Account, fields: dict[str, Any]) -> None:
    refused(send(alice.client, **fields), 400, "invalid_request")


def test_an_unknown_model(alice: Account) -> None:
    refused(send(alice.client, model="dall-e"), 400, "unknown_model")
    assert Usage.objects.get().charged == 0


def test_a_plans_largest_side(bob: Account) -> None:
    Plan.objects.filter(slug="free").update(max_side=90)

    refused(send(bob.client), 400, "image_too_large", "Image too large. Max dimension: 90px")


def test_too_fast(bob: Account) -> None:
    answers = [send(bob.client) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    refused(answers[-1], 429, "rate_limited", "Rate limit exceeded. Please try again later.")
    assert answers[-1].json()["error"] == "Too Many Requests"
    assert answers[-1]["X-RateLimit-Remaining"] == "0"
    assert 0 < int(answers[-1]["Retry-After"]) <= 31


def test_out_of_quota(bob: Account) -> None:
    bob.limit(quota=1)
    send(bob.client)
    response = send(bob.client)

    refused(response, 429, "quota_exceeded")
    assert response["X-Quota-Remaining"] == "0"
    assert response["X-RateLimit-Reset"] == response["X-Quota-Reset"]  # who sleeps until then is let in
    assert int(response["Retry-After"]) <= 86_400


def test_a_bad_picture_is_told_so_when_the_quota_is_spent(bob: Account) -> None:
    bob.limit(quota=0)

    refused(send(bob.client, image=SimpleUploadedFile("a.png", b"")), 400, "invalid_image")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (engine.EngineBusy(7), 503, "busy"),
        (engine.EngineUnavailable("no weights"), 503, "engine_unavailable"),
        (MemoryError(), 500, "internal_error"),
    ],
)
def test_an_engine_that_fails_charges_nothing(
    alice: Account, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("inpainting.engine.inpaint", fail)
    response = send(alice.client)

    refused(response, status, code)
    assert response["X-Quota-Remaining"] == "20000"
    assert "X-Credits-Charged" not in response
    row = Usage.objects.get()
    assert (row.state, row.status, row.code, row.charged) == ("failed", status, code, 0)
    if code == "busy":
        assert response["Retry-After"] == "7"


@pytest.mark.parametrize("url", [URL, "/inpaint-multipart"])
def test_a_full_queue_refuses_before_a_picture_is_decoded(
    alice: Account, monkeypatch: pytest.MonkeyPatch, settings: Settings, url: str
) -> None:
    desks = door.Desks()
    monkeypatch.setattr(door, "_desks", desks)
    monkeypatch.setattr("inpainting.engine.hardware.cores", lambda: 1)
    settings.ENGINE_QUEUE = 0
    undecodable = SimpleUploadedFile("a.png", b"no picture")
    with desks.inpainter(None).turn():
        response = alice.client.post(url, {"image": undecodable, "mask": pictures.file(MASK)})

    refused(response, 503, "busy")
    assert int(response["Retry-After"]) >= 1
    assert Usage.objects.get().charged == 0


def test_an_account_has_only_so_many_pictures_inside(
    alice: Account, bob: Account, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    desks = door.Desks()
    monkeypatch.setattr(door, "_desks", desks)
    settings.ENGINE_CONCURRENCY = 1
    undecodable = SimpleUploadedFile("a.png", b"no picture")
    with engine.on_behalf_of(f"account {alice.user.pk}"), desks.inpainter(None).turn():
        hers, his = (one.client.post(URL, {"image": undecodable, "mask": pictures.file(MASK)}) for one in (alice, bob))

    refused(hers, 429, "too_many_calls")
    assert int(hers["Retry-After"]) >= 1
    refused(his, 400, "invalid_image")  # got as far as that


def test_a_broken_multipart_body(alice: Account) -> None:
    response = alice.client.generic("POST", URL, b"--x\r\nnonsense", "multipart/form-data; boundary=x")

    refused(response, 400, "parse_error")


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
def test_a_multipart_body_without_a_boundary(alice: Account, content_type: str) -> None:
    refused(alice.client.generic("POST", URL, b"x", content_type), 400, "parse_error")


def test_another_media_type(alice: Account) -> None:
    refused(alice.client.post(URL, "a", "text/plain"), 415, "unsupported_media_type")


def test_get_is_no_method_of_it(alice: Account) -> None:
    response = alice.client.get(URL)

    refused(response, 405, "method_not_allowed")
    assert response["Allow"] == "POST, OPTIONS"


def test_a_body_beyond_all_limits_is_not_read(alice: Account) -> None:
    response = alice.client.post(URL, b"", "multipart/form-data; boundary=x", headers={"Content-Length": str(1 << 30)})

    refused(response, 413, "body_too_large")
    assert response.json()["error"] == "Payload Too Large"


# --- Idempotency-Key -------------------------------------------------------------------------------------------------


def test_a_repeat_gets_the_first_answer_charged_once(alice: Account) -> None:
    first = send(alice.client, headers={"Idempotency-Key": "order-7"})
    again = send(alice.client, headers={"Idempotency-Key": "order-7"})

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert "X-Credits-Charged" not in again
    assert again["X-Quota-Remaining"] == "19999"
    assert Usage.objects.count() == 1


def test_the_same_key_with_another_body(alice: Account) -> None:
    send(alice.client, headers={"Idempotency-Key": "order-7"})

    refused(send(alice.client, grow=1, headers={"Idempotency-Key": "order-7"}), 422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ"])
def test_a_malformed_idempotency_key(alice: Account, key: str) -> None:
    refused(send(alice.client, headers={"Idempotency-Key": key}), 400, "invalid_idempotency_key")


def test_an_unknown_model_is_refused_whatever_is_in_the_picture(alice: Account) -> None:
    response = send(alice.client, mask=None, model="dall-e")

    assert (response.status_code, response.json()["code"]) == (400, "unknown_model")
    assert response["X-Quota-Remaining"] == "20000"
