"""Crops of examples that take long to make: each is used many times, and replaced after a while.

An example is (R, H, W) uint8: planes of what a network is given and of what it is to give.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

KEPT = 1000  # examples that crops are taken from; after each batch there is a new one
HELD_OUT = 48  # crops by which a network is judged
AWAY = 50  # pixels from a crop's middle to one that counts, at most


class Maker(Protocol):
    def example(self, rng: Generator) -> Tensor:
        """(R, H, W) uint8."""


@dataclass(frozen=True)
class Rows:
    """What the planes of an example are."""

    where: int  # the plane that is not 0 where something is to be learned
    colours: Iterable[range]  # the planes that are red, green and blue of one picture


@dataclass
class Crops(IterableDataset[Tensor]):
    """Batches (N, R, side, side) uint8 without end."""

    maker: Callable[[], Maker]  # called in the process that makes them
    rows: Rows
    side: int
    size: int  # crops of a batch
    seed: int

    def __iter__(self) -> Iterator[Tensor]:
        worker = get_worker_info()
        if worker:
            torch.set_num_threads(1)
            cv2.setNumThreads(1)
        rng = np.random.default_rng([9, self.seed, worker.id if worker else 0])
        maker, kept = self.maker(), list[Tensor]()
        while True:
            kept = [*kept[-KEPT + 1 :], maker.example(rng)]
            yield torch.stack(
                [crop(kept[rng.integers(len(kept))], self.rows, rng, self.side) for _ in range(self.size)]
            )


def held_out(maker: Maker, rows: Rows, side: int) -> Tensor:
    """The same crops each time, one of each example: (HELD_OUT, R, side, side) uint8."""
    rng = np.random.default_rng(10)
    return torch.stack([crop(maker.example(rng), rows, rng, side) for _ in range(HELD_OUT)])


def crop(example: Tensor, rows: Rows, rng: Generator, side: int) -> Tensor:
    """A square around something that counts, (R, side, side): turned, mirrored, its colours exchanged."""
    missing = [max(0, side - length) for length in example.shape[1:]]
    planes = np.pad(example.numpy(), ((0, 0), *((0, more) for more in missing)), mode="symmetric")
    middle = np.argwhere(planes[rows.where])
    start = middle[rng.integers(len(middle))] + rng.integers(-AWAY, AWAY + 1, 2) - side // 2
    top, left = (int(np.clip(at, 0, length - side)) for at, length in zip(start, planes.shape[1:], strict=True))
    taken = planes[:, top : top + side, left : left + side]
    taken = taken[:, :: int(rng.choice([1, -1])), :: int(rng.choice([1, -1]))]
    taken = taken.transpose(0, 2, 1) if rng.random() < 0.5 else taken
    order, exchange = np.arange(len(planes)), rng.permutation(3)
    for colour in rows.colours:
        order[list(colour)] = np.array(colour)[exchange]
    return torch.from_numpy(np.ascontiguousarray(taken[order]))
