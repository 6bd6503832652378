"""The inpainter that needs no weights: PatchMatch, by the C library of `pypatchmatch`.

Barnes, Shechtman, Finkelstein and Goldman, "PatchMatch: A Randomized Correspondence Algorithm for Structural Image
Editing", SIGGRAPH 2009. The library starts every call from the same seed, keeps no state between calls and lets go of
the interpreter's lock, so threads run side by side and the same input gives the same output (both are tested).
"""

import cv2
import numpy as np
from patchmatch import inpaint as patchmatch
from PIL import Image, ImageFilter

from inpainting.engine.crops.resize import enlarge, mirror, shrink
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from inpainting.engine.interface import Hole, Picture

# 7x7 patches, as in the paper. Radius 5 is 0.1 to 0.6 dB better on thin strokes, but takes 2 to 3 times as long and
# rebuilds the edges of large holes less sharply.
PATCH_RADIUS = 3
SMALLEST = 64  # pixels a side; in flatter pictures the library's coarsest level sees too little
SPECKS = 0.01  # share of a hole; where the library leaves out more it has failed
# Pixels in or beside a hole whose patches are looked for; it takes 11 to 32 CPU s for a million. Text in tiles all over
# a crop has fewer; where there are more hardly anything is left between the holes to copy.
MOST = 3 << 18
DEEP = 32  # pixels: how far inside a hole they do not count, so that a large one is never copied coarsely


class PatchMatch:
    weights = None
    device = "cpu"
    precision = "uint8"

    def fill(self, picture: Picture, hole: Hole) -> Picture:
        return fill(picture, hole)


def fill(picture: Picture, hole: Hole) -> Picture:
    """Fill a hole of any shape that leaves a pixel: (H, W, 3), (H, W) -> (H, W, 3). At half the size, if it is much."""
    height, width = hole.shape
    if _looked_for(hole) > MOST:
        smaller = fill(*shrink(picture, hole, 2))
        return np.where(hole[..., None], enlarge(smaller, 2, hole.shape), picture)
    picture, hole = mirror(picture, SMALLEST, SMALLEST), mirror(hole, SMALLEST, SMALLEST)
    # Where the library finds nothing it leaves black, (0, 0, 0), and mixes it into the pixels around: a speck here and
    # there at a hole's edge, or most of a hole that is much longer than the picture is high. Nothing else is that
    # black, because it is given no value below 1.
    made = patchmatch(np.maximum(picture, 1), hole, patch_size=PATCH_RADIUS)
    nothing = hole & ~made.any(axis=2)
    if nothing.any():
        few = nothing.sum() < SPECKS * hole.sum()
        made = push_pull(made, hole & _grow(nothing)) if few else push_pull(picture, hole)
    made[made == 1] = 0
    return made[:height, :width]


def _looked_for(hole: Hole) -> int:
    """How many pixels' patches have a part of the hole, without those deep in it."""
    patch, depth = (np.ones((2 * reach + 1, 2 * reach + 1), np.uint8) for reach in (PATCH_RADIUS, DEEP))
    mask = hole.astype(np.uint8)
    return int(np.count_nonzero(cv2.dilate(mask, patch)) - np.count_nonzero(cv2.erode(mask, depth)))


def _grow(mask: Hole) -> Hole:
    """Larger by a patch on every side."""
    return np.asarray(Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(2 * PATCH_RADIUS + 1))) > 0
