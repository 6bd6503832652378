"""`targets` of detect, remove-watermark and batch. What is found is fixed here, but in the last test; the detector is
the subject of tests/inpainting/engine/text."""

import io
import zipfile
from typing import Any

import numpy as np
import pytest

from accounts.models import Usage
from inpainting import masks
from inpainting.batches.models import Item
from inpainting.batches.work import Worker
from inpainting.engine import Detection, Found, Lettering, TextRegion
from inpainting.engine.text import detector
from inpainting.engine.text.regions import filled
from tests import pictures
from tests.conftest import Account
from tests.inpainting.api.test_detect import DETECT, MARK, PHOTO, REMOVE, RESTORED, changed, send

BATCH = "/api/v1/batch"
HEIGHT, WIDTH = PHOTO.shape[:2]
TURNED = TextRegion(60, 40, 21, 16, 0.875, ((60, 46), (76, 40), (80, 49), (64, 55)))
OVER_THE_MARK = TextRegion(28, 18, 25, 21, 0.75, ((28, 18), (52, 18), (52, 38), (28, 38)))
TEXT_BOX = {
    "kind": "text",
    **{"x": 60, "y": 40, "width": 21, "height": 16, "score": 0.875},
    "polygon": [[60, 46], [76, 40], [80, 49], [64, 55]],
}
MARK_BOX = {"kind": "watermark", "x": 30, "y": 20, "width": 20, "height": 16, "score": 0.75}
INSIDE = filled([TURNED], HEIGHT, WIDTH)


