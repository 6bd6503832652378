"""Profiles that are built, and made smaller."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from inpainting import icc
from inpainting.colour import BT709
from tests.inpainting import profiles

SRGB_CURVE = icc.parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
RAMP = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)


def to_srgb(pixels: np.ndarray, profile: bytes) -> np.ndarray:
    """By LittleCMS."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(
        Image.fromarray(pixels), source, ImageCms.createProfile("sRGB"), outputMode="RGB"
    )
    assert converted is not None
    return np.asarray(converted)


def test_it_works() -> None:
    """sRGB built from its numbers is sRGB."""
    colours = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)

    assert np.abs(to_srgb(colours, icc.matrix_profile(BT709, SRGB_CURVE)).astype(int) - colours).max() <= 1


def test_a_power() -> None:
    shown = to_srgb(RAMP, icc.matrix_profile(BT709, icc.power(1)))

    assert shown[0, 55].tolist() == [128] * 3  # 0.2157 of the light is 0.5019 in sRGB (IEC 61966-2-1)


def test_samples_are_a_curve() -> None:
    sampled = icc.matrix_profile(BT709, icc.sampled(np.linspace(0, 1, 1024) ** 1.8))

    exact = to_srgb(RAMP, icc.matrix_profile(BT709, icc.power(1.8)))
    assert np.abs(to_srgb(RAMP, sampled).astype(int) - exact).max() <= 1


def test_wider_primaries() -> None:
    p3 = (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
    pixels = np.array([[[255, 255, 255], [100, 150, 100]]], np.uint8)

    white, green = to_srgb(pixels, icc.matrix_profile(p3, SRGB_CURVE))[0].tolist()
    assert white == [255, 255, 255]
    assert green == pytest.approx([83, 152, 95], abs=1)  # by the matrices of CSS Color 4


def test_code_points_are_there_for_who_reads_them() -> None:
    assert b"cicp\0\0\0\0\x09\x10\0\1" in icc.matrix_profile(BT709, SRGB_CURVE, b"\x09\x10\0\1")


@pytest.mark.parametrize("chromaticities", [(0.0,) * 8, (0.3, 0.3) * 4, (0.3127, 0.3290, *(0.3, 0.3) * 3)])
def test_no_colours(chromaticities: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="span no colours"):
        icc.matrix_profile(chromaticities, SRGB_CURVE)


@pytest.mark.parametrize("exponent", [1e6, float("nan"), float("inf")])
def test_a_number_that_no_profile_holds(exponent: float) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        icc.power(exponent)


def test_grey_looks_the_same_as_equal_channels() -> None:
    as_rgb = icc.rgb_of_grey(profiles.grey(1.8), BT709)

    assert as_rgb is not None
    shown = to_srgb(RAMP, as_rgb)
    assert np.ptp(shown, axis=2).max() == 0
    assert np.abs(shown[..., 0].astype(int) - to_srgb(RAMP[..., 0], profiles.grey(1.8))[..., 0]).max() <= 1


@pytest.mark.parametrize("profile", [profiles.grey(1.8, b"Lab "), b"", b"x" * 200, profiles.grey(1.8)[:150]])
def test_grey_that_cannot_be_said_so(profile: bytes) -> None:
    assert icc.rgb_of_grey(profile, BT709) is None


def test_slim_leaves_out_what_shows_no_colours() -> None:
    profile = icc.matrix_profile(BT709, icc.power(1.8))
    big = profiles.assembled(b"RGB ", {**icc._tags(profile), b"prvt": b"text\0\0\0\0" + bytes(2_000_000)})

    slim = icc.slim(big)
    assert len(slim) < 1000
    np.testing.assert_array_equal(to_srgb(RAMP, slim), to_srgb(RAMP, big))


def test_slim_keeps_a_table() -> None:
    big = profiles.assembled(b"RGB ", {**icc._tags(profiles.table(9)), b"B2A0": bytes(2_000_000)}, b"Lab ")

    slim = icc.slim(big)
    assert len(slim) < 10_000
    assert slim[12:16] == b"scnr"  # a display's profile would have to lead back as well
    np.testing.assert_array_equal(to_srgb(RAMP, slim), to_srgb(RAMP, profiles.table(9)))


@pytest.mark.parametrize("size", [0, 40, 128, 130, 140, 300])
def test_slim_of_what_is_cut_off(size: int) -> None:
    """Nothing is raised: what lies within it stays."""
    assert len(icc.slim(profiles.table(9)[:size])) < 1000


def test_what_browsers_can_use() -> None:
    whole = icc.matrix_profile(BT709, icc.power(1.8))
    usable = {
        "whole": whole,
        "followed by something": whole + b"x",
        "grey": profiles.grey(1.8),
        "a table": profiles.table(9),
    }
    damaged = {
        "nothing": b"",
        "a header": whole[:128],
        "cut off": whole[:-40],
        "no tags": whole[:128] + bytes(4) + whole[132:],
        "tags that lie": whole[:140] + bytes(60) + whole[200:],
        "a size that lies": struct.pack(">I", 99_999) + whole[4:],
        "iccMAX": whole[:8] + b"\5" + whole[9:],
        "another white": whole[:68] + bytes(12) + whole[80:],
        "no curves": profiles.assembled(b"RGB ", {}),
        "curves of another kind": whole.replace(b"para", b"text"),
    }

    assert [name for name, profile in usable.items() if not icc.is_usable(profile)] == []
    assert [name for name, profile in damaged.items() if icc.is_usable(profile)] == []


def test_a_colourant_without_luminance() -> None:
    """As ACES' blue is nearly: its y is 0."""
    profile = icc.matrix_profile((0.32168, 0.33767, 0.7347, 0.2653, 0, 1, 0.0001, 0), icc.power(1))

    assert to_srgb(RAMP, profile)[0, 255].tolist() == [255] * 3
