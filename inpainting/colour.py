"""What a picture's numbers mean as colours, and how each file format says it.

PNG has chunks of its own, which go into a PNG as they came. Every other format knows ICC profiles, AVIF code points
besides; what they cannot say otherwise becomes a profile that means the same. Where nothing is said, it is sRGB.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from inpainting import icc
from inpainting.icc import Chromaticities

LARGEST_IN_PNG = 1 << 20  # bytes of a profile; Pillow, and what is built on it, opens no PNG with a larger one

BT709: Chromaticities = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
# By their code points in ITU-T H.273 (2024), table 2.
PRIMARIES: dict[int, Chromaticities] = {
    1: BT709,
    5: (0.3127, 0.3290, 0.640, 0.330, 0.290, 0.600, 0.150, 0.060),  # PAL
    6: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),  # NTSC
    7: (0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070),
    9: (0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046),  # BT.2020, BT.2100
    11: (0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # DCI-P3
    12: (0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060),  # Display P3
}
VIDEO = (1, 6, 14, 15)  # transfers, table 3, of BT.601, BT.709 and BT.2020
BRIGHTER = (16, 18)  # those that know light brighter than white: PQ and HLG
SAMPLES = 4096  # of a curve
NEARLY = 0.05  # by which a gamma may differ from 1 / 2.2 that stands for sRGB


@dataclass(frozen=True)
class Colour:
    """`icc_profile`: of RGB. `chunks`: PNG's cICP, sRGB, gAMA and cHRM by name, each of its right size.

    cICP counts before a profile, the others after it (W3C PNG, third edition, 4.3).
    """

    icc_profile: bytes | None = None
    chunks: Mapping[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, profile: bytes | None, chunks: Mapping[bytes, bytes]) -> Colour:
        """Without the profile, where it is none of RGB or damaged."""
        is_kept = profile and icc.space(profile) == b"RGB " and icc.is_usable(profile)
        return cls(profile if is_kept else None, chunks)

    @property
    def cicp(self) -> bytes | None:
        """Primaries, transfer, matrix and range, if they are of full-range RGB and we know them."""
        data = self.chunks.get(b"cICP", b"")
        known = data[2:] == b"\0\1" and data[0] in PRIMARIES and data[1] in CURVES
        return data if known else None

    def profile(self) -> bytes | None:
        """A profile that means the same; None is sRGB."""
        if self.cicp:
            return _of_code_points(self.cicp)
        if self.icc_profile:
            return self.icc_profile
        return None if b"sRGB" in self.chunks else _of_gamma(self.chunks.get(b"gAMA"), self.chunks.get(b"cHRM"))


SRGB = Colour()


def for_png(rgb: NDArray[np.uint8], colour: Colour) -> tuple[NDArray[np.uint8], Colour]:
    """(H, W, 3) and its meaning as a PNG that everybody opens can have them.

    Of a profile that is too large only what says the colours is kept; if that is too large, the pixels become sRGB.
    """
    profile = colour.icc_profile
    if profile and len(profile) > LARGEST_IN_PNG:
        profile = icc.slim(profile)
        if len(profile) > LARGEST_IN_PNG:
            return to_srgb(rgb, profile), SRGB
    return rgb, Colour(profile, colour.chunks)


def to_srgb(rgb: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """(H, W, 3) pixels of an RGB profile to those that look the same in sRGB; as they are, if it cannot be used."""
    converted = _converted(Image.fromarray(rgb), profile)
    return rgb if converted is None else np.asarray(converted)


def of_grey(image: Image.Image, profile: bytes, chunks: Mapping[bytes, bytes]) -> tuple[Image.Image, Colour]:
    """Grey (mode L) of a grey profile to what looks the same as equal channels of RGB, and what those mean.

    The profile is made one of RGB and the pixels stay, where that can be said exactly; else they become sRGB's grey.
    """
    if icc.space(profile) != b"GRAY" or not icc.is_usable(profile) or b"cICP" in chunks:
        return image, Colour.of(profile, chunks)
    as_rgb = icc.rgb_of_grey(profile, BT709)
    if as_rgb:
        return image, Colour.of(as_rgb, chunks)
    levels = _converted(Image.fromarray(np.arange(256, dtype=np.uint8)[None]), profile)
    return (image, Colour.of(None, chunks)) if levels is None else (image.point(levels.convert("L").tobytes()), SRGB)


def from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """To sRGB by the picture's own profile, where it has a usable one."""
    converted = _converted(image, profile) if profile else None
    return converted or image.convert("RGB")


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc.for_conversion(profile)))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None  # damaged, or of another kind of pixels: readers do without it as well


def _of_gamma(gama: bytes | None, chrm: bytes | None) -> bytes | None:
    """Of these chunks, as Chromium reads them: None, sRGB, without a gamma, or with one that is nearly sRGB's alone."""
    gamma = int.from_bytes(gama or b"") / 100_000
    if gamma == 0 or (chrm is None and abs(gamma * 2.2 - 1) <= NEARLY):
        return None
    chromaticities = BT709 if chrm is None else tuple(value / 100_000 for value in struct.unpack(">8I", chrm))
    try:
        return icc.matrix_profile(chromaticities, icc.power(1 / gamma))
    except ValueError:
        return None  # numbers that mean no colours


def _of_code_points(cicp: bytes) -> bytes:
    # Who reads the code points does better than the curve where there is more light than white; elsewhere it is exact.
    return icc.matrix_profile(PRIMARIES[cicp[0]], CURVES[cicp[1]], cicp if cicp[1] in BRIGHTER else None)


def _toned(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """cd/m2 to 0..1 for readers that know nothing brighter than white: about as Chromium does it.

    Reference white (203 cd/m2; ITU-R BT.2408) becomes 0.5, and what is brighter, up to 1,000, lies above it.
    """
    relative = light / 203
    above = np.log(np.maximum(relative, 1)) / np.log(1000 / 203)
    return np.asarray(np.minimum(0.5 * (np.minimum(relative, 1) + above), 1))


def _perceptual_quantizer() -> NDArray[np.float64]:
    """SMPTE ST 2084: up to 10,000 cd/m2."""
    root = np.linspace(0, 1, SAMPLES) ** (32 / 2523)
    light = np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)
    return _toned(10_000 * light ** (8192 / 1305))


def _hybrid_log_gamma() -> NDArray[np.float64]:
    """ITU-R BT.2100: as a screen of 1,000 cd/m2 shows it."""
    signal = np.linspace(0, 1, SAMPLES)
    bright = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
    return _toned(1000 * np.where(signal <= 0.5, signal**2 / 3, bright) ** 1.2)


# By their code points in ITU-T H.273, table 3.
CURVES: dict[int, bytes] = {
    **dict.fromkeys(VIDEO, icc.power(2.4)),  # as screens show it (ITU-R BT.1886)
    4: icc.power(2.2),
    5: icc.power(2.8),
    8: icc.power(1),
    13: icc.parametric(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
    16: icc.sampled(_perceptual_quantizer()),
    18: icc.sampled(_hybrid_log_gamma()),
}
