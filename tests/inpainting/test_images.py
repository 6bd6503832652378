"""What is an acceptable picture, and what of it comes back."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from inpainting import icc, images
from inpainting.colour import SRGB
from inpainting.images import Picture, SizeLimit
from tests import pictures
from tests.inpainting import profiles

LIMIT = SizeLimit.of(None, None)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def decode(image: Image.Image | np.ndarray, format: str = "PNG", **options: Any) -> Picture:
    return images.decode(pictures.file(image, format, **options).getvalue(), LIMIT)


def png(chunks: list[tuple[bytes, bytes]]) -> bytes:
    parts = [b"\x89PNG\r\n\x1a\n"]
    for kind, body in chunks:
        parts.append(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)))
    return b"".join(parts)


def deep_png(pixels: np.ndarray, colour_type: int, chunk: tuple[bytes, bytes]) -> bytes:
    """(H, W, channels) of 16 bits."""
    height, width, _ = pixels.shape
    rows = zlib.compress(b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels))
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return png([(b"IHDR", header), chunk, (b"IDAT", rows), (b"IEND", b"")])


def test_it_works() -> None:
    photo = pictures.photo()
    picture = decode(photo)

    assert (picture.width, picture.height) == (96, 64)
    assert picture.alpha is None
    np.testing.assert_array_equal(picture.rgb, photo)


@pytest.mark.parametrize("format", ["JPEG", "WEBP"])
def test_lossy_formats_are_read(format: str) -> None:
    assert np.abs(decode(pictures.photo(), format, quality=95).rgb.astype(int) - pictures.photo()).mean() < 6


def test_grey_becomes_rgb_that_looks_grey() -> None:
    grey = pictures.photo()[..., 0]

    np.testing.assert_array_equal(decode(grey).rgb, np.dstack([grey] * 3))


def test_a_palette_becomes_rgb() -> None:
    palette = Image.fromarray(pictures.photo()).quantize(16)

    np.testing.assert_array_equal(decode(palette).rgb, np.asarray(palette.convert("RGB")))


def test_a_transparent_palette_colour_becomes_alpha() -> None:
    palette = Image.fromarray(pictures.photo()).quantize(16)

    alpha = decode(palette, transparency=3).alpha
    np.testing.assert_array_equal(alpha == 0, np.asarray(palette) == 3)


def test_16_bits_become_8() -> None:
    deep = (np.arange(64 * 96).reshape(64, 96) * 10).astype(np.uint16)

    np.testing.assert_array_equal(decode(Image.fromarray(deep)).rgb[..., 0], deep >> 8)


def test_the_transparent_colour_of_16_bits_becomes_alpha() -> None:
    deep = (np.arange(64 * 96 * 3).reshape(64, 96, 3) * 3).astype(np.uint16)
    data = deep_png(deep, 2, (b"tRNS", deep[9, 9].astype(">u2").tobytes()))

    alpha = images.decode(data, LIMIT).alpha
    np.testing.assert_array_equal(alpha == 0, (deep == deep[9, 9]).all(axis=2))  # and nothing of the same 8 bits


def test_16_bits_of_grey_with_alpha_keep_their_grey_profile() -> None:
    deep = (np.arange(64 * 96 * 2).reshape(64, 96, 2) * 5).astype(np.uint16)
    data = deep_png(deep, 4, (b"iCCP", b"grey\0\0" + zlib.compress(profiles.grey(1.8))))

    picture = images.decode(data, LIMIT)
    np.testing.assert_array_equal(picture.rgb, np.dstack([deep[..., 0] >> 8] * 3))
    np.testing.assert_array_equal(picture.alpha, deep[..., 1] >> 8)
    assert icc.space(picture.colour.icc_profile or b"") == b"RGB "


def test_pixels_past_a_palettes_end_have_its_last_colour() -> None:
    header = (b"IHDR", struct.pack(">IIBBBBB", 4, 1, 2, 3, 0, 0, 0))
    pixels = (b"IDAT", zlib.compress(bytes([0, 0b00011011])))
    palette = (b"PLTE", bytes([10, 20, 30, 40, 50, 60]))

    for said, last in (([], 255), ([(b"tRNS", b"\0\x63")], 99), ([(b"tRNS", b"\0")], 255)):
        picture = images.decode(png([header, palette, *said, pixels, (b"IEND", b"")]), LIMIT)
        assert picture.rgb.tolist() == [[[10, 20, 30], *[[40, 50, 60]] * 3]]
        assert (255 if picture.alpha is None else picture.alpha[0, 3]) == last


def test_the_transparent_value_of_16_bits_of_grey_becomes_alpha() -> None:
    deep = (np.arange(64 * 96).reshape(64, 96) * 10).astype(np.uint16)

    alpha = decode(Image.fromarray(deep), transparency=4000).alpha
    np.testing.assert_array_equal(alpha == 0, deep == 4000)  # and not 4001 to 4095, of the same 8 bits


def test_a_grey_profile_becomes_one_of_rgb_and_no_pixel_changes() -> None:
    grey = pictures.photo()[..., 0]

    picture = decode(grey, icc_profile=profiles.grey(1.8))
    assert picture.is_grey
    np.testing.assert_array_equal(picture.rgb[..., 1], grey)
    assert icc.space(picture.colour.icc_profile or b"") == b"RGB "


def test_a_grey_profile_of_a_coloured_picture_is_a_mistake() -> None:
    assert decode(pictures.photo(), icc_profile=profiles.grey(1.8)).colour == SRGB


def test_what_is_grey() -> None:
    grey = np.repeat(pictures.photo()[..., :1], 3, axis=2)
    one_pixel = grey.copy()
    one_pixel[63, 95, 2] ^= 1

    assert [Picture(rgb).is_grey for rgb in (grey, one_pixel, pictures.photo())] == [True, False, False]
    assert Picture(one_pixel).greyed().is_grey
    np.testing.assert_array_equal(Picture(grey).greyed().rgb, grey)


def test_cmyk_becomes_rgb() -> None:
    cmyk = Image.fromarray(pictures.photo()).convert("CMYK")

    picture = decode(cmyk, "JPEG", quality=95)
    assert np.abs(picture.rgb.astype(int) - np.asarray(cmyk.convert("RGB"))).mean() < 8
    assert picture.colour == SRGB


def test_cmyk_with_a_broken_profile_is_read_without_it() -> None:
    cmyk = Image.fromarray(pictures.photo()).convert("CMYK")

    assert decode(cmyk, "JPEG", icc_profile=b"no profile").rgb.shape == (64, 96, 3)


def test_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the top is on the right side
    photo = pictures.photo()

    picture = decode(photo, exif=exif.tobytes())
    np.testing.assert_array_equal(picture.rgb, np.rot90(photo, -1))
    assert (picture.orientation, decode(photo).orientation) == (6, 1)


def test_alpha_and_profile_survive() -> None:
    rgba = np.dstack([pictures.photo(), np.arange(64 * 96).reshape(64, 96).astype(np.uint8)])
    picture = decode(Image.fromarray(rgba), icc_profile=PROFILE)

    np.testing.assert_array_equal(np.dstack([picture.rgb, picture.alpha]), rgba)  # type: ignore[list-item]
    assert picture.colour.icc_profile == PROFILE


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG", b"<svg/>"])
def test_no_picture(data: bytes) -> None:
    with pytest.raises(images.InvalidImage, match=r"^Invalid image format: cannot identify image file$"):
        images.decode(data, LIMIT)


@pytest.mark.parametrize("format", ["GIF", "BMP", "TIFF", "ICO"])
def test_another_format_is_refused_by_content(format: str) -> None:
    with pytest.raises(
        images.InvalidImage, match=f"this is a {format} file; JPEG, PNG, WebP, HEIC and AVIF are accepted"
    ):
        decode(pictures.photo(), format)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_a_truncated_file(format: str) -> None:
    data = pictures.file(pictures.photo(), format).getvalue()

    with pytest.raises(images.InvalidImage):
        images.decode(data[: len(data) // 2], LIMIT)


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animation(format: str) -> None:
    frames = [Image.fromarray(pictures.photo() // n) for n in (1, 2)]
    with pytest.raises(images.AnimatedImage):
        decode(frames[0], format, save_all=True, append_images=frames[1:])


def test_a_side_too_long() -> None:
    with pytest.raises(images.ImageTooLarge, match=r"^Image too large. Max dimension: 4096px$"):
        decode(Image.new("L", (4097, 1)))


def test_a_plans_lower_limit() -> None:
    data = pictures.file(pictures.photo()).getvalue()

    with pytest.raises(images.ImageTooLarge, match="Max dimension: 90px"):
        images.decode(data, SizeLimit.of(None, 90))
    with pytest.raises(images.ImageTooLarge, match="Max size: "):
        images.decode(data, SizeLimit.of(len(data) - 1, None))


def test_a_plan_cannot_raise_the_services_limit() -> None:
    assert SizeLimit.of(1 << 40, 100_000) == LIMIT


def test_a_file_too_large() -> None:
    with pytest.raises(images.ImageTooLarge, match=r"^Image too large. Max size: 10MB$"):
        images.decode(bytes((10 << 20) + 1), LIMIT)


@pytest.mark.parametrize("side", [20_000, 2_000_000_000])
def test_a_bomb_is_told_by_its_header(side: int) -> None:
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    with pytest.raises((images.ImageTooLarge, images.InvalidImage)):
        images.decode(png([(b"IHDR", header), (b"IDAT", zlib.compress(bytes(1 << 20))), (b"IEND", b"")]), LIMIT)


def test_a_bomb_in_a_text_chunk() -> None:
    header = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    bomb = b"comment\0\0" + zlib.compress(bytes(64 << 20))
    with pytest.raises(images.InvalidImage):
        images.decode(png([(b"IHDR", header), (b"zTXt", bomb), (b"IEND", b"")]), LIMIT)


def test_a_mask_is_called_a_mask() -> None:
    with pytest.raises(images.InvalidImage, match=r"^Invalid mask format"):
        images.read(b"", LIMIT, "mask")
