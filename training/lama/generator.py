"""LaMa's generator as training runs it: the same parameters and the same results, by faster arithmetic."""

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.inpainters.lama.network import FourierUnit, Lama

LARGEST = 1024  # latent pixels; a transform is a matrix of twice their square, so larger ones are left to the FFT


class TrainableFourierUnit(FourierUnit):
    """A Fourier unit whose transforms are two matrix products.

    Crops are small, so a whole two-dimensional transform is one matrix. Products exist in half precision and keep
    channels last; FFTs do neither, and spend their time converting.
    """

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        batch, channels, height, width = x.shape
        if height * width > LARGEST:
            return super().forward(x)
        forth, back = _matrices(height, width, x.device)
        pixels = x.permute(0, 2, 3, 1).reshape(batch, height * width, channels)
        columns = width // 2 + 1
        spectrum = (forth @ pixels).view(batch, height, columns, 2 * channels)  # real parts, then imaginary ones
        kernel = self.conv_layer.weight.view(2 * channels, channels, 2).transpose(1, 2).flatten(1)
        mixed = F.linear(spectrum, kernel)  # real and imaginary parts interleaved, as BatchNorm has them
        mixed = self.bn(mixed.permute(0, 3, 1, 2)).relu().permute(0, 2, 3, 1)
        mixed = mixed.reshape(batch, height * columns, channels, 2).transpose(2, 3).reshape(batch, -1, channels)
        return (back @ mixed).view(batch, height, width, channels).permute(0, 3, 1, 2)


def trainable(lama: Lama) -> Lama:
    """The generator itself, made ready: channels last, transforms as matrix products, in train mode."""
    for module in lama.modules():
        if type(module) is FourierUnit:
            module.__class__ = TrainableFourierUnit
    lama.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return lama.requires_grad_(True).train()


@lru_cache(8)
def _matrices(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """rfft2 and irfft2 of (H, W) as matrices: (2 H K, H W) and (H W, 2 H K) with K = W // 2 + 1.

    Rows of the first: frequency (h, k), then real or imaginary. Both with norm="ortho".
    """
    points = height * width
    impulses = torch.eye(points, dtype=torch.float64).view(points, height, width)
    spectra = torch.view_as_real(torch.fft.rfft2(impulses, norm="ortho"))  # (H W, H, K, 2)
    forth = spectra.reshape(points, -1).T
    frequencies = torch.eye(forth.shape[0], dtype=torch.float64).view(-1, height, width // 2 + 1, 2)
    back = torch.fft.irfft2(torch.view_as_complex(frequencies), s=(height, width), norm="ortho").reshape(-1, points).T
    return forth.float().contiguous().to(device), back.float().contiguous().to(device)
