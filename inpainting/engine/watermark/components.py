"""Which pixels are a watermark: connected pixels that may be one are judged together, by a logistic model.

What is like a mark and none, the network doubts: its verdict on the component, learned last (training/verdict.py), is
low, and it says something else of the picture's mirror image. And it sees such things all over a picture. A part of a
user's mask is judged in the same way: it may have been drawn around an object instead of a mark.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from inpainting.engine.crops.boxes import Box, parts
from inpainting.engine.interface import Hole, Trust
from inpainting.engine.watermark.pyramid import Prediction
from inpainting.engine.watermark.strokes import groups, rest_of_line
from inpainting.engine.watermark.tiled.search import TiledMark

SPECK = 40  # pixels: a smaller component says too little, unless it lies in a user's mask
NONE = 1e-3  # share of a picture that is as good as nothing
# Log odds are too sure of themselves on pictures with lettering of their own; this is their logistic calibration
# (Platt, 1999) on 1,800 components of 1,100 rendered pictures, half of those with no mark.
CALIBRATION = -0.48, 0.48
LONE = 1e-3, 500  # share of the picture, and pixels: what has less than both and no sure company is texture
TIE = 1e-6  # log odds: so that the likeliest component is above its own
VISIBLE = 0.02  # opacity: less is not seen
DENSER = 2.0  # than elsewhere: the copies of a mark in a part of a user's mask that was drawn around them


@dataclass(frozen=True)
class LogisticModel:
    """The log odds of being a mark, by logistic regression over features that have names."""

    constant: float
    coefficients: Mapping[str, float]

    def log_odds(self, features: Mapping[str, float]) -> float:
        return self.constant + sum(factor * features[name] for name, factor in self.coefficients.items())


@dataclass(frozen=True)
class Thresholds:
    """What is chosen on pictures that training never saw, and kept with the weights."""

    extent: float  # probability: a pixel above it may be part of a mark
    sure: float  # log odds: a component above them is a mark
    likely: float  # log odds: the same where a user says that the picture has a mark
    extent_in_mask: float  # probability: `extent` where a user says that something is to go
    component: LogisticModel  # over `verdict`, `doubt` and `elsewhere`
    mask_part: LogisticModel  # over `probability` and `verdict`


class Component(NamedTuple):
    """Pixels near each other that may be a mark, or a part of a user's mask in which some may be."""

    box: Box
    inside: Hole  # (h, w) of the box
    probability: float  # mean over its pixels
    verdict: float  # mean over those that may be marked
    doubt: float  # mean over those that may be marked

    @property
    def pixels(self) -> int:
        return int(self.inside.sum())

    def features(self, elsewhere: float = 0.0) -> dict[str, float]:
        """What logistic models are over. `elsewhere`: the share of the picture that looks marked too, 0..1."""
        return {
            "probability": self.probability,
            "verdict": self.verdict,
            "doubt": self.doubt,
            "elsewhere": log_share(elsewhere),
        }


def log_share(share: float) -> float:
    return float(np.log(NONE + max(0.0, share)))  # boxes of components may overlap, so that pixels count twice


def components(prediction: Prediction, extent: float, user_mask: Hole | None = None) -> Iterator[Component]:
    """What of a picture may be a mark, pixels of more than `extent`: its components, or the user mask's with such."""
    likely = prediction.probability > extent
    if user_mask is None:
        areas, least = groups(likely, prediction.opacity), SPECK
    else:
        drawn = parts(user_mask) if user_mask.any() else []
        areas, least = [(box, user_mask[box.slices]) for box in drawn], 1
    for box, inside in areas:
        marked = inside & likely[box.slices]
        if marked.sum() >= least:
            measured = (prediction.probability, inside), (prediction.verdict, marked), (prediction.doubt, marked)
            yield Component(box, inside, *(float(plane[box.slices][pixels].mean()) for plane, pixels in measured))


class Mark(NamedTuple):
    """A component that was decided on, or a proposal that was not."""

    box: Box
    inside: Hole  # (h, w) of the box
    confidence: float  # 0..1: that it is a mark


def together(marks: Iterable[Mark], shape: tuple[int, ...]) -> Hole:
    """(H, W) of `shape`: all pixels of the marks."""
    hole = np.zeros(shape, np.bool_)
    for mark in marks:
        hole[mark.box.slices] |= mark.inside
    return hole


