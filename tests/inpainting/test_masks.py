"""How masks are read on the two surfaces."""

import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from PIL import Image

from inpainting import images, masks
from inpainting.images import Picture, SizeLimit
from tests import pictures

LIMIT = SizeLimit.of(None, None)
PICTURE = Picture(pictures.photo())
BOX = pictures.box_mask()
IN_BOX = BOX > 0


def hole(mask: np.ndarray | Image.Image, format: str = "PNG", invert: bool = False, **options: Any) -> np.ndarray:
    return masks.hole(pictures.file(mask, format, **options).getvalue(), PICTURE, LIMIT, invert=invert)


def blend(mask: np.ndarray | Image.Image, format: str = "PNG", **options: Any) -> np.ndarray:
    return masks.blend(pictures.file(mask, format, **options).getvalue(), PICTURE, LIMIT)


def png(rows: list[bytes], width: int, depth: int, colour: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of that depth and colour type, as no encoder at hand writes them."""
    header = struct.pack(">IIBBBBB", width, len(rows), depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, content in [(b"IHDR", header), *chunks, (b"IDAT", body), (b"IEND", b"")]:
        parts += [struct.pack(">I", len(content)), kind, content, struct.pack(">I", zlib.crc32(kind + content))]
    return b"".join(parts)


def encoded(mask: np.ndarray) -> bytes:
    return pictures.file(mask).getvalue()


# --- the object remover's --------------------------------------------------------------------------------------------


def test_it_works() -> None:
    blend_mask = hole(BOX)

    assert blend_mask.dtype == np.uint8
    np.testing.assert_array_equal(blend_mask, BOX)


def test_any_value_above_0_in_any_channel_is_hole() -> None:
    faint_blue = np.zeros((64, 96, 3), np.uint8)
    faint_blue[5, 7, 2] = 1

    assert np.argwhere(hole(faint_blue)).tolist() == [[5, 7]]


def test_alpha_0_is_hole_whatever_the_colour() -> None:
    white_but_for_a_hole = np.dstack([np.full((64, 96, 3), 255, np.uint8), 255 - BOX])

    np.testing.assert_array_equal(hole(Image.fromarray(white_but_for_a_hole)), BOX)


def test_an_opaque_alpha_channel_says_nothing() -> None:
    np.testing.assert_array_equal(hole(Image.fromarray(np.dstack([BOX] * 3 + [np.full_like(BOX, 255)]))), BOX)


def test_inverted() -> None:
    np.testing.assert_array_equal(hole(255 - BOX, invert=True), BOX)


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_compression_noise_is_no_hole(quality: int) -> None:
    # A stroke at no multiple of 8 is the worst case: every block along its rim rings.
    mask = pictures.box_mask(box=(29, 19, 51, 37))
    blend_mask = hole(mask, "JPEG", quality=quality)

    assert np.count_nonzero(blend_mask != mask) <= 0.03 * mask.size  # a rim of a pixel, not blocks of 8


def test_another_size_is_resized_to_the_nearest() -> None:
    small = pictures.box_mask(48, 32, (15, 10, 25, 18))

    np.testing.assert_array_equal(hole(small), BOX)


def test_palette_and_16_bit_masks() -> None:
    np.testing.assert_array_equal(hole(Image.fromarray(BOX).quantize(2)), BOX)
    np.testing.assert_array_equal(hole(Image.fromarray(BOX.astype(np.uint16) * 257)), BOX)
    np.testing.assert_array_equal(hole(Image.fromarray(BOX).convert("1")), BOX)


def test_an_empty_mask_says_how_masks_are_read() -> None:
    with pytest.raises(masks.EmptyMask, match=r"alpha = 0.*not black"):
        hole(np.zeros((64, 96), np.uint8))


def test_a_full_mask_says_how_masks_are_read() -> None:
    with pytest.raises(masks.MaskCoversEverything, match=r"alpha = 0.*not black"):
        hole(np.full((64, 96), 255, np.uint8))


def test_a_damaged_mask() -> None:
    with pytest.raises(masks.InvalidMask, match=r"^Invalid mask format: cannot identify image file$"):
        masks.hole(b"no picture", PICTURE, LIMIT)


def test_a_mask_too_large() -> None:
    with pytest.raises(masks.MaskTooLarge, match=r"^Mask too large. Max dimension: 50px$"):
        masks.hole(pictures.file(BOX).getvalue(), PICTURE, SizeLimit(1 << 20, 50))


# --- v1's ------------------------------------------------------------------------------------------------------------


def test_grey_is_the_blend_weight() -> None:
    ramp = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))

    np.testing.assert_array_equal(blend(ramp), ramp)


def test_transparent_is_black() -> None:
    white_stroke_on_nothing = np.dstack([np.full((64, 96, 3), 255, np.uint8), BOX])

    np.testing.assert_array_equal(blend(Image.fromarray(white_stroke_on_nothing)), BOX)


def test_a_jpeg_mask_is_0_and_1_again() -> None:
    blend_mask = blend(BOX, "JPEG", quality=75)

    assert blend_mask[28, 40] == 255
    assert blend_mask[5, 5] == 0
    assert np.count_nonzero(blend_mask) < 0.08 * blend_mask.size


def test_v1_refuses_empty_and_full_masks() -> None:
    with pytest.raises(masks.EmptyMask):
        blend(np.zeros((64, 96), np.uint8))
    with pytest.raises(masks.MaskCoversEverything):
        blend(np.full((64, 96), 9, np.uint8))


# --- as programs make them -------------------------------------------------------------------------------------------

READERS = [hole, blend]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(("dark", "bright"), [(0, 1), (0, 255), (0, 3), (10, 12), (16, 235), (254, 255)])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_of_two_values_the_brighter_removes(read: Any, dark: int, bright: int, kind: type) -> None:
    """Class numbers 0 and 1, OpenCV's 0 and 255 in 16 bits, a video's black and white."""
    np.testing.assert_array_equal(read(np.where(IN_BOX, kind(bright), kind(dark))), BOX)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("bright", [1, 128, 255])
def test_two_values_in_any_mode(read: Any, mode: str, bright: int) -> None:
    grey = Image.fromarray(np.where(IN_BOX, np.uint8(bright), np.uint8(0)))
    image = grey.quantize(2) if mode == "P" else Image.fromarray(IN_BOX) if mode == "1" else grey.convert(mode)

    np.testing.assert_array_equal(read(image), BOX)


@pytest.mark.parametrize("read", [masks.hole, masks.blend])
@pytest.mark.parametrize("depth", [1, 2, 4])
def test_two_values_of_few_bits(read: Any, depth: int) -> None:
    data = png([bytes([0, 1]), bytes([0, 0])], 16 // depth, depth, 0)

    marked = np.zeros((2, 16 // depth), np.uint8)
    marked[0, -1] = 255
    np.testing.assert_array_equal(read(data, Picture(np.zeros((*marked.shape, 3), np.uint8)), LIMIT), marked)


@pytest.mark.parametrize("read", [masks.hole, masks.blend])
@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_two_low_values_of_16_bit_colours(read: Any, colour: int, channels: int) -> None:
    """255 of 65,535 in every channel, and opaque where there is an alpha: their upper eight bits are all 0."""
    opaque = b"\xff\xff" if colour in (4, 6) else b""
    grey = channels - len(opaque) // 2
    data = png([(b"\0\0" * grey + opaque) + (b"\0\xff" * grey + opaque)], 2, 16, colour)

    assert read(data, Picture(np.zeros((1, 2, 3), np.uint8)), LIMIT).tolist() == [[0, 255]]


@pytest.mark.parametrize(("depth", "row", "grey"), [(1, 0x40, 1), (2, 0x13, 3), (4, 0x0F, 15), (8, 0xFF, 255)])
def test_a_transparent_grey_value(depth: int, row: int, grey: int) -> None:
    """tRNS names the value at the file's own depth."""
    width = max(1, 8 // depth)
    data = png([bytes([row]), bytes([0])], width, depth, 0, (b"tRNS", struct.pack(">H", grey)))

    marked = masks.hole(data, Picture(np.zeros((2, width, 3), np.uint8)), LIMIT)
    assert np.argwhere(marked).tolist() == [[0, 1 if depth == 1 else width - 1]]


def test_a_transparent_grey_value_of_16_bits() -> None:
    data = png([b"\1\0\1\1\1\0"], 3, 16, 0, (b"tRNS", b"\1\1"))

    assert masks.hole(data, Picture(np.zeros((1, 3, 3), np.uint8)), LIMIT).tolist() == [[0, 255, 0]]


def test_a_lossless_webp_has_no_noise() -> None:
    np.testing.assert_array_equal(blend(np.where(IN_BOX, np.uint8(9), np.uint8(0)), "WEBP", lossless=True), BOX)


def test_two_values_of_noise_are_no_mask() -> None:
    speckle = np.zeros((64, 96), np.uint8)
    speckle[8:16, 8:16] = 40

    with pytest.raises(masks.EmptyMask):
        hole(speckle, "JPEG", quality=100)
    with pytest.raises(masks.FaintMask):
        blend(speckle, "JPEG", quality=100)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_several_very_dark_values_are_refused(kind: type) -> None:
    classes: np.ndarray = (np.arange(64 * 96).reshape(64, 96) % 4).astype(kind)

    with pytest.raises(masks.FaintMask, match=f"brightest is 3, almost black: {np.iinfo(kind).max} is white"):
        blend(classes)
    np.testing.assert_array_equal(hole(classes) > 0, classes > 0)  # its document says so


def test_several_values_and_one_of_them_bright_are_weights() -> None:
    steps = np.zeros((64, 96), np.uint8)
    steps[0, :3] = 1, 2, 33

    np.testing.assert_array_equal(blend(steps)[0, :4], [1, 2, 33, 0])


def test_the_faintest_weight_of_many_stays_marked() -> None:
    deep = np.zeros((64, 96), np.uint16)
    deep[0, :4] = 1, 257, 258, 65535
    seen_through = np.dstack([np.full((64, 96), 255, np.uint8), np.zeros((64, 96), np.uint8)])
    seen_through[0, :3] = (1, 1), (100, 128), (255, 254)

    assert blend(deep)[0, :5].tolist() == [1, 1, 2, 255, 0]
    assert blend(Image.fromarray(seen_through, "LA"))[0, :4].tolist() == [1, 51, 254, 0]


# --- other sizes -----------------------------------------------------------------------------------------------------


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.integers(1, 40), st.data())
def test_a_marked_pixel_never_vanishes(height: int, width: int, tall: int, wide: int, data: st.DataObject) -> None:
    """Marked are, at any ratio, only pixels that share some of the picture with the one that was; if shrunk, all."""
    y, x = data.draw(st.integers(0, tall - 1)), data.draw(st.integers(0, wide - 1))
    mask = np.zeros((tall, wide), np.uint8)
    mask[y, x] = 255
    picture = Picture(np.zeros((height, width, 3), np.uint8))

    def reached(place: int, before: int, after: int) -> set[int]:
        """The pixels of `after` that share some of the picture with pixel `place` of `before`."""
        return {i for i in range(after) if i * before < (place + 1) * after and (i + 1) * before > place * after}

    rows, columns = reached(y, tall, height), reached(x, wide, width)
    assume(len(rows) * len(columns) < height * width)  # it may cover everything
    marked = {(int(row), int(column)) for row, column in np.argwhere(masks.blend(encoded(mask), picture, LIMIT))}
    assert marked
    assert marked <= {(row, column) for row in rows for column in columns}
    if height <= tall and width <= wide:
        assert marked == {(row, column) for row in rows for column in columns}


@pytest.mark.parametrize("offset", range(8))
def test_thin_lines_of_a_mask_four_times_the_size(offset: int) -> None:
    lines = np.zeros((256, 384), np.uint8)
    lines[offset::32] = 255

    expected = np.zeros((64, 96), np.uint8)
    expected[offset // 4 :: 8] = 255
    np.testing.assert_array_equal(hole(lines), expected)
    np.testing.assert_array_equal(blend(lines), expected)


def test_shrunk_is_the_greatest_weight() -> None:
    ramp = np.tile(np.linspace(-20, 255, 192).clip(0).astype(np.uint8), (128, 1))

    np.testing.assert_array_equal(blend(ramp), np.tile(ramp[0, 1::2], (64, 1)))


# --- turned pictures -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [masks.hole, masks.blend])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("scale", [1, 2])
def test_a_mask_of_the_stored_pixels_is_turned_with_the_picture(read: Any, orientation: int, scale: int) -> None:
    """Where its size tells: those of orientation 2 to 4 are of the size of the upright picture, and are upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = BOX.repeat(scale, axis=0).repeat(scale, axis=1)
    picture = images.decode(pictures.file(BOX, exif=exif.tobytes()).getvalue(), LIMIT)

    expected = picture.rgb[..., 0] > 0 if orientation >= 5 else IN_BOX
    np.testing.assert_array_equal(read(encoded(stored), picture, LIMIT) > 0, expected)


@pytest.mark.parametrize("read", [masks.hole, masks.blend])
def test_an_upright_mask_of_a_turned_picture_stays(read: Any) -> None:
    for shape in [(96, 64), (48, 32), (192, 128), (64, 64), (1, 2)]:  # the last two are of neither's proportions
        stored = np.zeros(shape, np.uint8)
        stored[: shape[0] // 2 or 1, : shape[1] // 2] = 255
        picture = Picture(np.zeros((96, 64, 3), np.uint8), orientation=6)

        assert np.flatnonzero(read(encoded(stored), picture, LIMIT))[0] == 0


@pytest.mark.parametrize("read", [masks.hole, masks.blend])
def test_the_exact_size_decides_where_both_shapes_are_close(read: Any) -> None:
    stored = np.zeros((64, 65), np.uint8)
    stored[0, 0] = 255

    marked = read(encoded(stored), Picture(np.zeros((65, 64, 3), np.uint8), orientation=6), LIMIT)
    assert np.argwhere(marked).tolist() == [[0, 63]]


# --- rectangles ------------------------------------------------------------------------------------------------------


def test_rectangles() -> None:
    text = json.dumps([{"x": 30, "y": 20, "width": 20, "height": 16}])

    np.testing.assert_array_equal(masks.from_rectangles(text, 64, 96), BOX)


def test_many_rectangles_are_their_union() -> None:
    numbers = np.random.default_rng(0)
    for number in (1, 2, 3, 10, 40):
        marked, rectangles = np.zeros((64, 96), np.uint8), numbers.integers(-30, 110, (number, 4)).tolist()
        for x, y, width, height in rectangles:
            marked[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = 255
        marked[0], marked[63] = 0, 0  # neither nothing nor everything
        inside = [{"x": x, "y": y, "width": w, "height": h} for x, y, w, h in rectangles]
        read = masks.from_rectangles(json.dumps([*inside, {"x": 0, "y": 0, "width": 1, "height": 1}]), 64, 96)

        np.testing.assert_array_equal(read[1:63], marked[1:63])


def test_rectangles_are_cut_at_the_border() -> None:
    text = json.dumps([{"x": -5, "y": 60, "width": 10, "height": 100}])

    blend_mask = masks.from_rectangles(text, 64, 96)
    assert np.argwhere(blend_mask).max(axis=0).tolist() == [63, 4]
    assert np.count_nonzero(blend_mask) == 4 * 5


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
    blend_mask = np.zeros((64, 96), np.uint8)
    blend_mask[top, left] = 128

    expected = np.zeros_like(blend_mask)
    expected[max(0, top - pixels) : top + pixels + 1, max(0, left - pixels) : left + pixels + 1] = 128
    np.testing.assert_array_equal(masks.grow(blend_mask, pixels), expected)
    assert np.count_nonzero(blend_mask) == 1  # the caller's array is as it was


def test_growing_over_everything_is_refused() -> None:
    with pytest.raises(masks.MaskCoversEverything, match="grow"):
        masks.grow(hole(BOX), 64)
