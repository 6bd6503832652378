"""Which mark is tiled over a picture, if any: lattices are tried until the network agrees that what repeats is a mark.

It does where it saw just what repeats and sees it no more with that computed away.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy import float32
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets.planes import picture_of, reduce
from inpainting.engine.watermark.network import REPAINTED
from inpainting.engine.watermark.pyramid import AGAIN, FIRST, Care, Prediction
from inpainting.engine.watermark.tiled import lattice as lattices
from inpainting.engine.watermark.tiled.cell import Cell
from inpainting.engine.watermark.tiled.lattice import Lattice
from inpainting.engine.watermark.tiled.lifting import Layer, compute_away, lift, smaller_by
from inpainting.engine.watermark.tiled.mark import Mark, rough_mark

LARGEST, SMALLEST = 768, 72  # pixels: the sides of pictures in which lattices are looked for
EVIDENCE = 7.0  # standard deviations: pictures with one mark, or none, rarely have as much
MOST = 2  # marks that are lifted to see which it is
EXACT = 4 << 20  # pixels in which a lattice is made exact
LARGE = 3 << 19  # pixels: in larger pictures one mark is lifted, which is chosen in the picture made smaller
LIKELY, AGREES = 0.15, 0.25  # correlation of a tiled mark with what the network sees, and no longer sees without it
SHOWS = 0.65  # the same with all that it sees, which has to tell of an opaque one

Plane = NDArray[float32]  # of 0..1
Predict = Callable[[Picture, Hole | None, Care], Prediction]


class Repetition(NamedTuple):
    """What is the same in all cells of a lattice of a picture made smaller."""

    agreement: float  # -1..1: correlation with what the network sees
    lattice: Lattice
    mark: Mark


class TiledMark(NamedTuple):
    """A mark that is tiled over a picture."""

    opacity: Plane  # (H, W); 0 where the mark is not
    restored: Picture  # (H, W, 3): the mark computed away
    rest: Prediction  # of what is restored


def tiled_mark(picture: Picture, prediction: Prediction, user_mask: Hole | None, predict: Predict) -> TiledMark | None:
    """The mark that is tiled over a picture (H, W, 3); None where nothing repeats that the network takes for one.

    `prediction`: of the picture; with a `user_mask` it says something of that and its neighbourhood. `predict`: of what
    is below a mark.
    """
    where = slice(None) if user_mask is None else user_mask
    care = AGAIN if prediction.probability.size > LARGE else FIRST
    for layer in candidates(picture, prediction.probability, user_mask, predict):
        rest = predict(layer.restored, user_mask, care)
        planes = layer.opacity, prediction.probability, rest.probability
        opacity, before, after = (plane[where] for plane in planes)
        if is_mark(opacity, layer.strength, before, after):
            return TiledMark(layer.opacity, layer.restored, rest)
    return None


def is_mark(opacity: Plane, strength: float, before: Plane, after: Plane) -> bool:
    """Whether what repeats is a mark: by the probabilities `before` and `after` it was computed away.

    What does not shine through may as well be windows, and computed away it leaves something to be seen. There the
    network has to see just what repeats.
    """
    if strength > REPAINTED:
        return correlation(opacity, before) > SHOWS
    return correlation(opacity, before - after) > AGREES


def candidates(
    picture: Picture, probability: Plane, user_mask: Hole | None = None, predict: Predict | None = None
) -> Iterator[Layer]:
    """What may be a mark tiled over a picture, the likelier first: at most two.

    `probability` (H, W): where a network sees marks, which tells of repetitions that the picture alone does not show;
    `user_mask` (H, W): where it looked, None for everywhere; `predict`: of what is below a mark.
    """
    factor = -(-max(probability.shape) // LARGEST)
    if min(probability.shape) // factor < SMALLEST:
        return
    small, likely = reduce(picture, factor), averages(probability, factor)
    mask = np.ones_like(probability) if user_mask is None else user_mask.astype(float32)
    where = np.asarray(averages(mask, factor)[0] > 0)
    repetitions = []
    for lattice in _lattices(small, likely):
        mark = rough_mark(small, lattice)
        if mark:
            opacity = Cell(lattice, small.shape[2], mark.shape).unfold(mark.opacity, small.shape[1])[0]
            repetitions.append(Repetition(correlation(opacity[where], likely[0][where]), lattice, mark))
    repetitions = sorted((one for one in repetitions if one.agreement > LIKELY), key=lambda one: -one.agreement)[:MOST]
    if len(repetitions) > 1 and probability.size > LARGE and predict:
        repetitions = [max(repetitions, key=lambda one: _vanishes(small, likely, where, one, predict))]
    for one in repetitions:
        yield _lift(picture, small, factor, one.lattice, one.mark)


def _vanishes(small: Tensor, likely: Tensor, where: Hole, repetition: Repetition, predict: Predict) -> float:
    """-1..1: how well what the network sees no more, with a mark computed away from `small`, is that mark."""
    cell = Cell(repetition.lattice, small.shape[2], repetition.mark.shape)
    layer = compute_away(picture_of(small), cell, repetition.mark)
    after = predict(layer.restored, None if where.all() else where, AGAIN).probability
    return correlation(layer.opacity[where], (likely[0].numpy() - after)[where])


def _lattices(small: Tensor, likely: Tensor) -> Iterator[Lattice]:
    """The picture's own lattices, and those of what a network sees, where they differ."""
    agreement = lattices.autocorrelation(lattices.fine_structure(small))
    own = [one for one in lattices.find(agreement) if one.evidence > EVIDENCE]
    yield from own
    for other in lattices.find(lattices.autocorrelation(likely - likely.mean())):
        if other.evidence > EVIDENCE:
            near = lattices.settle(agreement, other)
            exact = near if near and near.evidence > EVIDENCE else other
            if not any(one.same(exact) for one in own):
                yield exact


def _lift(picture: Picture, small: Tensor, factor: int, lattice: Lattice, mark: Mark) -> Layer:
    """A mark of `small`, the picture made smaller by that factor, computed away from the picture."""
    full = near = lattice
    if factor > 1:  # over many copies, less than a pixel of the smaller picture counts
        full = _at_full_size(picture, lattice.scaled(factor))
        near = full.scaled(1 / factor)
        mark = rough_mark(small, near) or mark
    layer = lift(picture, full, mark)
    another = rough_mark(reduce(layer.restored, factor), near)  # a second colour, a soft edge
    return layer.over(lift(layer.restored, full, another)) if another else layer


def _at_full_size(picture: Picture, lattice: Lattice) -> Lattice:
    """A lattice that was found in the picture made smaller, made exact."""
    grey, factor = Image.fromarray(picture).convert("L"), smaller_by(picture, EXACT)
    plane = torch.from_numpy(np.array(grey.reduce(factor)))[None].float() / 255
    agreement = lattices.autocorrelation_around(lattices.fine_structure(plane))
    exact = lattices.settle(agreement, lattice.scaled(1 / factor))
    return exact.scaled(factor) if exact else lattice


def averages(plane: Plane, factor: int) -> Tensor:
    """Of blocks of so many pixels a side, (1, h, w); blocks at the edges are of what there is."""
    return F.avg_pool2d(torch.from_numpy(plane)[None, None], factor, ceil_mode=True, count_include_pad=False)[0]


def correlation(opacity: Plane | Tensor, probability: Plane | Tensor) -> float:
    """-1..1; 0 where one of them is the same everywhere."""
    pairs = np.stack([np.ravel(opacity), np.ravel(probability)])
    return float(np.corrcoef(pairs)[0, 1]) if pairs.size and pairs.std(1).all() else 0.0
