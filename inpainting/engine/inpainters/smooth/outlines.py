"""The outline of a shape goes on through a hole, sharp, in the direction and with the bend that it has around it.

As a level set (Osher and Sethian, 1988): the distance from the outline is filled with a thin plate, and the outline
goes on where that is 0.
"""

import cv2
import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray

from inpainting.engine.inpainters.smooth.surfaces import biharmonic
from inpainting.engine.interface import Hole

ZERO, STEP = 128, 4  # a distance in levels: that of the outline itself, and a pixel; it is told up to 31 pixels


def outline(shape: Hole, hole: Hole) -> NDArray[uint8]:
    """How much of each pixel belongs to the shape, 0 to 255: (H, W), (H, W) -> (H, W). In the hole `shape` is not read.

    Some pixel outside the hole has to be of the shape, and some not.
    """
    inwards, outwards = (
        cv2.distanceTransform(1 - (one & ~hole).astype(uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for one in (~shape, shape)
    )
    distance = np.where(shape, inwards - float32(0.5), float32(0.5) - outwards)
    # Beside the hole the nearest part of the outline may be the one that is missing: there the distance is not known.
    to_hole = cv2.distanceTransform(1 - hole.astype(uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    unknown = np.abs(distance) > to_hole
    levels = np.rint(ZERO + STEP * distance).clip(0, 255).astype(uint8)
    filled = biharmonic(np.repeat(levels[..., None], 3, axis=2), unknown | hole)[..., 0]
    opacities = np.rint(((np.arange(256) - ZERO) / STEP + 0.5).clip(0, 1) * 255).astype(uint8)
    return np.asarray(opacities[filled])
