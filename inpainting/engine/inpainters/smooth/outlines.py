"""The outline of a shape goes on through a hole, sharp, in the direction and with the bend that it has around it.

As a level set (Osher and Sethian, 1988): the distance from the outline is filled with a thin plate, and the outline
goes on where that is 0.
"""

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray

from inpainting.engine.crops.resize import enlarge, shrink
from inpainting.engine.inpainters.smooth.surfaces import biharmonic
from inpainting.engine.interface import Hole, Picture

ZERO, STEP = 128, 4  # a distance in levels: that of the outline itself, and a pixel; it is told up to 31 pixels
LARGEST = 1 << 18  # pixels of what is solved, which takes 160 bytes each: of more every other one, which is as smooth


def outline(shape: Hole, hole: Hole) -> NDArray[uint8]:
    """How much of each pixel belongs to the shape, 0 to 255: (H, W), (H, W) -> (H, W). In the hole `shape` is not read.

    Some pixel outside the hole has to be of the shape, and some not.
    """
    distance = _to(~shape & ~hole)
    distance -= 0.5
    np.subtract(0.5, _to(shape & ~hole), out=distance, where=~shape)
    # Beside the hole the nearest part of the outline may be the one that is missing: there the distance is not known.
    unknown = hole | (np.abs(distance) > _to(hole))
    distance *= STEP
    distance += ZERO
    levels = np.rint(distance, out=distance).clip(0, 255, out=distance).astype(uint8)
    del distance
    filled = _filled(np.repeat(levels[..., None], 3, axis=2), unknown)[..., 0]
    opacities = np.rint(((np.arange(256) - ZERO) / STEP + 0.5).clip(0, 1) * 255).astype(uint8)
    return np.asarray(opacities[filled])


def _to(shape: Hole) -> NDArray[float32]:
    """(H, W): how far it is to the shape."""
    return np.asarray(cv2.distanceTransform(1 - shape.astype(uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE), float32)


def _filled(levels: Picture, hole: Hole) -> Picture:
    if hole.size <= LARGEST:
        return biharmonic(levels, hole)
    smaller = _filled(*shrink(levels, hole, 2))
    return np.where(hole[..., None], enlarge(smaller, 2, hole.shape), levels)
