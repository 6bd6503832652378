"""The object remover surface: /upload-image, /upload-mask, /inpaint, /inpaint-url, /inpaint-multipart."""

import io
import re
import uuid
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import ExifTags, Image

from accounts.models import Usage
from inpainting.models import Result, Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.test_remove_watermark import refused

PHOTO, MASK = pictures.photo(), pictures.box_mask()


def upload(client: Client, kind: str, file: Any = None) -> Any:
    file = file or pictures.file(PHOTO if kind == "image" else MASK, name=f"my {kind}")
    return client.post(f"/upload-{kind}", {kind: file})


def upload_both(client: Client) -> dict[str, str]:
    return {f"{kind}_id": upload(client, kind).json()["id"] for kind in ("image", "mask")}


def inpaint(client: Client, body: dict[str, Any], path: str = "/inpaint", headers: Any = None) -> Any:
    return client.post(path, body, "application/json", headers=headers)


def multipart(client: Client, **fields: Any) -> Any:
    return client.post("/inpaint-multipart", {"image": pictures.file(PHOTO), "mask": pictures.file(MASK), **fields})


def content(client: Client, name: str) -> bytes:
    return b"".join(client.get(f"/download/{name}").streaming_content)  # type: ignore[attr-defined]


def test_it_works(public: Client) -> None:
    image, mask = upload(public, "image"), upload(public, "mask")
    assert set(image.json()) == {"id", "filename"}
    assert image.json()["filename"] == "my image.png"
    assert uuid.UUID(image.json()["id"])

    response = inpaint(public, {"image_id": image.json()["id"], "mask_id": mask.json()["id"]})
    assert set(response.json()) == {"result"}
    assert re.fullmatch(r"output_[0-9a-f]{32}\.png", response.json()["result"])

    result = pictures.pixels(content(public, response.json()["result"]))
    np.testing.assert_array_equal(result[MASK == 0], PHOTO[MASK == 0])
    assert (result[MASK > 0] != PHOTO[MASK > 0]).any()


def test_inpaint_url_says_where_the_result_is(public: Client) -> None:
    body = inpaint(public, upload_both(public), "/inpaint-url").json()

    assert body["url"] == f"http://testserver/download/{body['result']}"


def test_in_one_step(public: Client) -> None:
    body = multipart(public).json()

    assert body["url"] == f"http://testserver/download/{body['result']}"
    assert pictures.pixels(content(public, body["result"])).shape == PHOTO.shape


def test_both_ways_give_the_same(public: Client) -> None:
    one, two = multipart(public).json(), inpaint(public, upload_both(public)).json()

    assert content(public, one["result"]) == content(public, two["result"])


def test_an_alpha_mask(public: Client) -> None:
    alpha_mask = pictures.file(np.dstack([np.full((64, 96, 3), 255, np.uint8), 255 - MASK]))

    one, two = multipart(public, mask=alpha_mask).json(), multipart(public).json()
    assert content(public, one["result"]) == content(public, two["result"])


def test_metadata_in_a_form_and_in_json(public: Client) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Artist] = "Alice"

    def photo() -> io.BytesIO:
        return pictures.file(PHOTO, exif=exif.tobytes())

    ids = {"image_id": upload(public, "image", photo()).json()["id"], "mask_id": upload(public, "mask").json()["id"]}
    kept = [
        multipart(public, image=photo()),
        multipart(public, image=photo(), metadata="keep"),
        inpaint(public, ids),
        inpaint(public, {**ids, "metadata": "keep"}),
    ]
    artists = [Image.open(io.BytesIO(content(public, answer.json()["result"]))).getexif() for answer in kept]
    assert [artist.get(ExifTags.Base.Artist) for artist in artists] == [None, "Alice", None, "Alice"]


def test_invert_mask_in_a_form_and_in_json(public: Client) -> None:
    inverted = pictures.file(255 - MASK)
    form = multipart(public, mask=inverted, invert_mask="true").json()
    inverted.seek(0)
    ids = {"image_id": upload(public, "image").json()["id"], "mask_id": upload(public, "mask", inverted).json()["id"]}
    json = inpaint(public, {**ids, "invert_mask": True}).json()

    expected = content(public, multipart(public).json()["result"])
    assert content(public, form["result"]) == content(public, json["result"]) == expected


# --- ids -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["image_id", "mask_id"])
@pytest.mark.parametrize("id", [str(uuid.UUID(int=7)), "nonsense", "\0", "../../etc/passwd"])
def test_an_unknown_id(public: Client, name: str, id: str) -> None:
    expected = (400, "invalid_request") if "\0" in id else (404, "not_found")

    refused(inpaint(public, {**upload_both(public), name: id}), *expected)


def test_a_mask_is_no_image(public: Client) -> None:
    ids = upload_both(public)

    refused(inpaint(public, {"image_id": ids["mask_id"], "mask_id": ids["image_id"]}), 404, "not_found")


def test_an_expired_upload(public: Client) -> None:
    ids = upload_both(public)
    Upload.objects.update(expires_at=timezone.now())

    refused(inpaint(public, ids), 404, "not_found")


@pytest.mark.parametrize("kind", ["image", "mask"])
def test_an_upload_lasts_as_long_as_is_asked_for(public: Client, kind: str) -> None:
    answer = public.post(f"/upload-{kind}", {kind: pictures.file(PHOTO if kind == "image" else MASK), "expires_in": 60})

    stored = Upload.objects.get()
    assert stored.name == answer.json()["id"]
    assert stored.expires_at == datetime.fromisoformat(answer["X-Expires-At"])
    assert abs(stored.expires_at - stored.created_at - timedelta(seconds=60)) < timedelta(seconds=30)


@pytest.mark.parametrize("seconds", ["59", "86401", "1.5", "long"])
def test_a_lifetime_out_of_bounds(public: Client, seconds: str) -> None:
    answer = public.post("/upload-image", {"image": pictures.file(PHOTO), "expires_in": seconds})

    refused(answer, 400, "invalid_request")
    assert "expires_in" in answer.json()["detail"]
    assert not Upload.objects.exists()


def test_an_upload_whose_file_was_never_finished(public: Client) -> None:
    ids = upload_both(public)
    Upload.objects.update(written=False)

    refused(inpaint(public, ids), 404, "not_found")


def test_an_upload_whose_file_is_lost(public: Client) -> None:
    ids = upload_both(public)
    storages["uploads"].delete(ids["image_id"])

    refused(inpaint(public, ids), 404, "not_found")


def test_an_accounts_upload_is_only_the_accounts(alice: Account, bob: Account, public: Client) -> None:
    ids = upload_both(alice.client)

    refused(inpaint(bob.client, ids), 404, "not_found")
    refused(inpaint(public, ids), 404, "not_found")
    assert inpaint(alice.client, ids).status_code == 200


def test_an_account_may_use_public_uploads(alice: Account, public: Client) -> None:
    assert inpaint(alice.client, upload_both(public)).status_code == 200


@pytest.mark.parametrize("body", [{}, {"image_id": "x"}, [], '"text"', {"image_id": {}, "mask_id": []}])
def test_a_malformed_body(public: Client, body: Any) -> None:
    refused(inpaint(public, body), 400, "invalid_request")


def test_no_json(public: Client) -> None:
    refused(public.post("/inpaint", b"{nonsense", "application/json"), 400, "parse_error")


def test_grow_widens_the_hole(public: Client) -> None:
    wider = np.zeros_like(MASK)
    wider[17:39, 27:53] = 255
    grown = multipart(public, grow="3")

    assert content(public, grown.json()["result"]) == content(
        public, multipart(public, mask=pictures.file(wider)).json()["result"]
    )
    by_id = inpaint(public, {**upload_both(public), "grow": 3})
    assert content(public, by_id.json()["result"]) == content(public, grown.json()["result"])


