"""/api/v1/batch with shared_mark: a mark that all pictures have is computed from all of them."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from django.test import Client

from inpainting.batches.models import Batch
from inpainting.batches.work import Worker
from inpainting.models import Upload
from tests import pictures
from tests.conftest import Account
from tests.inpainting.engine.watermark.shared.series import decibels, series

URL = "/api/v1/batch"


def send(client: Client, sent: list[np.ndarray], **fields: Any) -> Any:
    files = [pictures.file(one, name=f"photo-{number}") for number, one in enumerate(sent)]
    return client.post(URL, {"images": files, "shared_mark": "true"} | fields)


def test_it_works(alice: Account) -> None:
    eight = series(8, 0.5)
    batch = send(alice.client, eight.marked).json()
    worker = Worker()
    while worker.work_next():
        pass

    items = alice.client.get(batch["links"]["items"]).json()["results"]
    assert [item["result"]["mask_source"] for item in items] == ["shared"] * 8
    for item, clean, marked, inside in zip(items, eight.clean, eight.marked, eight.inside, strict=True):
        made = pictures.pixels(alice.client.get(item["result"]["url"]).getvalue())
        assert decibels(made, clean, inside) > decibels(marked, clean, inside) + 8
    assert not Upload.objects.exists()  # the mark goes with the last picture


def test_pictures_that_share_nothing_are_cleaned_one_by_one(alice: Account) -> None:
    send(alice.client, series(8, 0.5).clean)
    worker = Worker()
    assert worker.work_next()

    batch = Batch.objects.get()
    assert batch.mark_state == Batch.Mark.ABSENT
    assert batch.items.get(index=0).mask_source in ("detected", "none")


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"mask": pictures.file(pictures.box_mask())}, "Send either shared_mark or mask."),
        ({"rectangles": '[{"x": 1, "y": 1, "width": 9, "height": 9}]'}, "Send either shared_mark or rectangles."),
        ({"images": [], "image_urls": ["https://example.org/a.jpg"] * 8}, "Send either shared_mark or image_urls."),
    ],
)
def test_what_it_cannot_be_sent_with(alice: Account, fields: dict[str, Any], detail: str) -> None:
    response = send(alice.client, [pictures.photo()] * 8, **fields)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")
    assert response.json()["detail"] == detail
    assert not Batch.objects.exists()


def test_an_archive_with_masks(alice: Account) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.png", pictures.file(pictures.photo()).getvalue())
        archive.writestr("a_mask.png", pictures.file(pictures.box_mask()).getvalue())
    file.seek(0)
    file.name = "pictures.zip"
    response = alice.client.post(URL, {"archive": file, "shared_mark": "true"})

    assert (response.status_code, response.json()["code"]) == (400, "invalid_archive")
    assert "shared_mark" in response.json()["detail"]


def test_too_few_pictures(alice: Account) -> None:
    response = send(alice.client, [pictures.photo()] * 7)

    assert (response.status_code, response.json()["code"]) == (400, "batch_too_small")
    assert response.json()["detail"] == "Too few pictures: shared_mark takes 8 or more."
    assert not Upload.objects.exists() | Batch.objects.exists()
