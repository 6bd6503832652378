"""Which pieces of a picture a network is shown one after the other, and what it sees around each."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets.planes import picture_of

WHOLE = 1024  # pixels: up to this side a picture is one piece
TILE, CONTEXT = 768, 64  # pixels: pieces of a larger one, and what is seen around them; multiples of 16


def tiles(height: int, width: int) -> list[Box]:
    """A picture up to WHOLE in one; a larger one in tiles."""
    if max(height, width) <= WHOLE:
        return [Box(0, 0, height, width)]
    tops, lefts = range(0, height, TILE), range(0, width, TILE)
    return [Box(top, left, min(height, top + TILE), min(width, left + TILE)) for top in tops for left in lefts]


def with_context(box: Box, height: int, width: int) -> Box:
    """What has to be seen of a picture of that size to judge what is in the box."""
    return box.widened(CONTEXT, height, width)


def around(hole: Hole) -> Iterator[tuple[Box, Box]]:
    """Where a network has to run to change what is in the hole, piece by piece; and what it is shown for that."""
    for core in tiles(*hole.shape):
        inside = hole[core.slices]
        if inside.any():
            part = Box.around(tuple(parts(inside))).moved(core.top, core.left)
            yield part, with_context(part, *hole.shape)


def put(picture: Picture, hole: Hole, part: Box, seen: Box, made: Tensor) -> None:
    """Writes what a network made of `seen`, (3, H, W) in 0..1 and padded or not, into the hole, within `part`."""
    own = part.moved(-seen.top, -seen.left).slices
    np.copyto(picture[part.slices], picture_of(made[:, *own]), where=hole[part.slices][..., None])
