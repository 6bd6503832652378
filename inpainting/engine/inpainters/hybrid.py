"""PatchMatch's copies, made to fit by a small network.

What PatchMatch copies is sharp, but from elsewhere: it breaks lines and shades at the edge of a hole. A smooth surface
through what is around the hole (smooth/surfaces.py) fits, but is blurred. The network weighs them, pixel by pixel, and
corrects what comes of it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from inpainting.engine import hardware
from inpainting.engine.crops.tiles import around, put
from inpainting.engine.inpainters.patchmatch import fill
from inpainting.engine.inpainters.smooth.surfaces import biharmonic, harmonic
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets.blocks import Block, read
from inpainting.engine.nets.planes import pad, planes
from inpainting.engine.weights import HYBRID

STRIDE = 8  # heights and widths are multiples of it
FINE, MIDDLE, COARSE = 48, 96, 128  # channels at a half, a quarter and an eighth of the scale
DILATIONS = 1, 2, 4, 2, 1  # of the blocks at an eighth of the scale
FILLS = 3  # that are weighed
COPIED = 2.0  # logit by which copies count more than each of the others, before anything is learned
STEP = 0.25  # of the value range: a correction is counted in it


class Given(NamedTuple):
    """What the network is given of a picture. (N, C, H, W) in 0..1, H and W multiples of 8."""

    copied: Tensor  # 3 channels: the hole filled by PatchMatch; the picture itself elsewhere
    harmonic: Tensor  # 3: filled with a membrane
    biharmonic: Tensor  # 3: filled with a thin plate
    hole: Tensor  # 1: of 0 and 1

    def stacked(self) -> Tensor:
        """As the network takes them in: centred, differences made large."""
        smooth = (4 * (one - self.copied) for one in (self.harmonic, self.biharmonic))
        return torch.cat([2 * self.copied - 1, *smooth, self.hole], 1)


class Hybrid(nn.Module):
    """A U-Net of three levels; pixels are (un)shuffled into channels at both ends."""

    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Conv2d((3 * FILLS + 1) * 4, FINE, 3, padding=1)
        self.fine = Block(FINE)
        self.down1 = nn.Conv2d(FINE, MIDDLE, 3, stride=2, padding=1)
        self.middle = Block(MIDDLE)
        self.down2 = nn.Conv2d(MIDDLE, COARSE, 3, stride=2, padding=1)
        self.blocks = nn.Sequential(*(Block(COARSE, dilation) for dilation in DILATIONS))
        self.lift2 = nn.Conv2d(COARSE, MIDDLE, 1)
        self.up2 = Block(MIDDLE)
        self.lift1 = nn.Conv2d(MIDDLE, FINE, 1)
        self.up1 = nn.Sequential(Block(FINE), Block(FINE))
        self.head = nn.Conv2d(FINE, (FILLS + 3) * 4, 3, padding=1)
        for conv in (self.entry, self.down1, self.down2, self.lift2, self.lift1):
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]  # there is one

    def forward(self, given: Given) -> Tensor:
        """(N, 3, H, W), 0..1: the picture with the hole filled; as it was outside."""
        fine = self.fine(self.entry(F.pixel_unshuffle(given.stacked(), 2)))
        middle = self.middle(self.down1(F.relu(fine)))
        coarse = self.blocks(self.down2(F.relu(middle)))
        middle = self.up2(middle + F.interpolate(self.lift2(F.relu(coarse)), scale_factor=2.0, mode="nearest"))
        fine = self.up1(fine + F.interpolate(self.lift1(F.relu(middle)), scale_factor=2.0, mode="nearest"))
        logits, correction = F.pixel_shuffle(self.head(F.relu(fine)), 2).float().split([FILLS, 3], 1)
        logits = 3 * logits + logits.new_tensor([COPIED, 0, 0]).view(1, FILLS, 1, 1)
        fills = torch.stack([given.copied, given.harmonic, given.biharmonic], 1)
        mixed = (logits.softmax(1).unsqueeze(2) * fills).sum(1)
        return (given.copied + given.hole * (mixed + STEP * correction - given.copied)).clamp(0, 1)


def load(path: Path = HYBRID) -> Hybrid:
    """The network that a weights file holds, for use. WeightsError: the file is missing or holds something else."""
    return read(path, Hybrid())


class HybridInpainter:
    weights = "embedded"
    precision = "fp32"

    def __init__(self, net: Hybrid) -> None:
        self.device = hardware.device()
        self._net = net.to(self.device)

    @torch.inference_mode()
    def fill(self, picture: Picture, hole: Hole) -> Picture:
        whole, made = given(picture, hole), picture.copy()
        for part, seen in around(hole):
            shown = (pad(plane[..., *seen.slices], STRIDE).to(self.device) for plane in whole)
            put(made, hole, part, seen, self._net(Given(*shown))[0])
        return made


def given(picture: Picture, hole: Hole) -> Given:
    """What the network is given of a picture: one of each plane, of the picture's size."""
    within = np.where(hole[..., None], fill(picture, hole), picture)  # PatchMatch makes 1 to 0 outside of it too
    fills = within, harmonic(picture, hole), biharmonic(picture, hole)
    copied, membrane, plate = (planes(one)[None] for one in fills)
    return Given(copied, membrane, plate, torch.from_numpy(hole)[None, None].float())
