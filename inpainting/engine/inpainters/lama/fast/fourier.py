"""`lama.FourierUnit` for channels-last features: by FFT in fp32, by matrix products in half precision.

Both fold the batch normalisation into the 1x1 convolution of the spectrum, and keep real and imaginary parts as two
planes of channels.
"""

import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.inpainters.lama.fast.gemm import Product

# Half precision overflows at 65,504, and the spectrum's mean is sqrt(H * W) times the features'. The unit is positively
# homogeneous (a ReLU between linear maps), so a power of two goes in and comes out again without any loss.
HEADROOM = 64


def planes(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """The spectrum's convolution, (2C, 2C, 1, 1) and (2C,), from interleaved real and imaginary channels to planes."""
    weight = weight[:, :, 0, 0]
    weight = torch.cat([weight[:, 0::2], weight[:, 1::2]], 1)
    return torch.cat([weight[0::2], weight[1::2]]), torch.cat([bias[0::2], bias[1::2]])


class FastFourierUnit:
    """(B, H, W, C) -> (B, H, W, C) in fp32."""

    def __init__(self, weight: Tensor, bias: Tensor, product: Product) -> None:
        self.product = product
        self.weight, bias = planes(weight, bias)
        self.bias = bias[:, None]

    def __call__(self, x: Tensor) -> Tensor:
        _, height, width, channels = x.shape
        spectrum = torch.view_as_real(torch.fft.rfft2(x, dim=(1, 2), norm="ortho"))  # (B, H, W//2+1, C, 2)
        y = spectrum.permute(0, 4, 3, 1, 2).flatten(3).flatten(1, 2)  # (B, 2C, H * (W//2+1))
        y = torch.stack([self.product(self.weight, one, None) for one in y]).add_(self.bias).relu_()
        y = y.view(len(x), 2, channels, height, -1).permute(0, 2, 3, 4, 1).contiguous()
        return torch.fft.irfft2(torch.view_as_complex(y), s=(height, width), norm="ortho").permute(0, 2, 3, 1)


class MatrixFourierUnit:
    """(B, H, W, C) -> (B, H, W, C) in any precision."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        self.weight, bias = planes(weight, bias)
        self.bias = bias / HEADROOM

    def __call__(self, x: Tensor) -> Tensor:
        batch, height, width, channels = x.shape
        to_rows, to_columns, from_columns, from_rows = transforms(height, width, x.dtype, x.device)
        y = (to_rows @ x).view(batch, height, 2, -1)  # (B, H, 2, (W//2+1) * C)
        y = to_columns @ y.transpose(1, 2).flatten(1, 2)  # (B, 2H, (W//2+1) * C)
        y = y.view(batch, 2, height, -1, channels).permute(0, 2, 3, 1, 4).flatten(3)  # (B, H, W//2+1, 2C)
        y = F.linear(y, self.weight, self.bias).relu_()
        y = y.unflatten(3, (2, channels)).permute(0, 3, 1, 2, 4).reshape(batch, 2 * height, -1)
        y = (from_columns @ y).view(batch, 2, height, -1)
        return from_rows @ y.transpose(1, 2).reshape(batch, height, -1, channels)


@lru_cache(maxsize=16)
def transforms(height: int, width: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, ...]:
    """The real DFT of (H, W) and its inverse, as matrices on stacked real and imaginary parts; orthonormal, scaled.

    Along W from (W) to (2K), K = W//2+1; along H from (2H) to (2H) and back; along W from (2K) to (W).
    """
    half = width // 2 + 1
    angle = _angles(half, width)
    twice = torch.full((half, 1), 2.0, dtype=torch.float64)  # the frequencies left out are the others' conjugates
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    to_rows = torch.cat([angle.cos(), -angle.sin()]) / math.sqrt(width) / HEADROOM
    from_rows = torch.cat([angle.cos() * twice, -angle.sin() * twice]).T / math.sqrt(width) * HEADROOM
    angle = _angles(height, height)
    cosine, sine = angle.cos() / math.sqrt(height), angle.sin() / math.sqrt(height)
    to_columns = torch.cat([torch.cat([cosine, sine], 1), torch.cat([-sine, cosine], 1)])
    matrices = to_rows, to_columns, to_columns.T, from_rows
    return tuple(matrix.contiguous().to(device, dtype) for matrix in matrices)


def _angles(frequencies: int, length: int) -> Tensor:
    """(frequencies, length), 2 pi k n / length, reduced first: exact for long ones too."""
    products = torch.outer(torch.arange(frequencies), torch.arange(length)) % length
    return products.double() * (2 * math.pi / length)
