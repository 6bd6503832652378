"""PatchMatch's copies, made to fit by a small network.

What PatchMatch copies is sharp, but from elsewhere: it breaks lines and shades at the edge of a hole. A smooth surface
through what is around the hole (smooth/surfaces.py) fits, but is blurred. The network weighs them, pixel by pixel, and
corrects what comes of it.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from inpainting.engine import hardware
from inpainting.engine.crops.tiles import around, put
from inpainting.engine.inpainters.patchmatch import fill
from inpainting.engine.inpainters.smooth.surfaces import biharmonic, harmonic
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets import weighing
from inpainting.engine.nets.planes import planes
from inpainting.engine.nets.weighing import Weighing, WeighingConfig, weigh
from inpainting.engine.weights import HYBRID

COPIED = 2.0  # logit by which copies count more than each of the others, before anything is learned
CONFIG = WeighingConfig(
    candidates=3,
    inputs=10,
    widths=(48, 96, 128),
    dilations=(1, 2, 4, 2, 1),
    last_blocks=2,
    step=0.25,
    file_names={
        "levels.0.0": "fine",
        "downs.0": "down1",
        "levels.1.0": "middle",
        "downs.1": "down2",
        "levels.2": "blocks",
        "lifts.0": "lift2",
        "ups.0.0": "up2",
        "lifts.1": "lift1",
        "ups.1": "up1",
    },
)


class Fills(NamedTuple):
    """The candidates. (N, C, H, W) in 0..1."""

    copied: Tensor  # 3 channels: the hole filled by PatchMatch; the picture itself elsewhere
    harmonic: Tensor  # 3: filled with a membrane
    biharmonic: Tensor  # 3: filled with a thin plate
    hole: Tensor  # 1: of 0 and 1

    @property
    def fills(self) -> tuple[Tensor, ...]:
        return self.copied, self.harmonic, self.biharmonic

    def inputs(self) -> Tensor:
        smooth = (4 * (one - self.copied) for one in (self.harmonic, self.biharmonic))
        return torch.cat([2 * self.copied - 1, *smooth, self.hole], 1)

    def prior(self) -> Tensor:
        return self.copied.new_tensor([COPIED, 0, 0])[:, None, None]


def load(path: Path = HYBRID) -> Weighing:
    """The network that a weights file holds, for use. WeightsError: the file is missing or holds something else."""
    return weighing.load(path, CONFIG)


class HybridInpainter:
    weights = "embedded"
    precision = "fp32"

    def __init__(self, net: Weighing) -> None:
        self.device = hardware.device()
        self._net = net.to(self.device)

    @torch.inference_mode()
    def fill(self, picture: Picture, hole: Hole) -> Picture:
        whole, filled = fills(picture, hole), picture.copy()
        for part, context in around(hole):
            near = (plane[..., *context.slices] for plane in whole)
            put(filled, hole, part, context, weigh(self._net, Fills, near))
        return filled


def fills(picture: Picture, hole: Hole) -> Fills:
    """Of a picture (H, W, 3) and a hole (H, W) in it, at the picture's size."""
    within = np.where(hole[..., None], fill(picture, hole), picture)  # PatchMatch makes 1 to 0 outside of it too
    pictures = within, harmonic(picture, hole), biharmonic(picture, hole)
    copied, membrane, plate = (planes(one)[None] for one in pictures)
    return Fills(copied, membrane, plate, torch.from_numpy(hole)[None, None].float())
