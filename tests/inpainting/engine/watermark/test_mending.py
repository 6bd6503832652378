"""What was computed from below a mark is weighed against its surroundings, and nothing else is touched."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from inpainting.engine.interface import Detection
from inpainting.engine.nets.weighing import Weighing, save
from inpainting.engine.watermark.detector import load as load_detector
from inpainting.engine.watermark.mending import CONFIG, NEAR, load, mend, surroundings
from tests.inpainting.engine.watermark.tiled.test_search import error, scene
from tests.pictures import photo

GREY, GHOST = 120, 20  # levels: of a plain picture, and by how much a mark in it was computed wrongly
LETTERS = (slice(60, 75), slice(40, 140))


def network() -> Weighing:
    """One that has learned nothing: it believes what was computed most, and the surroundings a little."""
    torch.manual_seed(0)
    return Weighing(CONFIG).eval().requires_grad_(False)


def ghost(height: int = 150, width: int = 200) -> tuple[np.ndarray, Detection]:
    """A plain picture with a mark, and a detection that has computed it away badly."""
    mask = np.zeros((height, width), bool)
    mask[LETTERS] = True
    marked = np.full((height, width, 3), GREY, np.uint8)
    marked[mask] += 70
    return marked, found(marked, mask)


def found(marked: np.ndarray, mask: np.ndarray) -> Detection:
    likely = mask.astype(np.float32)
    restored = np.where(mask[..., None], np.uint8(GREY - GHOST), marked)
    return Detection(likely, likely / np.float32(2), mask, restored, mask, [])


def test_it_works() -> None:
    marked, detection = ghost()

    made = mend(network(), marked, detection)

    inside = made.restored[LETTERS].astype(int)
    assert (inside > GREY - GHOST).all()  # towards what surrounds it
    assert (inside <= GREY).all()
    np.testing.assert_array_equal(made.touched, surroundings(detection.mask))
    np.testing.assert_array_equal(made.restored[~made.touched], marked[~made.touched])
    assert (detection.restored[LETTERS] == GREY - GHOST).all()  # what was given is left as it was


def test_it_stays_within_what_a_user_allows() -> None:
    marked, detection = ghost()
    hole = np.zeros_like(detection.mask)
    hole[64:90, :100] = True
    detection = replace(detection, mask=detection.mask & hole)

    made = mend(network(), marked, detection, hole)

    assert not (made.touched & ~hole).any()
    assert (made.restored[64:75, 40:100] != detection.restored[64:75, 40:100]).all()
    np.testing.assert_array_equal(made.restored[~hole], detection.restored[~hole])


def test_nothing_found_is_left_as_it_is() -> None:
    marked, detection = ghost()
    nothing = replace(detection, mask=np.zeros_like(detection.mask), restored=marked)

    made = mend(network(), marked, nothing)

    np.testing.assert_array_equal(made.restored, marked)
    assert not made.touched.any()


def test_where_everything_is_marked_nothing_can_be_foretold() -> None:
    marked, _ = ghost()
    detection = found(marked, np.ones(marked.shape[:2], bool))

    made = mend(network(), marked, detection)

    np.testing.assert_array_equal(made.restored, detection.restored)


@pytest.mark.parametrize(("height", "width"), [(1, 2), (2, 30), (17, 33), (90, 1100)])
def test_any_size(height: int, width: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    mask = np.zeros((height, width), bool)
    mask[0, width // 2 :] = True

    made = mend(network(), picture, found(picture, mask))

    assert made.restored.shape == picture.shape
    np.testing.assert_array_equal(made.restored[~made.touched], picture[~made.touched])


@pytest.mark.slow
def test_a_large_picture_is_mended_piece_by_piece_as_a_small_one_is() -> None:
    picture = scene(300, 1200)
    mask = np.zeros((300, 1200), bool)
    mask[140:152, 700:840] = True  # across the edge of two pieces

    large = mend(network(), picture, found(picture, mask)).restored
    part = slice(600, 1000)
    small = mend(network(), np.ascontiguousarray(picture[:, part]), found(picture[:, part], mask[:, part])).restored

    assert np.abs(large[:, part].astype(int) - small)[mask[:, part]].max() <= 8
    assert error(large[:, part], small, mask[:, part]) < 2


def test_the_embedded_network_takes_away_most_of_a_ghost() -> None:
    marked, detection = ghost()

    made = mend(load(), marked, detection)

    clean = np.full_like(marked, GREY)
    assert error(made.restored, clean, detection.mask) < GHOST / 2


@pytest.mark.slow
def test_the_embedded_networks_restore_better_than_one_alone() -> None:
    clean = photo(400, 320)
    drawn = Image.new("L", (400, 320))
    ImageDraw.Draw(drawn).text((60, 130), "© Studio North", 255, ImageFont.load_default(40))
    shown = np.asarray(drawn, np.float32)[..., None] / 255
    marked = np.rint(clean + 0.5 * shown * (255.0 - clean)).astype(np.uint8)
    detector = load_detector()
    hole = surroundings(shown[..., 0] > 0)

    both = detector.detect(marked, hole, trust="all")
    unasked = detector.detect(marked, hole, trust="all", mend=False)
    detector.mender = None
    alone = detector.detect(marked, hole, trust="all")

    where = shown[..., 0] > 0
    assert (both.mask == alone.mask).all()
    np.testing.assert_array_equal(unasked.restored, alone.restored)
    assert error(both.restored, clean, where) < 0.95 * error(alone.restored, clean, where) < error(marked, clean, where)


def test_it_is_written_and_read_in_half_precision(tmp_path: Path) -> None:
    net = network()
    net.head.weight.data.normal_(0, 0.1)
    save(tmp_path / "a.safetensors", net, {"steps": "1"})
    marked, detection = ghost()

    again = mend(load(tmp_path / "a.safetensors"), marked, detection).restored.astype(int)

    assert np.abs(again - mend(net, marked, detection).restored).max() <= 1


def test_the_border_is_as_wide_as_it_says() -> None:
    mask = np.zeros((20, 20), bool)
    mask[10, 10] = True

    rows, columns = np.nonzero(surroundings(mask))

    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10 - NEAR, 10 + NEAR, 10 - NEAR, 10 + NEAR)
