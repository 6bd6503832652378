"""The client on a real service."""

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.clients.document import SDK
from tests.live.service import Service

from iopaint import (
    AuthenticationFailed,
    Box,
    ConnectionFailed,
    InvalidImage,
    InvalidMask,
    InvalidRequest,
    IOPaintClient,
    NotFound,
)
from iopaint.files import Picture
from tests import pictures

pytestmark = pytest.mark.slow

MASK = pictures.box_mask()


@pytest.fixture
def client(environment: None, folder: Path) -> IOPaintClient:
    return IOPaintClient()


def test_it_works(environment: None, folder: Path, key: str) -> None:
    names: dict[str, object] = {}

    exec(SDK.replace("your_api_key", key), names)

    assert pictures.pixels((folder / "result.png").read_bytes()).shape == (64, 96, 3)
    assert sorted(path.name for path in (folder / "results").iterdir()) == ["img1.png", "img2.png"]


def test_a_result_tells_about_itself(client: IOPaintClient) -> None:
    result = client.remove_watermark("image.jpg", mask="mask.png")

    assert (result.size, result.mask_source, result.pixels, result.charged) == ((96, 64), "provided", 320, 1)
    assert result.coverage == pytest.approx(320 / 96 / 64, abs=1e-4)
    assert result.content_type == "image/png"
    assert result.image().size == (96, 64)
    assert result.changed
    assert result.request_id


def test_every_form_of_a_picture_comes_out_the_same(client: IOPaintClient) -> None:
    photo = pictures.photo()
    forms: list[Picture] = [photo, Image.fromarray(photo), pictures.file(photo), pictures.file(photo).getvalue()]
    masks: list[Picture] = [MASK, MASK > 0, Image.fromarray(MASK), pictures.file(MASK)]

    results = [client.remove_watermark(form, mask=mask) for form, mask in zip(forms, masks, strict=True)]

    first = pictures.pixels(results[0].content)
    assert np.array_equal(first[MASK == 0], photo[MASK == 0])
    assert not np.array_equal(first, photo)
    assert all(np.array_equal(pictures.pixels(result.content), first) for result in results)


def test_options_reach_the_service(client: IOPaintClient, folder: Path) -> None:
    box = Box(30, 20, 20, 16)
    result = client.remove_watermark("image.jpg", rectangles=[box, (0, 0, 4, 4)], grow=2, output="result.jpg")

    assert Image.open(folder / "result.jpg").format == "JPEG"
    assert (result.mask_source, result.content_type) == ("rectangles", "image/jpeg")
    assert result.pixels > 320 + 16
    with pytest.raises(InvalidRequest, match="takes no seed"):
        client.remove_watermark("image.jpg", model="patchmatch", seed=0)
    with pytest.raises(TypeError, match="'masks'"):
        client.remove_watermark("image.jpg", masks="…")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="ASCII"):
        client.remove_watermark("image.jpg", idempotency_key="ключ")


def test_addresses_are_for_the_service_to_fetch(client: IOPaintClient) -> None:
    address = "http://127.0.0.1/photo.jpg"

    for call in (client.remove_watermark, client.detect, lambda image: client.create_batch([image])):
        with pytest.raises(InvalidRequest, match="image_url") as caught:
            call(address)
        assert caught.value.code == "url_not_allowed"
    with pytest.raises(InvalidRequest, match="mask_url"):
        client.remove_watermark("image.jpg", mask=address)


def test_a_repeat_is_not_charged(client: IOPaintClient) -> None:
    charged = [client.remove_watermark("image.jpg", mask="mask.png", idempotency_key="once").charged for _ in range(2)]

    assert charged == [1, 0]


