"""One cell of a lattice, on which all copies of what is tiled over a picture lie over each other. Torch only."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from inpainting.engine.watermark.tiled.lattice import Lattice


def raster(lattice: Lattice, finer: float = 1.0) -> tuple[int, int]:
    """The shape of a cell's raster with about so many points a pixel."""
    one, two = (max(4, round(finer * float(np.hypot(*shift)))) for shift in (lattice.first, lattice.second))
    return one, two


class Cell:
    """One cell of a lattice as a raster, on which all copies lie over each other."""

    def __init__(self, lattice: Lattice, width: int, shape: tuple[int, int]) -> None:
        """For a picture of that width; `shape`: of the raster."""
        self._within = torch.linalg.inv(torch.tensor([lattice.first, lattice.second], dtype=torch.float64).T)
        self._width, self.shape = width, shape
        self._last: tuple[tuple[int, int], list[tuple[Tensor, Tensor]]] = (0, 0), []

    def _corners(self, top: int, height: int) -> list[tuple[Tensor, Tensor]]:
        """Each pixel of these rows lies between four points of the raster: which, and how near each is."""
        if self._last[0] != (top, height):
            self._last = (top, height), list(self._bilinear(top, height))
        return self._last[1]

    def _bilinear(self, top: int, height: int) -> Iterator[tuple[Tensor, Tensor]]:
        parts = []
        for place, size in zip(self._places(top, height), self.shape, strict=True):
            within = (place - place.floor()) * size
            first = within.floor()
            near = (within - first).float()
            one = first.long() % size
            parts.append([(one, 1 - near), ((one + 1) % size, near)])
        for one, near in parts[0]:
            for other, nearer in parts[1]:
                yield one * self.shape[1] + other, near * nearer

    def _places(self, top: int, height: int) -> Iterator[Tensor]:
        """How many of the first shift, then of the second, lead to each pixel of these rows: (height * W,)."""
        rows = torch.arange(top + 0.5, top + height, dtype=torch.float64)[:, None]
        columns = torch.arange(0.5, self._width, dtype=torch.float64)
        for down, right in self._within:
            yield (down * rows + right * columns).flatten()

    def copies(self, height: int) -> Tensor:
        """The number of the copy that each pixel lies in, (height * W,), from the first row on."""
        one, two = (place.floor().long() for place in self._places(0, height))
        one, two = one - one.min(), two - two.min()
        return one * (two.max() + 1) + two

    def fold(self, planes: Tensor, top: int = 0) -> Tensor:
        """The sum over all copies: (C, H, W), of which the first row is the picture's row `top`, to (C, h, w)."""
        flat = planes.flatten(1)
        total = flat.new_zeros(len(flat), self.shape[0] * self.shape[1])
        for where, weight in self._corners(top, planes.shape[1]):
            total.scatter_add_(1, where.expand_as(flat), flat * weight)
        return total.view(-1, *self.shape)

    def unfold(self, raster: Tensor, height: int, top: int = 0) -> Tensor:
        """(C, h, w) to (C, height, W): the same in every copy."""
        return _spread(raster, self._corners(top, height)).view(-1, height, self._width)

    def unfold_at(self, pixels: Tensor, raster: Tensor, height: int, top: int = 0) -> Tensor:
        """The same at some `pixels` (height, W) bool only: (C, n)."""
        chosen = pixels.flatten().nonzero()[:, 0]
        return _spread(raster, [(where[chosen], weight[chosen]) for where, weight in self._corners(top, height)])

    def integrate(self, down: Tensor, right: Tensor) -> Tensor:
        """What has these slopes, (C, h, w), by least squares, but for a constant; periodic."""
        waves = self._within.T.float()
        one, two = (2 * torch.pi * torch.fft.fftfreq(side, 1 / side) for side in self.shape)
        k_down = waves[0, 0] * one[:, None] + waves[0, 1] * two
        k_right = waves[1, 0] * one[:, None] + waves[1, 1] * two
        power = (k_down.square() + k_right.square()).clamp(min=1e-12)
        spectrum = -1j * (k_down * torch.fft.fft2(down) + k_right * torch.fft.fft2(right)) / power
        spectrum[:, 0, 0] = 0
        return torch.fft.ifft2(spectrum).real


def _spread(raster: Tensor, corners: list[tuple[Tensor, Tensor]]) -> Tensor:
    """(C, h, w) to (C, n): the weighted sum of four points of the raster each."""
    flat = raster.flatten(1)
    (where, weight), *others = corners
    planes = flat[:, where] * weight
    for where, weight in others:
        planes += flat[:, where] * weight
    return planes
