"""POST /api/v1/detect, and POST /api/v1/remove-watermark without a mask. What is found is fixed here: the network
itself is the subject of tests/inpainting/engine/test_detector.py, and of the last test of this file."""

from typing import Any

import numpy as np
import pytest
from django.test import Client

from accounts.models import Usage
from inpainting import engine, masks
from inpainting.engine import Detection, Found, Trust
from tests import pictures
from tests.conftest import Account

DETECT, REMOVE = "/api/v1/detect", "/api/v1/remove-watermark"
PHOTO = pictures.photo()
MARK = pictures.box_mask(box=(30, 20, 50, 36)) > 0
NOTHING = MARK & False
OPAQUE = 1.0  # opacity of a mark that is repainted
RESTORED = np.where(MARK[..., None], 255 - PHOTO, PHOTO)


class Finder:
    """A detector that finds what it was told."""

    def __init__(self, mask: np.ndarray, opacity: float, touched: np.ndarray) -> None:
        restored = np.where(touched[..., None], 255 - PHOTO, PHOTO)
        boxes = [Found(30, 20, 20, 16, 0.75)] if mask.any() else []
        likely = mask.astype(np.float32)
        self.detection = Detection(
            likely, likely * np.float32(opacity), mask, restored, touched, boxes, [Found(2, 3, 8, 9, 0.25)]
        )

    def detect(
        self, image: np.ndarray, hole: np.ndarray | None = None, *, trust: Trust = "nobody", mend: bool = True
    ) -> Detection:
        np.testing.assert_array_equal(image, PHOTO)
        self.trust = trust
        return self.detection


@pytest.fixture
def finds(monkeypatch: pytest.MonkeyPatch) -> Any:
    def detector(mask: np.ndarray = MARK, opacity: float = 0.5, touched: np.ndarray | None = None) -> Finder:
        finder = Finder(mask, opacity, mask if touched is None else touched)
        monkeypatch.setattr("inpainting.engine.detect", finder.detect)
        return finder

    # Which repair is chosen is the subject of tests/inpainting/test_repair.py.
    monkeypatch.setattr("inpainting.repair.is_repainted", lambda mark, found: found.opacity.max() == OPAQUE)
    detector()
    return detector


def send(client: Client, url: str = REMOVE, headers: dict[str, str] | None = None, **fields: Any) -> Any:
    return client.post(url, {"image": pictures.file(PHOTO), **fields}, headers=headers)


def changed(response: Any) -> np.ndarray:
    assert response.status_code == 200
    differs: np.ndarray = (pictures.pixels(response.content) != PHOTO).any(axis=2)
    return differs


def test_it_works(alice: Account, finds: Any) -> None:
    response = send(alice.client, DETECT)

    assert response.status_code == 200
    box = {"kind": "watermark", "x": 30, "y": 20, "width": 20, "height": 16, "score": 0.75}
    assert response.json() == {"found": True, "coverage": 0.0521, "boxes": [box]}
    assert response["X-Quota-Remaining"] == "20000"
    assert "X-Credits-Charged" not in response


@pytest.mark.parametrize(
    ("fields", "trust"),
    [({}, "nobody"), ({"mode": "repaint"}, "nobody"), ({"marked": "true"}, "one"), ({"mode": "restore"}, "all")],
)
def test_it_looks_as_that_mode_would(alice: Account, finds: Any, fields: dict[str, Any], trust: str) -> None:
    detector = finds()

    assert send(alice.client, DETECT, **fields).status_code == 200
    assert detector.trust == trust


def test_proposals_are_what_is_not_sure_enough(alice: Account, finds: Any) -> None:
    told = send(alice.client, DETECT, proposals="true").json()

    assert told["proposals"] == [{"kind": "watermark", "x": 2, "y": 3, "width": 8, "height": 9, "score": 0.25}]
    assert told["coverage"] == 0.0521
    assert "proposals" not in send(alice.client, DETECT).json()


def test_the_mask_itself(alice: Account, finds: Any) -> None:
    response = send(alice.client, DETECT, headers={"Accept": "image/png"})

    assert response["Content-Type"] == "image/png"
    assert response["X-Mask-Coverage"] == "0.0521"
    np.testing.assert_array_equal(pictures.pixels(response.content) > 0, MARK)
    mask = pictures.file(pictures.pixels(response.content))
    assert send(alice.client, mask=mask)["X-Mask-Coverage"] == "0.0521"  # it can be sent back


