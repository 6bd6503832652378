"""Test keys: nothing is charged, results are stamped, statistics are their own."""

import io

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from accounts import keys
from accounts.models import ApiKey, Usage
from accounts.quota import quota_of
from inpainting.batches.models import Batch, Item
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api import test_batch
from tests.inpainting.api.test_remove_watermark import MASK, PHOTO, send


@pytest.fixture
def sandbox(bob: Account) -> Client:
    _, secret = ApiKey.objects.issue(bob.user, "sandbox", test=True)
    assert secret.startswith("sk_test_")
    assert keys.is_well_formed(secret)
    return Client(headers={"X-API-Key": secret})


def is_stamped(result: bytes) -> bool:
    """White and black letters where the mask left the picture alone, and the picture between them."""
    pixels = pictures.pixels(result)[MASK == 0]
    changed = (pixels != PHOTO[MASK == 0]).any(axis=-1)
    return bool(0.05 < changed.mean() < 0.6 and np.isin(pixels[changed], (0, 255)).all())


def test_it_works(bob: Account, sandbox: Client) -> None:
    response = send(sandbox)

    assert (response.status_code, response["X-Sandbox"]) == (200, "true")
    assert is_stamped(response.content)
    assert "X-Credits-Charged" not in response
    assert response["X-Quota-Remaining"] == "10"
    assert (quota_of(bob.user).used, Usage.objects.get().charged) == (0, 0)
    assert "X-Sandbox" not in send(bob.client)


def test_statistics_are_its_own(bob: Account, sandbox: Client) -> None:
    send(sandbox)
    send(sandbox, mask=pictures.file(np.zeros_like(MASK)))
    send(bob.client)

    stats = sandbox.get("/api/v1/stats").json()
    assert (stats["success"], stats["failed"], stats["quota"]["used"]) == (1, 1, 1)
    assert bob.client.get("/api/v1/stats").json()["total"] == 1


def test_the_quota_does_not_end_it_but_the_rate_does(bob: Account, sandbox: Client) -> None:
    bob.limit(quota=0)

    assert [send(sandbox).status_code for _ in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "avif"])
def test_every_format_is_stamped(sandbox: Client, format: str) -> None:
    rgba = np.dstack([PHOTO, np.full(PHOTO.shape[:2], 0, np.uint8)])
    response = send(sandbox, image=pictures.file(rgba), format=format)

    image = Image.open(io.BytesIO(response.content))
    if format != "jpeg":  # it lays the picture on white
        assert 0.05 < (np.asarray(image.getchannel("A")) == 255).mean() < 0.6
    assert (np.asarray(image.convert("L")) < 60).mean() > 0.02


def test_a_live_call_never_repeats_a_test_call(bob: Account, sandbox: Client) -> None:
    same = {"Idempotency-Key": "one"}
    assert send(sandbox, headers=same).status_code == 200

    assert send(sandbox, headers=same)["Idempotency-Replayed"] == "true"
    assert send(bob.client, headers=same).status_code == 422


def test_the_object_remover_surface(bob: Account, sandbox: Client) -> None:
    files = {"image": pictures.file(PHOTO), "mask": pictures.file(MASK)}
    answer = sandbox.post("/inpaint-multipart", files)

    assert answer["X-Sandbox"] == "true"
    assert is_stamped(sandbox.get(f"/result/{answer.json()['result']}").getvalue())
    assert quota_of(bob.user).used == 0


def test_a_batch_that_is_tried_again_stays_one(bob: Account, sandbox: Client) -> None:
    bob.limit(quota=0)
    links = test_batch.send(sandbox).json()["links"]
    Item.objects.update(state="failed")
    Usage.objects.update(state="failed")
    assert bob.client.post(f"{links['self']}/retry").status_code == 202
    test_batch.work()

    assert Batch.objects.get().progress().succeeded == 2
    assert is_stamped(test_batch.members(sandbox.get(links["results"]))["a.png"])
    assert (quota_of(bob.user).used, Usage.objects.filter(is_test=False).count()) == (0, 0)


def test_a_cancelled_batch_gives_nothing_back(bob: Account, sandbox: Client) -> None:
    send(bob.client)
    sandbox.delete(test_batch.send(sandbox).json()["links"]["self"])

    assert quota_of(bob.user).used == 1
