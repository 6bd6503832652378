"""What is hidden of a picture, as far as what is around it says it, and how sure that is. No network."""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.nets.planes import blurred

NEAR, LEVELS = 2.0, 6  # pixels, and how often twice as many: how far it is foretold from
GRAIN = 3 / 255  # what JPEG and rounding add to any pixel


class Foretold(NamedTuple):
    below: Tensor  # (3, H, W), 0..1
    sure: Tensor  # (H, W): 1 / variance of the error


def foretell(picture: Tensor, hidden: Tensor, levels: int = LEVELS) -> Foretold:
    """What is `hidden` (H, W) of (3, H, W): the means of what is seen, as near as enough is."""
    seen = (~hidden)[None].float()
    shape = hidden.shape
    level = torch.cat([picture * seen, seen])
    said, share = torch.zeros_like(picture), torch.zeros_like(seen)
    for _ in range(levels):
        near = F.interpolate(blurred(level, NEAR)[None], shape, mode="bilinear")[0]
        weight = (near[3:] / 0.15).clamp(max=1) * (1 - share)  # the nearest that says enough
        said += weight * near[:3] / near[3:].clamp(min=1e-4)
        share += weight
        level = F.avg_pool2d(level[None], 2, ceil_mode=True, count_include_pad=False)[0]
        if min(level.shape[1:]) < 4:
            break
    said = said / share.clamp(min=1e-3)
    off = torch.cat([(picture - said).square().mean(0, keepdim=True) * seen, seen])
    off = blurred(F.avg_pool2d(off[None], 4, ceil_mode=True)[0], NEAR)
    off = F.interpolate(off[None], shape, mode="bilinear")[0]
    return Foretold(said, 1 / (off[0] / off[1].clamp(min=1e-3) + GRAIN**2))