@pytest.fixture(autouse=True)
def finds(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A see-through mark, and the lettering that it is told."""

    def write(*regions: TextRegion) -> None:
        found = Lettering(filled(regions, HEIGHT, WIDTH), list(regions), 0.1)
        monkeypatch.setattr("inpainting.engine.find_text", lambda picture: found)

    likely = MARK.astype(np.float32)
    marked = Detection(likely, likely * np.float32(0.5), MARK, RESTORED, MARK, [Found(30, 20, 20, 16, 0.75)])
    monkeypatch.setattr("inpainting.engine.detect", lambda *_, **__: marked)
    monkeypatch.setattr("inpainting.repair.is_repainted", lambda mark, found: False)
    monkeypatch.setattr(detector, "installed", lambda: True)
    write(TURNED)
    return write


def refused(response: Any, code: str, detail: str) -> None:
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert detail in response.json()["detail"]


@pytest.mark.parametrize(
    ("targets", "boxes", "mask"),
    [
        ("text", [TEXT_BOX], INSIDE),
        ("watermark", [MARK_BOX], MARK),
        ("watermark,text", [MARK_BOX, TEXT_BOX], MARK | INSIDE),
        (" text , watermark,text", [MARK_BOX, TEXT_BOX], MARK | INSIDE),
    ],
)
def test_it_works(alice: Account, targets: str, boxes: list[Any], mask: np.ndarray) -> None:
    told = send(alice.client, DETECT, targets=targets).json()
    shown = send(alice.client, DETECT, targets=targets, headers={"Accept": "image/png"})

    assert told == {"found": True, "coverage": round(float(mask.mean()), 4), "boxes": boxes}
    np.testing.assert_array_equal(pictures.pixels(shown.content) > 0, mask)
    assert shown["X-Mask-Pixels"] == str(mask.sum())


def test_text_is_repainted_and_nothing_else(alice: Account) -> None:
    response = send(alice.client, targets="text")

    touched = changed(response)
    assert touched[INSIDE].mean() > 0.9
    assert not touched[~INSIDE].any()
    assert response["X-Mask-Source"] == "detected"
    assert response["X-Mask-Confidence"] == "0.88"
    assert response["X-Mask-Pixels"] == str(INSIDE.sum())
    assert response["X-Credits-Charged"] == "1"


def test_both_cost_as_much_as_one(alice: Account) -> None:
    response = send(alice.client, targets="watermark,text")

    result = pictures.pixels(response.content)
    np.testing.assert_array_equal(result[MARK], RESTORED[MARK])
    assert (result[INSIDE] != PHOTO[INSIDE]).any(axis=1).mean() > 0.9
    np.testing.assert_array_equal(result[~MARK & ~INSIDE], PHOTO[~MARK & ~INSIDE])
    assert response["X-Credits-Charged"] == "1"
    assert response["X-Mask-Pixels"] == str((MARK | INSIDE).sum())


def test_a_marks_own_letters_come_off_as_the_mark(alice: Account, finds: Any) -> None:
    finds(OVER_THE_MARK, TURNED)

    assert send(alice.client, DETECT, targets="watermark,text").json()["boxes"] == [MARK_BOX, TEXT_BOX]
    result = pictures.pixels(send(alice.client, targets="watermark,text").content)
    np.testing.assert_array_equal(result[~INSIDE], RESTORED[~INSIDE])
    assert len(send(alice.client, DETECT, targets="text").json()["boxes"]) == 2


def test_grow_widens_it(alice: Account) -> None:
    touched = changed(send(alice.client, targets="text", grow=4))

    wider = masks.widened(INSIDE * masks.WHITE, 4) > 0
    assert touched[wider].mean() > 0.9
    assert not touched[~wider].any()


def test_no_lettering_is_no_charge(alice: Account, finds: Any) -> None:
    finds()
    response = send(alice.client, targets="text")

    assert not changed(response).any()
    assert (response["X-Mask-Source"], response["X-Mask-Pixels"]) == ("none", "0")
    assert "X-Credits-Charged" not in response
    assert Usage.objects.get().charged == 0
    assert send(alice.client, DETECT, targets="text").json() == {"found": False, "coverage": 0.0, "boxes": []}


def test_lettering_over_everything(alice: Account, finds: Any) -> None:
    corners = ((0, 0), (WIDTH - 1, 0), (WIDTH - 1, HEIGHT - 1), (0, HEIGHT - 1))
    finds(TextRegion(0, 0, WIDTH, HEIGHT, 0.9, corners))

    for targets in ("text", "watermark,text"):
        refused(send(alice.client, targets=targets), "mask_covers_everything", "Send a mask")


@pytest.mark.parametrize("url", [DETECT, REMOVE])
def test_what_is_no_target(alice: Account, url: str) -> None:
    refused(
        send(alice.client, url, targets="text,faces"), "invalid_request", 'targets: "faces" is none of watermark, text'
    )
    refused(send(alice.client, url, targets="text,"), "invalid_request", '"" is none of')
    refused(send(alice.client, url, targets=""), "invalid_request", "empty")


@pytest.mark.parametrize(
    "fields",
    [{"mask": pictures.file(pictures.box_mask())}, {"rectangles": '[{"x": 1, "y": 1, "width": 9, "height": 9}]'}],
    ids=lambda fields: next(iter(fields)),
)
def test_a_mask_says_what_goes(alice: Account, fields: dict[str, Any]) -> None:
    response = send(alice.client, targets="watermark", **fields)

    refused(response, "invalid_request", f"Send either targets or {next(iter(fields))}")


def test_lettering_is_not_restored(alice: Account) -> None:
    refused(send(alice.client, targets="watermark,text", mode="restore"), "option_not_taken", "mode=restore")
    assert send(alice.client, targets="watermark", mode="restore").status_code == 200


@pytest.mark.parametrize("field", [{"mode": "restore"}, {"marked": "true"}, {"proposals": "true"}])
def test_what_detect_takes_for_watermarks_alone(alice: Account, field: dict[str, Any]) -> None:
    name = next(iter(field))

    refused(send(alice.client, DETECT, targets="text", **field), "invalid_request", f"{name}: It is of watermarks")
    assert send(alice.client, DETECT, targets="watermark,text", **field).status_code == 200


def test_a_server_without_the_packages(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def available() -> dict[str, bool]:
        told = alice.client.get("/api/v1/models").json()["targets"]
        return {target["name"]: target["available"] for target in told}

    assert available() == {"watermark": True, "text": True}
    monkeypatch.setattr(detector, "installed", lambda: False)

    assert available() == {"watermark": True, "text": False}
    for url in (DETECT, REMOVE):
        refused(send(alice.client, url, targets="watermark,text"), "text_not_installed", "requirements-text.txt")
        assert send(alice.client, url, targets="watermark").status_code == 200
    response = alice.client.post(BATCH, {"images": [pictures.file(PHOTO)], "targets": "text"})
    refused(response, "text_not_installed", "requirements-text.txt")


# --- batches ---------------------------------------------------------------------------------------------------------


def batch(alice: Account, **fields: Any) -> Any:
    return alice.client.post(BATCH, {"images": [pictures.file(PHOTO), pictures.file(PHOTO)], **fields})


def test_a_batch(alice: Account) -> None:
    assert batch(alice, targets="text").status_code == 202
    worker = Worker()
    while worker.work_next():
        pass

    for item in Item.objects.all():
        assert (item.state, item.mask_source) == ("succeeded", "detected")
        assert item.coverage == pytest.approx(INSIDE.mean())
    assert [usage.charged for usage in Usage.objects.all()] == [1, 1]


def test_a_worker_without_the_packages(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its items fail and say so; they cost nothing."""
    monkeypatch.undo()
    monkeypatch.setattr(detector, "installed", lambda: True)
    batch(alice, targets="text")
    monkeypatch.setattr(detector, "installed", lambda: False)
    worker = Worker()
    while worker.work_next():
        pass

    assert {item.error["code"] for item in Item.objects.all() if item.error} == {"text_not_installed"}
    assert [usage.charged for usage in Usage.objects.all()] == [0, 0]


@pytest.mark.parametrize("field", ["masks", "shared_mark", "archive"])
def test_what_a_batch_of_targets_cannot_be_sent_with(alice: Account, field: str) -> None:
    mask, both = pictures.file(pictures.box_mask()), io.BytesIO()
    with zipfile.ZipFile(both, "w") as archive:
        archive.writestr("a.png", pictures.file(PHOTO).getvalue())
        archive.writestr("a_mask.png", mask.getvalue())
    both.seek(0)
    both.name = "both.zip"
    fields: dict[str, dict[str, Any]] = {
        "masks": {"masks": [mask, mask]},
        "shared_mark": {"shared_mark": "true"},
        "archive": {"archive": both},
    }
    images = {} if field == "archive" else {"images": [pictures.file(PHOTO), pictures.file(PHOTO)]}
    mask.seek(0)
    response = alice.client.post(BATCH, {**images, **fields[field], "targets": "text"})

    code = "invalid_archive" if field == "archive" else "invalid_request"
    refused(response, code, "targets")


@pytest.mark.skipif(not detector.installed(), reason="pip install -r requirements-text.txt")
def test_the_detector_itself(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is faked: both endpoints tell the same, and the letters are gone."""
    monkeypatch.undo()
    picture, letters = pictures.lettered()
    told = alice.client.post(DETECT, {"image": pictures.file(picture), "targets": "text"}).json()
    response = alice.client.post(REMOVE, {"image": pictures.file(picture), "targets": "text"})

    result = pictures.pixels(response.content)
    assert [box["kind"] for box in told["boxes"]] == ["text"]
    assert response["X-Mask-Coverage"] == f"{told['coverage']:.4f}"
    assert (result[letters] != picture[letters]).any(axis=1).mean() > 0.95
    again = alice.client.post(DETECT, {"image": pictures.file(result), "targets": "text"}).json()
    assert not again["found"]
