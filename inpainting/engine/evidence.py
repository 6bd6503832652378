"""Whether what a network takes for a watermark is one.

The network has a verdict on each part, learned from what was like a mark and none (training/verdict.py). Such things it
doubts: it says something else of the picture's mirror image. It sees them all over a picture, and with the "mark" taken
off, the outline stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy import float16, float32
from numpy.typing import NDArray
from torch import Tensor

from .interface import Hole, Picture
from .planes import reduced
from .regions import Box, parts

SPECK = 40  # pixels: a smaller part says too little
LARGEST = 1024  # pixels: larger parts are judged smaller
FLAT = 0.005  # of 0..1: an outline that cannot be seen
NONE = 1e-3  # share of a picture that is as good as nothing


class Look(NamedTuple):
    """What a network saw."""

    probability: NDArray[float32]  # (H, W), 0..1: that a pixel is marked
    opacity: NDArray[float32]  # (H, W), 0..1
    below: Picture  # (H, W, 3): the picture as if every pixel were marked
    verdict: NDArray[float16]  # (H, W): its mean over a part tells marks from what is like them
    doubt: NDArray[float16]  # (H, W): standard deviation of the logit over looks from other sides


@dataclass(frozen=True)
class Evidence:
    """Weights of a logistic regression: the log odds that a part is a mark."""

    constant: float
    verdict: float
    doubt: float
    elsewhere: float
    outline: float


class Part(NamedTuple):
    """Pixels near each other that may be a mark."""

    box: Box
    inside: Hole  # (h, w) of the box
    verdict: float  # their mean
    doubt: float  # their mean
    outline: float  # log of how steep it is without the mark, against before

    @property
    def pixels(self) -> int:
        return int(self.inside.sum())

    def log_odds(self, evidence: Evidence, elsewhere: float) -> float:
        """`elsewhere`: the share of the picture that looks marked too, 0..1."""
        told = evidence.verdict * self.verdict + evidence.doubt * self.doubt + evidence.outline * self.outline
        return evidence.constant + told + evidence.elsewhere * log_share(elsewhere)


def log_share(share: float) -> float:
    return float(np.log(NONE + max(0.0, share)))  # boxes of parts may overlap, so that pixels count twice


def described(picture: Picture, look: Look, likely: Hole) -> Iterator[Part]:
    """The parts of what is likely a mark, but for specks."""
    for box in parts(likely) if likely.any() else []:
        inside = likely[box.slices]
        if inside.sum() >= SPECK:
            verdict, doubt = (float(plane[box.slices][inside].mean()) for plane in (look.verdict, look.doubt))
            yield Part(box, inside, verdict, doubt, outline(picture, look, box, inside))


def outline(picture: Picture, look: Look, box: Box, inside: Hole) -> float:
    """Log of how steep the picture is along the edge of a part that is taken off, against before; 0 is no change."""
    height, width = inside.shape
    factor = -(-max(height, width) // LARGEST)
    around = Box(max(0, box.top - 2), max(0, box.left - 2), box.bottom + 2, box.right + 2).slices
    before, below = (reduced(plane[around], factor) for plane in (picture, look.below))
    shape = picture[around].shape[:2]
    whole = np.zeros(shape, np.uint8)
    top, left = box.top - around[0].start, box.left - around[1].start
    whole[top : top + height, left : left + width] = inside * np.uint8(255)
    part = reduced(whole[..., None].repeat(3, 2), factor)[:1] > 0.5
    edge = _spread(part) & _spread(~part)
    if not edge.any():
        return 0.0
    after = steepness(torch.where(part, below, before))[edge[0]].mean()
    return float(torch.log((after + FLAT) / (steepness(before)[edge[0]].mean() + FLAT)))


def steepness(picture: Tensor) -> Tensor:
    """The largest difference across each pixel, (3, H, W) to (H, W)."""
    padded = F.pad(picture[None], (1, 1, 1, 1), mode="replicate")[0]
    down, right = padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1], padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]
    return torch.maximum(down.abs(), right.abs()).amax(0)


def _spread(part: Tensor) -> Tensor:
    return F.max_pool2d(part[None].float(), 3, 1, 1)[0] > 0


@dataclass(frozen=True)
class MaskEvidence:
    """The same for a part of a user's mask: the log odds that it was drawn around a mark, not around an object."""

    constant: float
    probability: float
    verdict: float


class Masked(NamedTuple):
    """A part of a user's mask in which something is likely a mark."""

    box: Box
    inside: Hole  # (h, w) of the box
    probability: float  # its mean
    verdict: float  # its mean over what is likely a mark

    def log_odds(self, evidence: MaskEvidence) -> float:
        return evidence.constant + evidence.probability * self.probability + evidence.verdict * self.verdict


def masked(look: Look, hole: Hole, extent: float) -> Iterator[Masked]:
    """The parts of a user's mask in which pixels are more probable than `extent`."""
    for box in parts(hole) if hole.any() else []:
        inside, probability = hole[box.slices], look.probability[box.slices]
        likely = inside & (probability > extent)
        if likely.any():
            verdict = look.verdict[box.slices][likely].mean()
            yield Masked(box, inside, float(probability[inside].mean()), float(verdict))


def around_marks(look: Look, hole: Hole, extent: float, evidence: MaskEvidence) -> Hole:
    """The parts of a user's mask that are likelier drawn around a mark than not."""
    result = np.zeros_like(hole)
    for part in masked(look, hole, extent):
        if part.log_odds(evidence) > 0:
            result[part.box.slices] |= part.inside
    return result


def found(picture: Picture, look: Look, extent: float, evidence: Evidence, sure: float) -> Hole:
    """The mask: the parts of pixels more probable than `extent` whose log odds of being a mark are above `sure`."""
    likely = look.probability > extent
    mask, left = np.zeros_like(likely), int(likely.sum())
    waiting, marks = list(described(picture, look, likely)), 1
    while marks:  # what is a mark is no sign of false alarms elsewhere, so that the others become likelier
        odds = [part.log_odds(evidence, (left - part.pixels) / likely.size) for part in waiting]
        for part in (part for part, one in zip(waiting, odds, strict=True) if one > sure):
            mask[part.box.slices] |= part.inside
            left -= part.pixels
        waiting, before = [part for part, one in zip(waiting, odds, strict=True) if one <= sure], len(waiting)
        marks = before - len(waiting)
    return mask
