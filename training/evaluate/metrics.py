"""How far a filled picture is from the real one, in the hole only. Evaluation's measures, not training's.

Shapes: pictures (B, 3, H, W), RGB in 0..1; holes (B, 1, H, W) of 0 and 1.
"""

import torch
from torch import Tensor

from training import losses
from training.features import Features

ROUNDING = 1 / 255**2 / 12  # mean squared error
SCALE = 100.0  # so that tables need no zeros after the point


def l1(made: Tensor, real: Tensor, hole: Tensor) -> float:
    """The mean difference of a channel's values in the hole, 0..1."""
    return float(((made - real).abs() * hole).sum() / (hole.sum() * made.shape[1]))


def psnr(made: Tensor, real: Tensor, hole: Tensor) -> float:
    """Decibels, of the hole's pixels; higher is better. At most 58.9, that of rounding to 1 / 255."""
    error = ((made - real).square() * hole).sum() / (hole.sum() * made.shape[1])
    return float(-10 * torch.log10(error.clamp_min(ROUNDING)))


def detail(made: Tensor, real: Tensor, hole: Tensor) -> float:
    """How much detail there is, as a share of the real one: the root mean square of what neighbours in the hole differ.

    1 is as much, less is blur. What is right on average and blurred is punished neither by PSNR nor, much, by
    `distances`, whose features are of unit length; the eye finds it at once.
    """
    return float((_slopes(made, hole) / _slopes(real, hole).clamp_min(ROUNDING)).sqrt())


def _slopes(picture: Tensor, hole: Tensor) -> Tensor:
    across = picture.diff(dim=3).square() * hole[..., 1:] * hole[..., :-1]
    down = picture.diff(dim=2).square() * hole[..., 1:, :] * hole[..., :-1, :]
    return (across.sum() + down.sum()) / hole.sum()


@torch.no_grad()
def distances(features: Features, made: Tensor, real: Tensor, hole: Tensor) -> list[float]:
    """Perceptual distance of each made picture in the hole; 0 is equal, lower is better. One `real` may serve for all.

    Zhang et al., "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", CVPR 2018, without learned
    weights: features of unit length, squared differences, the means over the hole and over blocks, times 100.
    """
    pairs = list(zip(features(made), features(real), strict=True))
    found: list[float] = (losses.unlike(pairs, hole) * SCALE).tolist()
    return found
