"""Saved logos that are large: no memory is taken for what cannot be seen, and work does not grow with the rest."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from inpainting import admission
from inpainting.admission import DETECTED
from inpainting.engine.crops.boxes import Box
from inpainting.engine.logo import Logo
from inpainting.engine.watermark.shared import fitting
from tests import pictures
from tests.conftest import Account
from tests.inpainting.saved_marks.logos import decibels, laid, logo, photo
from tests.inpainting.saved_marks.test_api import save

HEIGHT, WIDTH = 240, 320


# Of the larger one the soft edge alone, one pixel of the file, is wider than the picture.
@pytest.mark.parametrize(("side", "is_seen"), [(4000, False), (1_000_000, True)])
def test_a_logo_larger_than_the_picture(side: int, is_seen: bool) -> None:
    pixels = np.full((400, 400, 4), 255, np.uint8)
    pixels[:, 200:, 3] = 0  # its right half, which lies on the picture, is not seen
    huge = Logo(pixels, Box(-side // 2, -side // 2, side // 2, side // 2), 0.5, 24)

    tracemalloc.start()
    lifted = fitting.lift(photo(HEIGHT, WIDTH), huge)
    shape = huge.shape(HEIGHT, WIDTH)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lifted is None
    assert shape[:, -1].any() == is_seen
    assert peak < 10e6


def test_a_logo_over_most_of_a_large_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    mark, clean, work = logo(12), photo(1140, 2030), list[int]()
    marked, sums = laid(clean, mark, 260, 120, 0.5), fitting._sums
    known = Logo(mark, Box(250, 111, 250 + 576, 111 + 1440), None, 68)

    def count(view: fitting.View, *others: Any) -> Any:
        work.append(view.crop[..., 0].size)
        return sums(view, *others)

    monkeypatch.setattr(fitting, "_sums", count)
    tracemalloc.start()
    found = fitting.lift(marked, known)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert found is not None
    assert decibels(found.restored, clean, 260, 120, mark) > 35
    assert peak < DETECTED * clean[..., 0].size
    assert sum(work) <= fitting.ROUNDS * fitting.FEW + fitting.LATER * (fitting.WINDOWS * fitting.WINDOW) ** 2


def test_a_file_that_is_larger_than_the_picture(alice: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is let in for both."""
    taken, take = list[int](), admission.Room.take

    def note(room: admission.Room, size: int) -> Any:
        taken.append(size if room is admission.memory else 0)
        return take(room, size)

    huge = logo(8)
    id = alice.client.post(
        "/api/v1/marks", {"name": "huge", "kind": "logo", "image": pictures.file(huge), "anchor": "whole"}
    ).json()["id"]
    monkeypatch.setattr(admission.Room, "take", note)
    alice.client.post("/api/v1/remove-watermark", {"image": pictures.file(photo(48, 64)), "mark": id})

    assert max(taken) > 0.8 * DETECTED * huge[..., 0].size  # what is transparent around it is not kept


def test_a_shape_is_that_of_the_planes() -> None:
    small = Logo(logo(), Box(30, 40, 30 + 48, 40 + 120), None, 24)
    seen = np.zeros((HEIGHT, WIDTH), bool)
    seen[small.box.slices] = small.planes()[..., 3] > 8 / 255

    shape = small.shape(HEIGHT, WIDTH)

    assert (shape | ~seen).all()
    assert shape.sum() < 1.6 * seen.sum()


def test_it_is_answered(alice: Account) -> None:
    """A logo drawn on a picture of one pixel, in one of 320 x 240: 240 times as large, and all over it."""
    place = {"anchor": "top-left", "x": -60, "y": -24, "picture_width": 1, "picture_height": 1}
    id = save(alice.client, **place).json()["id"]

    response = alice.client.post("/api/v1/remove-watermark", {"image": pictures.file(photo(HEIGHT, WIDTH)), "mark": id})

    assert response.status_code in (200, 400), response.content
    assert alice.client.get("/api/v1/stats").json()["quota"]["used"] == (response.status_code == 200)