def test_errors_are_those_of_their_codes(client: IOPaintClient) -> None:
    with pytest.raises(InvalidImage) as caught:
        client.remove_watermark(b"text")
    assert (caught.value.code, caught.value.status_code) == ("invalid_image", 400)
    assert caught.value.request_id
    with pytest.raises(InvalidImage) as refused:
        client.create_batch(["image.jpg", b"text"])
    assert (caught.value.index, refused.value.index) == (None, 1)

    with pytest.raises(InvalidMask, match="mask"):
        client.remove_watermark("image.jpg", mask=MASK * 0)
    with pytest.raises(NotFound):
        client.batch("00000000-0000-0000-0000-000000000000")
    with pytest.raises(AuthenticationFailed):
        IOPaintClient("sk_live_wrong").stats()
    with pytest.raises(ConnectionFailed, match="cannot be reached"):
        IOPaintClient(base_url="http://127.0.0.1:9", max_retries=0).health()


def test_what_cannot_be_written_costs_nothing(client: IOPaintClient, folder: Path) -> None:
    before = client.stats().total

    for output in ("mask.png/result.png", "nowhere/result.png", "."):
        with pytest.raises(OSError, match="folder"):
            client.remove_watermark("image.jpg", mask="mask.png", output=output)

    assert client.stats().total == before


def test_a_mark_that_is_detected_can_be_sent_back(client: IOPaintClient) -> None:
    found = client.detect("image.jpg", proposals=True)
    mask = Image.open(io.BytesIO(client.detect_mask("image.jpg")))

    assert (mask.format, mask.size) == ("PNG", (96, 64))
    assert found.found == bool(np.asarray(mask).any())


def test_the_service_tells_about_itself(client: IOPaintClient) -> None:
    with IOPaintClient(api_key=None) as stranger:
        assert stranger.health().status == "healthy"
        assert {"lama", "hybrid"} <= {model.name for model in stranger.models()}
    assert client.stats().plan == "enterprise"
    assert client.stats().quota.limit is None


def test_a_picture_that_fails_stops_no_other(client: IOPaintClient, folder: Path) -> None:
    damaged = (folder / "image.jpg").read_bytes()[:-400]

    good, bad = client.batch_process(["img1.jpg", damaged], mask="mask.png", progress=True)

    assert good.ok
    assert pictures.pixels(good.content or b"").shape == (64, 96, 3)
    assert isinstance(bad.error, InvalidImage)
    assert bad.content is None


def test_a_batch_is_followed(client: IOPaintClient) -> None:
    batch = client.create_batch(["img1.jpg", "img2.jpg"], mask="mask.png", metadata={"order": 7})

    items = {item.index: item for item in client.follow_batch(batch.id)}

    assert [items[index].name for index in range(2)] == ["img1.jpg", "img2.jpg"]
    assert pictures.pixels(client.download(items[0])).shape == (64, 96, 3)
    over = client.batch(batch.id)
    assert (over.status, over.succeeded, over.is_over, over.metadata) == ("succeeded", 2, True, {"order": 7})
    assert batch.id in {each.id for each in client.batches()}
    assert len(client.batch_items(batch.id)) == 2

    client.cancel_batch(batch.id)
    assert [item.result for item in client.batch_items(batch.id)] == [None, None]
    with pytest.raises(NotFound):
        client.download(items[0])


def test_connections_are_kept(client: IOPaintClient, service: Service) -> None:
    happened: list[str] = []

    def note(request: httpx.Request) -> None:
        request.extensions["trace"] = lambda event, info: happened.append(event)

    with IOPaintClient(http_client=httpx.Client(event_hooks={"request": [note]})) as traced:
        for _ in range(3):
            traced.stats()

    assert happened.count("connection.connect_tcp.complete") == 1


def test_a_result_that_is_kept_for_one_download(client: IOPaintClient) -> None:
    batch = client.create_batch(["img1.jpg"], mask="mask.png", expires_in=0)
    (item,) = client.follow_batch(batch.id)

    assert client.download(item)
    with pytest.raises(NotFound):
        client.download(item)
    (item,) = client.batch_items(batch.id)
    assert (item.status, item.result) == ("succeeded", None)
