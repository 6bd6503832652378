"""Crops of pictures with holes, made ahead by threads; batch number n is the same, however many threads there are."""

from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from inpainting.engine.interface import Picture
from training.data import masks

Batch = tuple[Tensor, Tensor]  # (B, 3, H, W) RGB in 0..1, and (B, 1, H, W) of 0 and 1, both float32 and channels last


class Crops(Protocol):
    """What training eats: `data.Pictures` and `folder.Folder`."""

    def crop(self, rng: np.random.Generator, side: int) -> Picture:
        """A random piece, (side, side, 3)."""


@dataclass(frozen=True)
class Batches:
    """What a step gets."""

    crops: Crops
    side: int  # pixels
    count: int  # crops of a batch
    threads: int  # that make them

    def start(self, first: int, device: torch.device) -> Generator[Batch]:
        """Endless, from number `first`: training that goes on does not see again what it saw."""
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
            number = first
            try:
                while True:
                    while len(waiting) <= 2 * self.threads:
                        waiting.append(pool.submit(self._make, number))
                        number += 1
                    yield to_tensors(*waiting.popleft().result(), device)
            finally:
                pool.shutdown(cancel_futures=True)

    def _make(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(number)
        pictures = np.stack([self.crops.crop(rng, self.side) for _ in range(self.count)])
        return pictures, np.stack([masks.sample(rng, self.side, self.side) for _ in range(self.count)])


def to_tensors(pictures: np.ndarray, holes: np.ndarray, device: torch.device) -> Batch:
    """(B, H, W, 3) uint8 and (B, H, W) bool to what a network sees."""
    image = _sent(pictures, device).permute(0, 3, 1, 2).float() / 255  # a permuted view is channels last already
    return image, _sent(holes, device)[:, None].float()


def _sent(array: np.ndarray, device: torch.device) -> Tensor:
    tensor = torch.from_numpy(array)
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor
