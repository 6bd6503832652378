"""Holes filled with the means of what is around them, as near as there is enough, and how sure that is. No network.

Normalised convolution from fine to coarse (Knutsson and Westin, "Normalized and Differential Convolution", CVPR 1993).
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.nets.planes import blur

NEAR, LEVELS = 2.0, 6  # pixels, and how often twice as many: how far means are taken from
ENOUGH = 0.15  # of the neighbourhood: as much must be known for a mean to count in full
GRAIN = 3 / 255  # what JPEG and rounding add to any pixel


class Estimate(NamedTuple):
    """What a picture is likely to be, also outside the hole."""

    mean: Tensor  # (3, H, W), 0..1
    certainty: Tensor  # (H, W): 1 / variance of its error


def local_mean(picture: Tensor, hole: Tensor, levels: int = LEVELS) -> Estimate:
    """Of a picture (3, H, W) in 0..1, by its pixels outside the hole (H, W) bool."""
    known = (~hole)[None].float()
    shape = hole.shape
    level = torch.cat([picture * known, known])
    mean, share = torch.zeros_like(picture), torch.zeros_like(known)
    for _ in range(levels):
        near = F.interpolate(blur(level, NEAR)[None], shape, mode="bilinear")[0]
        weight = (near[3:] / ENOUGH).clamp(max=1) * (1 - share)
        mean += weight * near[:3] / near[3:].clamp(min=1e-4)
        share += weight
        level = F.avg_pool2d(level[None], 2, ceil_mode=True, count_include_pad=False)[0]
        if min(level.shape[1:]) < 4:
            break
    mean = mean / share.clamp(min=1e-3)
    return Estimate(mean, 1 / (variance(picture - mean, known) + GRAIN**2))


def variance(error: Tensor, known: Tensor) -> Tensor:
    """(H, W): the mean square of (3, H, W) near each pixel, where it is `known` (1, H, W)."""
    sums = torch.cat([error.square().mean(0, keepdim=True) * known, known])
    sums = blur(F.avg_pool2d(sums[None], 4, ceil_mode=True)[0], NEAR)
    sums = F.interpolate(sums[None], known.shape[1:], mode="bilinear")[0]
    return sums[0] / sums[1].clamp(min=1e-3)
