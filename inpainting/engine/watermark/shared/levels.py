"""How opaque a mark is, and its colour, from many pictures that have it at the same place: by their levels.

A marked pixel is y = (1 - a) x + a c. What is below, x, is estimated from around the mark; an opacity a and a colour c
for each place follow from all pictures by least squares, as of a tiled mark's copies (tiled/mark.py).
"""

from collections.abc import Generator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from inpainting.engine.inpainters.smooth.local_mean import local_mean
from inpainting.engine.interface import Picture
from inpainting.engine.nets.planes import planes, widen
from inpainting.engine.watermark.tiled.mark import FAINTEST, FULL, SURE, colours, moments, opacities

ROUNDS = 3  # of telling the mark from the pictures
PRESENT = 0.2  # of the mark's strength: where it hides what is below
LEVELS = 8  # of local means: a logo may be large
SHOWN = 0.5  # of the mark's strength: a picture that shows less of it has another mark, or none
FEWEST = 6  # pictures that must show it
MARGIN = 48  # pixels around a mark that levels are taken from
REACH = 4  # pixels around where a mark was seen that may be the mark
LEVEL = 0.25  # of the mark's strength: opacities that differ by less from the fullest may be the same
SAMPLED = 20_000  # pixels of a picture that say how much still varies below the mark


class Levels(NamedTuple):
    """A mark by levels."""

    opacity: Tensor  # (1, h, w), 0..1; 0 where the mark is not
    colour: Tensor  # (3, h, w), 0..1
    below: Tensor  # (3, h, w): the mean level below, over all pictures
    certainty: Tensor  # (1, h, w): 1 / variance of its error
    shown: list[int]  # the pictures that show it


class Samples(NamedTuple):
    """Some pixels where the mark is at its fullest, of all pictures: what is marked, and what is likely below."""

    marked: list[Tensor]  # (3, n) each
    below: list[Tensor]
    certainty: list[Tensor]  # (n,) each


def measure(crops: list[Picture], present: Tensor) -> Generator[None, None, Levels | None]:
    """Of crops (h, w, 3) that have a mark about where it is `present` (h, w). Yields where others may have a turn."""
    full, within = present[None], widen(present, REACH)
    opacity, colour = torch.zeros_like(full, dtype=torch.float32), torch.zeros(3, 1, 1)
    for turn in range(ROUNDS):
        hole = widen(present, 1)
        if hole.float().mean() > 0.9 or full.sum() < 9:
            return None
        sums, samples, showing = torch.zeros(9, *present.shape), Samples([], [], []), []
        places = _sampled(full[0])
        for number, crop in enumerate(crops):
            yield
            picture = planes(crop)
            estimate = local_mean(picture, hole, LEVELS)
            if turn and shown(picture, *estimate, opacity * (colour - estimate.mean)) < SHOWN:
                continue
            showing.append(number)
            sums += moments(picture, estimate)
            for column, plane in zip(samples, (picture, estimate.mean, estimate.certainty), strict=True):
                column.append(plane.flatten(-2)[..., places])
        if len(showing) < FEWEST:
            return None
        slope = _slope(samples, sums.flatten(1)[:, places])
        colour = colours(sums, slope, full)
        opacity, errors = opacities(sums, colour)
        strength = float(np.quantile(opacity[0][present].numpy(), 0.8))
        present = ((opacity > PRESENT * strength) & (errors > SURE))[0] & within
        full = (opacity > FULL * strength) & present
    opacity = opacity * ((opacity > FAINTEST * strength) & (errors > SURE) & within)
    opacity = _evened(opacity, 1 - slope, LEVEL * strength)
    return Levels(opacity, colour, sums[4:7] / sums[:1].clamp(min=1e-6), sums[:1], showing)


def _evened(opacity: Tensor, plateau: Tensor, near: float) -> Tensor:
    """Drawn to what all places say together where the mark is at its fullest, the more the nearer it is to that."""
    off = opacity - plateau
    return torch.where(opacity > 0, plateau + off * (off / near).square().clamp(max=1), opacity)


def _sampled(full: Tensor) -> Tensor:
    """The numbers of some pixels of (h, w), evenly spread."""
    places = full.flatten().nonzero()[:, 0]
    return places[:: max(1, len(places) // SAMPLED)]


def shown(picture: Tensor, below: Tensor, certainty: Tensor, change: Tensor) -> float:
    """How strong a mark is in a picture that it should `change` by so much, (3, h, w): 1 is as strong as it should be.

    `picture`, and what is `below` with that `certainty` (h, w), as `local_mean` estimates it.
    """
    alike, most = ((certainty * (plane * change).sum(0)).sum() for plane in (picture - below, change))
    return float(alike / most.clamp(min=1e-9))


def _slope(samples: Samples, sums: Tensor) -> Tensor:
    """1 - opacity at those places, whose sums are (9, n): 0..0.97. What is marked against what is below: a line's."""
    mean = sums[1:7] / sums[:1].clamp(min=1e-6)
    y, x = (
        torch.cat([plane - middle for plane in planes], 1)
        for planes, middle in zip(samples[:2], mean.split(3), strict=True)
    )
    weight = certainty = torch.cat(samples.certainty)
    for _ in range(8):
        slope = ((weight * x * y).sum() / (weight * x.square()).sum().clamp(min=1e-9)).clamp(0, 0.97)
        off = (y - slope * x).abs().amax(0) * certainty.sqrt()
        weight = certainty * (1.5 * off.median() / off.clamp(min=1e-9)).clamp(max=1)  # outliers count for less
    return slope
