"""The real two-dimensional Fourier transform of features, channels last, as products with matrices; orthonormal.

Products exist in half precision and keep channels last; FFTs do neither, and spend their time converting.
"""

import math
from functools import lru_cache

import torch
from torch import Tensor


def transform(x: Tensor, headroom: int = 1) -> Tensor:
    """(B, H, W, C) to its spectrum divided by `headroom`, (B, H, W//2+1, 2C): real parts, then imaginary ones."""
    batch, height, width, channels = x.shape
    to_rows, to_columns, _, _ = matrices(height, width, headroom, x.dtype, x.device)
    y = (to_rows @ x).view(batch, height, 2, -1)  # (B, H, 2, (W//2+1) * C)
    y = to_columns @ y.transpose(1, 2).flatten(1, 2)  # (B, 2H, (W//2+1) * C)
    return y.view(batch, 2, height, -1, channels).permute(0, 2, 3, 1, 4).flatten(3)


def inverse(spectrum: Tensor, width: int, headroom: int = 1) -> Tensor:
    """What has that spectrum, times `headroom`: (B, H, W//2+1, 2C) to (B, H, W, C)."""
    batch, height, _, planes = spectrum.shape
    _, _, from_columns, from_rows = matrices(height, width, headroom, spectrum.dtype, spectrum.device)
    y = spectrum.unflatten(3, (2, planes // 2)).permute(0, 3, 1, 2, 4).reshape(batch, 2 * height, -1)
    y = (from_columns @ y).view(batch, 2, height, -1)
    return from_rows @ y.transpose(1, 2).reshape(batch, height, -1, planes // 2)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def matrices(height: int, width: int, headroom: int, dtype: torch.dtype, device: torch.device) -> tuple[Tensor, ...]:
    """The real DFT of (H, W) and its inverse, as matrices on stacked real and imaginary parts.

    Along W from (W) to (2K), K = W//2+1; along H from (2H) to (2H) and back; along W from (2K) to (W).
    """
    half = width // 2 + 1
    angle = _angles(half, width)
    twice = torch.full((half, 1), 2.0, dtype=torch.float64)  # the frequencies left out are the others' conjugates
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    to_rows = torch.cat([angle.cos(), -angle.sin()]) / math.sqrt(width) / headroom
    from_rows = torch.cat([angle.cos() * twice, -angle.sin() * twice]).T / math.sqrt(width) * headroom
    angle = _angles(height, height)
    cosine, sine = angle.cos() / math.sqrt(height), angle.sin() / math.sqrt(height)
    to_columns = torch.cat([torch.cat([cosine, sine], 1), torch.cat([-sine, cosine], 1)])
    matrices = to_rows, to_columns, to_columns.T, from_rows
    return tuple(matrix.contiguous().to(device, dtype) for matrix in matrices)


def _angles(frequencies: int, length: int) -> Tensor:
    """(frequencies, length), 2 pi k n / length, reduced first: exact for long ones too."""
    products = torch.outer(torch.arange(frequencies), torch.arange(length)) % length
    return products.double() * (2 * math.pi / length)
