"""Holes filled with the smoothest surface through what is around them. No network.

A harmonic fill is a membrane: least squared slopes. A biharmonic one is a thin plate: least squared bends, so that it
goes on with the shades at the hole's edge (Damelin and Hoang, "On Surface Completion and Image Inpainting by Biharmonic
Functions", 2018). Thin holes they fill better than any copy; wide ones they blur.

Solved from coarse to fine by conjugate gradients (Bornemann and Deuflhard, "The Cascadic Multigrid Method for Elliptic
Problems", 1996), for the hole's pixels only.
"""

import numpy as np
from numpy import float32, intp
from numpy.typing import NDArray

from inpainting.engine.crops.resize import enlarge, shrink
from inpainting.engine.interface import Hole, Picture

STEPS = 20  # of conjugate gradients a scale: thin holes are solved by then, and plates over wide ones bend too far
STILL = 0.1  # levels: root mean square of what is left of the equations when they count as solved

Values = NDArray[float32]  # (pixels, 3), levels; the unknown ones first
Places = NDArray[intp]


def harmonic(picture: Picture, hole: Hole) -> Picture:
    """Fills a hole of any shape that leaves a pixel with a membrane: (H, W, 3), (H, W) -> (H, W, 3)."""
    return _fill(picture, hole, plate=False)


def biharmonic(picture: Picture, hole: Hole) -> Picture:
    """The same with a thin plate."""
    return _fill(picture, hole, plate=True)


def _fill(picture: Picture, hole: Hole, plate: bool) -> Picture:
    if not hole.any():
        return picture
    guess = enlarge(_fill(*shrink(picture, hole, 2), plate), 2, hole.shape)
    made = np.where(hole[..., None], guess, picture)
    bent = _grow(hole) if plate else hole  # where the energy is counted
    inside, *around = (np.flatnonzero(one) for one in (hole, bent & ~hole, _grow(bent) & ~bent))
    taken, rows = np.concatenate([inside, *around]), len(inside) + len(around[0])
    values = made.reshape(-1, 3)[taken].astype(float32)
    solved = _solve(values, len(inside), _neighbours(taken, rows, *hole.shape))
    made.reshape(-1, 3)[inside] = np.rint(solved.clip(0, 255))
    return made


def _grow(mask: Hole) -> Hole:
    """And the pixels beside it."""
    grown = mask.copy()
    grown[1:] |= mask[:-1]
    grown[:-1] |= mask[1:]
    grown[:, 1:] |= mask[:, :-1]
    grown[:, :-1] |= mask[:, 1:]
    return grown


def _neighbours(taken: Places, rows: int, height: int, width: int) -> list[Places]:
    """The pixels beside each of the first so many, in the four directions, as places in the list.

    At the edge of the picture it is the pixel itself, so that surfaces lie flat there and do not shoot off.
    """
    place = np.zeros(height * width, intp)
    place[taken] = np.arange(len(taken))
    at = taken[:rows]
    y, x = np.divmod(at, width)
    moves = (y > 0, -width), (y < height - 1, width), (x > 0, -1), (x < width - 1, 1)
    return [place.take(at + step * inside) for inside, step in moves]


def _solve(values: Values, unknown: int, beside: list[Places]) -> Values:
    """The first so many by conjugate gradients (Hestenes and Stiefel, 1952), three channels side by side."""
    solved, way = values[:unknown].copy(), np.zeros_like(values)
    left = -_gradient(values, unknown, beside)
    way[:unknown] = left
    size = np.square(left).sum(0)
    for _ in range(STEPS):
        if size.max() < STILL**2 * unknown:
            break
        bent = _gradient(way, unknown, beside)
        pace = size / np.maximum((way[:unknown] * bent).sum(0), 1e-9)
        solved += pace * way[:unknown]
        left -= pace * bent
        before, size = size, np.square(left).sum(0)
        way[:unknown] = left + size / np.maximum(before, 1e-9) * way[:unknown]
    return solved


def _gradient(values: Values, unknown: int, beside: list[Places]) -> Values:
    """Of half the energy, by the unknown values: linear. A plate's energy is counted at pixels beside them too."""
    bends = _laplacian(values, beside)
    return bends if len(bends) == unknown else _laplacian(bends, [one[:unknown] for one in beside])


def _laplacian(values: Values, beside: list[Places]) -> Values:
    made = 4 * values[: len(beside[0])]
    for one in beside:
        made -= values.take(one, 0)  # four times as fast as values[one]
    return made
