"""LaMa as an inpainter: device, precision, padding and whose turn it is. RGB uint8 in, RGB uint8 out."""

import os

import numpy as np
import torch

from inpainting.engine.crops.regions import Limits, inpaint, mirror
from inpainting.engine.inpainters.lama.network import STRIDE, Lama, masked_input
from inpainting.engine.inpainters.lama.precision import choose
from inpainting.engine.interface import Hole, Picture, Weights
from inpainting.engine.queue.batches import Batches
from inpainting.engine.queue.turns import Turns

SMALLEST = 2 * STRIDE  # pixels: reflection needs two latent ones
# `area` and `work` bound memory and time. `context` and `thickness` are not tuned: that needs trained weights.
LIMITS = Limits(context=128, area=1 << 20, thickness=512, work=4 << 20)

# On a GPU: pictures of equal size computed at once, and how long the first waits for others. On a CPU a batch gains
# nothing (0 to 13% measured, shared/SPEED.md) and delays the first.
BATCH, BATCH_WAIT = 8, 0.005  # pictures, seconds
WARM_UP = 512  # pixels a side: compiles and chooses the kernels before the first request

# A forked child has none of the threads that its parent's computations started, and would wait for them for ever.
os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


class LamaInpainter:
    name = "lama"

    def __init__(  # noqa: PLR0913 - what the settings say, once
        self, lama: Lama, weights: str, queue: int, wait: float, *, precision: str = "auto", batch: int | None = None
    ) -> None:
        """`precision`: see `precision.choose`. `batch`: most crops computed at once; None: what suits the device."""
        self.weights = weights
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = choose(lama, precision, self.device)
        self.precision = self._network.precision
        batch = batch or (BATCH if self.device == "cuda" else 1)
        self._batches = Batches(self._fill_all, batch, BATCH_WAIT if batch > 1 else 0)
        self._turns = Turns(batch, queue, wait)
        if self.device == "cuda":
            hole = np.zeros((WARM_UP, WARM_UP), bool)
            hole[:SMALLEST] = True
            self._fill(np.zeros((WARM_UP, WARM_UP, 3), np.uint8), hole)

    def check_room(self) -> None:
        self._turns.check_room()

    def predict(self, image: Picture, weights: Weights) -> Picture:
        with self._turns.take():
            return inpaint(image, weights, self._fill, LIMITS)

    def _fill(self, picture: Picture, hole: Hole) -> Picture:
        height, width = hole.shape
        padded = [max(SMALLEST, -(-side // STRIDE) * STRIDE) for side in hole.shape]
        image = torch.from_numpy(mirror(picture, *padded)).to(self.device).permute(2, 0, 1)[None] / 255
        mask = torch.from_numpy(mirror(hole, *padded)).to(self.device)[None, None].float()  # (1, 1, H, W)
        made = self._batches(tuple(padded), masked_input(image, mask))[:, :height, :width]
        rgb = (made * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        return np.where(hole[..., None], rgb, picture)

    def _fill_all(self, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        return list(self._network(torch.cat(inputs)))