@pytest.mark.parametrize("grow", [-1, 65, "much", ""])
def test_grow_out_of_range(public: Client, grow: Any) -> None:
    refused(multipart(public, grow=grow), 400, "invalid_request")
    refused(inpaint(public, {**upload_both(public), "grow": grow}), 400, "invalid_request")
    assert not Result.objects.exists()


def test_a_mask_of_the_stored_pixels_of_a_turned_photograph(public: Client) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = pictures.file(PHOTO, exif=exif.tobytes())

    result = pictures.pixels(content(public, multipart(public, image=photo).json()["result"]))
    upright, mask = np.rot90(PHOTO, -1), np.rot90(MASK, -1)
    np.testing.assert_array_equal(result[mask == 0], upright[mask == 0])
    assert (result[mask > 0] != upright[mask > 0]).any()


# --- refusals --------------------------------------------------------------------------------------------------------


def test_an_upload_that_is_no_picture(public: Client) -> None:
    refused(upload(public, "image", SimpleUploadedFile("a.png", b"hello")), 400, "invalid_image")
    refused(upload(public, "mask", SimpleUploadedFile("a.png", b"")), 400, "invalid_mask")
    assert not Upload.objects.exists()


def test_the_wrong_field(public: Client) -> None:
    response = public.post("/upload-image", {"file": pictures.file(PHOTO)})

    refused(response, 400, "invalid_request", "image: No file was submitted.")


def test_an_unknown_field(public: Client) -> None:
    response = multipart(public, invert_masks="true")
    refused(response, 400, "unknown_field", "There is no field 'invert_masks'. Did you mean 'invert_mask'?")

    response = inpaint(public, {**upload_both(public), "colour": "red"})
    known = "model, prompt, negative_prompt, steps, guidance, seed, invert_mask, mark, grow, metadata, expires_in, "
    refused(response, 400, "unknown_field", f"There is no field 'colour'. There are {known}image_id, mask_id.")


def test_swapped_ids(public: Client) -> None:
    ids = upload_both(public)
    response = inpaint(public, {"image_id": ids["mask_id"], "mask_id": ids["image_id"]})

    swapped = f"{ids['mask_id']} is the id of an uploaded mask, not of the image: are the two ids swapped?"
    refused(response, 404, "not_found", swapped)


def test_a_file_over_10_mb(public: Client) -> None:
    response = upload(public, "image", SimpleUploadedFile("a.png", bytes((10 << 20) + 1)))

    refused(response, 400, "image_too_large", "Image too large. Max size: 10MB")


def test_an_empty_and_a_full_mask(public: Client) -> None:
    refused(multipart(public, mask=pictures.file(MASK * 0)), 400, "empty_mask")
    refused(multipart(public, mask=pictures.file(MASK * 0 + 1)), 400, "mask_covers_everything")
    assert not Result.objects.exists()


