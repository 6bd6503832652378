"""Holes filled from ever smaller pictures (Gortler et al., "The Lumigraph", SIGGRAPH 1996). No network."""

import numpy as np

from inpainting.engine.crops.resize import enlarge, shrink
from inpainting.engine.interface import Hole, Picture


def push_pull(picture: Picture, hole: Hole) -> Picture:
    """Fills a hole of any shape that leaves a pixel: (H, W, 3), (H, W) -> (H, W, 3)."""
    if not hole.any():
        return picture
    smaller = push_pull(*shrink(picture, hole, 2))
    return np.where(hole[..., None], enlarge(smaller, 2, hole.shape), picture)
