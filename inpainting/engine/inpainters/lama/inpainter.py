"""LaMa as an inpainter: device, precision, padding and batches. RGB uint8 in, RGB uint8 out."""

from pathlib import Path

import numpy as np
import torch

from inpainting.engine import hardware
from inpainting.engine.crops.resize import mirror
from inpainting.engine.inpainters.lama.network import STRIDE, Lama, masked_input
from inpainting.engine.inpainters.lama.precision import choose
from inpainting.engine.interface import Hole, Picture
from inpainting.engine.queue.batches import MOST, Batches

SMALLEST = 2 * STRIDE  # pixels: reflection needs two latent ones
BATCH_WAIT = 0.005  # seconds that the first of a batch waits for others
WARM_UP = 512  # pixels a side: compiles and chooses the kernels before the first request


class LamaInpainter:
    def __init__(
        self,
        lama: Lama,
        weights: str,
        precision: str = "auto",
        kernels_file: Path | None = None,
        batch: int | None = None,
    ) -> None:
        """`precision`: see `precision.choose`. `kernels_file`: the file that keeps which kernels are the fastest here.

        `batch`: most crops computed at once; None: what suits the device.
        """
        self.weights = weights
        self.device = hardware.device()
        self._network = choose(lama, precision, self.device, kernels_file)
        self.precision = self._network.kernels.precision
        batch = batch or (MOST if hardware.is_gpu(self.device) else 1)
        self._batches = Batches(self._fill_all, batch, BATCH_WAIT if batch > 1 else 0)
        if hardware.is_gpu(self.device):
            hole = np.zeros((WARM_UP, WARM_UP), bool)
            hole[:SMALLEST] = True
            self.fill(np.zeros((WARM_UP, WARM_UP, 3), np.uint8), hole)

    def fill(self, picture: Picture, hole: Hole) -> Picture:
        height, width = hole.shape
        padded = [max(SMALLEST, -(-side // STRIDE) * STRIDE) for side in hole.shape]
        image = torch.from_numpy(mirror(picture, *padded)).to(self.device).permute(2, 0, 1)[None] / 255
        mask = torch.from_numpy(mirror(hole, *padded)).to(self.device)[None, None].float()  # (1, 1, H, W)
        made = self._batches(tuple(padded), masked_input(image, mask))[:, :height, :width]
        rgb = (made * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        return np.where(hole[..., None], rgb, picture)

    def _fill_all(self, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        return list(self._network(torch.cat(inputs)))
