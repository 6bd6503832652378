"""`lama.FourierUnit` for channels-last features: by FFT in fp32, by matrix products in half precision.

Both fold the batch normalisation into the 1x1 convolution of the spectrum, and keep real and imaginary parts as two
planes of channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from inpainting.engine.inpainters.lama.fast.gemm import Product
from inpainting.engine.nets import dft

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
        y = F.linear(dft.transform(x, HEADROOM), self.weight, self.bias).relu_()
        return dft.inverse(y, x.shape[2], HEADROOM)
