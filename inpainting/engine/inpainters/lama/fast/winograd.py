"""3x3 convolutions with a quarter of the multiplications.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016: F(4x4, 3x3). A tile of 6x6 inputs gives
4x4 outputs by 36 products a pair of channels instead of 144. The rounding error is some ten times a direct
convolution's: nothing in fp32, too much in half precision. Transformed kernels are four times as large, 450 MB more for
big-lama, so they are made anew at every call; where there are few tiles that costs more than it saves (timing.py
measures how few).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.inpainters.lama.fast.gemm import Product

SIDE, STEP = 6, 4  # a tile's inputs and outputs, each way
POINTS = SIDE * SIDE  # numbers a tile and channel
TILES = 256  # computed at once, so that their numbers stay in the processor's cache

FROM_INPUT = torch.tensor(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    dtype=torch.float32,
)
FROM_KERNEL = torch.tensor([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]]) / 24
TO_OUTPUT = torch.tensor(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], dtype=torch.float32
)
# Both ways at once: a row for each number of a tile, rows before columns.
FROM_INPUT, FROM_KERNEL, TO_OUTPUT = (torch.kron(one, one) for one in (FROM_INPUT, FROM_KERNEL, TO_OUTPUT))


class Convolutions:
    """The 3x3 convolutions of a fast Fourier convolution: all channels to the local ones, the local ones to the global.

    (B, H, W, L + G) -> (B, H, W, L + G), with reflected borders.
    """

    def __init__(self, to_local: Tensor, to_global: Tensor, bias: Tensor, product: Product) -> None:
        """(L, L + G, 3, 3), (G, L, 3, 3), (L + G)"""
        self.kernels, self.biases = (to_local, to_global), bias.split([len(to_local), len(to_global)])
        self.product = product

    def direct(self, x: Tensor) -> Tensor:
        """By the machine's own convolutions; in any precision, on any device."""
        x = bordered(x).permute(0, 3, 1, 2)
        layers = zip(self.kernels, self.biases, strict=True)
        made = [F.conv2d(x[:, : kernel.shape[1]], kernel, bias) for kernel, bias in layers]
        return torch.cat(made, 1).permute(0, 2, 3, 1)

    def winograd(self, x: Tensor) -> Tensor:
        """The same, in fp32 on a CPU."""
        _, height, width, channels = x.shape
        rows, columns = -(-height // STEP), -(-width // STEP)
        x = F.pad(bordered(x), (0, 0, 0, columns * STEP - width, 0, rows * STEP - height))
        y = x.new_empty(len(x), STEP * rows, STEP * columns, channels)
        kernels = [transformed(kernel, self.product) for kernel in self.kernels]
        step = max(1, TILES // columns)
        for image, made in zip(x, y, strict=True):
            for top in range(0, STEP * rows, STEP * step):
                part = made[top : top + STEP * step]
                self._convolve(image[top : top + len(part) + SIDE - STEP], kernels, part)
        return y[:, :height, :width]

    def _convolve(self, x: Tensor, kernels: list[Tensor], y: Tensor) -> None:
        """(h + 2, w + 2, C) -> (h, w, C); h and w are multiples of STEP."""
        tiles = to_tiles(x, self.product)
        outputs = y.split([len(bias) for bias in self.biases], -1)
        for kernel, bias, output in zip(kernels, self.biases, outputs, strict=True):
            products = tiles.new_empty(POINTS, tiles.shape[1], len(bias))
            for one, weights, made in zip(tiles, kernel, products, strict=True):
                made.copy_(self.product(one[:, : kernel.shape[1]], weights, None))
            from_tiles(products, bias, output, self.product)


def bordered(x: Tensor) -> Tensor:
    """(B, H, W, C) -> (B, H + 2, W + 2, C), reflected."""
    return F.pad(x.permute(0, 3, 1, 2), (1, 1, 1, 1), mode="reflect").permute(0, 2, 3, 1)


def transformed(kernel: Tensor, product: Product) -> Tensor:
    """(O, I, 3, 3) -> (36, I, O)."""
    outputs, inputs = kernel.shape[:2]
    points = product(FROM_KERNEL, kernel.permute(2, 3, 0, 1).reshape(9, -1), None)
    return points.view(POINTS, outputs, inputs).transpose(1, 2)


def to_tiles(x: Tensor, product: Product) -> Tensor:
    """(4 rows + 2, 4 columns + 2, C) -> (36, rows * columns, C)."""
    patches = x.unfold(0, SIDE, STEP).unfold(1, SIDE, STEP).permute(3, 4, 0, 1, 2)  # (6, 6, rows, columns, C)
    _, _, rows, columns, channels = patches.shape
    tiles = x.new_empty(POINTS, rows, columns * channels)
    for row in range(rows):
        tiles[:, row] = product(FROM_INPUT, patches[:, :, row].reshape(POINTS, -1), None)
    return tiles.view(POINTS, rows * columns, channels)


def from_tiles(products: Tensor, bias: Tensor, y: Tensor, product: Product) -> None:
    """(36, rows * columns, C) and (C) -> (4 rows, 4 columns, C)."""
    height, width, channels = y.shape
    pixels = product(TO_OUTPUT, products.view(POINTS, -1), None)
    pixels = pixels.view(STEP, STEP, height // STEP, width // STEP, channels)
    torch.add(pixels.permute(2, 0, 3, 1, 4), bias, out=y.view(height // STEP, STEP, width // STEP, STEP, channels))