def test_nothing_found(alice: Account, finds: Any) -> None:
    finds(mask=NOTHING)

    assert send(alice.client, DETECT).json() == {"found": False, "coverage": 0.0, "boxes": []}


def test_it_costs_rate(bob: Account, finds: Any) -> None:
    answers = [send(bob.client, DETECT).status_code for _ in range(6)]

    assert answers == [200] * 5 + [429]


def test_detect_without_a_key(public: Client, finds: Any) -> None:
    assert send(public, DETECT).status_code == 401


def test_detect_without_a_picture(alice: Account, finds: Any) -> None:
    response = alice.client.post(DETECT)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_request")


# --- removing without a mask -----------------------------------------------------------------------------------------


def test_a_mark_that_is_restored(alice: Account, finds: Any) -> None:
    response = send(alice.client)

    assert response["X-Mask-Source"] == "detected"
    assert response["X-Mask-Confidence"] == "0.75"
    assert response["X-Mask-Coverage"] == f"{MARK.mean():.4f}"
    assert response["X-Credits-Charged"] == "1"
    np.testing.assert_array_equal(pictures.pixels(response.content), RESTORED)


def test_a_mark_that_is_repainted(alice: Account, finds: Any) -> None:
    finds(opacity=OPAQUE)
    response = send(alice.client)

    touched = changed(response)
    assert touched[MARK].mean() > 0.9
    assert not touched[masks.widened(MARK * masks.WHITE, 4) == 0].any()
    assert (pictures.pixels(response.content)[MARK] != RESTORED[MARK]).any()


def test_without_a_mask_the_caller_is_believed_that_there_is_a_mark(alice: Account, finds: Any) -> None:
    detector = finds()

    send(alice.client)

    assert detector.trust == "one"


def test_no_watermark_is_no_charge(alice: Account, finds: Any) -> None:
    finds(mask=NOTHING)
    response = send(alice.client)

    assert not changed(response).any()
    assert (response["X-Mask-Source"], response["X-Mask-Coverage"]) == ("none", "0.0000")
    assert response["X-Mask-Pixels"] == "0"
    assert "X-Mask-Confidence" not in response
    assert "X-Credits-Charged" not in response
    assert response["X-Quota-Remaining"] == "20000"
    row = Usage.objects.get()
    assert (row.state, row.status, row.charged) == ("succeeded", 200, 0)


def test_restore_alone_leaves_no_repainting(alice: Account, finds: Any) -> None:
    result = pictures.pixels(send(alice.client, mode="restore").content)

    np.testing.assert_array_equal(result, RESTORED)


@pytest.mark.parametrize("mode", ["auto", "restore"])
def test_what_is_mended_beside_a_mark_belongs_to_it(alice: Account, finds: Any, mode: str) -> None:
    wider = masks.widened(MARK * masks.WHITE, 2) > 0
    finds(touched=wider)
    response = send(alice.client, mode=mode)

    np.testing.assert_array_equal(changed(response), wider)
    assert response["X-Mask-Coverage"] == f"{wider.mean():.4f}"


def test_repaint_alone_restores_nothing(alice: Account, finds: Any) -> None:
    response = send(alice.client, mode="repaint")

    finds(opacity=OPAQUE)
    assert response.content == send(alice.client).content
    assert response["X-Mask-Source"] == "detected"


def test_grow_widens_what_is_repainted(alice: Account, finds: Any) -> None:
    finds(opacity=OPAQUE)
    narrow, wide = changed(send(alice.client)), changed(send(alice.client, grow=4))

    assert wide.sum() > narrow.sum()
    assert not wide[masks.widened(narrow * masks.WHITE, 5) == 0].any()


def test_a_mask_limits_where_it_may_be_restored(alice: Account, finds: Any) -> None:
    left = pictures.file(pictures.box_mask(box=(20, 20, 36, 36)))  # reaches beyond the mark on the left
    touched = changed(send(alice.client, mask=left, mode="restore"))

    np.testing.assert_array_equal(touched, MARK & (np.arange(96) < 36))


