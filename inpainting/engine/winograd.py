"""3x3 convolutions with a quarter of the multiplications.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016: F(4x4, 3x3). A tile of 6x6 inputs gives
4x4 outputs by 36 products a pair of channels instead of 144. The rounding error is some ten times a direct
convolution's: nothing in fp32, too much in half precision. Transformed kernels are four times as large, 450 MB more for
big-lama, so they are made anew at every call: that takes a fortieth of the time.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE, STEP = 6, 4  # a tile's inputs and outputs, each way
TILES = 256  # computed at once, so that their 36 numbers a channel stay in the processor's cache

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


class Winograd:
    """The 3x3 convolutions of a fast Fourier convolution: all channels to the local ones, the local ones to the global.

    (B, H, W, L + G) -> (B, H, W, L + G), with reflected borders.
    """

    def __init__(self, to_local: Tensor, to_global: Tensor, bias: Tensor) -> None:  # (L, L + G, 3, 3), (G, L, 3, 3)
        self.kernels = [weight.permute(3, 2, 1, 0).contiguous() for weight in (to_local, to_global)]  # (3, 3, I, O)
        self.bias = bias

    def __call__(self, x: Tensor) -> Tensor:
        _, height, width, channels = x.shape
        rows, columns = -(-height // STEP), -(-width // STEP)
        x = F.pad(x.permute(0, 3, 1, 2), (1, 1, 1, 1), mode="reflect").permute(0, 2, 3, 1)
        x = F.pad(x, (0, 0, 0, columns * STEP - width, 0, rows * STEP - height))
        y = x.new_empty(len(x), height, width, channels)
        local, step = self.kernels[0].shape[3], max(1, TILES // columns)
        outputs = slice(0, local), slice(local, None)
        kernels = [transform(kernel) for kernel in self.kernels]
        for image, made in zip(x, y, strict=True):
            for top in range(0, rows, step):
                tiles = to_tiles(image[STEP * top : STEP * (top + step) + SIDE - STEP])  # (36, tiles, L + G)
                part = made[STEP * top : STEP * (top + step)]
                for kernel, out in zip(kernels, outputs, strict=True):
                    products = torch.bmm(tiles[..., : kernel.shape[1]], kernel)
                    pixels = from_tiles(products, columns)[: len(part), :width]
                    torch.add(pixels, self.bias[out], out=part[..., out])
        return y


def transform(kernel: Tensor) -> Tensor:
    """(3, 3, I, O) -> (36, I, O); a tile's columns come before its rows, as everywhere here."""
    return (torch.kron(FROM_KERNEL, FROM_KERNEL) @ kernel.view(9, -1)).view(SIDE * SIDE, *kernel.shape[2:])


def to_tiles(x: Tensor) -> Tensor:
    """(4 rows + 2, 4 columns + 2, C) -> (36, rows * columns, C)."""
    height, width, channels = x.shape
    rows, columns = height // STEP, width // STEP
    tiles = x.new_empty(SIDE, SIDE, rows, columns * channels)
    for row in range(rows):
        y = FROM_INPUT @ x[STEP * row : STEP * row + SIDE].flatten(1)
        y = y.view(SIDE, width, channels).unfold(1, SIDE, STEP).permute(3, 0, 1, 2)  # (6, 6, columns, C)
        tiles[:, :, row] = (FROM_INPUT @ y.reshape(SIDE, -1)).view(SIDE, SIDE, -1)
    return tiles.view(SIDE * SIDE, rows * columns, channels)


def from_tiles(products: Tensor, columns: int) -> Tensor:
    """(36, rows * columns, C) -> (4 rows, 4 columns, C)."""
    channels = products.shape[2]
    y = (TO_OUTPUT @ products.view(SIDE, -1)).view(STEP, SIDE, -1)
    y = (TO_OUTPUT @ y).view(STEP, STEP, -1, columns, channels)  # (x in a tile, y in a tile, rows, columns, C)
    return y.permute(2, 1, 3, 0, 4).reshape(-1, STEP * columns, channels)
