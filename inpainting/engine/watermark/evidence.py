"""Whether what a network takes for a watermark is one.

The network has a verdict on each part, learned from what was like a mark and none (training/verdict.py). Such things it
doubts: it says something else of the picture's mirror image. And it sees them all over a picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy import float16, float32
from numpy.typing import NDArray

from inpainting.engine.crops.regions import Box, parts
from inpainting.engine.interface import Hole, Picture

SPECK = 40  # pixels: a smaller part says too little
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


class Part(NamedTuple):
    """Pixels near each other that may be a mark."""

    box: Box
    inside: Hole  # (h, w) of the box
    verdict: float  # their mean
    doubt: float  # their mean

    @property
    def pixels(self) -> int:
        return int(self.inside.sum())

    def log_odds(self, evidence: Evidence, elsewhere: float) -> float:
        """`elsewhere`: the share of the picture that looks marked too, 0..1."""
        told = evidence.verdict * self.verdict + evidence.doubt * self.doubt
        return evidence.constant + told + evidence.elsewhere * log_share(elsewhere)


def log_share(share: float) -> float:
    return float(np.log(NONE + max(0.0, share)))  # boxes of parts may overlap, so that pixels count twice


def described(look: Look, likely: Hole) -> Iterator[Part]:
    """The parts of what is likely a mark, but for specks."""
    for box in parts(likely) if likely.any() else []:
        inside = likely[box.slices]
        if inside.sum() >= SPECK:
            yield Part(box, inside, *(float(plane[box.slices][inside].mean()) for plane in (look.verdict, look.doubt)))


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


def found(look: Look, extent: float, evidence: Evidence, sure: float) -> Hole:
    """The mask: the parts of pixels more probable than `extent` whose log odds of being a mark are above `sure`."""
    likely = look.probability > extent
    mask, left = np.zeros_like(likely), int(likely.sum())
    waiting, marks = list(described(look, likely)), 1
    while marks:  # what is a mark is no sign of false alarms elsewhere, so that the others become likelier
        odds = [part.log_odds(evidence, (left - part.pixels) / likely.size) for part in waiting]
        for part in (part for part, one in zip(waiting, odds, strict=True) if one > sure):
            mask[part.box.slices] |= part.inside
            left -= part.pixels
        waiting, before = [part for part, one in zip(waiting, odds, strict=True) if one <= sure], len(waiting)
        marks = before - len(waiting)
    return mask