def test_a_mask_with_auto_leaves_what_lies_between_the_letters(alice: Account, finds: Any) -> None:
    around = pictures.box_mask(box=(24, 14, 56, 42))
    result = pictures.pixels(send(alice.client, mask=pictures.file(around), mode="auto").content)

    np.testing.assert_array_equal(result, RESTORED)


def test_a_mask_with_auto_around_a_mark_that_is_repainted_is_filled(alice: Account, finds: Any) -> None:
    finds(opacity=OPAQUE)
    around = pictures.box_mask(box=(24, 14, 56, 42))
    response = send(alice.client, mask=pictures.file(around), mode="auto")

    assert response.content == send(alice.client, mask=pictures.file(around), mode="repaint").content


def test_every_part_of_a_mask_is_judged_by_itself(alice: Account, finds: Any) -> None:
    both = pictures.box_mask(box=(24, 14, 56, 42)) | pictures.box_mask(box=(80, 50, 90, 60))
    only = pictures.box_mask(box=(80, 50, 90, 60))
    result = pictures.pixels(send(alice.client, mask=pictures.file(both), mode="auto").content)

    np.testing.assert_array_equal(result[MARK], RESTORED[MARK])
    assert (result[only > 0] != PHOTO[only > 0]).any()
    np.testing.assert_array_equal(result[~MARK & (only == 0)], PHOTO[~MARK & (only == 0)])


def test_a_mask_with_auto_repaints_a_plain_object(alice: Account, finds: Any) -> None:
    elsewhere = pictures.box_mask(box=(60, 40, 70, 50))
    response = send(alice.client, mask=pictures.file(elsewhere), mode="auto")

    assert response["X-Mask-Source"] == "provided"
    assert "X-Mask-Confidence" not in response
    assert response.content == send(alice.client, mask=pictures.file(elsewhere), mode="repaint").content


def test_nothing_to_restore_in_a_mask_is_no_charge(alice: Account, finds: Any) -> None:
    response = send(alice.client, mask=pictures.file(pictures.box_mask(box=(60, 40, 70, 50))), mode="restore")

    assert not changed(response).any()
    assert response["X-Mask-Coverage"] == "0.0000"
    assert "X-Credits-Charged" not in response


def test_a_mark_over_everything_can_be_restored_but_not_repainted(alice: Account, finds: Any) -> None:
    finds(mask=MARK | True)
    assert changed(send(alice.client)).all()

    finds(mask=MARK | True, opacity=OPAQUE)
    response = send(alice.client)
    assert (response.status_code, response.json()["code"]) == (400, "mask_covers_everything")
    assert response["X-Quota-Remaining"] == "19999"


def test_a_repeat_is_answered_again(alice: Account, finds: Any) -> None:
    finds(mask=NOTHING)
    first, again = (send(alice.client, headers={"Idempotency-Key": "order-7"}) for _ in range(2))

    assert again.content == first.content
    assert again["Idempotency-Replayed"] == "true"
    assert Usage.objects.count() == 1


@pytest.mark.parametrize("url", [DETECT, REMOVE])
@pytest.mark.parametrize(
    ("error", "code"), [(engine.EngineBusy(7), "busy"), (engine.EngineUnavailable("no weights"), "engine_unavailable")]
)
def test_a_detector_that_fails_charges_nothing(
    alice: Account, monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, url: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("inpainting.engine.detect", fail)
    response = send(alice.client, url)

    assert (response.status_code, response.json()["code"]) == (503, code)
    assert response["X-Quota-Remaining"] == "20000"


@pytest.mark.parametrize("url", [DETECT, REMOVE])
def test_an_unknown_mode(alice: Account, url: str) -> None:
    assert send(alice.client, url, mode="magic").json()["code"] == "invalid_request"


def test_the_network_itself(alice: Account) -> None:
    """Nothing is faked: whatever the shipped weights see in this picture, both endpoints tell the same of it."""
    found = send(alice.client, DETECT).json()
    response = send(alice.client)

    touched = changed(response)
    assert response["X-Mask-Source"] == ("detected" if found["found"] else "none")
    assert response["X-Mask-Coverage"] == f"{found['coverage']:.4f}"
    assert touched.mean() <= found["coverage"] + 1e-4
    assert ("X-Credits-Charged" in response) == found["found"]
