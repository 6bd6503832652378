"""What a picture's numbers mean. Chromium is seen to agree in tests/browser/test_colours.py."""

import struct

import numpy as np
import pytest
from PIL import Image

from inpainting import colour, icc
from inpainting.colour import BT709, SRGB, Colour
from tests import pictures
from tests.inpainting import profiles
from tests.inpainting.test_icc import RAMP, to_srgb

ADOBE = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
GAMMA_1, SRGB_GAMMA = struct.pack(">I", 100_000), struct.pack(">I", 45_455)
P3, PQ = bytes([12, 13, 0, 1]), bytes([9, 16, 0, 1])
PROFILE = icc.matrix_profile(BT709, icc.power(1.8))


def test_it_works() -> None:
    """Linear light becomes a profile of it: 0.2157 is 0.5019 in sRGB."""
    profile = Colour.of(None, {b"gAMA": GAMMA_1}).profile()

    assert profile is not None
    assert to_srgb(RAMP, profile)[0, 55].tolist() == [128] * 3


@pytest.mark.parametrize(
    "chunks",
    [
        {},
        {b"sRGB": b"\0"},
        {b"sRGB": b"\0", b"gAMA": GAMMA_1},
        {b"gAMA": SRGB_GAMMA},
        {b"cHRM": ADOBE},
        {b"gAMA": bytes(4)},
        {b"gAMA": struct.pack(">I", 1)},
        {b"gAMA": GAMMA_1, b"cHRM": bytes(32)},
        {b"cICP": bytes([2, 2, 0, 1])},
        {b"cICP": bytes([12, 13, 0, 0])},
        {b"cICP": bytes([12, 13, 1, 1])},
    ],
)
def test_what_is_srgb(chunks: dict[bytes, bytes]) -> None:
    assert Colour.of(None, chunks).profile() is None


def test_a_gamma_with_chromaticities_is_meant_exactly() -> None:
    profile = Colour.of(None, {b"gAMA": SRGB_GAMMA, b"cHRM": ADOBE}).profile()

    assert profile is not None
    green = to_srgb(np.array([[[100, 150, 100]]], np.uint8), profile)[0, 0]
    assert green.tolist() == pytest.approx([66, 151, 96], abs=2)


@pytest.mark.parametrize("transfer", colour.CURVES)
@pytest.mark.parametrize("primaries", colour.PRIMARIES)
def test_code_points(primaries: int, transfer: int) -> None:
    """White is white and black is black, and it is only brighter in between."""
    profile = Colour.of(None, {b"cICP": bytes([primaries, transfer, 0, 1])}).profile()

    assert profile is not None
    shown = to_srgb(RAMP, profile)[0].astype(int)
    assert np.ptp(shown, axis=1).max() <= 1
    assert (shown[0].tolist(), shown[255].tolist()) == ([0] * 3, [255] * 3)
    assert (np.diff(shown, axis=0) >= 0).all()


def test_what_counts_first() -> None:
    gamma = {b"gAMA": GAMMA_1}

    assert Colour.of(PROFILE, gamma).profile() == PROFILE
    assert Colour.of(PROFILE, {b"cICP": P3}).profile() == Colour.of(None, {b"cICP": P3}).profile()
    assert Colour.of(None, {b"cICP": bytes([2, 2, 0, 1]), **gamma}).profile() == Colour.of(None, gamma).profile()


@pytest.mark.parametrize("profile", [b"", b"x", b"x" * 500, profiles.grey(1.8)])
def test_no_profile_of_rgb(profile: bytes) -> None:
    assert Colour.of(profile, {}) == SRGB


def test_a_damaged_profile_is_as_none() -> None:
    assert Colour.of(PROFILE[:-40], {b"gAMA": GAMMA_1}).profile() == Colour.of(None, {b"gAMA": GAMMA_1}).profile()


def test_a_large_profile_is_made_smaller_for_a_png() -> None:
    big = profiles.assembled(b"RGB ", {**icc._tags(PROFILE), b"prvt": b"text\0\0\0\0" + bytes(2_000_000)})
    photo = pictures.photo()

    rgb, meaning = colour.for_png(photo, Colour(big, {b"gAMA": GAMMA_1}))
    np.testing.assert_array_equal(rgb, photo)
    assert meaning.chunks == {b"gAMA": GAMMA_1}
    assert meaning.icc_profile is not None
    np.testing.assert_array_equal(to_srgb(photo, meaning.icc_profile), to_srgb(photo, big))


def test_pixels_become_srgb_where_that_is_not_enough() -> None:
    table = profiles.table(60)
    photo = pictures.photo()

    rgb, meaning = colour.for_png(photo, Colour(table))
    assert len(table) > colour.LARGEST_IN_PNG
    assert meaning == SRGB
    # Red and green change places by this profile; sRGB is lighter than nothing of it.
    assert np.abs(rgb.astype(int) - photo[..., [1, 0, 2]]).mean() < 3


def test_grey_of_another_connection_space_becomes_srgb() -> None:
    ramp = Image.fromarray(RAMP[..., 0])

    shown, meaning = colour.of_grey(ramp, profiles.grey(1.0, b"Lab "), {})
    assert meaning == SRGB
    assert np.asarray(shown)[0, 128] == pytest.approx(119, abs=2)  # a lightness of 50 is 119 in sRGB


def test_a_grey_profile_that_cannot_be_used_is_as_none() -> None:
    broken = profiles.assembled(b"GRAY", {})

    assert colour.of_grey(Image.fromarray(RAMP[..., 0]), broken, {b"gAMA": GAMMA_1})[1] == Colour.of(
        None, {b"gAMA": GAMMA_1}
    )
