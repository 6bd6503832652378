"""LaMa's generator, a ResNet of fast Fourier convolutions. Tensors only: no files, no devices, no Django.

Suvorov et al., "Resolution-robust Large Mask Inpainting with Fourier Convolutions", WACV 2022 (arXiv:2109.07161);
Chi et al., "Fast Fourier Convolution", NeurIPS 2020. Module names are the official release's, so that its checkpoints
load once their prefix is stripped. What the official code can do and big-lama does not use is left out.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

DOWNSAMPLINGS = 3
STRIDE = 2**DOWNSAMPLINGS  # picture pixels per latent pixel, each way
RATIO_GLOBAL = 0.75  # share of a residual block's channels that see the whole picture


@dataclass(frozen=True)
class LamaConfig:
    """The shape of a generator. The defaults are big-lama's."""

    ngf: int = 64  # channels after the stem; the residual blocks have 8 times as many
    n_blocks: int = 18

    @property
    def channels(self) -> tuple[int, int]:
        """Local and global channels of the residual blocks."""
        width = self.ngf * STRIDE
        return width - int(width * RATIO_GLOBAL), int(width * RATIO_GLOBAL)


Pair = tuple[Tensor, Any]  # local features, and global ones of the same spatial size or None


class FourierUnit(nn.Module):
    """A 1x1 convolution of the spectrum: every output pixel depends on the whole picture."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_layer = nn.Conv2d(2 * channels, 2 * channels, 1, bias=False)
        self.bn = nn.BatchNorm2d(2 * channels)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        # float: neither FFT nor complex tensors exist in bfloat16, so under autocast the transforms stay in fp32.
        spectrum = torch.view_as_real(torch.fft.rfft2(x.float(), norm="ortho"))  # (B, C, H, W//2+1, 2)
        y = spectrum.movedim(-1, 2).flatten(1, 2)  # (B, 2C, H, W//2+1): real and imaginary parts interleaved
        y = self.bn(self.conv_layer(y)).relu().float()
        y = y.unflatten(1, (-1, 2)).movedim(2, -1).contiguous()  # (B, C, H, W//2+1, 2)
        return torch.fft.irfft2(torch.view_as_complex(y), s=x.shape[-2:], norm="ortho")


class SpectralTransform(nn.Module):
    """The global to global path of a fast Fourier convolution, at half its channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Sequential(nn.Conv2d(channels, half, 1, bias=False), nn.BatchNorm2d(half), nn.ReLU())
        self.fu = FourierUnit(half)
        self.conv2 = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:  # (B, C, H, W) -> (B, C, H, W)
        x = self.conv1(x)
        return self.conv2(x + self.fu(x))


class FFC(nn.Module):
    """Fast Fourier convolution: local and global features, each made from both. A path without channels is left out."""

    def __init__(self, inputs: tuple[int, int], outputs: tuple[int, int], kernel: int, stride: int = 1) -> None:
        super().__init__()

        def conv(in_channels: int, out_channels: int) -> nn.Module:
            if not (in_channels and out_channels):
                return nn.Identity()
            padding = 1 if kernel == 3 else 0  # the stem is padded by the layer before it
            return nn.Conv2d(in_channels, out_channels, kernel, stride, padding, bias=False, padding_mode="reflect")

        (in_l, in_g), (out_l, out_g) = inputs, outputs
        self.convl2l = conv(in_l, out_l)
        self.convl2g = conv(in_l, out_g)
        self.convg2l = conv(in_g, out_l)
        self.convg2g = SpectralTransform(out_g) if in_g and out_g else nn.Identity()
        self.splits = bool(out_g)

    def forward(self, local: Tensor, global_: Tensor | None = None) -> Pair:
        out_l = self.convl2l(local)
        out_g = self.convl2g(local) if self.splits else None
        if global_ is not None:
            out_l = out_l + self.convg2l(global_)
            out_g = out_g + self.convg2g(global_)
        return out_l, out_g


class FFCNormAct(nn.Module):
    """FFC, batch normalisation, ReLU."""

    def __init__(self, inputs: tuple[int, int], outputs: tuple[int, int], kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.ffc = FFC(inputs, outputs, kernel, stride)
        self.bn_l = nn.BatchNorm2d(outputs[0])
        self.bn_g = nn.BatchNorm2d(outputs[1]) if outputs[1] else nn.Identity()

    def forward(self, x: Tensor | Pair) -> Pair:
        local, global_ = self.ffc(*x) if isinstance(x, tuple) else self.ffc(x)
        return self.bn_l(local).relu(), None if global_ is None else self.bn_g(global_).relu()


class FFCResnetBlock(nn.Module):
    def __init__(self, channels: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = FFCNormAct(channels, channels)
        self.conv2 = FFCNormAct(channels, channels)

    def forward(self, x: Pair) -> Pair:
        local, global_ = self.conv2(self.conv1(x))
        return x[0] + local, x[1] + global_


class Concat(nn.Module):
    def forward(self, x: Pair) -> Tensor:
        return torch.cat(x, dim=1)


class Lama(nn.Module):
    """Masked picture and hole in, picture out.

    In: (B, 4, H, W), the channels of `masked_input`; H and W are multiples of 8 and at least 16 (reflection needs two
    latent pixels). Out: (B, 3, H, W), RGB in 0..1, also outside the hole: the caller composites.
    """

    def __init__(self, config: LamaConfig) -> None:
        super().__init__()
        self.config = config
        ngf = config.ngf
        layers: list[nn.Module] = [
            nn.ReflectionPad2d(3),
            FFCNormAct((4, 0), (ngf, 0), kernel=7),  # (B, ngf, H, W)
            FFCNormAct((ngf, 0), (2 * ngf, 0), stride=2),  # (B, 2 ngf, H/2, W/2)
            FFCNormAct((2 * ngf, 0), (4 * ngf, 0), stride=2),  # (B, 4 ngf, H/4, W/4)
            FFCNormAct((4 * ngf, 0), config.channels, stride=2),  # (B, 2 ngf, H/8, W/8) and (B, 6 ngf, H/8, W/8)
        ]
        layers += [FFCResnetBlock(config.channels) for _ in range(config.n_blocks)]
        layers += [Concat()]  # (B, 8 ngf, H/8, W/8)
        for width in (8 * ngf, 4 * ngf, 2 * ngf):
            up = nn.ConvTranspose2d(width, width // 2, 3, stride=2, padding=1, output_padding=1)
            layers += [up, nn.BatchNorm2d(width // 2), nn.ReLU()]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Sigmoid()]  # (B, 3, H, W)
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


def masked_input(image: Tensor, hole: Tensor) -> Tensor:
    """What the generator sees: (B, 3, H, W) RGB in 0..1 and (B, 1, H, W) of 0 and 1 -> (B, 4, H, W)."""
    return torch.cat([image * (1 - hole), hole], dim=1)
