"""Does it learn anything? A generator on crops it was never trained on, beside a fill that needs no network."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from inpainting.engine.inpainters.lama.network import Lama, masked_input
from inpainting.engine.inpainters.smooth.push_pull import push_pull
from training.data import masks
from training.data.batches import Crops, to_tensors
from training.evaluate import metrics
from training.features import Features

CROPS = 16
SEED = 20_261_121  # the same crops and holes every time


@dataclass(frozen=True)
class Score:
    """Both are lower for better, 0 for perfect."""

    hole: float  # mean difference in the hole, 0..1
    distance: float  # see `metrics.distances`

    def __str__(self) -> str:
        return f"hole {self.hole:.4f}, distance {self.distance:.1f}"


@dataclass(frozen=True)
class Comparison:
    image: Tensor  # (N, 3, H, W) RGB in 0..1
    hole: Tensor  # (N, 1, H, W) of 0 and 1
    features: Features
    smooth: Score  # of the push-pull fill

    @classmethod
    def of(cls, crops: Crops, side: int, features: Features) -> Self:
        """Held-out crops and holes of `side` pixels, and how the push-pull fill does on them."""
        rng = np.random.default_rng(SEED)
        pictures = np.stack([crops.crop(rng, side) for _ in range(CROPS)])
        holes = np.stack([masks.sample(rng, side, side) for _ in range(CROPS)])
        filled = np.stack([push_pull(*pair) for pair in zip(pictures, holes, strict=True)])
        device = features.mean.device
        (image, hole), (smooth, _) = to_tensors(pictures, holes, device), to_tensors(filled, holes, device)
        return cls(image, hole, features, _score(smooth, image, hole, features))

    @torch.no_grad()
    def score(self, lama: Lama) -> Score:
        """How a generator in evaluation mode does."""
        return _score(torch.cat([lama(batch) for batch in self._inputs()]), self.image, self.hole, self.features)

    @torch.no_grad()
    def dead(self, lama: Lama) -> float:
        """The share of the generator's channels that no crop wakes: their ReLU gives 0 everywhere. 0..1."""
        awake: dict[nn.Module, Tensor] = {}

        def watch(module: nn.Module, _: object, output: Tensor) -> None:
            now = output.amax(dim=(0, 2, 3)) > 0  # every BatchNorm here is followed by a ReLU
            awake[module] = awake[module] | now if module in awake else now

        hooks = [m.register_forward_hook(watch) for m in lama.modules() if isinstance(m, nn.BatchNorm2d)]
        try:
            for batch in self._inputs():
                lama(batch)
        finally:
            for hook in hooks:
                hook.remove()
        return 1 - float(torch.cat(list(awake.values())).float().mean())

    def _inputs(self) -> tuple[Tensor, ...]:
        return masked_input(self.image, self.hole).split(4)


def _score(made: Tensor, image: Tensor, hole: Tensor, features: Features) -> Score:
    composite = hole * made + (1 - hole) * image
    each = metrics.distances(features, composite, image, hole)
    return Score(metrics.l1(composite, image, hole), float(np.mean(each)))
