"""Ways to compute what is below a logo that is laid over a crop, and what tells which of them leaves less of it."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy import float32
from numpy.typing import NDArray

OPAQUE = 0.95  # opacity: above it a pixel holds nothing to be computed from
FINE = 4.0  # pixels, standard deviation: coarser structure does not tell where a logo is

Planes = NDArray[float32]  # (h, w) or (h, w, channels), 0..1
Way = Callable[[Planes, Planes], Planes]  # of restoring a crop (h, w, 3) below what is laid over it (h, w, 4)


def restored(crop: Planes, laid: Planes) -> Planes:
    """(h, w, 3) without what is laid over it, by the way that leaves less of it."""
    edges = outline(laid)
    return min((way(crop, laid) for way in WAYS), key=lambda made: structure(made, edges))


def _exact(crop: Planes, laid: Planes) -> Planes:
    return np.asarray(np.clip((crop - laid[..., :3]) / (1 - np.minimum(laid[..., 3:], OPAQUE)), 0, 1), float32)


def _subsampled(crop: Planes, laid: Planes) -> Planes:
    """Where what is laid over it has colours as coarse as JPEG makes them."""
    return _in_luma(_exact(crop, laid), _exact(crop, _coarse(laid)))


WAYS: tuple[Way, Way] = _exact, _subsampled


def _coarse(laid: Planes) -> Planes:
    """As JPEG's 4:2:0 leaves colours: means of two by two pixels."""
    return np.asarray(cv2.sepFilter2D(laid, -1, np.array([0.25, 0.5, 0.25]), np.array([0.25, 0.5, 0.25])), float32)


def _in_luma(brightness: Planes, colours: Planes) -> Planes:
    """The luma of one, the chroma of the other (ITU-R BT.601)."""
    luma, chroma = (cv2.cvtColor(each, cv2.COLOR_RGB2YCrCb) for each in (brightness, colours))
    chroma[..., 0] = luma[..., 0]
    return np.asarray(np.clip(cv2.cvtColor(chroma, cv2.COLOR_YCrCb2RGB), 0, 1), float32)


def outline(laid: Planes) -> Planes:
    """(h, w): how steep the opacity is, where something of the picture is left."""
    return slope(laid[..., 3]) * (laid[..., 3] < OPAQUE)


def structure(planes: Planes, edges: Planes) -> float:
    """How much of it there is along edges (h, w), of the channel that varies most."""
    return float((slope(planes).max(2) * edges).sum())


def slope(planes: Planes) -> Planes:
    return np.asarray(sum(np.abs(np.gradient(planes, axis=axis)) for axis in (0, 1)), float32)


def fine(planes: Planes) -> Planes:
    return np.asarray(planes - blurred(planes, FINE), float32)


def blurred(planes: Planes, deviation: float) -> Planes:
    return np.asarray(cv2.GaussianBlur(planes, (0, 0), deviation), float32)
