"""Pictures and holes made smaller, larger, or large enough."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from inpainting.engine.crops.boxes import cells
from inpainting.engine.interface import Hole, Picture

STRIP = 1 << 20  # pixels made smaller at a time: sums are wide


def shrink(picture: Picture, hole: Hole, scale: int) -> tuple[Picture, Hole]:
    """A smaller picture, each pixel the average of the known pixels in its block; a hole only where there are none."""
    rows = max(1, STRIP // (scale * hole.shape[1])) * scale
    strips = [_shrink(picture[top : top + rows], hole[top : top + rows], scale) for top in range(0, len(hole), rows)]
    pictures, holes = zip(*strips, strict=True)
    return np.concatenate(pictures), np.concatenate(holes)


def _shrink(picture: Picture, hole: Hole, scale: int) -> tuple[Picture, Hole]:
    known = ~hole
    counts = cells(np.add, known, scale, np.uint32)
    sums = cells(np.add, picture * known[..., None], scale, np.uint32)
    average = np.rint(sums / np.maximum(counts, 1)[..., None])
    return average.astype(np.uint8), counts == 0


def enlarge(picture: Picture, scale: int, shape: tuple[int, ...]) -> Picture:
    """The inverse of `shrink` in geometry: to (H, W) = `shape`, smoothly."""
    height, width = shape
    source = (0, 0, width / scale, height / scale)
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, box=source))


def mirror(array: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A picture or hole made at least so large, by reflection at the bottom and right; itself if it is already."""
    missing = [(0, max(0, wanted - side)) for wanted, side in zip((height, width), array.shape, strict=False)]
    if not any(after for _, after in missing):
        return array
    return np.pad(array, missing + [(0, 0)] * (array.ndim - 2), mode="symmetric")
