"""HEIC, HEIF and AVIF: pictures and masks like any other."""

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from inpainting import containers, icc, images, masks
from inpainting.colour import BT709
from inpainting.images import Picture, SizeLimit
from tests import pictures
from tests.inpainting.containers.making import how_turned, picture, tiff, turn

LIMIT = SizeLimit.of(None, None)
FORMATS = ("HEIF", "AVIF")


def file(format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    return pictures.file(image or picture(), format, quality=95, **options).getvalue()


def turned(format: str, number: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = number
    return file(format, exif=exif.tobytes())


@pytest.mark.parametrize("format", FORMATS)
def test_it_works(format: str) -> None:
    photo = pictures.photo()
    read = images.decode(file(format, Image.fromarray(photo)), LIMIT)

    assert np.abs(read.rgb.astype(int) - photo).mean() < 6
    assert read.alpha is None


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("number", range(1, 9))
def test_the_pictures_own_properties_turn_it(format: str, number: int) -> None:
    """Encoders turn EXIF's number into properties irot and imir."""
    read = images.decode(turned(format, number), LIMIT)

    assert how_turned(read.rgb) == number
    assert (read.width < read.height) == (number > 4)


def test_exif_turns_nothing_and_refuses_nothing() -> None:
    """The same bytes, with EXIF that says another number, and with EXIF that cannot be read."""
    upright, sideways = tiff([turn(1)], "<"), tiff([turn(6)], "<")
    data = file("HEIF", exif=b"Exif\0\0" + upright)
    for damaged in (sideways, b"nonsense" + upright[8:]):
        assert upright in data
        assert how_turned(images.decode(data.replace(upright, damaged), LIMIT).rgb) == 1
    assert b"Exif" not in containers.split(data).pixels[:600]


@pytest.mark.parametrize("format", FORMATS)
def test_alpha_and_profile_are_read(format: str) -> None:
    rgba = picture()
    rgba.putalpha(77)
    profile = icc.matrix_profile(BT709, icc.power(1.8))
    read = images.decode(file(format, rgba, icc_profile=profile), LIMIT)

    assert read.alpha is not None
    assert read.alpha.tolist() == np.full((read.height, read.width), 77).tolist()
    assert read.colour.icc_profile == profile


@pytest.mark.parametrize("format", FORMATS)
def test_a_mask(format: str) -> None:
    mask = file(format, Image.fromarray(pictures.box_mask()))

    photo = Picture(pictures.photo())
    for hole in (masks.blend(mask, photo, LIMIT), masks.hole(mask, photo, LIMIT)):
        assert (np.asarray(hole > 0) == (pictures.box_mask() > 0)).mean() > 0.98


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("kept", [0.0, 0.2, 0.5, 0.9])
def test_truncated(format: str, kept: float) -> None:
    data = file(format, Image.fromarray(pictures.photo(480, 320)))

    with pytest.raises(images.InvalidImage):
        images.decode(data[: 32 + int(len(data) * kept)], LIMIT)


@pytest.mark.parametrize("format", FORMATS)
def test_a_side_too_long(format: str) -> None:
    with pytest.raises(images.ImageTooLarge, match="Max dimension: 4096px"):
        images.decode(file(format, Image.new("RGB", (4100, 10))), LIMIT)


def test_sequences_are_refused() -> None:
    animation = file("AVIF", save_all=True, append_images=[picture()])
    film = file("HEIF") + struct.pack(">I4s", 8, b"moov")

    for data in (animation, film):
        with pytest.raises(images.AnimatedImage):
            images.decode(data, LIMIT)


def test_several_pictures_in_one_file_are_its_first() -> None:
    data = file("HEIF", save_all=True, append_images=[Image.new("RGB", (9, 9))])

    assert how_turned(images.decode(data, LIMIT).rgb) == 1
