"""A watermark network's verdict on the parts of a picture that look marked to it, learned when all else is.

A logistic regression over what the layers say of a part, each level's mean over it. Such a mean is the mean of what a
1x1 convolution makes of the level, so that the network itself says it, of every pixel.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy import bool_, float32
from numpy.typing import NDArray
from torch import Tensor, nn

from inpainting.engine.watermark.components import components
from inpainting.engine.watermark.network import Unblend
from inpainting.engine.watermark.pyramid import VIEWS, Prediction, Pyramid
from training.data.examples import make, piece
from training.data.marks.draw import Marks
from training.data.marks.mark import Style
from training.data.pack import Picture, Pictures
from training.watermark.regression import regression
from training.watermark.trials import SIDE, is_kept

UNMARKED = 0.55  # share of them
STYLE = Style(opacity=(0.1, 0.9), opaque=0.2, height=(0.04, 0.35), tiled=0.25, composite=0.6)
SMALLEST = 384  # pixels: the longer side of a picture that is seen whole, at least
LIKELY = 0.5  # probability: pixels above it look marked
RIDGE = 200.0  # of an observation's weight, for columns of variance 1: cross-validated over 10 to 600


def learn(net: Unblend, data: Path, shown: int, say: Callable[[str], None]) -> None:
    """Sets the weights of `net.verdict`, on so many training pictures but those that are kept for the thresholds."""
    told, marks = heard(Pyramid(net), data, range(shown), say)
    if marks:
        settle(net.verdict, np.stack(told), marks)


def heard(
    pyramid: Pyramid, data: Path, numbers: range, say: Callable[[str], None]
) -> tuple[list[NDArray[float32]], list[bool]]:
    """What the layers say of the parts of those pictures that look marked, and whether they are."""
    told, marks = [], []
    for seen, (picture, is_marked) in enumerate(shown(data, numbers), 1):
        prediction, levels = overheard(pyramid, picture)
        for part in components(prediction, LIKELY):
            told.append(pooled(levels, part.box.slices, part.inside))
            marks.append(bool(2 * is_marked[part.box.slices][part.inside].sum() > part.pixels))
        if seen % 500 == 0:
            say(f"verdict: {seen} of {len(numbers)} pictures seen, {len(marks)} parts, {sum(marks)} of them marks")
    return told, marks


def shown(data: Path, numbers: range) -> Iterator[tuple[Picture, NDArray[bool_]]]:
    """Training pictures with a mark, with lettering of their own and with neither; and which pixels are marked."""
    pictures, marks = Pictures(data, "train"), Marks(data, "train")
    usable = [number for number in range(len(pictures)) if not is_kept(number)] or range(len(pictures))
    for number in numbers:
        rng = np.random.default_rng([8, number])
        example = make(piece(pictures[int(rng.choice(usable))], rng, SMALLEST, SIDE), marks, rng, STYLE, UNMARKED)
        yield example.marked, example.mark.truth(example.clean)[0]


def overheard(pyramid: Pyramid, picture: Picture) -> tuple[Prediction, list[Tensor]]:
    """The prediction of a picture up to WHOLE pixels, and what the verdict was made of, (C, h, w) for each level."""
    heard: list[Tensor] = []
    hooks = [
        conv.register_forward_pre_hook(lambda _, given: heard.append(given[0].float())) for conv in pyramid.net.verdict
    ]
    prediction = pyramid.predict_whole(picture)
    for hook in hooks:
        hook.remove()
    levels = len(hooks)
    finest = heard[-levels * len(VIEWS) :]
    views = [[seen.flip(view)[0] for seen in finest[n * levels :][:levels]] for n, view in enumerate(VIEWS)]
    return prediction, [torch.stack(level).mean(0) for level in zip(*views, strict=True)]


def pooled(levels: list[Tensor], where: tuple[slice, slice], inside: NDArray[bool_]) -> NDArray[float32]:
    """The mean of every level over a part of the picture, one after the other."""
    scale = [2 * side for side in levels[-1].shape[1:]]
    whole = torch.zeros(scale)
    whole[where] = torch.from_numpy(inside.astype(float32))
    means = []
    for level in levels:
        share = F.adaptive_avg_pool2d(whole[None].to(level.device), (level.shape[1], level.shape[2]))[0]
        means.append((level * share).sum((1, 2)) / share.sum())
    return torch.cat(means).cpu().numpy()


def settle(verdict: nn.ModuleList, told: NDArray[float32], marks: list[bool]) -> None:
    """Makes it say the log odds of being a mark. `told`: (parts, channels of all levels)."""
    mean, spread = told.mean(0), told.std(0) + 1e-6
    constant, *weights = regression((told - mean) / spread, marks, RIDGE)
    folded = torch.from_numpy(np.array(weights, float32) / spread)
    convs = [conv for conv in verdict if isinstance(conv, nn.Conv2d)]
    for conv, part in zip(convs, folded.split([conv.in_channels for conv in convs]), strict=True):
        conv.weight.data.copy_(part[None, :, None, None])
    shifted = constant - float(folded @ torch.from_numpy(mean))
    convs[0].bias = nn.Parameter(torch.tensor([shifted]), requires_grad=False)
