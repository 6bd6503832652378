"""Which part all pictures of a set have in common, seen from a corner, an edge or the middle of each."""

import itertools
from collections.abc import Sequence

import numpy as np

from inpainting.engine.interface import Picture
from inpainting.engine.shared_mark import Frame, Shot

SMALL = 0.5  # of the median height or width: smaller pictures are left out


def used(shots: Sequence[Shot]) -> list[Shot]:
    """What a mark is computed from: thumbnails among them would leave little in common."""
    least = [SMALL * float(np.median(sides)) for sides in _sides(shots)]
    return [shot for shot in shots if shot.height >= least[0] and shot.width >= least[1]]


def frames(shots: Sequence[Shot]) -> list[Frame]:
    """The smallest picture's size, at each place where a mark may keep its distance from: one where sizes are equal."""
    sizes = _sides(shots)
    ways = [(0.0,) if min(sides) == max(sides) else (0.0, 0.5, 1.0) for sides in sizes]
    return [Frame(min(sizes[0]), min(sizes[1]), down, across) for down, across in itertools.product(*ways)]


def cut(picture: Picture, frame: Frame) -> Picture:
    """The frame's part of a picture."""
    top, left = frame.place(*picture.shape[:2])
    return picture[top : top + frame.height, left : left + frame.width]


def _sides(shots: Sequence[Shot]) -> tuple[list[int], list[int]]:
    """Their heights, and their widths."""
    return [shot.height for shot in shots], [shot.width for shot in shots]
