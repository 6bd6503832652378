"""MI-GAN as an inpainter: one square of 512 pixels at a time. RGB uint8 in, RGB uint8 out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from inpainting.engine import hardware
from inpainting.engine.crops.resize import mirror
from inpainting.engine.inpainters.checkpoints import generator
from inpainting.engine.inpainters.migan.network import SIDE, Migan, masked_input
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.nets.planes import picture_of, planes
from inpainting.engine.weights import WeightsError

FIRST = "encoder.b512.fromrgb.weight"
CONSTANTS = ".insert_zeros.weight", ".filter_const"  # how the official versions insert zeros: nothing is learned there


def load(path: Path) -> Migan:
    """The generator in a file (safetensors, TorchScript or checkpoint), for use. No code found in it is run.

    WeightsError: the file is no checkpoint of this network.
    """
    migan = Migan()
    own = generator(path, FIRST, f"MI-GAN of {SIDE} pixels")
    state = {key: value for key, value in own.items() if not key.endswith(CONSTANTS)}
    try:
        migan.load_state_dict(state)
    except RuntimeError as error:
        raise WeightsError(f"{path.name} is no MI-GAN of this form: {error}") from error
    return migan.eval().requires_grad_(False)


class MiganInpainter:
    precision = "fp32"

    def __init__(self, net: Migan, weights: str) -> None:
        self.weights, self.device = weights, hardware.device()
        self._net = net.to(self.device)

    @torch.inference_mode()
    def fill(self, picture: Picture, hole: Hole) -> Picture:
        """As `Inpainter.fill`, of sides up to SIDE: the crops' limits see to that."""
        height, width = hole.shape
        image = planes(mirror(picture, SIDE, SIDE))[None].to(self.device)
        mask = torch.from_numpy(mirror(hole, SIDE, SIDE)).to(self.device)[None, None].float()
        made = (self._net(masked_input(image, mask))[0, :, :height, :width] / 2 + 0.5).clamp(0, 1)
        return np.where(hole[..., None], picture_of(made), picture)
