"""LaMa as an inpainter: device, precision, padding and whose turn it is. RGB uint8 in, RGB uint8 out."""

import os
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from .interface import Hole, Picture, Weights
from .lama import STRIDE, Lama, masked_input
from .regions import Limits, inpaint
from .turns import Turns

SMALLEST = 2 * STRIDE  # pixels: reflection needs two latent ones
LIMITS = Limits(context=128, area=1 << 20, thickness=512, work=4 << 20)

# A forked child has none of the threads that its parent's computations started, and would wait for them for ever.
os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class LamaInpainter:
    name = "lama"

    def __init__(self, lama: Lama, weights: str, queue: int, wait: float) -> None:
        self.weights = weights
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.precision = "fp32"
        self._lama = lama.to(self.device)
        self._turns = Turns(1, queue, wait)

    def predict(self, image: Picture, weights: Weights) -> Picture:
        with self._turns.take():
            return inpaint(image, weights, self._fill, LIMITS)

    @torch.inference_mode()
    def _fill(self, picture: Picture, hole: Hole) -> Picture:
        height, width = hole.shape
        padded, padded_hole = _pad(picture), _pad(hole)
        image = torch.from_numpy(padded).to(self.device).permute(2, 0, 1)[None].float() / 255  # (1, 3, H, W)
        mask = torch.from_numpy(padded_hole).to(self.device)[None, None].float()  # (1, 1, H, W)
        made = self._lama(masked_input(image, mask))[0, :, :height, :width]
        return np.asarray((made * 255).round().to(torch.uint8).permute(1, 2, 0).cpu())


def _pad(array: NDArray[Any]) -> NDArray[Any]:
    """Mirrored at the bottom and the right to sides that the network takes."""
    height, width = (max(SMALLEST, -(-side // STRIDE) * STRIDE) for side in array.shape[:2])
    edges = [(0, height - array.shape[0]), (0, width - array.shape[1])] + [(0, 0)] * (array.ndim - 2)
    return np.pad(array, edges, mode="symmetric")