class Decision(NamedTuple):
    """What is marked."""

    copies: Hole | None  # (H, W): by the mark that is tiled over the picture, if there is one
    marks: list[Mark]  # all others
    proposals: list[Mark]  # that may be marks as well, but are not sure enough


def decide(
    prediction: Prediction, tiled: TiledMark | None, user_mask: Hole | None, trust: Trust, limits: Thresholds
) -> Decision:
    """Of a user's mask the parts count that were drawn around marks, all of them if the user is trusted."""
    rest = prediction if tiled is None else tiled.rest
    copies = None if tiled is None else tiled.opacity > VISIBLE
    if user_mask is None:
        # A tiled mark that was found is the one that the caller spoke of.
        return Decision(copies, *judged(rest, limits, "nobody" if trust == "one" and tiled else trust))
    drawn = user_mask if trust == "all" else around_marks(prediction, user_mask, limits)
    if copies is None:
        return Decision(None, _drawn(prediction, prediction.probability * drawn > limits.extent_in_mask), [])
    copies &= drawn | around_copies(copies, user_mask)
    return Decision(copies, *judged(rest._replace(probability=rest.probability * drawn), limits, trust))


def judged(prediction: Prediction, limits: Thresholds, trust: Trust) -> tuple[list[Mark], list[Mark]]:
    """The components that are marks, and those that are not, the surest first.

    What is a mark is no sign of false alarms elsewhere, so that the others become likelier once it is found. A lone
    speck is none.
    """
    likely = prediction.probability > limits.extent
    doubtful, found = int(likely.sum()), list[Mark]()
    candidates = list(components(prediction, limits.extent))
    while True:
        shares = [(doubtful - one.pixels) / likely.size for one in candidates]
        odds = [limits.component.log_odds(one.features(share)) for one, share in zip(candidates, shares, strict=True)]
        least = limits.likely if trust == "all" else limits.sure
        if trust == "one" and not found:
            least = min(least, max((limits.likely + limits.sure) / 2, *odds, -np.inf) - TIE)
        sure = [number for number, log_odds in enumerate(odds) if log_odds > least]
        for number in sure:
            box, inside = rest_of_line(*candidates[number][:2], prediction.probability)
            found.append(Mark(box, inside, confidence(odds[number])))
            doubtful -= candidates[number].pixels
        others = [number for number in range(len(odds)) if number not in sure]
        if not sure:
            break
        candidates = [candidates[number] for number in others]
    rejected = [Mark(one.box, one.inside, confidence(log_odds)) for one, log_odds in zip(candidates, odds, strict=True)]
    if trust != "all" and sum(int(mark.inside.sum()) for mark in found) < min(LONE[0] * likely.size, LONE[1]):
        found, rejected = [], found + rejected
    return _surest_first(found), _surest_first(rejected)


def _surest_first(marks: list[Mark]) -> list[Mark]:
    return sorted(marks, key=lambda mark: (-mark.confidence, mark.box))


def confidence(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-(CALIBRATION[0] + CALIBRATION[1] * log_odds))))


def _drawn(prediction: Prediction, mask: Hole) -> list[Mark]:
    """The parts of what is marked in a user's mask. That there is something to remove the user said."""
    return [
        Mark(box, mask[box.slices], float(prediction.probability[box.slices][mask[box.slices]].mean()))
        for box in (parts(mask) if mask.any() else [])
    ]


def around_marks(prediction: Prediction, user_mask: Hole, limits: Thresholds) -> Hole:
    """The parts of a user's mask that are likelier drawn around a mark than not."""
    drawn = np.zeros_like(user_mask)
    for part in components(prediction, limits.extent_in_mask, user_mask):
        if limits.mask_part.log_odds(part.features()) > 0:
            drawn[part.box.slices] |= part.inside
    return drawn


def around_copies(copies: Hole, user_mask: Hole) -> Hole:
    """The parts of a user's mask that hold more of the copies of a mark than the picture around them does."""
    elsewhere = float(copies[~user_mask].mean()) if not user_mask.all() else 0.0
    drawn = np.zeros_like(user_mask)
    for box in parts(user_mask) if user_mask.any() else []:
        inside = user_mask[box.slices]
        if copies[box.slices][inside].mean() > DENSER * elsewhere:
            drawn[box.slices] |= inside
    return drawn
