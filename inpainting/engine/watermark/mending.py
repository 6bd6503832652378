"""Mends what was computed from below a mark: weighs it, pixel by pixel, against what the surroundings foretell.

Where opacity or colour were guessed wrongly, a ghost of the mark is left. The eye finds it in plain surroundings, and
there what is below can be foretold from around the mark; in fine structure it cannot, and what was computed is better.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpainting.engine.crops.boxes import Box
from inpainting.engine.crops.tiles import around, put
from inpainting.engine.inpainters.smooth.local_mean import local_mean
from inpainting.engine.interface import Detection, Hole, Picture
from inpainting.engine.nets.blocks import Block, read
from inpainting.engine.nets.planes import pad, planes, widen
from inpainting.engine.weights import REFINEMENT

NEAR = 2  # pixels around a mark that are mended too: its edge is soft, and JPEG spoils what is beside it
STRIDE = 4  # heights and widths are multiples of it
LEVELS = 16  # of foretelling: as far as the picture goes
FINE, COARSE = 32, 48  # channels at a half and at a quarter of the scale
DILATIONS = 1, 2, 4, 1  # of the blocks at a quarter of the scale
STEP = 0.1  # of the value range: a correction is counted in it
SHARPNESS = 3.0  # of the shares: logits are counted in its inverse
ERROR = 2 / 255, 15 / 255  # of what was computed, standard deviation: at no opacity, and what full opacity adds
TWIN = -2.0  # logit by which `outer` counts less than `inner`, of which it is nearly a copy


class Given(NamedTuple):
    """What the network is given of a picture. (N, C, H, W) in 0..1, H and W multiples of 4."""

    marked: Tensor  # 3 channels: the picture as it came
    computed: Tensor  # 3: what was computed from below the mark; the picture itself elsewhere
    inner: Tensor  # 3: foretold from what is outside the mask
    outer: Tensor  # 3: foretold from what is not near the mask
    spread: Tensor  # 2: by how much either may err, standard deviation
    probability: Tensor  # 1: that a pixel is marked
    opacity: Tensor  # 1: of the mark
    mask: Tensor  # 1: of 0 and 1
    near: Tensor  # 1: the mask and NEAR pixels around it

    def stacked(self) -> Tensor:
        """As the network takes them in: centred, differences made large."""
        picture = [2 * self.marked - 1, 2 * self.computed - 1]
        changes = [4 * (other - self.computed) for other in (self.marked, self.inner, self.outer)]
        return torch.cat([*picture, *changes, 5 * self.spread, self.probability, self.opacity, self.mask, self.near], 1)


class Refinement(nn.Module):
    """A U-Net of two levels; pixels are (un)shuffled into channels at both ends."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Conv2d(21 * 4, FINE, 3, padding=1)
        self.fine = Block(FINE)
        self.down = nn.Conv2d(FINE, COARSE, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(*(Block(COARSE, dilation) for dilation in DILATIONS))
        self.lift = nn.Conv2d(COARSE, FINE, 1)
        self.up = Block(FINE)
        self.head = nn.Conv2d(FINE, 6 * 4, 3, padding=1)
        for conv in (self.entry, self.down, self.lift):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, given: Given) -> Tensor:
        """(N, 3, H, W), 0..1: the picture without the mark; `computed` where it is not `near`."""
        x = self.fine(self.entry(F.pixel_unshuffle(given.stacked(), 2)))
        coarse = self.blocks(self.down(F.relu(x)))
        x = self.up(x + F.interpolate(self.lift(F.relu(coarse)), scale_factor=2.0, mode="nearest"))
        logits, correction = F.pixel_shuffle(self.head(F.relu(x)), 2).split([3, 3], 1)
        computed, inner, outer = (prior(given) + SHARPNESS * logits).softmax(1).split(1, 1)
        mixed = computed * given.computed + inner * given.inner + outer * given.outer
        return (given.computed + given.near * (mixed + STEP * correction - given.computed)).clamp(0, 1)


def prior(given: Given) -> Tensor:
    """Logits (N, 3, H, W) by which `computed`, `inner` and `outer` count before anything is learned.

    Shares are inverse to variances, as of independent measurements of one thing.
    """
    errors = torch.cat([ERROR[0] + ERROR[1] * given.opacity, given.spread], 1)
    logits = -2 * errors.clamp(min=1 / 255).log()
    return logits + logits.new_tensor([0.0, 0.0, TWIN])[:, None, None]


def load(path: Path = REFINEMENT) -> Refinement:
    """The network that a weights file holds, for use. WeightsError: the file is missing or holds something else."""
    return read(path, Refinement())


@torch.inference_mode()
def refined(net: Refinement, picture: Picture, found: Detection, hole: Hole | None = None) -> Detection:
    """The same detection with `restored` mended, in the mask and NEAR pixels around it, but nowhere outside `hole`."""
    if not found.mask.any():
        return replace(found, touched=found.mask)
    near = surroundings(found.mask, hole)
    restored, device = found.restored.copy(), net.head.weight.device
    for part, seen in around(near):
        if near[seen.slices].all():  # nothing to foretell it from
            continue
        shown = (pad(plane, STRIDE) for plane in given(picture, found, near, seen))
        put(restored, near, part, seen, net(Given(*(plane.to(device) for plane in shown)))[0])
    return replace(found, restored=restored, touched=near)


def surroundings(mask: Hole, hole: Hole | None = None) -> Hole:
    """The mask and NEAR pixels on every side, as far as `hole` goes; None: anywhere."""
    near = np.asarray(widen(torch.from_numpy(mask), NEAR))
    return near if hole is None else near & hole


def given(picture: Picture, found: Detection, near: Hole, box: Box) -> Given:
    """What the network is given of what is in the box: one of each plane, of the box's size."""
    marked = planes(picture[box.slices])
    hidden = [torch.from_numpy(hole[box.slices]) for hole in (found.mask, near)]
    said = [local_mean(marked, one, LEVELS) for one in hidden]
    inner, outer = (torch.where(one, other.mean, marked) for one, other in zip(hidden, said, strict=True))
    spread = torch.stack([other.certainty.rsqrt() for other in said])
    others = [torch.from_numpy(plane[box.slices])[None] for plane in (found.probability, found.opacity)]
    holes = [one[None].float() for one in hidden]
    return Given(
        *(one[None] for one in (marked, planes(found.restored[box.slices]), inner, outer, spread, *others, *holes))
    )