def test_a_failing_engine_leaves_nothing(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("inpainting.engine.inpaint", fail)

    refused(multipart(alice.client), 500, "internal_error")
    assert not Result.objects.exists()
    assert Usage.objects.get().charged == 0


def test_a_failing_storage_leaves_nothing_and_charges_nothing(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("django.core.files.storage.FileSystemStorage._save", full)

    refused(multipart(alice.client), 503, "storage_unavailable")
    assert not Result.objects.exists()
    assert Usage.objects.get().charged == 0


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def token(settings: Any) -> str:
    settings.API_TOKEN = "correct horse"
    return "correct horse"


def test_the_token(public: Client, token: str) -> None:
    assert Client(headers={"Authorization": f"Bearer {token}"}).post("/upload-image").status_code == 400


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic Y29ycmVjdA==", "correct horse"])
def test_no_or_a_malformed_token(public: Client, token: str, header: str | None) -> None:
    response = public.post("/upload-image", headers={"Authorization": header} if header is not None else {})

    refused(response, 401, "missing_api_token")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("wrong", ["wrong", "корень", "correct horse battery"])
def test_a_wrong_token(public: Client, token: str, wrong: str) -> None:
    refused(public.post("/upload-image", headers={"Authorization": f"Bearer {wrong}"}), 403, "wrong_api_token")


def test_guessing_the_token_is_stopped(public: Client, token: str) -> None:
    for number in range(20):
        public.post("/upload-image", headers={"Authorization": f"Bearer {number}"})
    public.post("/upload-image", headers={"Authorization": "Bearer 20"})

    right = {"Authorization": f"Bearer {token}"}
    response = public.post("/upload-image", headers=right)
    refused(response, 429, "rate_limited")
    assert 0 < int(response["Retry-After"]) <= 60
    assert public.post("/upload-image", headers=right, REMOTE_ADDR="192.0.2.7").status_code == 400


def test_what_an_address_may_have_stored_in_a_day(public: Client, alice: Account, settings: Any) -> None:
    settings.PUBLIC_MEGABYTES = 1
    noise = np.random.default_rng(0).integers(0, 256, (500, 500, 3), np.uint8)  # of 750 kB

    def store(client: Client, **extra: Any) -> Any:
        return client.post("/upload-image", {"image": pictures.file(noise)}, **extra)

    assert store(public).status_code == 200
    response = store(public)
    refused(response, 429, "rate_limited")
    assert "1 MB of today" in response.json()["detail"]
    assert 0 < int(response["Retry-After"]) <= 24 * 3600
    assert Upload.objects.count() == 1
    assert multipart(public).status_code == 200  # what is small still fits
    assert store(public, REMOTE_ADDR="192.0.2.7").status_code == 200
    assert [store(alice.client).status_code for _ in range(2)] == [200, 200]


def test_a_key_serves_instead_of_the_token(alice: Account, token: str) -> None:
    assert multipart(alice.client).status_code == 200


def test_a_wrong_key_is_refused_where_none_is_needed(public: Client) -> None:
    refused(public.post("/upload-image", headers={"X-API-Key": "sk_live_x"}), 401, "invalid_api_key")


def test_health_and_results_never_ask(public: Client, alice: Account, token: str) -> None:
    name = multipart(alice.client).json()["result"]

    for path in ("/health", f"/download/{name}", f"/result/{name}"):
        assert public.get(path).status_code == 200


def test_a_key_puts_the_call_on_the_accounts_plan(bob: Account) -> None:
    response = multipart(bob.client)

    assert response["X-Quota-Remaining"] == "9"
    assert response["X-RateLimit-Limit"] == "2"
    assert bob.client.get("/api/v1/stats").json()["success"] == 1


def test_the_public_is_limited_by_address(public: Client, settings: Any) -> None:
    settings.PUBLIC_RATE = "2/m"
    answers = [upload(public, "image") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused(answers[-1], 429, "rate_limited")
    assert 0 < int(answers[-1]["Retry-After"]) <= 60
    other = Client(REMOTE_ADDR="192.0.2.7")
    assert upload(other, "image").status_code == 200


def test_a_repeat_gets_the_first_result_charged_once(alice: Account) -> None:
    ids = upload_both(alice.client)
    first, again = (inpaint(alice.client, ids, headers={"Idempotency-Key": "k"}) for _ in range(2))

    assert again.json() == first.json()
    assert again["X-Quota-Remaining"] == "19999"
    assert Result.objects.count() == 1


def test_deleting_the_account_deletes_its_files(alice: Account) -> None:
    ids, name = upload_both(alice.client), multipart(alice.client).json()["result"]

    alice.user.delete()
    assert not storages["uploads"].exists(ids["image_id"])
    assert not storages["results"].exists(name)
    assert Usage.objects.get().user is None
