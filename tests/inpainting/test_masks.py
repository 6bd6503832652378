"""How masks are read on the two surfaces."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from inpainting import images, masks
from inpainting.images import SizeLimit
from tests import pictures

LIMIT = SizeLimit.of(None, None)
BOX = pictures.box_mask()


def hole(mask: np.ndarray | Image.Image, format: str = "PNG", invert: bool = False, **options: Any) -> np.ndarray:
    return masks.hole(pictures.file(mask, format, **options).getvalue(), 64, 96, LIMIT, invert=invert)


def blend(mask: np.ndarray | Image.Image, format: str = "PNG", **options: Any) -> np.ndarray:
    return masks.blend(pictures.file(mask, format, **options).getvalue(), 64, 96, LIMIT)


# --- the object remover's --------------------------------------------------------------------------------------------


def test_it_works() -> None:
    blend_mask = hole(BOX)

    assert blend_mask.dtype == np.float32
    np.testing.assert_array_equal(blend_mask, BOX / 255)


def test_any_value_above_0_in_any_channel_is_hole() -> None:
    faint_blue = np.zeros((64, 96, 3), np.uint8)
    faint_blue[5, 7, 2] = 1

    assert np.argwhere(hole(faint_blue)).tolist() == [[5, 7]]


def test_alpha_0_is_hole_whatever_the_colour() -> None:
    white_but_for_a_hole = np.dstack([np.full((64, 96, 3), 255, np.uint8), 255 - BOX])

    np.testing.assert_array_equal(hole(Image.fromarray(white_but_for_a_hole)), BOX / 255)


def test_an_opaque_alpha_channel_says_nothing() -> None:
    np.testing.assert_array_equal(hole(Image.fromarray(np.dstack([BOX] * 3 + [np.full_like(BOX, 255)]))), BOX / 255)


def test_inverted() -> None:
    np.testing.assert_array_equal(hole(255 - BOX, invert=True), BOX / 255)


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_compression_noise_is_no_hole(quality: int) -> None:
    # A stroke at no multiple of 8 is the worst case: every block along its rim rings.
    mask = pictures.box_mask(box=(29, 19, 51, 37))
    blend_mask = hole(mask, "JPEG", quality=quality)

    assert np.abs(blend_mask - mask / 255).sum() <= 0.03 * mask.size  # a rim of a pixel, not blocks of 8


def test_another_size_is_resized_to_the_nearest() -> None:
    small = pictures.box_mask(48, 32, (15, 10, 25, 18))

    np.testing.assert_array_equal(hole(small), BOX / 255)


def test_palette_and_16_bit_masks() -> None:
    np.testing.assert_array_equal(hole(Image.fromarray(BOX).quantize(2)), BOX / 255)
    np.testing.assert_array_equal(hole(Image.fromarray(BOX.astype(np.uint16) * 257)), BOX / 255)
    np.testing.assert_array_equal(hole(Image.fromarray(BOX).convert("1")), BOX / 255)


def test_an_empty_mask_says_how_masks_are_read() -> None:
    with pytest.raises(masks.EmptyMask, match=r"alpha = 0.*not black"):
        hole(np.zeros((64, 96), np.uint8))


def test_a_full_mask_says_how_masks_are_read() -> None:
    with pytest.raises(masks.MaskCoversEverything, match=r"alpha = 0.*not black"):
        hole(np.full((64, 96), 255, np.uint8))


def test_a_damaged_mask() -> None:
    with pytest.raises(images.InvalidImage, match=r"^Invalid mask format"):
        masks.hole(b"no picture", 64, 96, LIMIT)


# --- v1's ------------------------------------------------------------------------------------------------------------


def test_grey_is_the_blend_weight() -> None:
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))

    np.testing.assert_allclose(blend(ramp), ramp / 255, atol=1e-6)


def test_transparent_is_black() -> None:
    white_stroke_on_nothing = np.dstack([np.full((64, 96, 3), 255, np.uint8), BOX])

    np.testing.assert_array_equal(blend(Image.fromarray(white_stroke_on_nothing)), BOX / 255)


def test_a_jpeg_mask_is_0_and_1_again() -> None:
    blend_mask = blend(BOX, "JPEG", quality=75)

    assert blend_mask[28, 40] == 1
    assert blend_mask[5, 5] == 0
    assert np.count_nonzero(blend_mask) < 0.08 * blend_mask.size


def test_v1_refuses_empty_and_full_masks() -> None:
    with pytest.raises(masks.EmptyMask):
        blend(np.zeros((64, 96), np.uint8))
    with pytest.raises(masks.MaskCoversEverything):
        blend(np.full((64, 96), 9, np.uint8))


# --- rectangles ------------------------------------------------------------------------------------------------------


def test_rectangles() -> None:
    text = json.dumps([{"x": 30, "y": 20, "width": 20, "height": 16}])

    np.testing.assert_array_equal(masks.from_rectangles(text, 64, 96), BOX / 255)


def test_rectangles_are_cut_at_the_border() -> None:
    text = json.dumps([{"x": -5, "y": 60, "width": 10, "height": 100}])

    blend_mask = masks.from_rectangles(text, 64, 96)
    assert np.argwhere(blend_mask).max(axis=0).tolist() == [63, 4]
    assert blend_mask.sum() == 4 * 5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{}",
        "[1]",
        "[[0, 0, 5, 5]]",
        '[{"x": 1}]',
        '[{"x": "1", "y": 0, "width": 5, "height": 5}]',
        '[{"x": NaN, "y": 0, "width": 5, "height": 5}]',
        '[{"x": 1e999, "y": 0, "width": 5, "height": 5}]',
        '[{"x": true, "y": 0, "width": 5, "height": 5}]',
        "[" * 50_000,
        json.dumps([{"x": 0, "y": 0, "width": 1, "height": 1}] * 1001),
    ],
)
def test_malformed_rectangles(text: str) -> None:
    with pytest.raises(masks.InvalidMask):
        masks.from_rectangles(text, 64, 96)


@pytest.mark.parametrize("width", [0, -20])
def test_rectangles_that_mark_nothing(width: int) -> None:
    with pytest.raises(masks.EmptyMask):
        masks.from_rectangles(json.dumps([{"x": 30, "y": 5, "width": width, "height": 5}]), 64, 96)


# --- grow ------------------------------------------------------------------------------------------------------------


@given(pixels=st.integers(0, 20), left=st.integers(0, 95), top=st.integers(0, 63))
def test_grow_widens_by_exactly_so_many_pixels(pixels: int, left: int, top: int) -> None:
    blend_mask = np.zeros((64, 96), np.float32)
    blend_mask[top, left] = 0.5

    expected = np.zeros_like(blend_mask)
    expected[max(0, top - pixels) : top + pixels + 1, max(0, left - pixels) : left + pixels + 1] = 0.5
    np.testing.assert_array_equal(masks.grow(blend_mask, pixels), expected)
    assert np.count_nonzero(blend_mask) == 1  # the caller's array is as it was


def test_growing_over_everything_is_refused() -> None:
    with pytest.raises(masks.MaskCoversEverything, match="grow"):
        masks.grow(hole(BOX), 64)
